// The exit codes of `ehlo send`.
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from 'vitest';
import { until } from './cli.ts';
import { type Answers, converse, json, MESSAGE, test, to } from './sending.ts';

const two = ['--to', 'bob@b.example'];
test.for<[string, number, Answers, string]>([
  ['all accepted', 0, {}, 'accepted accepted'],
  ['one refused for good', 1, { 'RCPT TO:<bob': '550 5.1.1 nobody' }, 'accepted refused'],
  ['one refused for now', 75, { 'RCPT TO:<bob': '450 4.2.1 later' }, 'accepted refused'],
  ['one for good and one for now', 1, { 'RCPT TO:<ann': '450 later', 'RCPT TO:<bob': '550 nobody' }, 'refused refused'],
  ['too many recipients, as old servers say it', 75, { 'RCPT TO:<bob': '552 too many' }, 'accepted refused'],
  ['lost before the end', 75, { DATA: null }, 'unsent unsent'],
  ['lost behind the end', 76, { '.': null }, 'unknown unknown'],
  ['lost behind the end, one refused', 76, { 'RCPT TO:<bob': '550 nobody', '.': null }, 'unknown refused'],
  ['larger than the server takes', 1, { EHLO: '250-mx\r\n250 SIZE 10' }, 'refused refused'],
  ['no welcome', 69, { '': '554 no' }, 'unsent unsent'],
  ['another protocol', 69, { '': '* OK IMAP4' }, 'unsent unsent'],
])('%s: %i', async ([, code, answers, outcomes], { run, scripted }) => {
  const cli = run(to(await scripted(answers), ...two, '--json'), {}, MESSAGE);
  expect(await cli.exited).toBe(code);
  expect(
    json(cli)
      .map((one) => (one as { outcome: string }).outcome)
      .join(' '),
  ).toBe(outcomes);
});

test('a domain beyond ASCII goes as A-labels to a server without SMTPUTF8, where the local part is ASCII', async ({ run, scripted }) => {
  const cli = run(to(await scripted(), '--to', 'bob@bücher.example', '--to', 'jürgen@bücher.example', '--trace'), {}, MESSAGE);
  expect(await cli.exited).toBe(1);
  expect(cli.errors).toMatch(/C: RCPT TO:<bob@xn--bcher-kva\.example>$/m);
  expect(cli.lines.map((line) => line.split(/ +/).slice(0, 2).join(' '))).toEqual([
    'accepted ann@b.example',
    'accepted bob@bücher.example',
    'refused jürgen@bücher.example',
  ]);
});

test('77 where TLS or AUTH can not be had', async ({ run, scripted }) => {
  const port = await scripted();
  const [tls, auth] = [
    run(to(port, '--tls', 'required'), {}, MESSAGE),
    run(to(port, '--auth-user', 'joe'), { EHLO_PASSWORD: 'x' }, MESSAGE),
  ];
  expect(await Promise.all([tls.exited, auth.exited])).toEqual([77, 77]);
  expect(tls.errors).toBe('ehlo: TLS is required, and the server does not offer STARTTLS (--tls none sends in clear)\n');
});

test('69 where nobody listens', async ({ run }) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  const cli = run(to(port), {}, MESSAGE);
  expect([await cli.exited, cli.errors]).toEqual([69, `ehlo: nobody listens on 127.0.0.1:${port}\n`]);
  expect(cli.lines).toEqual([`unsent    ann@b.example  nobody listens on 127.0.0.1:${port}`]);
});

test('69 where nobody answers in --timeout', async ({ run }) => {
  const server = createServer((socket) => void socket.on('error', () => {})).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cli = run(to((server.address() as AddressInfo).port, '--timeout', '0.2'), {}, MESSAGE);
  expect([await cli.exited, cli.errors]).toEqual([
    69,
    'ehlo: no greeting came in time: is this a port for SMTP, and does it speak TLS first?\n',
  ]);
  server.close();
});

test('66 where the message can not be read', async ({ run, folder, scripted }) => {
  const port = await scripted();
  mkdirSync(join(folder, 'sub'));
  const codes = ['missing.eml', 'sub'].map((name) => run(to(port, join(folder, name))).exited);
  expect(await Promise.all(codes)).toEqual([66, 66]);
});

test('66 where the message is empty, from a file or standard input: nothing is sent, and it is said', async ({ run, folder, scripted }) => {
  const file = join(folder, 'empty.eml');
  writeFileSync(file, '');
  const [byFile, byInput] = [run(to(await scripted(), file)), run(to(await scripted({ DATA: null })), {}, '')];
  expect(await Promise.all([byFile.exited, byInput.exited])).toEqual([66, 66]);
  expect(byFile.errors).toBe(`ehlo: ${file} is empty: there is no message in it\n`);
  expect(byInput.errors).toBe("ehlo: the message can't be read: standard input is empty\n");
  expect([byFile.lines, byInput.lines.map((line) => line.slice(0, 6))]).toEqual([[], ['unsent']]);
});

test('a name before an address, and two addresses in one option: it is said how to write them, and the others get the message', async ({
  run,
  scripted,
}) => {
  const odd = ['--to', 'Joe <joe@b.example>', '--to', 'bob@b.example, eva@b.example', '--json'];
  const cli = run(to(await scripted(), ...odd), {}, MESSAGE);
  expect(await cli.exited).toBe(1);
  expect(cli.errors.split('\n')).toEqual([
    "ehlo: --to 'Joe <joe@b.example>' is no address: write --to joe@b.example",
    "ehlo: --to 'bob@b.example, eva@b.example' is no address: write --to bob@b.example --to eva@b.example",
    '',
  ]);
  expect(json(cli)).toMatchObject([
    { recipient: 'ann@b.example', outcome: 'accepted' },
    {
      recipient: 'Joe <joe@b.example>',
      outcome: 'refused',
      text: expect.stringMatching(/: give what stands in the angle brackets alone$/),
    },
    { recipient: 'bob@b.example, eva@b.example', outcome: 'refused', text: expect.stringMatching(/: give each address by itself$/) },
  ]);
});

test('66 where standard input is a directory, which is no empty message', async ({ run, folder, scripted }) => {
  const directory = openSync(folder, 'r');
  const cli = run(to(await scripted()), {}, directory);
  closeSync(directory);
  expect([await cli.exited, cli.errors]).toEqual([66, "ehlo: standard input can't be read: it is a directory\n"]);
  expect(cli.lines).toEqual([]);
});

test('66 where the message can not be read', async ({ run, scripted, folder }) => {
  // A descriptor that only writes.
  const input = openSync(join(folder, 'out'), 'w');
  const cli = run(to(await scripted()), {}, input);
  expect(await cli.exited).toBe(66);
  expect(cli.errors).toMatch(/^ehlo: (?:the message|standard input) can't be read: [^\n]+\n$/);
  closeSync(input);
});

test('66 where the message breaks off when the server has taken some of it', async ({ run }) => {
  let octets = 0;
  const server = createServer((socket) => {
    converse(socket, {});
    socket.on('data', ({ length }) => {
      octets += length;
    });
  }).listen(0, '127.0.0.1');
  // Nothing is read of it here.
  const feed = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await Promise.all([once(server, 'listening'), once(feed, 'listening')]);
  const source = connect((feed.address() as AddressInfo).port, '127.0.0.1');
  const [input] = (await once(feed, 'connection')) as [Socket];
  input.on('error', () => {});
  const cli = run(to((server.address() as AddressInfo).port, '--trace'), {}, input);
  const text = `${'x'.repeat(70)}\r\n`.repeat(20_000);
  source.write(text);
  await cli.told(/SIZE 100000/);
  // All of it has been read: what is not read of a connection may go with it, and then it only ends.
  await until('the server has got what there is', () => octets > text.length || undefined);
  source.resetAndDestroy();
  expect(await cli.exited).toBe(66);
  expect(cli.errors).toMatch(/^ehlo: the message can't be read: [^\n]+$/m);
  input.destroy();
  for (const one of [server, feed]) one.close();
});

test('1 where the message has what was not declared: trying again never mends it', async ({ run, scripted }) => {
  // Behind what is read ahead, and the server takes ASCII only.
  const text = `${`${'x'.repeat(70)}\r\n`.repeat(20_000)}\u00ef\r\n`;
  const cli = run(to(await scripted()), {}, text);
  expect(await cli.exited).toBe(1);
  expect(cli.lines).toEqual(['unsent    ann@b.example  the message has octets beyond ASCII, and was declared to have none']);
});

test.for<[string, Answers, string[], RegExp]>([
  ['in the middle of the greeting', { '': '220-mx.example' }, [], /S: 220-/],
  ['before the plan', {}, ['--dry-run'], /SIZE 100000/],
])('75 when it is stopped %s', async ([, answers, more, when], { run, scripted }) => {
  const cli = run(to(await scripted(answers), '--trace', ...more), {}, null);
  await cli.told(when);
  cli.child.kill('SIGTERM');
  expect(await cli.exited).toBe(75);
  expect(cli.errors).toMatch(/^ehlo: stopped before anything was sent$/m);
  expect(cli.errors).not.toMatch(/^C: MAIL/m);
});

test('75 when it is stopped while it waits; the dot is never said', async ({ run, scripted }) => {
  const cli = run(to(await scripted(), '--trace', '--json'), {}, null);
  await cli.told(/SIZE 100000/);
  cli.child.stdin!.write('Subject: half\r\n');
  cli.child.kill('SIGTERM');
  expect(await cli.exited).toBe(75);
  expect(json(cli)).toMatchObject([{ outcome: 'unsent' }]);
});
