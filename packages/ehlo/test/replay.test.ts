// What `ehlo replay` prints of test vectors: each step, of servers and of clients, and nothing that a terminal would obey.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { type ReplayCommandOptions, replayCommand, TranscriptError } from '../src/replay-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'ehlo-replay-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const vectors = (path: string): string => fileURLToPath(new URL(`../../../test-vectors/${path}`, import.meta.url));

async function replay(file: string, options: Partial<ReplayCommandOptions> = {}): Promise<{ same: boolean; lines: string[] }> {
  const lines: string[] = [];
  const same = await replayCommand(file, { ways: false, quiet: false, json: false, ...options }, (line) => lines.push(line));
  return { same, lines };
}

test('a server: what its client says, what it says, what is decided, and time', async () => {
  const { same, lines } = await replay(vectors('server/rcpt.json'), { only: 'rcpt-moved' });
  expect(same).toBe(true);
  expect(lines.slice(0, 5)).toEqual([
    'rcpt-moved',
    expect.stringMatching(/^ {2}A server may say where a user has gone/),
    '     1 S: 220 mx.example.org ESMTP Service ready',
    '     2 C: EHLO client.example',
    '     3 S: 250-mx.example.org',
  ]);
  expect(lines.slice(-3)).toEqual(['  as written', '', '1 transcripts, all as written']);
  expect(lines.join('\n')).toMatch(/\n +12 reject \{"code":551,.*\n +13 S: 551 5\.1\.6 User not local/);
});

test.each(['client/data.json', 'server/timeouts.json', 'smuggling/false-ends.json'])('%s comes out as written', async (file) => {
  expect((await replay(vectors(file), { quiet: true })).lines).toEqual([expect.stringMatching(/^\d+ transcripts, all as written$/)]);
});

test('of a client the sides are as on the wire', async () => {
  const { lines } = await replay(vectors('client/data.json'));
  expect(lines.find((line) => /^ +\d+ S: 220 /.test(line))).toBeDefined();
  expect(lines.find((line) => /^ +\d+ C: EHLO /.test(line))).toBeDefined();
});

test('more than is expected, and octets that move a terminal', async () => {
  const file = join(folder, 'x.json');
  const steps = [{ out: '220 mx.example.org ESMTP Service ready\r\n' }, { in: 'NOOP \u001b[2J\r\n' }];
  writeFileSync(
    file,
    JSON.stringify({ name: '\u202ename', why: '\u0007', role: 'server', options: { hostname: 'mx.example.org', preset: 'sink' }, steps }),
  );
  const { same, lines } = await replay(file);
  expect(same).toBe(false);
  expect(lines).toEqual([
    '\\u202ename',
    '  \\x07',
    '     1 S: 220 mx.example.org ESMTP Service ready',
    '     2 C: NOOP \\x1b[2J',
    '✗    3 there is no such step',
    expect.stringMatching(/^ {7}nobody expected the event \{"type":"fault","code":"syntax",/),
    '',
    '1 transcripts, 1 not as written',
  ]);
});

test('a name that is none is told with those that there are', async () => {
  await expect(replay(vectors('server/quit.json'), { only: 'rcpt-moved' })).rejects.toThrow(TranscriptError);
  await expect(replay(vectors('server/quit.json'), { only: 'rcpt-moved' })).rejects.toThrow(/has no transcript rcpt-moved; it has: .*quit/);
});
