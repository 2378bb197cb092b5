// `ehlo serve --record` writes what sessions do as transcripts, and `ehlo replay` shows them, and where one comes out otherwise.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Cli, Client, test, until } from './cli.ts';

interface Recorded {
  readonly name: string;
  readonly why: string;
  readonly steps: readonly { readonly in?: string; readonly out?: string; readonly accept?: object }[];
}

/** The sessions in a file, when there are so many. */
async function sessions(file: string, count: number): Promise<readonly Recorded[]> {
  const lines = await until(`${count} sessions`, () => {
    const whole = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    return whole.length === count ? whole : undefined;
  });
  return lines.map((line) => JSON.parse(line) as Recorded);
}

async function outcome(cli: Cli): Promise<{ code: unknown; lines: readonly string[] }> {
  const code = await cli.exited;
  return { code, lines: cli.lines };
}

/** A session as curl has it. */
async function session(port: number): Promise<void> {
  const client = new Client(port);
  await client.reply();
  await client.say('EHLO letter.eml');
  await client.say('AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm');
  await client.again('bob@example.org');
  await client.say('Subject: hello\r\n\r\n..stuffed\r\n.');
  await client.say('QUIT');
}

test('a session that was recorded replays with no difference, and has no secret; one reply changed is shown', async ({ run, folder }) => {
  const file = join(folder, 'sessions.jsonl');
  const server = run(['--record', file, '--user', 'tim:tanstaaftanstaaf', '--hostname', 'mx.example.org']);
  const port = await server.port();
  await session(port);
  await session(port);
  const [first, second] = await sessions(file, 2);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(first!.why).toMatch(/^A session with 127\.0\.0\.1 that began 20/);
  expect(second!.name).toBe(first!.name.replace(/1$/, '2'));
  const written = readFileSync(file, 'utf8');
  for (const secret of ['tanstaaf', 'AHRpbQB0', 'dGFuc3RhYW']) expect(written).not.toContain(secret);
  expect(first!.steps).toContainEqual({ accept: { identity: 'tim' } });

  const same = await outcome(run(['replay', file, '--ways']));
  expect(same.code).toBe(0);
  expect(same.lines.join('\n')).toContain('C: AUTH PLAIN d2l0aGhlbGQ=\n');
  expect(same.lines.at(-1)).toBe('2 transcripts, all as written');

  writeFileSync(file, written.replace('235 2.7.0 Authentication succeeded', '235 2.7.0 Come in'));
  const other = await outcome(run(['replay', file, '--quiet']));
  expect(other.code).toBe(1);
  const at = other.lines.findIndex((line) => line.startsWith('✗'));
  expect(other.lines[at]).toMatch(/^✗ +\d+ S: 235 2\.7\.0 Come in$/);
  expect(other.lines.slice(at + 1)).toEqual([
    '       expected output "235 2.7.0 Come in\\r\\n"',
    expect.stringMatching(/^ {7}got "235 2\.7\.0 Authentication succeeded\\r\\n/),
    '',
    '2 transcripts, 1 not as written',
  ]);

  const told = await outcome(run(['replay', file, '--json', '--only', first!.name]));
  expect(told.code).toBe(1);
  expect(told.lines.map((line) => JSON.parse(line))).toEqual([
    {
      name: first!.name,
      role: 'server',
      steps: first!.steps.length,
      asWritten: false,
      step: 1 + first!.steps.findIndex(({ out }) => out?.startsWith('235')),
      difference: expect.stringContaining('expected output "235 2.7.0 Come in'),
    },
  ]);
});

test('sessions that are open when the server stops are recorded, too, and what was there before stays', async ({ run, folder }) => {
  const file = join(folder, 'sessions.jsonl');
  writeFileSync(file, '');
  for (const count of [1, 2]) {
    const server = run(['--record', file]);
    const client = new Client(await server.port());
    await client.reply();
    await client.say('EHLO a.example');
    server.child.kill('SIGTERM');
    await until('the end', () => (client.ended ? true : undefined));
    expect(await server.exited).toBe(0);
    expect((await sessions(file, count)).at(-1)!.steps.at(-1)).toMatchObject({ out: expect.stringMatching(/^421 /) });
  }
});

test('what can not be recorded, or is no transcript, is told', async ({ run, folder }) => {
  const nowhere = run(['--record', join(folder, 'none', 'x')]);
  expect(await nowhere.exited).toBe(2);
  expect(nowhere.errors).toMatch(/^ehlo: --record: ENOENT/);
  const stubbed = run(['--record', join(folder, 'x'), '--stubs', 'greylisting']);
  expect(await stubbed.exited).toBe(2);
  expect(stubbed.errors).toBe('ehlo: --record and --stubs: what a stub does is not of the session, and would not replay\n');
  const file = join(folder, 'x.json');
  const wrong: [string, number, RegExp][] = [
    ['{', 2, /x\.json:1 is no JSON/],
    ['{"a":1}', 2, /x\.json, transcript 1: role is server or client; is this a file of transcripts\?/],
    ['{"role":"server","name":"a","options":{},"steps":[{"say":"x"}]}', 2, /transcript 1, step 1: say is no step of a server/],
    ['{"role":"server","name":"a","options":{},"steps":[]}', 2, /a can't be replayed: .*hostname/],
  ];
  for (const [text, code, message] of wrong) {
    writeFileSync(file, text);
    const cli = run(['replay', file]);
    expect([await cli.exited, cli.errors]).toEqual([code, expect.stringMatching(message)]);
  }
  const none = run(['replay', join(folder, 'none.json')]);
  expect(await none.exited).toBe(66);
  expect(none.errors).toMatch(/^ehlo: .*none\.json can't be read: ENOENT/);
});
