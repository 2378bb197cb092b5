// A server's engine without sockets, for `ehlo conform --shim 'node examples/conform-server-shim.mjs'`: a line of JSON comes in, a line goes out.
import { createInterface } from 'node:readline';
import { ServerSession } from '@ehlo/engine';

const PRESETS = { smtp: 'mx', submission: 'submission', lmtp: 'lmtp' };
const MAILBOXES = new Set(['ann', 'bob', 'postmaster']);
const octets = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
let session, now;

/** Does all that can be done now, and gives the octets to send. */
function pump() {
  let output = '';
  for (let more = true; more; ) {
    more = false;
    for (let event = session.nextEvent(); event !== null; event = session.nextEvent()) {
      if (event.type === 'rcpt' && !MAILBOXES.has(event.forwardPath.localPart.toLowerCase()))
        session.reject(event, { code: 550, enhanced: '5.1.1', text: 'No such user' });
      else if (event.type === 'rcpt' || event.type === 'message') session.accept(event);
      more = true;
    }
    for (let bytes = session.nextOutput(); bytes !== null; bytes = session.nextOutput()) {
      output += String.fromCharCode(...bytes);
      session.written(bytes.length);
      more = true;
    }
  }
  return btoa(output);
}

for await (const line of createInterface({ input: process.stdin })) {
  const told = JSON.parse(line);
  if (told.server) {
    session = new ServerSession({ hostname: 'mx.example', preset: PRESETS[told.server.protocol], ask: ['rcpt', 'message'] });
    now = 0;
  }
  now += told.tick ?? 0;
  session.tick(now);
  if (told.input) session.receive(octets(told.input));
  if (told.secured) session.secured({ protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', servername: '' });
  if (told.end) session.receiveEnd();
  if (told.lost) session.lost();
  const output = pump();
  const { wants } = session;
  // Nothing is kept of a session: another may follow.
  console.log(JSON.stringify({ output, wants: wants === 'tls' || wants === 'close' ? wants : undefined, again: true }));
}
