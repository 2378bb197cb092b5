// `ehlo send`, the real command line, to `ehlo serve` and to a server that says what the test wants.
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { converse, FROM_TO, json, MESSAGE, test, to } from './sending.ts';

const file = (name: string): string => fileURLToPath(new URL(`../../node/test/certs/${name}`, import.meta.url));
const CERTIFICATE = ['--cert', file('server.crt'), '--key', file('server.key')];
const TRUST = ['--tls-ca', file('ca.crt')];

describe('to ehlo serve', () => {
  test('a file: every octet arrives, one line a recipient', async ({ run, stored, folder }) => {
    const path = join(folder, 'message.eml');
    writeFileSync(path, MESSAGE);
    const server = run(['--raw']);
    const cli = run(to(await server.port(), '--to', '<two@b.example>', path));
    expect(await cli.exited).toBe(0);
    expect(cli.lines).toEqual(
      ['ann', 'two'].map((name) => expect.stringMatching(new RegExp(`^accepted  ${name}@b\\.example  250 2\\.6\\.0 Message`))),
    );
    expect([cli.errors, [...stored().values()]]).toEqual(['', [`${MESSAGE}\r\n`]]);
  });

  test('standard input, and a null sender; --json', async ({ run, stored }) => {
    const server = run(['--raw']);
    const cli = run(
      ['send', '--server', `127.0.0.1:${await server.port()}`, '--from', '<>', '--to', 'ann@b.example', '--json'],
      {},
      'Subject: x\n\nbare\n',
    );
    expect(await cli.exited).toBe(0);
    expect(json(cli)).toEqual([
      {
        recipient: 'ann@b.example',
        outcome: 'accepted',
        code: 250,
        enhanced: '2.6.0',
        text: expect.stringContaining('queued as'),
        phase: 'message',
        retry: 'never',
        timing: expect.objectContaining({ mail: expect.any(Number), end: expect.any(Number) }),
      },
    ]);
    expect([...stored().values()]).toEqual(['Subject: x\r\n\r\nbare\r\n']);
    await server.line(/C: MAIL FROM:<> SIZE=20$/);
  });

  test('a large message by BDAT and in a stream', async ({ run, stored }) => {
    const text = `Subject: large\r\n\r\n${`${'x'.repeat(70)}\r\n`.repeat(40_000)}`;
    const server = run(['--raw', '--quiet']);
    const cli = run(to(await server.port(), '--chunking', '-'), {}, text);
    expect([await cli.exited, cli.errors]).toEqual([0, '']);
    expect([...stored().values()]).toEqual([text]);
  });

  test('LMTP over a Unix socket: an outcome each', async ({ run, folder, stored }) => {
    const path = join(folder, 'lmtp.sock');
    const server = run(['serve', '--lmtp', '--unix', path, '--raw', '--maildir', join(folder, 'mail')]);
    await server.line(/^listening/);
    const cli = run(['send', '--server', path, '--lmtp', ...FROM_TO, '--to', 'two@b.example'], {}, MESSAGE);
    expect([await cli.exited, cli.errors]).toEqual([0, '']);
    expect(cli.lines).toHaveLength(2);
    expect([...stored().values()]).toEqual([`${MESSAGE}\r\n`]);
  });

  test('a reader of the conversation that has gone changes no outcome', async ({ run, stored }) => {
    const cli = run(to(await run([]).port(), '--trace'), {}, MESSAGE);
    cli.child.stderr!.destroy();
    expect(await cli.exited).toBe(0);
    expect([cli.lines.length, stored().size]).toEqual([1, 1]);
  });

  test('TLS where it is offered; --trace shows it, on standard error', async ({ run }) => {
    const server = run([...CERTIFICATE]);
    const cli = run(to(await server.port(), '--trace'), {}, MESSAGE);
    expect(await cli.exited).toBe(0);
    expect(cli.errors).toMatch(/^S: 220 .*\nC: EHLO [\s\S]*C: STARTTLS\nS: 220 .*\nC: EHLO [\s\S]*C: QUIT\nS: 221 /);
    expect(cli.lines).toEqual([expect.stringMatching(/^accepted/)]);
  });

  test('--tls required and implicit: the certificate is held against the host', async ({ run }) => {
    const server = run([...CERTIFICATE, '--tls-port', '0']);
    const port = await server.port();
    const tlsPort = Number(/:(\d+) \(TLS\)$/.exec(await server.line(/\(TLS\)$/))?.[1]);
    const codes = async (...args: string[][]): Promise<unknown[]> => await Promise.all(args.map((more) => run(more, {}, MESSAGE).exited));
    const named = (name: string, where: number, ...more: string[]): string[] => [
      'send',
      '--server',
      `${name}:${where}`,
      ...FROM_TO,
      ...more,
    ];
    expect(
      await codes(
        named('localhost', port, '--tls', 'required', ...TRUST),
        named('localhost', tlsPort, '--tls', 'implicit', ...TRUST),
        named('localhost', tlsPort, '--tls', 'implicit', '--tls-insecure'),
        named('localhost', port, '--tls', 'required'),
        named('localhost', tlsPort, '--tls', 'implicit'),
        named('localhost', port, '--tls', 'implicit', ...TRUST),
      ),
    ).toEqual([0, 0, 0, 77, 77, 77]);
  });

  // Deno says of it that its authority is not known.
  test.skipIf(process.env.EHLO_RUNTIME === 'deno')('an expired certificate: what would not mend it is not offered', async ({ run }) => {
    const port = await run(['--cert', file('expired.crt'), '--key', file('other.key')]).port();
    const cli = run(['send', '--server', `localhost:${port}`, ...FROM_TO, '--tls', 'required', '--tls-ca', file('expired.crt')], {}, 'x');
    expect(await cli.exited).toBe(77);
    expect(cli.errors).toBe(
      "ehlo: the server's certificate has expired: the server needs a new one, if the clock here is right (--tls-insecure takes any)\n",
    );
  });

  test('AUTH: by the best mechanism, under TLS only; the password by environment or file', async ({ run, folder }) => {
    const server = run([...CERTIFICATE, '--user', 'joe:correct horse']);
    const port = await server.port();
    const secret = join(folder, 'password');
    writeFileSync(secret, 'correct horse\n');
    const auth = (...more: string[]): string[] => ['send', '--server', `localhost:${port}`, ...FROM_TO, '--auth-user', 'joe', ...more];
    const [byFile, byName, wrong, untrusted] = [
      run(auth(...TRUST, '--auth-password-file', secret, '--trace'), {}, MESSAGE),
      run(auth(...TRUST, '--auth-mechanism', 'plain', '--trace'), { EHLO_PASSWORD: 'correct horse' }, MESSAGE),
      run(auth(...TRUST), { EHLO_PASSWORD: 'another horse' }, MESSAGE),
      run(auth(), { EHLO_PASSWORD: 'correct horse' }, MESSAGE),
    ];
    expect(await Promise.all([byFile, byName, wrong, untrusted].map(({ exited }) => exited))).toEqual([0, 0, 77, 77]);
    expect(byFile.errors).toMatch(/C: AUTH SCRAM-SHA-256/);
    expect(byName.errors).toMatch(/C: AUTH PLAIN \*\*\*/);
    expect(wrong.errors).toBe('ehlo: the server refuses the credentials: 535 5.7.8 Authentication credentials invalid\n');
    expect(untrusted.errors).toMatch(/^ehlo: the server's certificate is not trusted: .*\(--tls-ca; --tls-insecure takes any\)\n$/);
    for (const { errors } of [byFile, byName])
      for (const text of ['correct horse', btoa('\0joe\0correct horse')]) expect(errors).not.toContain(text);
  });

  test('AUTH in clear only if that is said in plain words', async ({ run }) => {
    const port = await run(['--user', 'joe:correct horse', '--allow-cleartext-auth']).port();
    const options = (...more: string[]): string[] => to(port, '--auth-user', 'joe', ...more);
    const env = { EHLO_PASSWORD: 'correct horse' };
    const codes = [[], ['--tls', 'opportunistic'], ['--allow-cleartext-auth'], ['--allow-cleartext-auth', '--tls', 'none']].map(
      (more) => run(options(...more), env, MESSAGE).exited,
    );
    expect(await Promise.all(codes)).toEqual([77, 77, 0, 0]);
  });
});

test('a file that is removed while the server is asked is sent all the same', async ({ run, folder }) => {
  const path = join(folder, 'message.eml');
  writeFileSync(path, MESSAGE);
  const server = createServer((socket) => {
    rmSync(path);
    converse(socket, {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cli = run(to((server.address() as AddressInfo).port, path));
  expect([await cli.exited, cli.errors]).toEqual([0, '']);
  server.close();
});

test('a file goes as often as the server wants transactions for it', async ({ run, stored, folder }) => {
  const path = join(folder, 'message.eml');
  writeFileSync(path, MESSAGE);
  const stubs = join(folder, 'few.json');
  writeFileSync(stubs, JSON.stringify({ stubs: [{ on: 'connect', do: { limits: { recipients: 1 } } }] }));
  const cli = run(to(await run(['--raw', '--stubs', stubs]).port(), '--to', 'bob@b.example', '--to', 'eve@b.example', path));
  expect([await cli.exited, cli.errors]).toEqual([0, '']);
  expect([...stored().values()]).toEqual(Array.from({ length: 3 }, () => `${MESSAGE}\r\n`));
});

test('--dry-run prints the plan, and sends nothing', async ({ run, stored }) => {
  const server = run([]);
  const port = await server.port();
  const [text, asJson] = [run(to(port, '--dry-run'), {}, '\r\nna\u00efve'), run(to(port, '--dry-run', '--json'), {}, 'x')];
  expect(await Promise.all([text.exited, asJson.exited])).toEqual([0, 0]);
  expect(text.lines).toEqual(['MAIL FROM:<joe@a.example> SIZE=10 BODY=8BITMIME', 'RCPT TO:<ann@b.example>', 'DATA (8BITMIME)']);
  expect(json(asJson)).toMatchObject([{ mail: 'MAIL FROM:<joe@a.example> SIZE=3', transfer: 'DATA', problem: null }]);
  expect(stored().size).toBe(0);
});

test('--dry-run says why it can not be sent', async ({ run, scripted }) => {
  const cli = run(to(await scripted({ EHLO: '250-mx\r\n250 SIZE 10' }), '--dry-run'), {}, 'longer than this');
  expect(await cli.exited).toBe(1);
  expect(cli.lines.at(-1)).toBe("can't be sent: the message is larger than the server takes");
});

test.for<[string, string[], RegExp, NodeJS.ProcessEnv?]>([
  ['no server', ['send', ...FROM_TO], /--server.*not specified/],
  ['no sender', ['send', '--server', 'x', '--to', 'a@b.example'], /--from.*not specified/],
  ['no recipient', ['send', '--server', 'x', '--from', 'a@b.example'], /--to.*not specified/],
  ['a port that is none', ['send', '--server', 'x:99999', ...FROM_TO], /It must be a port/],
  ['no port behind the colon', ['send', '--server', '127.0.0.1:', ...FROM_TO], /It must be host, host:port/],
  ['the port 0', to(0), /It must be a port from 1 to 65535/],
  ['a server that is none', ['send', '--server', 'a:b:c:x', ...FROM_TO], /It must be host, host:port/],
  ['a time that is none', to(1, '--timeout', '0'), /number of seconds above zero/],
  ['LMTP without a port', ['send', '--server', 'localhost', '--lmtp', ...FROM_TO], /LMTP has no port of its own/],
  ['a Unix socket for SMTP', ['send', '--server', '/tmp/x.sock', ...FROM_TO], /a Unix socket is for LMTP/],
  ['a name that is none', to(1, '--hostname', 'not_a name'), /--hostname must be a domain name/],
  ['authorities that are missing', to(1, '--tls-ca', 'none.pem'), /--tls-ca: ENOENT/],
  ['TLS both ways', to(1, '--tls', 'none', '--tls-insecure'), /--tls none needs neither/],
  ['a password in clear', to(1, '--tls', 'none', '--auth-user', 'joe'), /would cross the network in clear/, { EHLO_PASSWORD: 'x' }],
  ['no password', to(1, '--auth-user', 'joe'), /there is no password: set EHLO_PASSWORD, or give --auth-password-file/],
  ['a password file that is missing', to(1, '--auth-user', 'joe', '--auth-password-file', 'none'), /--auth-password-file: ENOENT/],
  ['a password without a user', to(1, '--auth-password-file', 'x'), /--auth-password-file needs --auth-user/],
  [
    'a mechanism that is none',
    to(1, '--auth-user', 'joe', '--auth-mechanism', 'x'),
    /--auth-mechanism is one of SCRAM-SHA-256-PLUS,/,
    { EHLO_PASSWORD: 'x' },
  ],
])('a mistake: %s', async ([, args, why, env = {}], { run }) => {
  const cli = run(args, env, MESSAGE);
  expect(await cli.exited).toBe(2);
  expect(cli.errors).toMatch(why);
  expect(cli.errors).toMatch(/^ehlo: [^\n]+\n$/);
  expect(cli.lines).toEqual([]);
});

describe('an address that can not be written', () => {
  test('is refused alone; the others get the message, and the exit code tells', async ({ run, scripted }) => {
    const cli = run(to(await scripted({}), '--to', 'x@foo_bar.example', '--to', 'a@b>\r\nRCPT TO:<evil@e.example'), {}, MESSAGE);
    expect(await cli.exited).toBe(1);
    expect(cli.lines.map((line) => line.slice(0, 8).trim())).toEqual(['accepted', 'refused', 'refused']);
    expect(cli.lines[2]).toMatch(/^refused {3}a@b>\\x0d\\x0aRCPT TO:<evil@e\.example {2}/);
    expect(cli.lines[1]).toMatch(/an underscore in a domain \(underscore-domain\)$/);
  });

  test.for<[string, string[]]>([
    ['every recipient', ['--from', 'joe@a.example', '--to', 'ann', '--to', 'b.example']],
    ['the sender', ['--from', 'joe', '--to', 'ann@b.example', '--to', 'bob@b.example']],
  ])('%s: nobody is asked', async ([, addresses], { run }) => {
    const cli = run(['send', '--server', '127.0.0.1:1', '--json', ...addresses], {}, MESSAGE);
    expect([await cli.exited, cli.errors]).toEqual([1, '']);
    expect(json(cli)).toMatchObject([
      { outcome: 'refused', phase: 'plan' },
      { outcome: 'refused', phase: 'plan' },
    ]);
  });
});
