// Many messages, no faster than is agreed, by as many connections as the server takes. `node examples/pool-at-a-pace.mjs`, or by Deno or Bun.
import { connect, Pool, reject, serve } from 'ehlo';

let open = 0;
let most = 0;
const server = await serve(
  { port: 0, hostname: 'mx.example.org', preset: 'sink' },
  {
    // It takes two connections at a time, and says so as servers do.
    connect() {
      if (open === 2) return reject(421, '4.7.0', 'too many connections');
      most = Math.max(most, ++open);
      return true;
    },
    message: async ({ body }) => (await body.bytes()).length > 0,
    notice: (notice, session) => {
      if (notice.type === 'closed' && session.hello !== null) open--;
    },
  },
);

const begun = performance.now();
const pool = new Pool(() => connect({ port: server.address.port }), { size: 5, pace: { messages: 10, within: 200 } });
const sending = [];
for (let i = 0; i < 40; i++) {
  await pool.room(); // no more messages exist than are being sent
  sending.push(pool.send({ reversePath: 'ann@example.org', recipients: [`user${i}@example.org`] }, `Subject: ${i}\r\n\r\n`));
}
const results = await Promise.all(sending);
await pool.close();
await server.close();

console.log(results.flatMap(({ outcomes }) => outcomes).filter(({ status }) => status === 'accepted').length, 'accepted');
console.log(most, 'connections at the most');
console.log(performance.now() - begun >= 600 ? 'no more than 10 in 200 ms' : 'too fast');
