// Delivers what Postfix brings by LMTP; its configuration is in docs/lmtp-behind-postfix.md. With the path of a socket it serves there;
// without, it plays both sides: `node examples/lmtp-behind-postfix.mjs`, or by Deno or Bun.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, mailboxKey, outcomeText, reject, serve } from 'ehlo';

const [given] = process.argv.slice(2);
const folder = given === undefined ? await mkdtemp(join(tmpdir(), 'lmtp-')) : null;
const path = given ?? join(folder, 'lmtp.sock');

/** Mailboxes, and the room that each has, in octets. */
const rooms = new Map([
  ['ann@example.org', 1_000_000],
  ['bob@example.org', 10],
  ['postmaster@example.org', 1_000_000],
]);

const server = await serve(
  { path, mode: 0o660, hostname: 'mx.example.org', preset: 'lmtp', trusted: { XFORWARD: () => true } },
  {
    rcpt: ({ forwardPath }) => rooms.has(mailboxKey(forwardPath)) || reject(550, '5.1.1', 'no such user'),
    async message({ envelope, body }, { forwarded }) {
      const { length } = await body.bytes();
      console.log(`from ${forwarded?.address}`);
      // A decision for each recipient, in order (RFC 2033 4.2): Postfix keeps the message for those alone that are refused for now.
      return envelope.recipients.map(({ forwardPath }) => {
        if (length > rooms.get(mailboxKey(forwardPath))) return reject(452, '4.2.2', 'mailbox full');
        return true; // when it is in the mailbox, not before
      });
    },
  },
);

if (folder === null) {
  await once(process, 'SIGTERM');
} else {
  // What Postfix says, and for whom it had the message from.
  const postfix = await connect({ path, protocol: 'lmtp' });
  await postfix.command('XFORWARD', 'ADDR=192.0.2.7 NAME=client.example');
  const recipients = ['ann@example.org', 'bob@example.org', 'eve@example.org'];
  const { outcomes } = await postfix.send({ reversePath: 'joe@client.example', recipients }, 'Subject: hello\r\n\r\n');
  for (const outcome of outcomes) console.log(`${outcome.recipient} ${outcome.status}: ${outcomeText(outcome)}`);
  await postfix.close();
}
await server.close();
if (folder !== null) await rm(folder, { recursive: true });
