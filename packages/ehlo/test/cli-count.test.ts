// `ehlo send --count`: many messages, how they fared, and how long each stage took.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { json, MESSAGE, test, to } from './sending.ts';

test('so many messages, by so many connections, each with an identifier of its own; a line at each tenth, and the rate', async ({
  run,
  stored,
}) => {
  const server = run(['--raw', '--json']);
  const cli = run(to(await server.port(), '--count', '20', '--concurrency', '3', '--subject', 'many', '--timing'));
  expect(await cli.exited).toBe(0);
  expect(new Set([...stored().values()].map((octets) => /^Message-ID: (.*)$/m.exec(octets)?.[1])).size).toBe(20);
  expect(server.lines.filter((line) => line.startsWith('{"event":"connected"')).length).toBeLessThanOrEqual(3);
  expect(cli.errors.trim().split('\n')).toEqual(
    Array.from({ length: 10 }, (_, tenth) => expect.stringMatching(new RegExp(`^ehlo: ${(tenth + 1) * 2} of 20, \\d+/s$`))),
  );
  expect(cli.lines[0]).toMatch(/^20 messages in \d+\.\d\d s, \d+\/s: 20 accepted$/);
  const stages = cli.lines.slice(1).map((line) => /^(\w+) +(\d+) times, [\d.]+ ms on average, [\d.]+ ms at the most$/.exec(line));
  expect(stages.map((found) => found?.[1])).toEqual(['connect', 'greeting', 'hello', 'mail', 'rcpt', 'data', 'end']);
  expect(stages.slice(3).map((found) => found?.[2])).toEqual(['20', '20', '20', '20']);
});

test('what is refused alike is said in one line, and the worst is the exit code', async ({ run, folder, stored }) => {
  const stubs = join(folder, 'stubs.json5');
  writeFileSync(
    stubs,
    `{ stubs: [{ on: 'message', match: { every: 3 }, do: { reply: { code: 552, enhanced: '5.2.2', text: 'Mailbox full' } } }] }`,
  );
  const port = await run(['--raw', '--stubs', stubs]).port();
  const cli = run(to(port, '--count', '9'), {}, MESSAGE);
  expect(await cli.exited).toBe(1);
  expect(cli.lines).toEqual([
    'refused   ann@b.example  552 5.2.2 Mailbox full (3 times)',
    expect.stringMatching(/^9 messages in .*: 6 accepted, 3 refused$/),
  ]);
  // Standard input comes once, and is sent each time.
  expect([...stored().values()]).toEqual(Array.from({ length: 6 }, () => `${MESSAGE}\r\n`));
});

test('--json: an object for each recipient of each message, and one of all', async ({ run }) => {
  const cli = run(to(await run(['--raw']).port(), '--to', 'bob@b.example', '--count', '2', '--json'), {}, MESSAGE);
  expect(await cli.exited).toBe(0);
  const said = json(cli);
  expect(said).toHaveLength(5);
  expect(said.slice(0, 4)).toMatchObject(
    [1, 1, 2, 2].map((message, i) => ({
      message,
      recipient: i % 2 === 0 ? 'ann@b.example' : 'bob@b.example',
      outcome: 'accepted',
      retry: 'never',
    })),
  );
  expect(said[4]).toMatchObject({
    messages: 2,
    accepted: 4,
    refused: 0,
    rate: expect.any(Number),
    timing: expect.arrayContaining([expect.objectContaining({ stage: 'end', count: 2 })]),
  });
});

test('a server that is not there is told once, as for one message', async ({ run }) => {
  const cli = run(to(1, '--count', '50', '--concurrency', '5', '--subject', 'x', '--timing'));
  expect(await cli.exited).toBe(69);
  expect(cli.errors).toBe('ehlo: nobody listens on 127.0.0.1:1\n');
  expect(cli.lines).toHaveLength(1);
});

test('--timing: the stages of one message, by name, and their sum', async ({ run }) => {
  const cli = run(to(await run(['--tls-self-signed']).port(), '--timing'), {}, MESSAGE);
  expect(await cli.exited).toBe(0);
  const [, stages = ''] = /^((?:\w+ [\d.]+ ms(?:, |:))+) [\d.]+ ms in all$/.exec(cli.lines[1] ?? '') ?? [];
  expect([...stages.matchAll(/(\w+) [\d.]+ ms/g)].map(([, stage]) => stage)).toEqual([
    'connect',
    'tls',
    'greeting',
    'hello',
    'mail',
    'rcpt',
    'data',
    'end',
  ]);
});

test.for<[string, string[], RegExp]>([
  ['no count', ['--concurrency', '3'], /--concurrency needs --count/],
  ['none', ['--count', '0'], /It must be a whole number from 1 to 1000000/],
  ['a plan', ['--count', '3', '--dry-run'], /--dry-run sends nothing: leave out --count/],
])('a mistake: %s', async ([, more, why], { run }) => {
  const cli = run(to(1, ...more), {}, MESSAGE);
  expect(await cli.exited).toBe(2);
  expect(cli.errors).toMatch(why);
});
