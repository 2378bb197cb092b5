// `ehlo serve --user` and `--users`: who may authenticate, by what, and where not.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SHA1, scramKeys } from '@ehlo/sasl';
import { expect } from 'vitest';
import { type Cli, Client, test } from './cli.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const CLEAR = /^ehlo: there is no TLS: whoever can listen to the connections reads the passwords; see --cert and --tls-self-signed\n$/;

/** The mechanisms that a server offers, and a client that has greeted it. */
async function greet(cli: Cli): Promise<{ client: Client; offered: string[] | undefined }> {
  const client = new Client(await cli.port());
  await client.reply();
  const hello = await client.say('EHLO client.example');
  return { client, offered: /^250.AUTH (.*)$/m.exec(hello)?.[1]?.trim().split(' ') };
}

test('a password serves all mechanisms; mail is taken without any, too', async ({ run, stored }) => {
  const cli = run(['--user', 'tim:tanstaaf:tanstaaf', '--user', 'Ursel:xipj3plmq', '--json']);
  const { client, offered } = await greet(cli);
  expect(offered).toEqual(['SCRAM-SHA-256', 'SCRAM-SHA-512', 'SCRAM-SHA-1', 'CRAM-MD5', 'PLAIN', 'LOGIN']);
  await cli.told(CLEAR);
  expect(await client.say(`AUTH PLAIN ${base64('\0tim\0tanstaaf')}`)).toBe('535 5.7.8 Authentication credentials invalid');
  expect(await client.say(`AUTH PLAIN ${base64('Ursel\0tim\0tanstaaf:tanstaaf')}`)).toBe('535 5.7.8 Authentication credentials invalid');
  expect(await client.say(`AUTH PLAIN ${base64('\0tim\0tanstaaf:tanstaaf')}`)).toBe('235 2.7.0 Authentication succeeded');
  await client.again();
  expect(await client.say('Subject: x\r\n\r\nx\r\n.')).toMatch(/^250 /);
  const { client: stranger } = await greet(cli);
  expect(await stranger.again()).toMatch(/^354 /);
  expect([...stored().values()][0]).toContain(' with ESMTPA id ');
  await cli.line(/"line":"DATA"/);
  expect(cli.lines.join('\n')).not.toMatch(/tanstaaf|dGltAHRhbnN0YWFm/);
});

test('a file of users; keys in place of a password serve what they can', async ({ run, folder }) => {
  const keys = scramKeys('pencil', { salt: Uint8Array.of(1, 2, 3) }).format();
  const file = join(folder, 'users');
  writeFileSync(file, `# who may send\r\n\r\ntim:tanstaaftanstaaf\r\nuser:${keys}\r\n`);
  const { client, offered } = await greet(run(['--users', file, '--json']));
  expect(offered).toEqual(['SCRAM-SHA-256', 'PLAIN', 'LOGIN']);
  expect(await client.say(`AUTH PLAIN ${base64('\0user\0pencils')}`)).toMatch(/^535 /);
  expect(await client.say(`AUTH PLAIN ${base64('\0user\0pencil')}`)).toMatch(/^235 /);
});

test('keys of several hashes leave what sends the password', async ({ run }) => {
  const salt = Uint8Array.of(1);
  const args = [SHA1, undefined].flatMap((hash, i) => {
    const keys = scramKeys('x', { salt, iterations: 1, ...(hash === undefined ? {} : { hash }) });
    return ['--user', `u${i}:${keys.format()}`];
  });
  expect((await greet(run(args))).offered).toEqual(['PLAIN', 'LOGIN']);
});

test('under a certificate nothing is offered in clear, and nothing is warned of', async ({ run }) => {
  const cli = run(['--user', 'tim:x', '--tls-self-signed', '--host', '0.0.0.0']);
  const { client, offered } = await greet(cli);
  expect(offered).toBeUndefined();
  expect(await client.say(`AUTH PLAIN ${base64('\0tim\0x')}`)).toMatch(/^504 /);
  expect(cli.errors).not.toMatch(/no TLS/);
});

test('--allow-cleartext-auth offers it in clear, to other machines too', async ({ run }) => {
  const cli = run(['--user', 'tim:x', '--host', '0.0.0.0', '--allow-cleartext-auth']);
  expect((await greet(cli)).offered).toContain('PLAIN');
  await cli.told(CLEAR);
  const secure = run(['--user', 'tim:x', '--tls-self-signed', '--allow-cleartext-auth']);
  expect((await greet(secure)).offered).toContain('PLAIN');
});

test.for([
  [
    'other machines without TLS',
    ['--user', 'tim:x', '--host', '0.0.0.0'],
    /^ehlo: on 0\.0\.0\.0 passwords would cross the network in clear: /,
  ],
  ['no password', ['--user', 'tim'], /^ehlo: --user: a user is name:password/],
  ['an empty password', ['--user', 'tim:'], /a user is name:password/],
  ['an empty name', ['--user', ':hunter2'], /a user is name:password/],
  ['a name that can be none', ['--user', 'a\x07:x'], /"a\\u0007" can't be the name of a user/],
  ['a name twice', ['--user', 'tim:x', '--user', 'tim:y'], /user "tim" is there twice/],
  ['keys that are none', ['--user', 'tim:{SCRAM-SHA-256}hunter2'], /--user: keys are \{SCRAM-SHA-256\}iterations,salt,storedKey,serverKey/],
  ['no file', ['--users', '/nonexistent/users'], /the users' file can't be read: ENOENT/],
  ['nobody to allow it to', ['--allow-cleartext-auth'], /--allow-cleartext-auth needs users/],
] as const)('refuses %s', async ([, args, why], { run }) => {
  const cli = run(args);
  expect(await cli.exited).toBe(2);
  expect(cli.errors).toMatch(why);
  expect(cli.errors).toMatch(/^ehlo: [^\n]+\n$/);
  expect(cli.errors).not.toContain('hunter2');
});

test('refuses a file with a wrong line, by its number, and one without a user', async ({ run, folder }) => {
  const file = join(folder, 'users');
  writeFileSync(file, 'tim:x\n\nhunter2\n');
  const wrong = run(['--users', file]);
  expect(await wrong.exited).toBe(2);
  expect(wrong.errors).toMatch(/users, line 3: a user is name:password\n$/);
  expect(wrong.errors).not.toContain('hunter2');
  writeFileSync(file, '# nobody\n');
  const empty = run(['--users', file]);
  expect(await empty.exited).toBe(2);
  expect(empty.errors).toMatch(/users names no user; a line is name:password\n$/);
});

test('SIGHUP reads the file again; what is wrong is told, and the users that were read before stay', async ({ run, folder }) => {
  const file = join(folder, 'users');
  writeFileSync(file, 'tim:x\n');
  const cli = run(['--users', file, '--tls-self-signed', '--allow-cleartext-auth']);
  const plain = async (user: string): Promise<string> => (await greet(cli)).client.say(`AUTH PLAIN ${base64(`\0${user}\0x`)}`);
  expect([await plain('tim'), await plain('eva')]).toEqual([expect.stringMatching(/^235 /), expect.stringMatching(/^535 /)]);
  writeFileSync(file, 'tim:x\nhunter2\n');
  cli.child.kill('SIGHUP');
  await cli.told(/ehlo: users: what was read before stays, for .*users, line 2: a user is name:password\n$/);
  expect(await plain('tim')).toMatch(/^235 /);
  writeFileSync(file, `eva:${scramKeys('x', { salt: Uint8Array.of(1), iterations: 1 }).format()}\n`);
  cli.child.kill('SIGHUP');
  await cli.told(/stays, for not all of them can be served by SCRAM-SHA-512.*, CRAM-MD5: start the server anew\n$/);
  expect(await plain('eva')).toMatch(/^535 /);
  writeFileSync(file, 'eva:x\n');
  cli.child.kill('SIGHUP');
  await cli.told(/ehlo: users: read again\n$/);
  expect([await plain('tim'), await plain('eva')]).toEqual([expect.stringMatching(/^535 /), expect.stringMatching(/^235 /)]);
  expect(cli.errors).not.toContain('hunter2');
});
