// `ehlo conform`: exit codes, what is told, and whom it talks to.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server as TcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Server, serve } from '@ehlo/node';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { ConformError, conformCommand } from '../src/conform-command.ts';
import type { ConformCommandOptions, ConformPlace } from '../src/conform-options.ts';

const DEFAULTS: ConformCommandOptions = {
  tls: 'none',
  insecure: false,
  passwordEnv: 'CONFORM_TEST_PASSWORD',
  lmtp: false,
  submission: false,
  slow: false,
  patience: 30,
  sessions: 1,
  requireAll: false,
  yesMine: false,
  dryRun: false,
  format: 'text',
};

let server: Server;
beforeAll(async () => {
  server = await serve({ port: 0, hostname: 'mx.example', preset: 'mx' }, { rcpt: () => true, message: async () => true });
});
afterAll(() => server.close());
afterEach(() => vi.unstubAllEnvs());

async function run(
  options: Partial<ConformCommandOptions>,
  place?: ConformPlace | null,
): Promise<{ code: number; output: string; warned: string }> {
  let [output, warned] = ['', ''];
  const code = await conformCommand(
    place === null ? undefined : (place ?? { host: '127.0.0.1', port: server.address.port }),
    { ...DEFAULTS, ...options },
    (text) => {
      output += text;
    },
    (line) => {
      warned += line;
    },
    new AbortController().signal,
  );
  return { code, output, warned };
}

test.each([
  ['text', '0 violates, 0 inconclusive'],
  ['json', '"id": "rset-drops-the-sender"'],
  ['junit', 'name="rset-drops-the-sender: '],
  ['html', '<code>rset-drops-the-sender</code>'],
  ['md', '| violates | 0 |'],
] as const)('0 where nothing is violated, as %s', async (format, expected) => {
  const { code, output } = await run({ only: ['5321-4.1.1.5'], format });
  expect(code).toBe(0);
  expect(output).toContain(expected);
});

test('a section has those below it, and no other; ids and requirements do, too', async () => {
  const ids = async (...only: string[]) =>
    (JSON.parse((await run({ only, format: 'json' })).output) as { findings: { id: string }[] }).findings.map(({ id }) => id);
  expect(await ids('rset-case')).toEqual(['rset-case']);
  const narrow = await ids('5321-4.1.1.9');
  expect(narrow).toContain('noop-argument');
  expect(narrow).not.toContain('quit-hello');
  expect(await ids('5321-4.1.1.9-02')).toEqual(['noop-argument']);
});

describe('a server that breaks a rule', () => {
  let broken: TcpServer;
  beforeAll(async () => {
    broken = createServer((socket) => {
      socket.on('error', () => {});
      socket.write('220 mx.example\r\n');
      // It takes each line for one of its own, and does not know VRFY before it has slept on it.
      socket.on('data', (octets) => {
        for (const line of `${octets}`.split('\r\n').slice(0, -1)) {
          if (line === 'QUIT') socket.end('221 bye\r\n');
          else if (line.startsWith('VRFY')) socket.write('450 later\r\n');
          else socket.write(line === 'QWERTY' ? '250 \x1b[31mwhat you say\r\n' : '250 mx.example\r\n');
        }
      });
    });
    await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => new Promise((resolve) => broken.close(resolve)));
  const place = (): ConformPlace => ({ host: '127.0.0.1', port: (broken.address() as { port: number }).port });

  test('1, with the requirement, its section and the dialogue', async () => {
    const { code, output } = await run({ only: ['unknown-command'] }, place());
    expect(code).toBe(1);
    expect(output).toContain('RFC 5321 3.8 MUST:');
    expect(output).toContain('C: QWERTY\n');
    expect(output).toContain('S: 250 \\x1b[31mwhat you say\n');
    expect(output).not.toContain('\x1b');
  });

  test('what can not be decided fails with --require-all', async () => {
    expect((await run({ only: ['vrfy-supported'] }, place())).code).toBe(0);
    expect((await run({ only: ['vrfy-supported'], requireAll: true }, place())).code).toBe(1);
  });
});

test('69 where nobody listens, in a line without controls', async () => {
  const none = createServer();
  await new Promise<void>((resolve) => none.listen(0, '127.0.0.1', resolve));
  const { port } = none.address() as { port: number };
  await new Promise((resolve) => none.close(resolve));
  const { code, output, warned } = await run({}, { host: '127.0.0.1', port });
  expect({ code, output }).toEqual({ code: 69, output: '' });
  expect(warned).toMatch(/^no session: [ -~]+$/);
});

test.each(['192.0.2.1', '2001:db8::1', '100.128.0.1', '172.32.0.1', '8.8.8.8'])(
  '%s is nobody to examine without --yes-mine',
  async (host) => {
    await expect(run({}, { host, port: 25 })).rejects.toThrow(`${host}) is not a private address`);
  },
);

test('--dry-run connects to nobody, and says whom it would ask', async () => {
  const place = { host: 'mx.example.invalid', port: 25 };
  const { code, output } = await run({ dryRun: true }, place);
  expect(code).toBe(0);
  expect(output).toContain('no message is completed');
  expect(output).toContain(' sessions, one behind the other, and none with any other host');
  expect(output).toContain('skip  data-accepted: ');
  const with_ = await run({ dryRun: true, sessions: 8, to: ['ann@mx.example'] }, place);
  expect(with_.output).toContain(' sessions, at most 8 at a time, and none with any other host');
  expect(with_.output).toContain('messages are completed to <ann@mx.example>, by ');
  expect(with_.output).toContain('run   data-accepted: ');
});

test('--dry-run as JSON has the same, and other formats have none', async () => {
  const place = { host: 'mx.example.invalid', port: 25 };
  const options = { dryRun: true, only: ['5321-4.1.1.4'], to: ['ann@mx.example'] } as const;
  const { output } = await run({ ...options, format: 'json' }, place);
  const { checks, ...plan } = JSON.parse(output) as { checks: { id: string; skipped: string | null; requirements: string[] }[] };
  expect(plan).toMatchObject({
    examined: 'mx.example.invalid:25',
    role: 'smtp',
    tls: 'none',
    atATime: 1,
    to: ['ann@mx.example'],
    user: null,
  });
  expect(plan).toMatchObject({ sessions: checks.filter(({ skipped }) => skipped === null).length + 1 });
  expect(checks.find(({ id }) => id === 'data-accepted')).toMatchObject({
    skipped: null,
    requirements: expect.arrayContaining(['5321-3.3-17']),
  });
  const { output: text } = await run(options, place);
  expect(text.match(/^(?:run |skip) /gm)).toHaveLength(checks.length);
  await expect(run({ ...options, format: 'junit' }, place)).rejects.toThrow('--dry-run is told as text or json');
});

test('an engine without sockets is spoken to by lines of JSON', async () => {
  const shim = `exec '${process.execPath}' '${fileURLToPath(new URL('../../../examples/conform-server-shim.mjs', import.meta.url))}'`;
  const { code, output, warned } = await run({ shim, only: ['5321-4.1.1.5'], sessions: 2, format: 'json' }, null);
  expect([code, warned]).toEqual([0, '']);
  expect(JSON.parse(output)).toMatchObject({ examined: shim, role: 'smtp' });
  expect(output).toContain('"id": "rset-drops-the-sender"');
  await expect(run({ shim })).rejects.toThrow('give one of them');
  await expect(run({}, null)).rejects.toThrow('give one of them');
  expect((await run({ shim: 'exit 3' }, null)).code).toBe(69);
});

test('69 where a name has no address', async () => {
  const { code, output, warned } = await run({}, { host: 'mx.example.invalid', port: 25 });
  expect([code, output]).toEqual([69, '']);
  expect(warned).toMatch(/^no session: mx\.example\.invalid has no address: /);
});

test('what is wrong with the options is told before anybody is asked', async () => {
  await expect(run({ user: 'tim' })).rejects.toThrow(
    new ConformError('there is no password: set CONFORM_TEST_PASSWORD, or name another variable by --password-env'),
  );
  await expect(run({ only: ['9999-1'] })).rejects.toThrow('no check for smtp is of 9999-1');
  await expect(run({ lmtp: true, submission: true })).rejects.toThrow(ConformError);
  await expect(run({ insecure: true })).rejects.toThrow('--insecure needs --tls');
  await expect(run({ extension: ['./no-such-module.mjs'] })).rejects.toThrow(/^--extension/);
});

test('--extension makes keywords known', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ehlo-conform-'));
  const file = join(folder, 'own.mjs');
  writeFileSync(file, "export const own = { keyword: 'TENANT' };\n");
  const own = createServer((socket) => {
    socket.on('error', () => {});
    socket.write('220 mx.example\r\n');
    socket.on('data', (octets) => socket.write(`${octets}`.startsWith('EHLO') ? '250-mx.example\r\n250 TENANT\r\n' : '221 bye\r\n'));
  });
  await new Promise<void>((resolve) => own.listen(0, '127.0.0.1', resolve));
  const place = { host: '127.0.0.1', port: (own.address() as { port: number }).port };
  try {
    expect((await run({ only: ['keywords-registered'] }, place)).code).toBe(1);
    expect((await run({ only: ['keywords-registered'], extension: [file] }, place)).code).toBe(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await new Promise((resolve) => own.close(resolve));
  }
});
