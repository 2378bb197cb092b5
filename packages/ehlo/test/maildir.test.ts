// What a mail directory promises, call by call: what is flushed before what, and what is never replaced.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Maildir } from '../src/maildir.ts';

/** What was done to the disk, in order, and what is to fail. */
const disk = vi.hoisted(() => ({ calls: [] as string[], fails: null as ((call: string) => string | null) | null }));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fs>();
  const note = (call: string): void => {
    disk.calls.push(call);
    const code = disk.fails?.(call) ?? null;
    if (code !== null) throw Object.assign(new Error(`${code}: ${call}`), { code });
  };
  const open = async (path: string, flags: string): Promise<fs.FileHandle> => {
    if (flags !== 'r') note(`create ${path}`);
    const handle = await real.open(path, flags);
    const { sync } = handle;
    handle.sync = async () => {
      note(`sync ${path}`);
      await sync.call(handle);
    };
    return handle;
  };
  const two =
    (name: 'link' | 'rename') =>
    async (from: string, to: string): Promise<void> => {
      note(`${name} ${to}`);
      await real[name](from, to);
    };
  return { ...real, open, link: two('link'), rename: two('rename') };
});

let folder = '';
let mail = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ehlo-maildir-'));
  mail = join(folder, 'a', 'mail');
  vi.useFakeTimers({ toFake: ['Date'], now: 1_800_000_000_000 });
  Object.assign(disk, { calls: [], fails: null });
});

afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

async function* content(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

const store = (maildir: Maildir, text: string, id = 'ID'): Promise<string> => maildir.store(id, content(`Header: 1\r\n${text}`));

/** The calls since the last time, with the paths that follow from the place of the test left out. */
function calls(): string[] {
  return disk.calls.splice(0).map((call) => {
    const [verb, path] = call.split(' ') as [string, string];
    return `${verb} ${relative(folder, path).replace(/\d+\.ID\..*/, 'NAME')}`;
  });
}

const left = (): string[] => readdirSync(mail, { recursive: true, encoding: 'utf8' }).filter((path) => /\d/.test(path));

test('a folder that is made is flushed into the one above it, up to where something was', async () => {
  await Maildir.open(mail);
  expect(calls().filter((call) => call.startsWith('sync'))).toEqual(['sync ', 'sync a', 'sync a/mail']);
  await Maildir.open(mail);
  expect(calls().filter((call) => call.startsWith('sync'))).toEqual([]);
});

test('content is flushed before it has its name, and the name before it is acknowledged', async () => {
  const maildir = await Maildir.open(mail);
  calls();
  const file = await store(maildir, 'text\r\n');
  expect(calls()).toEqual(['create a/mail/tmp/NAME', 'sync a/mail/tmp/NAME', 'link a/mail/new/NAME', 'sync a/mail/new']);
  expect(readFileSync(file, 'latin1')).toBe('Header: 1\r\ntext\r\n');
  expect(left()).toEqual([relative(mail, file)]);
});

test('a name that is taken: nothing is replaced', async () => {
  const maildir = await Maildir.open(mail);
  const file = await store(maildir, 'the first\r\n');
  await expect(store(maildir, 'the second\r\n')).rejects.toMatchObject({ code: 'EEXIST' });
  expect(readFileSync(file, 'latin1')).toContain('the first');
  expect(left()).toEqual([relative(mail, file)]);
});

test('a file system without hard links: nothing is replaced there either', async () => {
  disk.fails = (call) => (call.startsWith('link') ? 'EPERM' : null);
  const maildir = await Maildir.open(mail);
  const file = await store(maildir, 'the first\r\n');
  await expect(store(maildir, 'the second\r\n')).rejects.toMatchObject({ code: 'EEXIST' });
  expect(readFileSync(file, 'latin1')).toContain('the first');
  expect(left()).toEqual([relative(mail, file)]);
});

test.each(['sync .*tmp', 'link', 'rename', 'sync .*new'])('%s fails: nothing of the message is left', async (what) => {
  const maildir = await Maildir.open(mail);
  disk.fails = (call) => (new RegExp(`^${what}`).test(call) ? 'EIO' : what === 'rename' && call.startsWith('link') ? 'ENOTSUP' : null);
  await expect(store(maildir, 'text\r\n')).rejects.toMatchObject({ code: 'EIO' });
  expect(left()).toEqual([]);
  disk.fails = null;
  const file = await store(maildir, 'text\r\n');
  expect(left()).toEqual([relative(mail, file)]);
});

test('what was taken away while it runs is made again', async () => {
  const maildir = await Maildir.open(mail);
  for (const lost of ['', 'tmp', 'new']) {
    rmSync(join(mail, lost), { recursive: true });
    if (lost === 'new') mkdirSync(join(mail, 'new')); // by somebody else: another directory of the same name
    calls();
    const file = await store(maildir, 'text\r\n', `ID${lost}`);
    expect(readFileSync(file, 'latin1')).toContain('text');
    expect(calls().at(-1)).toBe('sync a/mail/new');
  }
});

test.each(['new', 'cur'])('%s alone is taken away while a message comes: it is made again', async (lost) => {
  const maildir = await Maildir.open(mail);
  async function* slow(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('te');
    rmSync(join(mail, lost), { recursive: true });
    yield Buffer.from('xt\r\n');
  }
  const file = await maildir.store('ID', slow());
  expect(readFileSync(file, 'latin1')).toBe('text\r\n');
  expect(left()).toEqual([relative(mail, file)]);
});

test('a file in the place of a folder is told as it is', async () => {
  writeFileSync(join(folder, 'a'), '');
  await expect(Maildir.open(mail)).rejects.toMatchObject({ code: expect.stringMatching(/^E(NOTDIR|EXIST)$/) });
});

test.runIf(process.platform === 'linux')('a place where no folder can be: told, not tried for ever', async () => {
  await expect(Maildir.open('/proc/ehlo/mail')).rejects.toThrow('the file system of /proc lets no folder be made there');
});
