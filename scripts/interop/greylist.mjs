// Who is refused at first, and taken later; others never. Postfix asks by its protocol for policies, Exim by a line.
import { createServer } from 'node:net';

const PAUSE = 1500;

/** Recipients by how their names begin: `never` is refused for good, `grey` until its pause is over, from when it was first asked for. */
export async function greylist(stage) {
  const first = new Map();
  const asked = [];
  const judge = (sender, recipient) => {
    asked.push(recipient);
    if (recipient.startsWith('never')) return 'never';
    if (!recipient.startsWith('grey')) return 'taken';
    const triple = `${sender} ${recipient}`;
    if (!first.has(triple)) first.set(triple, performance.now());
    return performance.now() - first.get(triple) < PAUSE ? 'later' : 'taken';
  };
  const sockets = new Set();
  const server = createServer((socket) => {
    let text = '';
    sockets.add(socket.setEncoding('latin1'));
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    socket.on('data', (octets) => {
      text += octets;
      const [line] = /^ask .*\n/.exec(text) ?? [];
      if (line !== undefined) {
        const [, sender, recipient] = line.trim().split(' ');
        socket.end(EXIM[judge(sender, recipient)]);
        return;
      }
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const { sender, recipient } = Object.fromEntries(
          text
            .slice(0, end)
            .split('\n')
            .map((one) => one.split(/=(.*)/s)),
        );
        text = text.slice(end + 2);
        socket.write(`action=${POSTFIX[judge(sender, recipient)]}\n\n`);
      }
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  stage.later(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address();
  return {
    /** How often a recipient was asked for. */
    asked: (recipient) => asked.filter((one) => one === recipient).length,
    postfix: `smtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:${port}, permit_mynetworks, reject`,
    exim: `\${readsocket{inet:127.0.0.1:${port}}{ask $sender_address $local_part@$domain\\n}{60s}}`,
  };
}

/** What either is told to do. */
const POSTFIX = { taken: 'DUNNO', later: '450 4.2.0 Come back later', never: '550 5.1.1 Nobody' };
const EXIM = { taken: 'accept', later: 'defer', never: 'deny' };
