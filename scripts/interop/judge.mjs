// Holds what was stored against what was on the wire.
import { strict as assert } from 'node:assert';
import { transactions } from './extract.mjs';

/** Every acknowledged message is one whole file, and there is no file more. Returns the number of messages. */
export function judge(recordings, server, raw) {
  const accepted = recordings.flatMap(transactions).filter(({ reply }) => reply.startsWith('250 '));
  const files = server.list('new');
  for (const transaction of accepted) {
    const id = / queued as (\S+)$/.exec(transaction.reply)?.[1];
    assert(id, `no queue id in ${transaction.reply}`);
    const named = files.filter((file) => file.includes(`.${id}.`));
    assert.equal(named.length, 1, `${named.length} files for the queue id ${id}`);
    const stored = server.read(named[0]);
    if (raw) sameOctets(stored, transaction.content);
    else {
      const header = stored.slice(0, stored.length - transaction.content.length);
      sameOctets(stored.slice(header.length), transaction.content);
      traceFields(header, transaction, id);
    }
  }
  assert.equal(files.length, accepted.length, `${files.length} files for ${accepted.length} accepted messages`);
  assert.deepEqual(server.list('tmp'), [], 'tmp/ is not empty');
  return accepted.length;
}

function sameOctets(stored, sent) {
  if (stored === sent) return;
  let at = 0;
  while (at < sent.length && stored[at] === sent[at]) at++;
  const part = (text) => JSON.stringify(text.slice(Math.max(0, at - 20), at + 40));
  assert.fail(`octet ${at} of ${sent.length} differs (${stored.length} stored): sent ${part(sent)}, stored ${part(stored)}`);
}

/** RFC 5321 4.4, read by a pattern of our own: Return-Path first, then Received, then a field for each recipient. */
function traceFields(header, { reversePath, forwardPaths }, id) {
  const fields = header.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n');
  assert.equal(fields.pop(), '', 'the trace fields do not end with CRLF');
  const [returnPath, received, ...recipients] = fields;
  assert.equal(returnPath, `Return-Path: ${reversePath}`);
  assert.match(
    received,
    /^Received: from \S+ \(\[127\.0\.0\.1\]\) by mx\.interop\.example with E?SMTP id \S+( for <\S+>)?; \w{3}, .* [+-]\d{4}$/,
  );
  assert(received.includes(` id ${id}`), `another id than ${id} in ${received}`);
  assert.deepEqual(
    recipients,
    forwardPaths.map((path) => `X-Envelope-To: ${path}`),
  );
  assert.equal(received.includes(' for '), forwardPaths.length === 1, 'RFC 5321 7.2: FOR only for one recipient');
}
