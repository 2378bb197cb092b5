// What a mail directory promises, call by call: what is flushed before what, and what is never replaced.

import type * as fs from 'node:fs';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Maildir } from '../src/maildir.ts';

/** What was done to the disk, in order, and what is to fail. */
const disk = vi.hoisted(() => ({
  calls: [] as string[],
  fails: null as ((call: string) => string | null) | null,
  short: false,
  held: null as (() => void)[] | null,
}));

const note = (call: string): NodeJS.ErrnoException | null => {
  disk.calls.push(call);
  const code = disk.fails?.(call) ?? null;
  return code === null ? null : Object.assign(new Error(`${code}: ${call}`), { code });
};

vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>();
  const paths = new Map<number, string>();
  const synced = new Set<number>();
  const isSynced = (flags: string | number): boolean => typeof flags === 'number' && (flags & (real.constants.O_DSYNC ?? 0)) !== 0;
  type Done = (error: Error | null, value?: number) => void;
  /** A call that may fail. */
  const noted = (call: string, done: Done, real: (done: Done) => void): void => {
    const error = note(call);
    if (error === null) real(done);
    else done(error);
  };
  return {
    ...real,
    open: (path: string, flags: string | number, done: Done) => {
      const opened: Done = (error, file) => {
        if (file !== undefined) paths.set(file, path);
        if (file !== undefined && isSynced(flags)) synced.add(file);
        else synced.delete(file!);
        done(error, file);
      };
      if (flags === 'r') real.open(path, flags, opened);
      else noted(`create ${path}`, opened, (done) => real.open(path, flags, done));
    },
    writev: (file: number, pieces: Uint8Array[], done: Done) =>
      noted(`${synced.has(file) ? 'write-and-sync' : 'write'} ${paths.get(file)}`, done, (done) =>
        real.writev(file, disk.short ? [pieces[0]!.subarray(0, 3)] : pieces, done),
      ),
    fsync: (file: number, done: Done) =>
      noted(`sync ${paths.get(file)}`, done, (done) => {
        const sync = (): void => real.fsync(file, done);
        if (disk.held !== null && paths.get(file)!.endsWith('new')) disk.held.push(sync);
        else sync();
      }),
    rename: (from: string, to: string, done: Done) => noted(`rename ${to}`, done, (done) => real.rename(from, to, done)),
    unlink: (path: string, done: Done) => noted(`unlink ${path}`, done, (done) => real.unlink(path, done)),
  };
});

let folder = '';
let mail = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ehlo-maildir-'));
  mail = join(folder, 'a', 'mail');
  vi.useFakeTimers({ toFake: ['Date'], now: 1_800_000_000_000 });
  Object.assign(disk, { calls: [], fails: null, short: false, held: null });
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

/** What is short, written and flushed: by one call where the system has one for it. */
const WRITTEN = process.platform === 'linux' ? ['write-and-sync a/mail/tmp/NAME'] : ['write a/mail/tmp/NAME', 'sync a/mail/tmp/NAME'];

test('content is flushed before it has its name, and the name before it is acknowledged', async () => {
  const maildir = await Maildir.open(mail);
  calls();
  const file = await store(maildir, 'text\r\n');
  expect(calls()).toEqual(['create a/mail/tmp/NAME', ...WRITTEN, 'rename a/mail/new/NAME', 'sync a/mail/new']);
  expect(readFileSync(file, 'latin1')).toBe('Header: 1\r\ntext\r\n');
  expect(left()).toEqual([relative(mail, file)]);
});

test('what is long is flushed when all of it is written', async () => {
  const maildir = await Maildir.open(mail);
  calls();
  const file = await store(maildir, 'x'.repeat(70_000));
  expect(calls()).toEqual([
    'create a/mail/tmp/NAME',
    'write a/mail/tmp/NAME',
    'sync a/mail/tmp/NAME',
    'rename a/mail/new/NAME',
    'sync a/mail/new',
  ]);
  expect(readFileSync(file, 'latin1')).toHaveLength(70_011);
});

test('nothing of a message that is refused while it comes is written', async () => {
  const maildir = await Maildir.open(mail);
  calls();
  async function* refused(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('text');
    throw new Error('refused');
  }
  await expect(maildir.store('ID', refused())).rejects.toThrow('refused');
  expect(calls()).toEqual([]);
});

test('a message that comes in pieces is written at once, if it is short; else in blocks', async () => {
  const maildir = await Maildir.open(mail);
  async function* pieces(count: number, size: number): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < count; i++) yield Buffer.alloc(size, 'x');
  }
  const writes = (): number => calls().filter((call) => call.startsWith('write')).length;
  calls();
  expect(readFileSync(await maildir.store('ID1', pieces(60, 1000)), 'latin1')).toBe('x'.repeat(60_000));
  expect(writes()).toBe(1);
  expect(readFileSync(await maildir.store('ID2', pieces(5, 32_768)), 'latin1')).toBe('x'.repeat(163_840));
  expect(writes()).toBe(3);
  expect(readFileSync(await maildir.store('ID3', pieces(100, 1)), 'latin1')).toBe('x'.repeat(100));
  expect(writes()).toBe(2);
});

test('a disk that takes a part of what is written gets the rest', async () => {
  const maildir = await Maildir.open(mail);
  disk.short = true;
  const file = await store(maildir, 'text\r\n');
  expect(readFileSync(file, 'latin1')).toBe('Header: 1\r\ntext\r\n');
});

test('messages that are named while the directory is flushed share the next flush', async () => {
  const maildir = await Maildir.open(mail);
  calls();
  const held: (() => void)[] = [];
  disk.held = held;
  const stored: number[] = [];
  const all = Array.from({ length: 20 }, async (_, i) => {
    await store(maildir, 'text\r\n', `ID-${i}`);
    stored.push(i);
  });
  const flushes = (): number => disk.calls.filter((call) => call.endsWith('/new')).length;
  await vi.waitFor(() => expect(disk.calls.filter((call) => call.startsWith('rename'))).toHaveLength(20));
  expect([flushes(), held.length, stored]).toEqual([1, 1, []]);
  held.pop()!();
  await vi.waitFor(() => expect(held).toHaveLength(1));
  // The first flush answers for what was named before it: the very first message.
  expect([flushes(), stored.length]).toEqual([2, 1]);
  held.pop()!();
  await Promise.all(all);
  // A message: made, written, flushed and named.
  expect(disk.calls).toHaveLength(20 * (2 + WRITTEN.length) + 2);
});

test('a name that is taken: nothing is replaced', async () => {
  const maildir = await Maildir.open(mail);
  const file = await store(maildir, 'the first\r\n');
  await expect(store(maildir, 'the second\r\n')).rejects.toMatchObject({ code: 'EEXIST' });
  expect(readFileSync(file, 'latin1')).toContain('the first');
  expect(left()).toEqual([relative(mail, file)]);
});

test.each([
  ['create', ''],
  ['write', ''],
  ['write', 'x'.repeat(70_000)],
  ['sync .*tmp', 'x'.repeat(70_000)],
  ['rename', ''],
  ['sync .*new', ''],
])('%s fails: nothing of the message is left', async (what, text) => {
  const maildir = await Maildir.open(mail);
  disk.fails = (call) => (new RegExp(`^${what}`).test(call) ? 'EIO' : null);
  await expect(store(maildir, text)).rejects.toMatchObject({ code: 'EIO' });
  expect(left()).toEqual([]);
  disk.fails = null;
  const file = await store(maildir, 'text\r\n');
  expect(left()).toEqual([relative(mail, file)]);
});

test('one name for several at once: one of them has it', async () => {
  const maildir = await Maildir.open(mail);
  const all = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => store(maildir, `${i}\r\n`)));
  const [first, ...others] = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  expect(others).toEqual([]);
  expect(left()).toEqual([relative(mail, first!)]);
  for (const one of all) if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'EEXIST' });
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
