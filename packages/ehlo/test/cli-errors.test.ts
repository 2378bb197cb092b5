// A command that can't begin: exit code 2, one line that says what to do, and nothing on stdout.
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'vitest';
import { CLIENT_TLS, CONNECT } from '../src/words/connect.ts';
import { SERVE } from '../src/words/serve.ts';
import { SERVER_LIMITS } from '../src/words/server-limits.ts';
import { helpOf } from '../src/words/words.ts';
import { type Cli, Client, test } from './cli.ts';

async function refuses(cli: Cli, why: RegExp): Promise<void> {
  expect(await cli.exited).toBe(2);
  expect(cli.errors).toMatch(why);
  expect(cli.errors).toMatch(/^ehlo: [^\n]+\n$/);
  expect(cli.lines).toEqual([]);
}

test.for([
  ['a port that is none', ['--port', 'smtp'], /--port.*'smtp' is invalid\. It must be a whole number/],
  ['a negative port', ['--port', '-1'], /--port.*'-1' is invalid/],
  ['a port out of range', ['--port', '65536'], /--port.*It must be a port from 0 to 65535/],
  ['a size that is no number', ['--size', '1M'], /--size.*'1M' is invalid\. It must be a whole number/],
  ['a size below the standard', ['--size', '65535'], /65535.*at least 65536.*RFC 5321 4\.5\.3\.1\.7/],
  ['a host name that is none', ['--hostname', 'not_a name'], /hostname must be a domain name or an address literal/],
  ['an empty host name', ['--hostname', ''], /hostname must be a domain name or an address literal/],
  ['an unknown preset', ['--preset', 'relay'], /--preset.*'relay' is invalid\. Allowed choices are mx, submission, lmtp, sink/],
  ['an unknown option', ['--bogus'], /unknown option '--bogus'/],
  ['a misspelt option', ['--maildri', 'x'], /unknown option '--maildri'.*--maildir/],
  ['an argument too many', ['more'], /too many arguments/],
  ['an option without its value', ['--maildir'], /--maildir.*argument missing/],
  ['an address of another machine', ['--host', '192.0.2.1'], /192\.0\.2\.1 is not an address of this machine; see --host/],
] as const)('%s', async ([, args, why], { run, folder }) => {
  await refuses(run(['serve', '--port', '0', '--maildir', join(folder, 'mail'), ...args]), why);
});

test('what is wrong among the options is told before anybody could connect: no port is opened, and no folder made', async ({
  run,
  folder,
}) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const mail = join(folder, 'mail');
  const cli = run(['serve', '--port', String(port), '--maildir', mail, '--hostname', 'not_a name']);
  await refuses(cli, /hostname must be a domain name/);
  expect(existsSync(mail)).toBe(false);
  taken.close();
});

test('a depth of grammars that is no number', async ({ run }) => {
  await refuses(run(['abnf', '--depth', 'x', 'a.abnf', 'b.abnf']), /--depth.*'x' is invalid\. It must be a whole number/);
});

test('an unknown command', async ({ run }) => {
  await refuses(run(['receive']), /unknown command 'receive'/);
});

test('a port in use', async ({ run }) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await refuses(run(['--port', String(port)]), new RegExp(`^ehlo: port ${port} on 127\\.0\\.0\\.1 is in use; choose another with --port`));
  server.close();
});

test('a mail directory that is a file', async ({ run, folder }) => {
  writeFileSync(join(folder, 'mail'), 'a letter');
  await refuses(run(), /the mail directory can't be used: .*mail.*; choose another with --maildir/);
});

test('a folder of the mail directory that is a file', async ({ run, folder }) => {
  mkdirSync(join(folder, 'mail'));
  writeFileSync(join(folder, 'mail', 'new'), 'a letter');
  await refuses(run(), /the mail directory can't be used: .*; choose another with --maildir/);
});

// Nothing keeps root from writing, but where the kernel itself does.
const OWN = process.getuid?.() !== 0;

test.skipIf(!OWN && process.platform !== 'linux')('a mail directory that may not be written', async ({ run, folder }) => {
  const path = OWN ? join(folder, 'locked') : '/sys';
  if (OWN) mkdirSync(path);
  if (OWN) chmodSync(path, 0o500);
  // Deno itself guards /sys, and says so in its own words.
  const told = /the mail directory can't be used: .*; choose another with --maildir|Requires all access to/;
  await refuses(run(['--maildir', join(path, 'mail')]), told);
});

test('help and version: exit code 0, on stdout', async ({ run }) => {
  const help = run(['serve', '--help']);
  const version = run(['--version']);
  expect([await help.exited, await version.exited]).toEqual([0, 0]);
  expect(help.lines.join('\n')).toMatch(/--maildir <directory>/);
  expect(version.lines).toEqual([expect.stringMatching(/^\d+\.\d+\.\d+/)]);
  expect(help.errors + version.errors).toBe('');
});

test('the help says what the words of the options say', async ({ run }) => {
  const [serve, send] = [run(['serve', '--help']), run(['send', '--help'])];
  await Promise.all([serve.exited, send.exited]);
  // It is wrapped where the terminal ends.
  const shown = [serve, send].map(({ lines }) => lines.join(' ').replaceAll(/\s+/g, ' '));
  const { host, port, proxy, hostname, preset } = SERVE;
  for (const words of [host, port, proxy, hostname, preset, ...Object.values(SERVER_LIMITS)]) expect(shown[0]).toContain(helpOf(words));
  for (const words of [CONNECT.hostname, CONNECT.pipelining, CLIENT_TLS.ca]) expect(shown[1]).toContain(helpOf(words));
});

test('an address literal is a host name', async ({ run }) => {
  const cli = run(['--hostname', '[192.0.2.1]']);
  expect(await new Client(await cli.port()).reply()).toMatch(/^220 \[192\.0\.2\.1\] /);
});
