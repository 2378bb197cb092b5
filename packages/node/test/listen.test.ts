// Where the adapter listens: TCP over IPv4 and IPv6, Unix sockets, and what is told of both ends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Handler, Server, Session } from '@ehlo/node';
import { afterEach, describe, expect } from 'vitest';
import { serve } from './adapter.ts';
import { test } from './fixture.ts';
import { until } from './wire.ts';

const HAS_IPV6 = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1'));
const file = (name: string): string => fileURLToPath(new URL(`certs/${name}`, import.meta.url));
const OPTIONS = { hostname: 'mx.example.org', preset: 'sink' } as const;

const remember =
  (sessions: Session[]) =>
  (_: unknown, session: Session): true => {
    sessions.push(session);
    return true;
  };

test('TCP: a free port, 127.0.0.1 if nothing is said, and both addresses of a connection', async ({ start, dial }) => {
  const sessions: Session[] = [];
  const server = await start({ connect: remember(sessions) });
  expect(server.address).toEqual({ address: '127.0.0.1', port: expect.any(Number) });
  expect(server.address.port).toBeGreaterThan(0);
  const wire = await dial(server);
  await wire.reply();
  const [session] = sessions;
  expect(session?.peer).toEqual({ address: '127.0.0.1', port: wire.socket.localPort });
  expect(session?.local).toEqual(server.address);
  wire.socket.destroy();
  await until('the session is over', () => server.connections === 0);
  // Still known when the client is gone: a Received field may be written late.
  expect(session?.peer.port).toBeGreaterThan(0);
});

test.skipIf(!HAS_IPV6)('IPv6', async ({ start, dial }) => {
  const sessions: Session[] = [];
  const server = await start({ connect: remember(sessions) }, { host: '::1' });
  expect(server.address.address).toBe('::1');
  const wire = await dial(server);
  expect(await wire.reply()).toMatch(/^220 /);
  expect(sessions[0]?.peer).toEqual({ address: '::1', port: wire.socket.localPort });
});

test('a port in use: rejects with EADDRINUSE', async ({ start }) => {
  const { address } = await start();
  await expect(serve({ ...OPTIONS, port: address.port }, {})).rejects.toMatchObject({ code: 'EADDRINUSE', port: address.port });
});

test('wrong options: rejects, and the port is free again', async ({ start }) => {
  const first = await start();
  const { port } = first.address;
  await first.close();
  await expect(serve({ ...OPTIONS, port, hostname: 'not a name' }, {})).rejects.toMatchObject({ code: 'bad-hostname' });
  await expect(serve({ ...OPTIONS, port, preset: 'mx' }, {})).rejects.toMatchObject({ code: 'missing-question' });
  expect((await start({}, { port })).address.port).toBe(port);
});

test('an option that is misspelt, or has a value that it can not have: rejects with its name, and nobody listens', async () => {
  const tls = { key: readFileSync(file('server.key')), cert: readFileSync(file('server.crt')) };
  for (const [options, name] of [
    [{ hst: '0.0.0.0' }, 'host'],
    [{ host: true }, 'host'],
    [{ size: 5 }, 'limits.messageSize'],
    [{ secure: true }, 'implicitTls'],
    [{ implicitTLS: true, tls }, 'implicitTls'],
    [{ starttls: 'require', tls }, 'required'],
    [{ starttls: true, tls }, 'required'],
    [{ tls: { ...tls, cetificates: [] } }, 'tls.certificates'],
    [{ tls: { ...tls, certificates: [{ ...tls, servername: 'x' }] } }, 'tls.certificates.0.servernames'],
    [{ tls: { ...tls, requestCert: 'yes' } }, 'tls.requestCert'],
    [{ tls: { ...tls, minVersion: 'TLSv1.1' } }, 'TLSv1.2'],
    [{ tls: 'server.crt' }, 'tls'],
  ] as const) {
    const error: unknown = await serve({ ...OPTIONS, ...(options as object) }, {}).catch((why: unknown) => why);
    expect(error).toMatchObject({ name: 'SmtpUsageError', code: 'bad-option', message: expect.stringContaining(name) });
  }
  await expect(serve(OPTIONS, { onData: () => true } as Handler)).rejects.toMatchObject({ message: expect.stringContaining('message') });
});

describe.skipIf(process.platform === 'win32')('a Unix socket', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ehlo-node-'));
  const path = join(folder, 'smtp.sock');
  afterEach(({ task }) => {
    if (task.suite?.tasks.at(-1) === task) rmSync(folder, { recursive: true, force: true });
  });

  test('takes mail, has the mode that was asked for, and is gone when the server is', async ({ start, dial }) => {
    const sessions: Session[] = [];
    const server = await start({ connect: remember(sessions) }, { path, mode: 0o660 });
    expect(server.address).toEqual({ address: path, port: 0 });
    expect(statSync(path).mode & 0o777).toBe(0o660);
    const wire = await dial({ path });
    await wire.open354();
    expect(await wire.say('Text\r\n.')).toMatch(/^250 /);
    expect(sessions[0]?.peer).toEqual({ address: '', port: 0 });
    expect(sessions[0]?.local).toEqual({ address: path, port: 0 });
    expect(await wire.say('QUIT')).toMatch(/^221 /);
    expect(await wire.rest()).toBe('');
    wire.socket.end();
    await server.close();
    expect(() => lstatSync(path)).toThrow('ENOENT');
  });

  test('one that a fallen server has left is replaced', async ({ start, dial }) => {
    const listens = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    await once(spawn(process.execPath, ['-e', listens]), 'exit');
    expect(lstatSync(path).isSocket()).toBe(true);
    await start({}, { path });
    expect(await (await dial({ path })).reply()).toMatch(/^220 /);
  });

  test('one that is in use is not', async ({ start, dial }) => {
    const server = await start({}, { path });
    await expect(serve({ ...OPTIONS, path }, {})).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const wire = await dial({ path });
    expect(await wire.reply()).toMatch(/^220 /);
    // The question whether anybody answers was a connection, too, and is over.
    await until('one session', () => server.connections === 1);
  });

  test('a file that is no socket is left alone', async () => {
    const file = join(folder, 'letter');
    writeFileSync(file, 'important');
    await expect(serve({ hostname: 'mx.example.org', preset: 'sink', path: file }, {})).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(readFileSync(file, 'utf8')).toBe('important');
  });

  test('a session that does not end in time is aborted', async ({ start, dial }) => {
    const server: Server = await start({}, { path, grace: 1 });
    const wire = await dial({ path });
    await wire.open354();
    await server.close();
    await until('the client is told', () => wire.ended !== null);
  });
});
