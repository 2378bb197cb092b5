// TLS over any transport: here, over a pair of Web streams.
import { connectOn, fromStreams, serveOn, type Transport } from '@ehlo/driver';
import { ClientTls, ServerTls, type TlsSettings, withTls } from '@ehlo/node/adapter';
import { expect, test } from 'vitest';
import { pem, SERVER } from './tls-wire.ts';
import { until } from './wire.ts';

/** Both ends of a connection; what crosses it upwards is kept. */
function pair(crossed: Uint8Array[]): [client: Transport, server: Transport] {
  const keep = new TransformStream<Uint8Array, Uint8Array>({
    transform(bytes, controller) {
      crossed.push(bytes.slice());
      controller.enqueue(bytes);
    },
  });
  const down = new TransformStream<Uint8Array, Uint8Array>();
  return [
    fromStreams({ readable: down.readable, writable: keep.writable }),
    fromStreams({ readable: keep.readable, writable: down.writable }),
  ];
}

async function send(settings: TlsSettings): Promise<{ readonly told: unknown[]; readonly wire: string }> {
  const crossed: Uint8Array[] = [];
  const [near, far] = pair(crossed);
  const told: unknown[] = [];
  let arrived = '';
  const server = serveOn(
    {
      address: { address: '', port: 0 },
      accept: (connected) => connected(withTls(far, new ServerTls(settings))),
      close: () => Promise.resolve(),
    },
    { hostname: 'mx.example.org', preset: 'sink', starttls: 'required' },
    {
      async message({ body }, { protocol, tls }) {
        arrived = Buffer.from(await body.bytes()).toString('latin1');
        told.push(protocol, tls?.protocol, tls?.servername);
        return true;
      },
    },
  );
  try {
    const tls = new ClientTls({ ca: pem('ca.crt') }, 'localhost', true);
    const client = await connectOn(withTls(near, tls), { hostname: 'client.example', starttls: 'required' });
    const message = `Subject: secret\r\n\r\n${'.line of it\r\n'.repeat(100_000)}`;
    const { outcomes } = await client.send({ reversePath: 'a@client.example', recipients: ['b@mx.example'] }, message);
    told.push(outcomes[0]?.status, arrived === message);
    await client.close();
  } finally {
    await until('the session is over', () => server.connections === 0);
    await server.close();
  }
  return { told, wire: Buffer.concat(crossed).toString('latin1') };
}

test('STARTTLS: a message arrives whole, and nothing of it is seen from outside', async () => {
  const { told, wire } = await send(SERVER);
  expect(told).toEqual(['ESMTPS', 'TLSv1.3', 'localhost', 'accepted', true]);
  expect(wire).toContain('STARTTLS\r\n');
  expect(wire).not.toContain('Subject');
  expect(wire.length).toBeGreaterThan(1_200_000);
});

test('a certificate that is not trusted: no session, on either side', async () => {
  await expect(send({ key: pem('other.key'), cert: pem('other.crt') })).rejects.toMatchObject({ code: 'certificate' });
});

test.each([
  ['a server', new ServerTls(SERVER)],
  ['a client', new ClientTls({}, 'localhost', true)],
])('%s that is given up as soon as it begins, or gets an end or garbage before: it fails, and nothing else does', async (_, tls) => {
  const garbage = new TextEncoder().encode('no record\r\n'.repeat(10));
  const spoils: readonly ((near: Transport, far: WritableStreamDefaultWriter<Uint8Array>) => void)[] = [
    (near) => near.abort(),
    (near) => queueMicrotask(() => near.abort()),
    (_near, far) => void far.close(),
    (_near, far) => void far.write(garbage).catch(() => {}),
    (_near, far) => void far.abort().catch(() => {}),
  ];
  for (const spoil of spoils)
    for (const head of [new Uint8Array(0), garbage]) {
      const [up, down] = [new TransformStream<Uint8Array, Uint8Array>(), new TransformStream<Uint8Array, Uint8Array>()];
      down.readable.pipeTo(new WritableStream()).catch(() => {});
      const near = withTls(fromStreams({ readable: up.readable, writable: down.writable }), tls);
      const failed = expect(near.secure!(head)).rejects.toThrow();
      spoil(near, up.writable.getWriter());
      await failed;
      near.abort();
    }
});
