// A client's engine without sockets, for `ehlo conform --client --shim 'node examples/conform-shim.mjs'`: a line of JSON comes in, a line goes out.
import { createInterface } from 'node:readline';
import { ClientSession } from '@ehlo/engine';

const latin1 = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
let session, task, now, sent, done;

/** Does all that can be done now, and gives the octets to send. */
function pump() {
  let output = '';
  for (let more = true; more; ) {
    more = false;
    for (let event = session.nextEvent(); event !== null; event = session.nextEvent()) {
      if (event.type === 'ready') {
        session.write(latin1(task.content));
        session.end();
      }
      if (event.type === 'outcome') done = (done ?? true) && event.status === 'accepted';
      if (event.type === 'closed') done ??= false;
      if (event.type === 'settled' && session.phase === 'ready') session.quit();
    }
    if (session.canSend && !sent) {
      sent = true;
      session.send({ reversePath: task.from, recipients: task.to.map((forwardPath) => ({ forwardPath })) });
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
  if (told.client) {
    session = new ClientSession({ protocol: told.client.protocol, hostname: 'client.example', starttls: 'opportunistic' });
    [task, now, sent, done] = [told.client, 0, false, undefined];
  }
  now += told.tick ?? 0;
  session.tick(now);
  if (told.input) session.receive(latin1(told.input));
  if (told.secured) session.secured({ protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', servername: 'examiner.example' });
  if (told.end) session.receiveEnd();
  if (told.lost) session.lost();
  const output = pump();
  const wants = session.wants === 'tls' || session.wants === 'close' ? session.wants : undefined;
  // Nothing is kept of a task: another may follow.
  console.log(JSON.stringify({ output, wants, done, again: true }));
}
