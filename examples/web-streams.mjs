// A custom transport, both sides: SMTP over a pair of Web streams, with STARTTLS. `node examples/web-streams.mjs`, or by Deno or Bun.
//
// Two TransformStreams stand for a network here, and two others for the same network under TLS. In Cloudflare's Workers the pair is a socket:
//
//     import { connect } from 'cloudflare:sockets';
//     const socket = connect({ hostname: 'mx.example.org', port: 587 }, { secureTransport: 'starttls', allowHalfOpen: true });
//     const startTls = () => ({ streams: socket.startTls(), tls: VERIFIED_TLS }); // Workers verify the server, and say no more of it
//     const client = await connectOn(fromStreams(socket, { startTls }), { hostname: 'worker.example', starttls: 'required', auth });
import { connectOn, fromStreams, serveOn, VERIFIED_TLS } from '@ehlo/driver';

/** Two ends of a connection. */
function pair() {
  const [up, down] = [new TransformStream(), new TransformStream()];
  return [
    { readable: down.readable, writable: up.writable },
    { readable: up.readable, writable: down.writable },
  ];
}

const [here, there] = pair();
const [hereSecure, thereSecure] = pair();
const transport = (streams, secure) => fromStreams(streams, { startTls: () => ({ streams: secure, tls: VERIFIED_TLS }) });

const listener = {
  address: { address: '', port: 0 },
  accept: (connected) => connected(transport(there, thereSecure)),
  close: async () => {},
};
const server = serveOn(
  listener,
  { hostname: 'mx.example.org', preset: 'sink', starttls: 'required' },
  {
    async message({ envelope, body }, { protocol }) {
      console.log(`${(await body.bytes()).length} octets by ${protocol} for ${envelope.recipients[0].forwardPath.address}`);
      return true;
    },
  },
);
const client = await connectOn(transport(here, hereSecure), { hostname: 'client.example', starttls: 'required' });
const lines = (count) => Array.from({ length: count }, (_, i) => `line ${i}\r\n`);
const { outcomes } = await client.send({ reversePath: 'joe@client.example', recipients: ['ann@example.org'] }, [
  'Subject: long\r\n\r\n',
  ...lines(100_000),
]);
console.log(outcomes[0].status);
await client.close();
await server.close();
