// A session that a program holds: what it keeps with each, and a client that it throws out. `node examples/held-session.mjs`, or by Deno or Bun.
import { connect, reject, serve } from 'ehlo';

const ends = [];
/** Who guesses recipients is gone at the third, without a word; who goes on and on is asked to come again. */
const server = await serve(
  { port: 0, hostname: 'mx.example.org', preset: 'mx', sessionData: () => ({ since: Date.now(), misses: 0 }) },
  {
    rcpt({ forwardPath }, session) {
      if (forwardPath.localPart === 'joe') return true;
      if (++session.data.misses === 3) session.abort();
      return reject(550, '5.1.1', 'no such user');
    },
    async message({ body }, session) {
      await body.bytes();
      session.shutdown(reject(421, '4.3.2', 'one message at a time'));
      return true;
    },
    notice(notice, { data }) {
      if (notice.type === 'closed') ends.push(`${notice.cause} after ${data.misses} misses`);
    },
  },
);

const { port } = server.address;
for (const recipients of [['joe@example.org'], ['ann@example.org', 'bob@example.org', 'eve@example.org', 'joe@example.org']]) {
  const client = await connect({ port });
  const { outcomes } = await client.send({ reversePath: 'ann@client.example', recipients }, 'Subject: hello\r\n\r\n');
  console.log(outcomes.every(({ status }) => status === 'accepted'));
  await client.close();
}
await server.close({ now: true });
console.log(ends.join(', '));
