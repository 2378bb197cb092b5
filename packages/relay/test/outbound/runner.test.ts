// The runner over a queue in memory and real sockets: names of a table, servers of ours and hostile ones on loopback.
import { createHash } from 'node:crypto';
import { type DeliveryOptions, Dispatcher, type DnsAnswer, deliverySettings, type Job, newJob, type Tlsa } from '@ehlo/delivery';
import { reject } from '@ehlo/node';
import { expect, onTestFinished, test, vi } from 'vitest';
import { MemoryQueue } from '../../src/memory-queue.ts';
import { command, type OutboundOptions, outbound } from '../../src/outbound/index.ts';
import { type Means, Runner, wallClock } from '../../src/runner/index.ts';
import { certificate, type Made } from './certificates.ts';
import { HOST, hostile, mx, OPTIONS, own, root, TEXT } from './harness.ts';

type Zone = { readonly [name: string]: Partial<DnsAnswer> };

/** A relay behind the queue: `zone` is by `RR name`, each answer secure. */
function relay(zone: Zone, options: Partial<DeliveryOptions> = {}, out: Partial<OutboundOptions> = {}) {
  const queue = new MemoryQueue(wallClock);
  const failures: string[] = [];
  const asked: string[] = [];
  const failed = (error: unknown, what: string): void => void failures.push(`${what}: ${(error as Error).message}`);
  const lookUp: Means['lookUp'] = async ({ rr, name }) => {
    asked.push(`${rr} ${name}`);
    const answer = zone[`${rr} ${name}`];
    return { status: answer === undefined ? 'empty' : 'found', security: 'secure', ttl: 60, ...answer };
  };
  const means: Means = {
    ...outbound({ ...OPTIONS, failed, ...out }),
    queue,
    schedule: wallClock,
    lookUp,
    boundary: () => 'b',
    failed,
  };
  const settings = deliverySettings({ hostname: 'out.example.org', preset: 'test', sts: false, ...options });
  const runner = new Runner(new Dispatcher(settings, Math.random), means, { hostname: 'out.example.org', poll: 50 });
  runner.start();
  onTestFinished(() => runner.stop());
  let ids = 0;
  const put = async (recipients: readonly string[], more: Partial<Job['message']> = {}, text: string = TEXT): Promise<void> => {
    const id = `m${++ids}`;
    const message = { id, reversePath: 'ann@example.org', arrived: Date.now(), size: Buffer.byteLength(text), ...more };
    const to = recipients.map((address) => ({ address }));
    await queue.put([newJob(`j${ids}`, message, recipients[0]!.split('@')[1]!, to)], [Buffer.from(text)]);
    runner.poke();
  };
  const empty = (): Promise<unknown> => vi.waitFor(() => expect(queue.size).toBe(0));
  return { queue, runner, failures, asked, put, empty, means };
}

/** Hosts of example.net at a port of loopback: the machine connects to 25, so the route names the port. */
function to(port: number, more: object = {}): Partial<DeliveryOptions> {
  return { routes: [{ domains: ['example.net'], hosts: [{ host: HOST, port, ...more }] }] };
}

const ZONE: Zone = { [`A ${HOST}`]: { addresses: ['127.0.0.1'] } };

test('a message goes out, and out of the queue; who is refused is told of', async () => {
  const { port, taken } = await mx(
    {},
    { rcpt: ({ forwardPath }) => !forwardPath.address.startsWith('no') || reject(550, '5.1.1', 'nobody') },
  );
  const home = await mx();
  const routes = [...to(port).routes!, { domains: ['example.org'], hosts: [{ host: '127.0.0.1', port: home.port }] }];
  const { put, empty, failures } = relay(ZONE, { routes });
  await put(['joe@example.net', 'no@example.net']);
  await empty();
  expect(taken.map(({ recipients, text }) => [recipients.map(({ address }) => address), text])).toEqual([[['joe@example.net'], TEXT]]);
  expect(home.taken).toMatchObject([{ reversePath: '', recipients: [{ address: 'ann@example.org' }] }]);
  expect(home.taken[0]?.text).toMatch(/Final-Recipient: rfc822; ?no@example\.net\r\n/i);
  expect(failures).toEqual([]);
});

test('greylisting: taken by the next try', async () => {
  let tries = 0;
  const { port, taken } = await mx({}, { rcpt: () => ++tries > 2 || reject(451, '4.7.1', 'Greylisted') });
  const { put, empty } = relay(ZONE, { ...to(port), pauses: [50] });
  await put(['joe@example.net']);
  await empty();
  expect([tries, taken.length]).toEqual([3, 1]);
});

test('TLS that fails is done without, where nothing asks for it (RFC 7435)', async () => {
  let sessions = 0;
  const said: string[] = [];
  const port = await hostile(async (socket, line) => {
    sessions++;
    socket.write('220 x\r\n');
    for (;;) {
      const verb = (await line()).slice(0, 4);
      said.push(verb);
      if (verb === 'EHLO') socket.write('250-x\r\n250 STARTTLS\r\n');
      else if (verb === 'STAR') socket.write('220 go\r\n\0\0\0\0\0\0');
      else if (verb === 'DATA') {
        socket.write('354 go\r\n');
        while ((await line()) !== '.');
        socket.write('250 OK\r\n');
      } else socket.write('250 OK\r\n');
    }
  });
  const { put, empty } = relay(ZONE, to(port));
  await put(['joe@example.net']);
  await empty();
  expect(sessions).toBe(2);
  expect(said.filter((verb) => verb === 'STAR')).toHaveLength(1);
});

test('a route that demands a name waits for a certificate that has it', async () => {
  const other = certificate({ subject: 'x', names: ['other.example'], issuer: root });
  const { port, taken } = await mx({ tls: { key: other.key, cert: other.cert } });
  const { put, queue, runner } = relay(ZONE, { ...to(port, { tls: 'name' }), pauses: [100] });
  await put(['joe@example.net']);
  await vi.waitFor(async () => {
    for await (const job of queue.find({})) expect(job.tries).toBeGreaterThan(1);
  });
  await runner.stop();
  for await (const { recipients } of queue.find({})) expect(recipients[0]?.last).toMatchObject({ category: 'tls' });
  expect([taken, queue.size]).toEqual([[], 1]);
});

const tlsa = (made: Made): Tlsa => ({ usage: 3, selector: 1, matching: 1, data: createHash('sha256').update(made.spki).digest('hex') });

test('DANE by the DNS: the one host whose key is in its records gets the message, the other never', async () => {
  const impostor = certificate({ subject: HOST, names: [HOST], issuer: root });
  const bad = await mx({ tls: { key: impostor.key, cert: impostor.cert } });
  const good = await mx({ tls: { key: own.key, cert: own.cert } });
  const zone: Zone = {
    'MX example.net': {
      mx: [
        { preference: 1, exchange: 'bad.example.net' },
        { preference: 2, exchange: HOST },
      ],
    },
    'A bad.example.net': { addresses: ['127.0.0.1'] },
    [`A ${HOST}`]: { addresses: ['127.0.0.2'] },
    'TLSA _25._tcp.bad.example.net': { tlsa: [tlsa(own)] },
    [`TLSA _25._tcp.${HOST}`]: { tlsa: [tlsa(own)] },
  };
  // The machine says 25; the test listens elsewhere.
  const ports: { readonly [address: string]: number } = { '127.0.0.1': bad.port, '127.0.0.2': good.port };
  const connect: OutboundOptions['connect'] = (asked) => OPTIONS.connect({ ...asked, host: '127.0.0.1', port: ports[asked.host!]! });
  const { put, empty, asked } = relay(zone, {}, { connect });
  await put(['joe@example.net']);
  await empty();
  expect([bad.taken.length, good.taken.length]).toEqual([0, 1]);
  expect(good.taken[0]?.tls).toBe(HOST);
  expect(asked).toContain(`TLSA _25._tcp.${HOST}`);
});

test('the end waits until the attempt is written down, and never leaves if it can not be', async () => {
  const { port, taken } = await mx();
  const { put, queue, failures } = relay(ZONE, to(port));
  let begins = 0;
  queue.begin = async () => {
    begins++;
    throw new Error('disk full');
  };
  await put(['joe@example.net']);
  await vi.waitFor(() => expect(begins).toBeGreaterThan(1));
  expect(taken).toEqual([]);
  expect(new Set(failures)).toEqual(new Set(['begin: disk full', 'content: the attempt could not be written down']));
});

test('8-bit content for a server that has none of it is made 7-bit (RFC 6152 3)', async () => {
  const { PRESETS } = await import('@ehlo/engine');
  const extensions = PRESETS.sink.extensions.filter((name) => !['8BITMIME', 'BINARYMIME', 'CHUNKING', 'SMTPUTF8'].includes(name));
  const { port, taken } = await mx({ extensions });
  const { put, empty } = relay(ZONE, to(port));
  const text = 'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nfür\r\n';
  await put(['joe@example.net'], { body: '8BITMIME', convertible: true }, text);
  await empty();
  expect(taken[0]?.text).toContain('ZsO8cg0K');
});

test('a transport of this host: nothing is looked up, each recipient is delivered', async () => {
  const out: OutboundOptions['local'] = {
    sink: command({ argv: ['/bin/sh', '-c', 'cat >/dev/null; case $RECIPIENT in no*) exit 67;; esac'] }),
  };
  const home = await mx();
  const routes = [
    { domains: ['example.net'], hosts: [{ host: 'sink', protocol: 'local' as const }] },
    { domains: ['example.org'], hosts: [{ host: '127.0.0.1', port: home.port }] },
  ];
  const { put, empty, asked } = relay({}, { routes }, { local: out });
  await put(['joe@example.net', 'no@example.net', 'may@example.net']);
  await empty();
  expect(asked).toEqual([]);
  expect(home.taken).toHaveLength(1);
  expect(home.taken[0]?.text).toMatch(/Final-Recipient: rfc822; ?no@example\.net\r\nAction: failed\r\nStatus: 5\.1\.1/i);
});

test('a session is used again for what follows, and left with QUIT', async () => {
  const { port, taken, server } = await mx();
  const ids = new Set<string>();
  const { put, empty, runner } = relay(ZONE, to(port));
  for (let i = 0; i < 3; i++) await put([`joe${i}@example.net`]);
  await empty();
  for (const { peer } of taken) ids.add(peer);
  expect(taken).toHaveLength(3);
  await runner.stop();
  await vi.waitFor(() => expect(server.connections).toBe(0));
});

test('a runner that stops waits for nobody who does not greet', async () => {
  let came = 0;
  const port = await hostile(async (_, line) => {
    came++;
    await line();
  });
  let begun = (): void => {};
  const arrived = new Promise<void>((resolve) => {
    begun = resolve;
  });
  let finish = (): void => {};
  const open = await mx(
    {},
    {
      async message({ body }) {
        await body.bytes();
        begun();
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        return true;
      },
    },
  );
  const routes = [...to(port).routes!, { domains: ['example.org'], hosts: [{ host: '127.0.0.1', port: open.port }] }];
  const { put, runner, queue } = relay(ZONE, { routes });
  await put(['joe@example.net']);
  await put(['ann@example.org']);
  await vi.waitFor(() => expect(came).toBe(1));
  await arrived;
  const stopping = runner.stop();
  finish();
  await stopping;
  // The transaction that had begun has come to its end.
  expect([runner.state, queue.size]).toEqual(['stopped', 1]);
});
