// `ehlo serve` with a certificate: STARTTLS, a port for implicit TLS, and certificates that change.
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { type Cli, Client, test } from './cli.ts';

/** A file among the test certificates of @ehlo/node. */
const file = (name: string): string => fileURLToPath(new URL(`../../node/test/certs/${name}`, import.meta.url));
const FILES = ['--cert', file('server.crt'), '--key', file('server.key')];
const CA = readFileSync(file('ca.crt'));

/** The port for implicit TLS. */
async function tlsPort(cli: Cli): Promise<number> {
  return Number(/:(\d+) \(TLS\)$/.exec(await cli.line(/^listening on .* \(TLS\)$/))?.[1]);
}

/** A client that is secure, over a connection that has got its 220 to STARTTLS, or from the start. */
async function secure(to: Client | number, ca: string | Buffer = CA): Promise<Client> {
  if (to instanceof Client) to.socket.removeAllListeners();
  const socket: TLSSocket = connect({
    ...(to instanceof Client ? { socket: to.socket } : { host: '127.0.0.1', port: to }),
    ca,
    servername: 'localhost',
  });
  await once(socket, 'secureConnect');
  return new Client(socket);
}

async function upgrade(port: number, ca?: string | Buffer): Promise<Client> {
  const client = new Client(port);
  await client.reply();
  expect(await client.say('EHLO client.example')).toMatch(/^250[- ]STARTTLS$/m);
  expect(await client.say('STARTTLS')).toMatch(/^220 /);
  return await secure(client, ca);
}

const shown = (client: Client): unknown => (client.socket as TLSSocket).getPeerCertificate().subject.CN;

describe('--cert and --key', () => {
  test('STARTTLS on the port; no second port', async ({ run, stored }) => {
    const cli = run([...FILES]);
    const client = await upgrade(await cli.port());
    expect(await client.say('EHLO client.example')).not.toContain('STARTTLS');
    expect(await client.again()).toMatch(/^354 /);
    expect(await client.say('Subject: x\r\n\r\nText\r\n.')).toMatch(/^250 /);
    const [content] = stored().values();
    expect(content).toMatch(/ with ESMTPS id /);
    await cli.line(/stored/);
    expect(cli.lines.filter((line) => line.startsWith('listening'))).toHaveLength(1);
    expect(cli.lines.filter((line) => line.includes('C: MAIL'))).toHaveLength(1);
  });

  test('with --tls-port: TLS from the start too; sessions of both ports are counted and drained together', async ({ run, stored }) => {
    const cli = run([...FILES, '--tls-port', '0', '--raw']);
    const [port, second] = [await cli.port(), await tlsPort(cli)];
    expect(cli.lines.slice(0, 2)).toEqual([`listening on 127.0.0.1:${port}`, `listening on 127.0.0.1:${second} (TLS)`]);
    const clients = [await upgrade(port), await secure(second)];
    await clients[1]!.reply();
    for (const client of clients) {
      await client.say('EHLO client.example');
      expect(await client.again()).toMatch(/^354 /);
    }
    for (const session of [1, 2]) await cli.line(new RegExp(`^\\[${session}\\] connected`));
    cli.child.kill('SIGTERM');
    await cli.told(/stopping/);
    for (const client of clients) {
      expect(await client.say('Text\r\n.')).toMatch(/^250 /);
      expect(await client.reply()).toMatch(/^421 /);
    }
    expect(await cli.exited).toBe(0);
    expect([...stored().values()]).toEqual(['Text\r\n', 'Text\r\n']);
  });

  test('--json tells which port is which', async ({ run }) => {
    const cli = run([...FILES, '--tls-port', '0', '--json']);
    await cli.line(/"tls":true/);
    const events = cli.lines.map((line) => JSON.parse(line) as object);
    const at = { event: 'listening', host: '127.0.0.1', port: expect.any(Number) };
    expect(events).toEqual([at, { ...at, tls: true }]);
  });

  test('without them no STARTTLS', async ({ run }) => {
    const client = new Client(await run().port());
    await client.reply();
    expect(await client.say('EHLO client.example')).not.toContain('STARTTLS');
    expect(await client.say('STARTTLS')).toMatch(/^502 /);
  });

  test('SIGHUP reads them again; what is wrong is told, and the old ones stay', async ({ run, folder }) => {
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const put = (certName: string, keyName: string): void => {
      copyFileSync(file(certName), cert);
      copyFileSync(file(keyName), key);
    };
    put('server.crt', 'server.key');
    const cli = run(['--cert', cert, '--key', key, '--tls-port', '0']);
    const [port, second] = [await cli.port(), await tlsPort(cli)];
    const before = await upgrade(port);
    expect(shown(before)).toBe('localhost');
    put('other.crt', 'server.key');
    cli.child.kill('SIGHUP');
    await cli.told(/^ehlo: certificate: what was read before stays, for the key in .* is not that of .*\n$/);
    expect(shown(await secure(second))).toBe('localhost');
    put('long.crt', 'other.key');
    cli.child.kill('SIGHUP');
    await cli.told(/\nehlo: certificate: read again\n$/);
    const options = { host: '127.0.0.1', port: second, ca: CA, checkServerIdentity: () => undefined };
    const after = connect(options);
    await once(after, 'secureConnect');
    expect(after.getPeerCertificate().subject.CN).toBe('long.example');
    expect(await before.say('EHLO client.example')).toMatch(/^250/);
  });
});

test('--tls-self-signed: for localhost, 127.0.0.1 and the host name; its fingerprint is told', async ({ run }) => {
  const cli = run(['--tls-self-signed', '--tls-port', '0', '--hostname', 'mx.example.org']);
  const port = await tlsPort(cli);
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const certificate = new X509Certificate(socket.getPeerCertificate().raw);
  socket.destroy();
  await cli.told(/\n$/);
  expect(cli.errors).toBe(`ehlo: the certificate is self-signed; its SHA-256 is ${certificate.fingerprint256}\n`);
  expect([certificate.checkHost('mx.example.org'), certificate.checkHost('localhost'), certificate.checkIP('127.0.0.1')]).toEqual([
    'mx.example.org',
    'localhost',
    '127.0.0.1',
  ]);
  const trusting = await secure(port, certificate.toString());
  expect(await trusting.reply()).toMatch(/^220 mx\.example\.org /);
});

test.for([
  ['a file that is missing', ['--cert', 'none.pem', '--key', file('server.key')], /--cert: there is no file none\.pem/],
  ['a key that is missing', ['--cert', file('server.crt'), '--key', 'none.pem'], /--key: there is no file none\.pem/],
  ['a folder', ['--cert', file('.'), '--key', file('server.key')], /--cert: EISDIR/],
  [
    'a key of another',
    ['--cert', file('server.crt'), '--key', file('other.key')],
    /the key in .*other\.key is not that of the certificate in/,
  ],
  [
    'a file of another kind',
    ['--cert', file('README.md'), '--key', file('server.key')],
    /README\.md and .* can't be used as a certificate/,
  ],
  ['--key alone', ['--key', file('server.key')], /--key needs --cert/],
  ['--cert alone', ['--cert', file('server.crt')], /--cert needs --key/],
  ['--tls-port alone', ['--tls-port', '0'], /--tls-port needs a certificate: --cert and --key, or --tls-self-signed/],
  ['a port that is none', [...FILES, '--tls-port', '65536'], /--tls-port.*It must be a port/],
  ['both kinds of certificate', [...FILES, '--tls-self-signed'], /leave out --cert and --key/],
] as const)('a mistake: %s', async ([, args, why], { run }) => {
  await refuses(run([...args]), why);
});

test('a mistake: a port for TLS that is in use', async ({ run }) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await refuses(run([...FILES, '--tls-port', String(port)]), new RegExp(`port ${port} .* is in use; choose another with --tls-port`));
  server.close();
});

async function refuses(cli: Cli, why: RegExp): Promise<void> {
  expect(await cli.exited).toBe(2);
  expect(cli.errors).toMatch(why);
  expect(cli.errors).toMatch(/^ehlo: [^\n]+\n$/);
  expect(cli.lines).toEqual([]);
}
