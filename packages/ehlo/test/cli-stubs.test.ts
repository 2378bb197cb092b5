// `ehlo serve` that fails on command: stubs from files and presets, anybody who authenticates, few connections, few messages.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Client, test, until } from './cli.ts';

const FULL = `// What the office's server says when it is full.
{
  stubs: [
    { on: 'rcpt', match: { to: 'full@*' }, do: { reply: { code: 452, enhanced: '4.2.2', text: 'Mailbox full' } }, times: 1 },
  ],
}
`;

async function rcpt(port: number, to: string): Promise<string> {
  const client = new Client(port);
  await client.reply();
  await client.say('EHLO client.example');
  await client.say('MAIL FROM:<ann@example.org>');
  return await client.say(`RCPT TO:<${to}>`);
}

test('a file of stubs does what it says, and mail is stored and shown as ever', async ({ run, folder, stored }) => {
  const file = join(folder, 'full.json5');
  writeFileSync(file, FULL);
  const cli = run(['--stubs', file]);
  const port = await cli.port();
  expect([await rcpt(port, 'full@example.org'), await rcpt(port, 'full@example.org')]).toEqual([
    '452 4.2.2 Mailbox full',
    expect.stringMatching(/^250 /),
  ]);
  expect(await cli.line(/S: 452/)).toBe('[1] S: 452 4.2.2 Mailbox full');
  const client = new Client(port);
  await client.data();
  expect(await client.say('Subject: hello\r\n\r\nText\r\n.')).toMatch(/^250 2\.6\.0 Message accepted, queued as/);
  expect([...stored().values()].join()).toContain('Subject: hello');
  await cli.line(/^\[3\] stored/);
});

test('SIGHUP reads it again, and its memory begins anew; what is wrong is told with line and column, and changes nothing', async ({
  run,
  folder,
}) => {
  const file = join(folder, 'full.json5');
  writeFileSync(file, FULL);
  const cli = run(['--stubs', file]);
  const port = await cli.port();
  expect(await rcpt(port, 'full@example.org')).toMatch(/^452/);
  writeFileSync(file, FULL.replace("on: 'rcpt'", "on: 'rctp'"));
  cli.child.kill('SIGHUP');
  await cli.told(/stubs: what was read before stays, for --stubs: .*full\.json5:4:7: stubs\.0\.on is "rctp"; .*did you mean rcpt\?\n$/);
  expect(await rcpt(port, 'full@example.org')).toMatch(/^250/);
  writeFileSync(file, FULL.replace('452', '552').replace('4.2.2', '5.2.2'));
  cli.child.kill('SIGHUP');
  await cli.told(/ehlo: stubs: read again\n$/);
  expect(await rcpt(port, 'full@example.org')).toBe('552 5.2.2 Mailbox full');
});

test('a file that is none says where it goes wrong', async ({ run, folder }) => {
  const file = join(folder, 'wrong.json');
  const wrong: [string, RegExp][] = [
    ['{ "stubs": [\n  { "on": "rcpt" "do": {} } ] }', /wrong\.json:2:18: here a comma or } is missing\n$/],
    [
      '{ "stubs": [{ "on": "rcpt",\n "match": { "size": {} }, "do": { "drop": true } }] }',
      /wrong\.json:2:13: stubs\.0\.match\.size: at rcpt only /,
    ],
    ['{ "stubs": [], "sutbs": [] }', /wrong\.json:1:1: there is no option sutbs: did you mean stubs\?/],
    ['{ "stubs": [', /wrong\.json:1:13: the text ends too soon\n$/],
  ];
  for (const [text, message] of wrong) {
    writeFileSync(file, text);
    const cli = run(['--stubs', file]);
    expect(await cli.exited).toBe(2);
    expect(cli.errors).toMatch(message);
  }
  const none = run(['--stubs', 'gmial']);
  expect(await none.exited).toBe(2);
  expect(none.errors).toMatch(
    /--stubs: there is no file gmial, nor a preset of that name: did you mean gmail\?; there are gmail, outlook, /,
  );
});

test('a preset, behind a file', async ({ run, folder }) => {
  const file = join(folder, 'full.json5');
  writeFileSync(file, FULL);
  const port = await run(['--stubs', 'exim', '--stubs', file]).port();
  expect([await rcpt(port, 'full@example.org'), await rcpt(port, 'full@example.org'), await rcpt(port, 'nobody@example.org')]).toEqual([
    '452 4.2.2 Mailbox full',
    '452 Mailbox is full',
    '550 Unrouteable address',
  ]);
});

test('--accept-any-auth takes anybody', async ({ run }) => {
  const client = new Client(await run(['--accept-any-auth', '--stubs', 'no-tls']).port());
  await client.reply();
  expect(await client.say('EHLO client.example')).toMatch(/AUTH PLAIN LOGIN/);
  expect(await client.say(`AUTH PLAIN ${btoa('\0whoever\0whatever')}`)).toMatch(/^235 /);
});

test.for([[], ['--stubs', 'full-disk']])('--connections: one more is told 421 %j', async (more, { run }) => {
  const port = await run(['--connections', '1', ...more]).port();
  const first = new Client(port);
  expect(await first.reply()).toMatch(/^220/);
  expect(await new Client(port).reply()).toMatch(/^421 /);
});

test('--keep: the oldest messages of this run are removed', async ({ run, stored }) => {
  const cli = run(['--keep', '2']);
  const client = new Client(await cli.port());
  await client.data();
  await client.say('Subject: 0\r\n\r\n.');
  for (const i of [1, 2, 3]) {
    await client.again();
    expect(await client.say(`Subject: ${i}\r\n\r\n.`)).toMatch(/^250/);
  }
  const kept = await until('two messages', () => (stored().size === 2 ? [...stored().values()] : undefined));
  expect(kept.map((text) => /Subject: ([0-9])/.exec(text)?.[1]).sort()).toEqual(['2', '3']);
});
