// A relay in a program of one's own, by what `ehlo relay` gives to one.
import { generateKeyPairSync } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError, readConfig, startRelay } from '@ehlo/relay';
import { expect } from 'vitest';
import { connect, serve } from '../src/index.ts';
import { relayRuntime } from '../src/relay.ts';
import { selfSigned } from '../src/self-signed.ts';
import { test } from './cli.ts';

const BESIDE = fileURLToPath(new URL('../.results/sign/', import.meta.url));
const HERE = '127.0.0.1';
const CONTENT = 'From: <ann@example.org>\r\nSubject: hello\r\n\r\nhello\r\n';

/** A relay by the given part of a configuration. */
async function relayed(
  change: object,
  more: Parameters<typeof relayRuntime>[1] = {},
  told: (event: string, what: unknown) => void = () => {},
) {
  const config = readConfig({
    hostname: 'mx.example.org',
    postmaster: 'ann@example.net',
    listeners: [{ kind: 'mx', host: HERE, port: 0 }],
    relayFrom: [HERE],
    queue: { kind: 'memory' },
    ...change,
  });
  return await startRelay(
    config,
    relayRuntime((_, event, facts = {}) => told(event, facts.error), more),
  );
}

async function given(port: number, to: string): Promise<void> {
  const client = await connect({ host: HERE, port, hostname: 'client.example', starttls: 'off' });
  const { outcomes } = await client.send({ reversePath: 'ann@example.org', recipients: [to] }, CONTENT);
  expect(outcomes.map(({ status }) => status)).toEqual(['accepted']);
  await client.close();
}

/** A server with a certificate that nobody knows, for its address; resolves with what it is given. */
async function stranger() {
  const { cert, key } = selfSigned(['mx.example.net'], HERE);
  let take: (content: string) => void = () => {};
  const taken = new Promise<string>((resolve) => {
    take = resolve;
  });
  const server = await serve(
    { host: HERE, port: 0, hostname: 'mx.example.net', preset: 'sink', tls: { cert, key } },
    {
      async message({ body }) {
        take(Buffer.from(await body.bytes()).toString('latin1'));
        return true;
      },
    },
  );
  return { server, taken, cert, routes: [{ to: 'host', domains: ['*'], hosts: [HERE], port: server.address.port, tls: 'name' }] };
}

test('transports of routes are there: a mail directory', async ({ folder }) => {
  const relay = await relayed({
    domains: ['example.org'],
    recipients: ['joe@example.org'],
    routes: [{ to: 'maildir', domains: ['example.org'], folder: join(folder, '{local}') }],
  });
  await given(relay.listening[0]!.address.port, 'joe@example.org');
  await relay.close();
  const [name] = readdirSync(join(folder, 'joe', 'new'));
  expect(readFileSync(join(folder, 'joe', 'new', name!), 'latin1')).toContain('Subject: hello');
});

test('a message that is damaged in the spool is sent to nobody, and its sender is told', async ({ folder }) => {
  const queue = { kind: 'spool', folder };
  const dead = await relayed({ queue, routes: [{ to: 'host', domains: ['*'], hosts: [HERE], port: 1, tls: 'clear' }] });
  await given(dead.listening[0]!.address.port, 'joe@example.net');
  await dead.close();
  const [name] = readdirSync(join(folder, 'q', '00'));
  truncateSync(join(folder, 'q', '00', name!), readFileSync(join(folder, 'q', '00', name!)).length - 1);
  const { server, taken, routes } = await stranger();
  const told: string[] = [];
  const again = await relayed(
    { queue, routes: [{ ...routes[0], tls: 'opportunistic' }], delivery: { preset: 'test' } },
    {},
    (event, what) => told.push(`${event} ${what}`),
  );
  const notice = await taken;
  expect(notice).toMatch(/\r\nFinal-Recipient: rfc822; ?joe@example\.net\r\nAction: failed\r\nStatus: 5\.3\.0\r\n/);
  expect(notice).not.toContain('Subject: hello');
  expect(told).toContainEqual(expect.stringMatching(/^failed q\/00\/.* not as long .* now; the senders of its jobs .* are told$/));
  await again.close();
  await server.close();
});

test('delivery.ca: a certificate by an authority of one’s own is verified', async ({ folder }) => {
  const { server, taken, cert, routes } = await stranger();
  const ca = join(folder, 'ca.pem');
  writeFileSync(ca, cert);
  const relay = await relayed({ routes, delivery: { preset: 'test', ca } });
  await given(relay.listening[0]!.address.port, 'joe@example.net');
  expect(await taken).toContain('Subject: hello');
  await relay.close();
  await server.close();
});

test('delivery.ca: a file without a certificate, or with one that can not be read, is told', async ({ folder }) => {
  const { server, cert } = await stranger();
  await server.close();
  const empty = join(folder, 'ca.pem');
  writeFileSync(empty, 'nothing\n');
  await expect(relayed({ delivery: { ca: empty } })).rejects.toThrow(`delivery.ca: there is no certificate in ${empty}; it must be in PEM`);
  const damaged = join(folder, 'damaged.pem');
  writeFileSync(damaged, `${cert}${cert.slice(0, 100)}\n`);
  await expect(relayed({ delivery: { ca: damaged } })).rejects.toThrow(`delivery.ca: certificate 2 in ${damaged} can not be read`);
  await expect(relayed({ delivery: { ca: join(folder, 'none') } })).rejects.toThrow(/^delivery\.ca: the file .* is not there$/);
});

test('delivery.sign: what the function of a module gives stands in front', async ({ folder }) => {
  const { server, taken, cert, routes } = await stranger();
  const [ca, sign] = [join(folder, 'ca.pem'), join(folder, 'sign.mjs')];
  writeFileSync(ca, cert);
  writeFileSync(sign, "export const sign = ({ reversePath }) => new TextEncoder().encode('X-Signed: ' + reversePath + '\\r\\n');\n");
  const relay = await relayed({ routes, delivery: { preset: 'test', ca, sign } });
  await given(relay.listening[0]!.address.port, 'joe@example.net');
  expect(await taken).toMatch(/^X-Signed: ann@example\.org\r\nReceived: /m);
  await relay.close();
  await server.close();
});

test('delivery.sign: the example signs by a library for DKIM', async ({ folder }) => {
  const { server, taken, cert, routes } = await stranger();
  const ca = join(folder, 'ca.pem');
  writeFileSync(ca, cert);
  // Where the library is installed.
  mkdirSync(BESIDE, { recursive: true });
  copyFileSync(new URL('../../../examples/relay/sign.mjs', import.meta.url), join(BESIDE, 'sign.mjs'));
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(join(BESIDE, 'dkim.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const relay = await relayed({ routes, delivery: { preset: 'test', ca, sign: join(BESIDE, 'sign.mjs') } });
  await given(relay.listening[0]!.address.port, 'joe@example.net');
  expect(await taken).toMatch(
    /^DKIM-Signature: v=1; a=rsa-sha256; c=relaxed\/relaxed; d=example\.org;\r\n q=dns\/txt; s=key1;(?:.*\r\n)*?Received: /,
  );
  await relay.close();
  await server.close();
});

test('delivery.sign: a module that is none, and one that exports nothing, are told', async ({ folder }) => {
  const sign = join(folder, 'sign.mjs');
  writeFileSync(sign, 'export default () => null;\n');
  const started = relayed({ delivery: { sign } });
  await expect(started).rejects.toThrow(ConfigError);
  await expect(started).rejects.toThrow(`delivery.sign: the module ${sign} exports no function sign`);
  await expect(relayed({ delivery: { sign: join(folder, 'none.mjs') } })).rejects.toThrow(
    /^delivery\.sign: the module .* can not be loaded: /,
  );
});

test('a function of the program signs in place of a module', async ({ folder }) => {
  const { server, taken, cert, routes } = await stranger();
  const ca = join(folder, 'ca.pem');
  writeFileSync(ca, cert);
  const relay = await relayed({ routes, delivery: { preset: 'test', ca } }, { sign: () => new TextEncoder().encode('X-Signed: here\r\n') });
  await given(relay.listening[0]!.address.port, 'joe@example.net');
  expect(await taken).toContain('X-Signed: here\r\n');
  await relay.close();
  await server.close();
});
