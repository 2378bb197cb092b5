// An extension of one's own, on both sides: a parameter of MAIL and a verb. `node examples/own-extension.mjs`, or by Deno or Bun.
import { accept, connect, defineExtension, reject, serve, textCodec } from 'ehlo';

/** Who sends says for which customer; who asks hears how much room there is. */
const tenant = defineExtension({
  keyword: 'X-TENANT',
  spec: 'https://example.org/x-tenant',
  // Under TLS alone it would be: ({ tls }) => (tls === null ? null : ['v1'])
  offer: () => ['v1'],
  parameters: [
    {
      command: 'MAIL',
      keyword: 'XTENANT',
      name: 'tenant',
      adds: ' XTENANT='.length + 20,
      codec: textCodec((text) => (/^[a-z]{1,20}$/.test(text) ? text : undefined), String),
    },
  ],
  verbs: [{ verb: 'XQUOTA', phases: ['ready'] }],
});

const rooms = new Map([['acme', 10]]);
const server = await serve(
  { port: 0, hostname: 'mx.example.org', preset: 'mx', extensions: [tenant] },
  {
    mail: ({ parameters }) => rooms.has(parameters.tenant ?? '') || reject(550, '5.7.1', 'for whom?'),
    rcpt: () => true,
    command: ({ argument }) =>
      rooms.has(argument) ? accept({ text: `${rooms.get(argument)} MiB` }) : reject(550, '5.7.1', 'nobody of that name'),
    async message({ envelope, body }) {
      const { length } = await body.bytes();
      console.log(`${length} octets for ${envelope.parameters.tenant}`);
      return true;
    },
  },
);

const client = await connect({ port: server.address.port, extensions: [tenant] });
console.log((await client.command('XQUOTA', 'acme')).lines[0]);
for (const name of ['acme', 'other']) {
  const envelope = { reversePath: 'joe@client.example', parameters: { tenant: name }, recipients: ['ann@example.org'] };
  const { outcomes } = await client.send(envelope, 'Subject: hello\r\n\r\n');
  console.log(`${name}: ${outcomes[0].status}`);
}
await client.close();
await server.close();
