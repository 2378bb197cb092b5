// A server behind HAProxy, which says whose connections it brings; its configuration is in docs/behind-haproxy.md. With a port it serves
// there; without, it plays both sides: `node examples/behind-haproxy.mjs`, or by Deno or Bun.
import { once } from 'node:events';
import { createServer, connect as dial } from 'node:net';
import { connect, reject, serve } from 'ehlo';
import { parseProxy } from 'ehlo/proxy';

const [given] = process.argv.slice(2);

const server = await serve(
  { port: Number(given ?? 0), hostname: 'mx.example.org', preset: 'mx', proxy: parseProxy },
  {
    // The client, not the proxy: this is the address for lists, limits and trace fields.
    connect: (_, { peer }) => peer.address !== '192.0.2.66' || reject(554, '5.7.1', 'not from there'),
    rcpt: () => true,
    async message({ body }, { peer }) {
      await body.bytes();
      console.log(`from ${peer.address}`);
      return true;
    },
  },
);

if (given === undefined) {
  // What HAProxy does for a client: its address first, in a line or in binary, then octets both ways.
  const proxy = createServer((client) => {
    const behind = dial(server.address.port, '127.0.0.1');
    behind.write('PROXY TCP4 192.0.2.7 192.0.2.1 4321 25\r\n');
    client.pipe(behind).pipe(client);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const client = await connect({ port: proxy.address().port });
  const { outcomes } = await client.send({ reversePath: 'joe@client.example', recipients: ['ann@example.org'] }, 'Subject: hello\r\n\r\n');
  console.log(outcomes[0].status);
  await client.close();
  proxy.close();
} else {
  await once(process, 'SIGTERM');
}
await server.close();
