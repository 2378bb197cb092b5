// A relay while it is changed: other rules, other ports, other certificates, and its end.
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { listen, type ServerTls } from '@ehlo/node';
import { plain } from '@ehlo/sasl';
import { expect, test } from 'vitest';
import type { RelayRuntime } from '../../src/runtime.ts';
import { certificate } from '../outbound/certificates.ts';
import { config, folder, type Rig, sink, start, Talk, until } from './harness.ts';

function through(port: number, more: object = {}): object {
  return { routes: [{ to: 'host', domains: ['*'], hosts: ['127.0.0.1'], port, tls: 'clear' }], ...more };
}

/** Says lines to a port, each when the one before was answered, and gives the last reply. */
async function raw(port: number, before: string, lines: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.setEncoding('latin1').write(before);
  let text = '';
  let wake = (): void => {};
  socket.on('data', (more) => {
    text += more;
    wake();
  });
  socket.on('error', () => {});
  let isOver = false;
  socket.on('close', () => {
    isOver = true;
    wake();
  });
  const reply = async (): Promise<string> => {
    for (;;) {
      const found = /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/.exec(text)?.[0];
      if (found !== undefined) {
        text = text.slice(found.length);
        return found.trimEnd().split('\r\n').at(-1)!;
      }
      if (isOver) return 'closed';
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  let last = await reply();
  for (const line of lines) {
    socket.write(`${line}\r\n`);
    last = await reply();
  }
  socket.destroy();
  return last;
}

test('mail goes on while the configuration is read again and again: each message once, none lost', async () => {
  const { port, taken } = await sink();
  const rig = await start(through(port));
  let isOver = false;
  let sent = 0;
  const send = async (): Promise<void> => {
    const talk = await Talk.to(rig.port('mx'));
    while (!isOver) {
      const [outcome] = await talk.send('a@example.net', ['ann@example.org'], `Subject: ${sent++}\r\n\r\nx\r\n`);
      expect(outcome).toBe('accepted 250 2.6.0');
    }
  };
  const sending = Promise.all([send(), send(), send()]);
  for (let i = 0; i < 10; i++) {
    await rig.relay.reload(config(through(port, { limits: { connectionsPerClient: 50 + i } })));
    await until(() => taken.length > i);
  }
  isOver = true;
  await sending;
  await until(() => rig.queue.size === 0);
  const subjects = taken.map(({ text }) => /Subject: (\d+)/.exec(text)![1]);
  expect(new Set(subjects).size).toBe(sent);
  expect(subjects).toHaveLength(sent);
});

test('listeners come and go; one that can not be had changes nothing', async () => {
  const rig = await start();
  const taken = await listen({ host: '127.0.0.1', port: 0 });
  const listeners = [
    { kind: 'mx', name: 'mx', host: '127.0.0.1', port: 0 },
    { kind: 'lmtp', name: 'lmtp', host: '127.0.0.1', port: 0 },
  ];
  const at = rig.port('mx');
  await rig.relay.reload(config({ listeners }));
  expect([rig.port('mx'), rig.relay.listening.map(({ name }) => name)]).toEqual([at, ['mx', 'lmtp']]);
  const lmtp = rig.port('lmtp');
  const busy = { kind: 'mx', name: 'busy', host: '127.0.0.1', port: taken.address.port };
  await expect(rig.relay.reload(config({ listeners: [...listeners, busy], recipients: [] }))).rejects.toMatchObject({
    code: 'EADDRINUSE',
    listener: 'busy',
  });
  expect(await raw(at, '', ['EHLO c.example', 'MAIL FROM:<>', 'RCPT TO:<ann@example.org>'])).toMatch(/^250 /);
  await rig.relay.reload(config({ listeners: listeners.slice(0, 1) }));
  await expect(new Promise((resolve, reject) => connect(lmtp, '127.0.0.1').once('connect', resolve).once('error', reject))).rejects.toThrow(
    'ECONNREFUSED',
  );
  await taken.close();
});

test('a port that is listened on in another way is closed and opened anew; where that fails the old way is back', async () => {
  const rig = await start();
  const port = rig.port('mx');
  const listener = { kind: 'mx', name: 'mx', host: '127.0.0.1', port };
  await rig.relay.reload(config({ listeners: [listener] }));
  const proxied = { ...listener, proxies: ['127.0.0.1'] };
  await rig.relay.reload(config({ listeners: [proxied] }));
  const rcpt = ['EHLO c.example', 'MAIL FROM:<a@example.net>', 'RCPT TO:<ann@example.org>'];
  expect(await raw(port, 'PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\n', rcpt)).toMatch(/^250 /);
  const taken = await listen({ host: '127.0.0.1', port: 0 });
  const busy = { kind: 'lmtp', name: 'busy', host: '127.0.0.1', port: taken.address.port };
  await expect(rig.relay.reload(config({ listeners: [listener, busy] }))).rejects.toThrow('EADDRINUSE');
  expect(await raw(port, 'PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\n', rcpt)).toMatch(/^250 /);
  await taken.close();
});

test('a session that is open may pass no more on than its listener lets it now, nor than it did when the session began', async () => {
  const rig = await start({}, { openRelay: true });
  const port = rig.port('mx');
  const listener = { kind: 'mx', name: 'mx', host: '127.0.0.1', port: 0 };
  const talk = await Talk.to(port);
  const sent = (): Promise<readonly string[]> => talk.send('a@example.com', ['may@example.net']);
  expect(await sent()).toEqual(['accepted 250 2.6.0']);
  await rig.relay.reload(config({ listeners: [listener] }));
  expect(await sent()).toEqual(['refused 550 5.7.1']);
  const later = await Talk.to(port);
  await rig.relay.reload(config({ listeners: [{ ...listener, openRelay: true }] }));
  expect([await sent(), await later.send('a@example.com', ['may@example.net'])]).toEqual([['accepted 250 2.6.0'], ['refused 550 5.7.1']]);
  await rig.relay.reload(config({ listeners: [{ ...listener, openRelay: true, name: 'other' }] }));
  expect(await sent()).toEqual(['refused 550 5.7.1']);
});

test('a sender whose domain takes no mail is refused in a session that is open, when the rule is read again (RFC 7505 4.2)', async () => {
  const lookUp: RelayRuntime<ServerTls>['lookUp'] = async () => ({
    status: 'found',
    security: 'insecure',
    ttl: 60,
    mx: [{ preference: 0, exchange: '.' }],
  });
  const rig = await start({}, { nullMx: false }, { lookUp });
  const talk = await Talk.to(rig.port('mx'));
  const sent = (): Promise<readonly string[]> => talk.send('a@example.com', ['ann@example.org']);
  expect(await sent()).toEqual(['accepted 250 2.6.0']);
  await rig.relay.reload(config({}));
  expect(await sent()).toEqual(['refused 550 5.7.27']);
});

test('who is no user any more sends nothing more, and is told to go', async () => {
  const { cert, key } = certificate({ subject: 'mx.example.org', names: ['mx.example.org'] });
  const at = folder({ users: 'ann:secret-of-ann\njoe:secret-of-joe\n', 'cert.pem': cert, 'key.pem': key });
  const more = { users: { file: `${at}/users` }, tls: { cert: `${at}/cert.pem`, key: `${at}/key.pem` } };
  const rig = await start(more, { kind: 'submission' });
  const talk = (user: string): Promise<Talk> => {
    const auth = { mechanisms: [plain()], user, password: `secret-of-${user}` };
    return Talk.to(rig.port('mx'), { starttls: 'required', tls: { ca: cert, servername: 'mx.example.org' }, auth });
  };
  const [ann, joe] = [await talk('ann'), await talk('joe')];
  expect(await joe.send('joe@example.org', ['may@example.net'])).toEqual(['accepted 250 2.6.0']);
  writeFileSync(`${at}/users`, 'ann:secret-of-ann\n');
  await rig.relay.reload(config(more, { kind: 'submission' }));
  expect(await joe.send('joe@example.org', ['may@example.net'])).toEqual(['refused 530 5.7.0']);
  expect(await rig.logged('user-gone')).toMatchObject({ user: 'joe' });
  await until(() => rig.relay.sessions === 1);
  expect(await ann.send('ann@example.org', ['may@example.net'])).toEqual(['accepted 250 2.6.0']);
});

test('where what was closed can not be had again either, the first error is thrown, and the others are back', async () => {
  let isFailing = false;
  const rig = await start(
    {},
    {},
    {
      listen: async (options, name) => {
        if (isFailing && name !== 'two') throw new Error(`no ${name}`);
        return await listen(options);
      },
    },
  );
  const listeners = ['one', 'two'].map((name) => ({ kind: 'mx', name, host: '127.0.0.1', port: 0, xclient: [] }));
  await rig.relay.reload(config({ listeners }));
  const again = listeners.map((listener) => ({ ...listener, port: rig.port(listener.name), proxies: ['127.0.0.1'] }));
  isFailing = true;
  await expect(rig.relay.reload(config({ listeners: [again[1], again[0]] }))).rejects.toThrow('no one');
  expect(rig.relay.listening.map(({ name }) => name)).toEqual(['two']);
  expect(await rig.logged('failed')).toMatchObject({ listener: 'one', error: 'no one' });
  expect(await raw(rig.port('two'), '', ['NOOP'])).toMatch(/^250 /);
});

test('a socket that was open when the process began is never closed for another way to listen: that takes a restart', async () => {
  const rig = await start({}, {}, { isInherited: (name) => name === 'mx' });
  const port = rig.port('mx');
  const listener = { kind: 'mx', name: 'mx', host: '127.0.0.1', port: 0 };
  const other = { ...listener, name: 'other' };
  for (const changed of [
    { ...listener, proxies: ['127.0.0.1'] },
    { ...other, port, proxies: ['127.0.0.1'] },
  ]) {
    const error = await rig.relay.reload(config({ listeners: [changed] })).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'ConfigError', problems: [{ path: 'listeners.0' }] });
    expect((error as Error).message).toMatch(/^listener (?:mx|other): .* that takes a restart$/);
    expect(await raw(port, '', ['NOOP'])).toMatch(/^250 /);
  }
  // By another name it is the same socket.
  await rig.relay.reload(config({ listeners: [other] }));
  expect(rig.port('other')).toBe(port);
  await expect(rig.relay.reload(config({ listeners: [{ ...other, port, proxies: ['127.0.0.1'] }] }))).rejects.toThrow('takes a restart');
  // Given up, it is gone.
  await rig.relay.reload(config({ listeners: [{ ...other, kind: 'lmtp', proxies: ['127.0.0.1'] }] }));
  await expect(rig.relay.reload(config({ listeners: [listener] }))).rejects.toThrow('takes a restart');
});

test('what a proxy says of its client counts, and its own address never', async () => {
  const more = { relayFrom: ['127.0.0.0/8', '10.0.0.0/8'] };
  const rig = await start(more, { proxies: ['127.0.0.1'] });
  const rcpt = ['EHLO c.example', 'MAIL FROM:<a@example.org>', 'RCPT TO:<may@example.net>'];
  const asked = (header: string): Promise<string> => raw(rig.port('mx'), header, rcpt);
  expect(await asked('PROXY TCP4 10.1.2.3 192.0.2.2 1 25\r\n')).toMatch(/^250 /);
  expect(await asked('PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\n')).toBe('550 5.7.1 Relaying denied');
  expect(await asked('PROXY UNKNOWN\r\n')).toBe('550 5.7.1 Relaying denied');
});

test('users log in under TLS alone; another certificate is for the handshakes that follow', async () => {
  const first = certificate({ subject: 'mx.example.org', names: ['mx.example.org'] });
  const second = certificate({ subject: 'mx.example.org', names: ['mx.example.org'] });
  const at = folder({ users: 'ann:secret-of-ann\n', 'cert.pem': first.cert, 'key.pem': first.key });
  const more = { users: { file: `${at}/users` }, tls: { cert: `${at}/cert.pem`, key: `${at}/key.pem` } };
  const rig = await start(more, { kind: 'submission' });
  const auth = { mechanisms: [plain()], user: 'ann', password: 'secret-of-ann' };
  const talk = (ca: string): Promise<Talk> =>
    Talk.to(rig.port('mx'), { starttls: 'required', tls: { ca, servername: 'mx.example.org' }, auth });
  const hello = await raw(rig.port('mx'), '', ['EHLO c.example', 'AUTH PLAIN AGFubgBzZWNyZXQtb2YtYW5u']);
  expect(hello).toMatch(/^5\d\d /);
  const old = await talk(first.cert);
  expect(await old.send('ann@example.org', ['may@example.net'])).toEqual(['accepted 250 2.6.0']);
  writeFileSync(`${at}/cert.pem`, second.cert);
  await expect(rig.relay.reload(config(more, { kind: 'submission' }))).rejects.toThrow(/^tls: /);
  expect(await (await talk(first.cert)).send('ann@example.org', ['may@example.net'])).toEqual(['accepted 250 2.6.0']);
  writeFileSync(`${at}/key.pem`, second.key);
  writeFileSync(`${at}/users`, 'ann:other-secret\n');
  await rig.relay.reload(config(more, { kind: 'submission' }));
  expect(await old.send('ann@example.org', ['may@example.net'])).toEqual(['accepted 250 2.6.0']);
  await expect(talk(first.cert)).rejects.toThrow();
  await expect(talk(second.cert)).rejects.toThrow('535');
});

test('when it stops, a delivery that has begun comes to its end, and how far it is is told', async () => {
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const seen: string[] = [];
  const { port } = await sink(
    {},
    {
      async message({ body }) {
        seen.push(new TextDecoder().decode(await body.bytes()));
        await held;
        return true;
      },
    },
  );
  const rig = await start(through(port));
  const talk = await Talk.to(rig.port('mx'));
  await talk.send('a@example.net', ['ann@example.org']);
  await until(() => seen.length === 1);
  const closing = rig.relay.close();
  expect(await rig.logged('draining')).toMatchObject({ jobs: 1 });
  expect(await stillOpen(closing)).toBe(true);
  release();
  await closing;
  expect([seen.length, rig.queue.size]).toEqual([1, 0]);
  await expect(rig.relay.reload(config({}))).rejects.toThrow('the relay is closing');
});

async function stillOpen(closing: Rig['relay'] extends { close(): infer P } ? P : never): Promise<boolean> {
  return await Promise.race([closing.then(() => false), new Promise<boolean>((resolve) => setImmediate(() => resolve(true)))]);
}
