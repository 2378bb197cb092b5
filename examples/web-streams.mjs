// SMTP over a pair of Web streams. `node examples/web-streams.mjs`, or by Deno or Bun.
//
// Two TransformStreams stand for a network here. In Cloudflare's Workers the pair is a socket:
//
//     import { connect } from 'cloudflare:sockets';
//     const socket = connect({ hostname: 'mx.example.org', port: 2525 }, { allowHalfOpen: true });
//     const client = await connectOn(fromStreams(socket), { hostname: 'worker.example' });
import { connectOn, fromStreams, serveOn } from '@ehlo/driver';

const [up, down] = [new TransformStream(), new TransformStream()];
const listener = {
  address: { address: '', port: 0 },
  accept: (connected) => connected(fromStreams({ readable: up.readable, writable: down.writable })),
  close: async () => {},
};
const server = serveOn(
  listener,
  { hostname: 'mx.example.org', preset: 'sink' },
  {
    async message({ envelope, body }) {
      console.log(`${(await body.bytes()).length} octets for ${envelope.recipients[0].forwardPath.address}`);
      return true;
    },
  },
);
const client = await connectOn(fromStreams({ readable: down.readable, writable: up.writable }), { hostname: 'client.example' });
const lines = (count) => Array.from({ length: count }, (_, i) => `line ${i}\r\n`);
const { outcomes } = await client.send({ reversePath: 'joe@client.example', recipients: ['ann@example.org'] }, [
  'Subject: long\r\n\r\n',
  ...lines(100_000),
]);
console.log(outcomes[0].status);
await client.close();
await server.close();
