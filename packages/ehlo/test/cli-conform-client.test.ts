// `ehlo conform --client`: a command for each check, an engine without sockets, and a client that sends nothing.
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { test } from './cli.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const SEND = `node ${root}packages/ehlo/bin/ehlo.js send --server {host}:{port} --tls none --timeout 10 --from {from} {each:--to $} {message} >/dev/null 2>&1`;
const SHIM = `node ${root}examples/conform-shim.mjs`;

test('a command is run for each check, and what it does is judged', async ({ run }) => {
  const cli = run([
    'conform',
    '--client',
    '--exec',
    SEND,
    '--only',
    '5321-4.5.2-01',
    '--only',
    'rcpt-550',
    '--only',
    'message-lost',
    '--only',
    'starttls-lost',
    '--sessions',
    '4',
  ]);
  expect([await cli.exited, cli.errors]).toEqual([0, '']);
  expect(cli.lines.slice(-1)).toEqual(['0 violates, 0 inconclusive, 0 permitted, 10 conforms, 1 skipped']);
  expect(cli.lines.at(-2)).toBe('skipped      starttls-lost: needs --tls: the client asks for STARTTLS');
});

test('what is broken is told with its section, its requirement and its dialogue', async ({ run }) => {
  const command = `printf 'EHLO a.example\\r\\nMAIL FROM:<ann@sender.example>\\r\\nRCPT TO:<bob@receiver.example>\\r\\nDATA\\r\\n\\r\\n.\\r\\nQUIT\\r\\n' | timeout 5 bash -c 'exec 3<>/dev/tcp/{host}/{port}; cat >&3; cat <&3'`;
  const cli = run(['conform', '--client', '--exec', command, '--only', 'commands-one-by-one', '--verbose']);
  expect(await cli.exited).toBe(1);
  expect(cli.lines[0]).toMatch(/^violates {5}commands-one-by-one: something is sent before the reply to EHLO \(RFC 5321 4\.3\.1\)$/);
  expect(cli.lines.join('\n')).toContain(
    '5321-4.3.1-01: The client waits for the reply before the next command unless an extension allows more',
  );
  expect(cli.lines.join('\n')).toContain('C: EHLO a.example');
});

test('an engine without sockets is spoken to by lines of JSON', async ({ run }) => {
  const cli = run([
    'conform',
    '--client',
    '--shim',
    SHIM,
    '--tls',
    '--format',
    'json',
    '--only',
    'starttls-forgets-what-was-offered',
    '--only',
    'dot-line-is-no-end',
    '--only',
    'message-reset',
  ]);
  expect([await cli.exited, cli.errors]).toEqual([0, '']);
  const { role, findings } = JSON.parse(cli.lines.join('\n'));
  expect(role).toBe('client');
  expect(findings.map(({ id, verdict }: { id: string; verdict: string }) => [id, verdict])).toEqual([
    ['dot-line-is-no-end', 'conforms'],
    ['message-reset', 'conforms'],
    ['starttls-forgets-what-was-offered', 'conforms'],
  ]);
});

test('a client that looks at certificates is shown one of its own', async ({ run }) => {
  const certs = `${root}packages/node/test/certs`;
  const exec = `node ${root}packages/ehlo/bin/ehlo.js send --server localhost:{port} --tls required --tls-ca ${certs}/ca.crt --timeout 10 --from {from} {each:--to $} {message} 2>&1`;
  const options = ['conform', '--client', '--tls', '--only', 'starttls-is-followed-by-ehlo', '--exec', exec];
  const shown = run([...options, '--cert', `${certs}/server.crt`, '--key', `${certs}/server.key`]);
  expect([await shown.exited, shown.errors]).toEqual([0, '']);
  const made = run(options);
  expect([await made.exited, made.errors]).toEqual([69, expect.stringContaining('self-signed certificate')]);
  const half = run([...options, '--cert', `${certs}/server.crt`]);
  expect([await half.exited, half.errors]).toEqual([2, 'ehlo: --cert and --key belong together: give both\n']);
});

test('a client of LMTP is examined by checks of its own, and each recipient has a reply', async ({ run }) => {
  const cli = run([
    'conform',
    '--client',
    '--lmtp',
    '--shim',
    SHIM,
    '--only',
    '2033-4.2',
    '--only',
    'hello-comes-first',
    '--only',
    'hello-names-the-client',
  ]);
  expect([await cli.exited, cli.errors]).toEqual([0, '']);
  const told = cli.lines.slice(0, -1).map((line) => line.split(/ +/));
  expect(new Set(told.map(([verdict]) => verdict))).toEqual(new Set(['conforms']));
  expect(told.map(([, id]) => id)).toEqual(expect.arrayContaining(['hello-names-the-client', 'lmtp-last-recipient-fails', 'lmtp-chunks']));
  expect(told.map(([, id]) => id)).not.toContain('hello-comes-first');
});

test('a client that sends nothing is no client: nothing is said of it', async ({ run }) => {
  const cli = run(['conform', '--client', '--exec', 'echo no such host >&2', '--only', 'rcpt-550']);
  expect([await cli.exited, cli.lines]).toEqual([69, []]);
  expect(cli.errors).toMatch(
    /^ehlo: the client does not send a message to a server that takes everything: the client did not connect\nehlo: it printed: "no such host"\n$/,
  );
  const none = run(['conform', '--client', '--exec', 'x', '--sessions', '0']);
  expect([await none.exited, none.errors]).toEqual([2, expect.stringContaining('It must be a number from 1 to 999.')]);
  const both = run(['conform', '--client', '--exec', 'x', '--shim', 'y']);
  expect([await both.exited, both.errors]).toEqual([2, 'ehlo: --exec and --shim are two clients: give one of them\n']);
});

test('by hand a port is told for each check; --dry-run lists them', async ({ run }) => {
  const list = run(['conform', '--client', '--dry-run']);
  expect(await list.exited).toBe(0);
  expect(list.lines.length).toBeGreaterThan(80);
  const json = run(['conform', '--client', '--dry-run', '--format', 'json', '--lmtp', '--only', 'lmtp-chunks']);
  expect(await json.exited).toBe(0);
  expect(JSON.parse(json.lines.join('\n'))).toEqual({
    examined: 'a client',
    role: 'lmtp',
    checks: [{ id: 'lmtp-chunks', title: expect.any(String), requirements: ['2033-4.2-03', '5321-2.1-01'] }],
  });
  const cli = run(['conform', '--client', '--only', 'commands-in-order', '--patience', '30']);
  const send = async (told: RegExp): Promise<void> => {
    const port = (await cli.told(told)).match(/:(\d+)$/)![1]!;
    const sent = run(
      ['send', '--server', `127.0.0.1:${port}`, '--tls', 'none', '--from', 'ann@sender.example', '--to', 'bob@receiver.example'],
      {},
      'Subject: x\r\n\r\nA line.\r\n',
    );
    expect(await sent.exited).toBe(0);
  };
  await send(/^ehlo: commands-in-order: send from <ann@sender\.example> to <bob@receiver\.example> by 127\.0\.0\.1:\d+/);
  await send(/\nehlo: commands-in-order: .* by 127\.0\.0\.1:\d+/);
  expect(await cli.line(/commands-in-order/)).toMatch(/^inconclusive commands-in-order: what the client told of it is not known$/);
});
