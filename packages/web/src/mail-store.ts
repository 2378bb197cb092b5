import { open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { described, HEAD, type MailSummary, searched } from './mail-record.ts';

/** What is told of a store. */
export interface StoreListener {
  added(mail: MailSummary): void;
  /** Something else is other than before: mails are gone, or were read. */
  changed(): void;
}

/** How much of a mail directory is shown and kept. */
export interface StoreOptions {
  /** Mails at the most; older ones are removed. Default: none is removed, and the newest 10000 are shown. */
  readonly keep?: number;
  /** Milliseconds after which a mail is removed. Default: never. */
  readonly maxAge?: number;
}

interface Stored {
  summary: MailSummary;
  folder: 'new' | 'cur';
  file: string;
}

/** Mails that are shown where nothing says how many. */
const SHOWN = 10_000;

/** Files that are read at a time, when a directory is opened. */
const AT_ONCE = 16;

/** Octets of the largest mail that is taken apart. */
const LARGEST = 64 * 1024 * 1024;

/** The flags of a file in `cur`: `:2,S` is one that was seen (maildir(5)). */
const FLAGS = ':2,';

/**
 * The mails of a mail directory, the newest of them, with what a list shows of each. The files are the truth: what is there when it is opened is
 * found again, marks of what was read too, and what others take away is gone.
 */
export class MailStore {
  readonly #path: string;
  readonly #keep: number;
  readonly #shown: number;
  readonly #maxAge: number;
  readonly #listener: StoreListener;
  /** The oldest first. */
  readonly #mails: Map<string, Stored> = new Map();

  private constructor(path: string, { keep, maxAge }: StoreOptions, listener: StoreListener) {
    this.#path = path;
    this.#keep = keep ?? Number.POSITIVE_INFINITY;
    this.#shown = Math.min(keep ?? SHOWN, SHOWN);
    this.#maxAge = maxAge ?? Number.POSITIVE_INFINITY;
    this.#listener = listener;
  }

  /** Opens a mail directory whose folders are there. */
  static async open(path: string, options: StoreOptions, listener: StoreListener): Promise<MailStore> {
    const store = new MailStore(path, options, listener);
    await store.#scan();
    return store;
  }

  get size(): number {
    return this.#mails.size;
  }

  get unread(): number {
    return [...this.#mails.values()].filter(({ summary }) => !summary.read).length;
  }

  /** The newest first; all, or those that a search finds. */
  list(query = ''): readonly MailSummary[] {
    const all = [...this.#mails.values()].reverse().map(({ summary }) => summary);
    return query === '' ? all : all.filter(searched(query));
  }

  find(id: string): MailSummary | null {
    return this.#mails.get(id)?.summary ?? null;
  }

  /** Takes in a file that was stored just now. */
  async add(file: string, facts: Partial<MailSummary>): Promise<MailSummary | null> {
    const mail = await this.#load('new', basename(file), facts).catch(() => null);
    if (mail === null) return null;
    this.#mails.set(mail.summary.id, mail);
    this.#listener.added(mail.summary);
    await this.trim();
    return mail.summary;
  }

  /** What the client of a mail was told. */
  concluded(id: string, outcome: string): void {
    const mail = this.#mails.get(id);
    if (mail !== undefined) mail.summary = { ...mail.summary, outcome };
  }

  /** The octets of a mail; null if it is gone, or too large to be taken apart. */
  async octets(id: string): Promise<Uint8Array | null> {
    const mail = this.#mails.get(id);
    if (mail === undefined || mail.summary.size > LARGEST) return null;
    try {
      return await readFile(this.#fileOf(mail));
    } catch {
      this.#gone(id);
      return null;
    }
  }

  /** Where the octets of a mail are. */
  fileOf(id: string): string | null {
    const mail = this.#mails.get(id);
    return mail === undefined ? null : this.#fileOf(mail);
  }

  /** Notes that a mail was read, or was not; false if there is no such mail. */
  async mark(id: string, read: boolean): Promise<boolean> {
    const mail = this.#mails.get(id);
    if (mail === undefined) return false;
    if (mail.summary.read === read) return true;
    // Windows has no colon in names: there it is known until the server ends.
    const to = { folder: 'cur' as const, file: flagged(mail.file, read) };
    if (process.platform !== 'win32') {
      const moved = await rename(this.#fileOf(mail), join(this.#path, to.folder, to.file)).then(
        () => true,
        () => false,
      );
      if (!moved) {
        this.#gone(id);
        return false;
      }
      Object.assign(mail, to);
    }
    mail.summary = { ...mail.summary, read };
    this.#listener.changed();
    return true;
  }

  /** Removes mails and their files; how many there were. */
  async remove(ids: Iterable<string>): Promise<number> {
    let removed = 0;
    for (const id of ids) {
      const mail = this.#mails.get(id);
      if (mail === undefined) continue;
      await unlink(this.#fileOf(mail)).catch(() => {});
      this.#mails.delete(id);
      removed++;
    }
    if (removed > 0) this.#listener.changed();
    return removed;
  }

  /** Removes what is too old or too much; beyond what is shown, files stay. */
  async trim(now: number = Date.now()): Promise<void> {
    const all = [...this.#mails.values()];
    const old = all.filter(({ summary }, i) => all.length - i > this.#keep || now - summary.received > this.#maxAge);
    if (old.length > 0) await this.remove(old.map(({ summary }) => summary.id));
    for (const id of this.#mails.keys()) {
      if (this.#mails.size <= this.#shown) break;
      this.#mails.delete(id);
    }
  }

  #fileOf({ folder, file }: Stored): string {
    return join(this.#path, folder, file);
  }

  #gone(id: string): void {
    if (this.#mails.delete(id)) this.#listener.changed();
  }

  async #scan(): Promise<void> {
    const files = [...(await filesOf(this.#path, 'new')), ...(await filesOf(this.#path, 'cur'))].sort(byAge);
    const beyond = files.slice(0, Math.max(0, files.length - this.#keep));
    for (const { folder, file } of beyond) await unlink(join(this.#path, folder, file)).catch(() => {});
    const shown = files.slice(Math.max(0, files.length - this.#shown));
    for (let at = 0; at < shown.length; at += AT_ONCE) {
      const some = shown.slice(at, at + AT_ONCE).map(({ folder, file }) => this.#load(folder, file, {}).catch(() => null));
      for (const mail of await Promise.all(some)) if (mail !== null) this.#mails.set(mail.summary.id, mail);
    }
    await this.trim();
  }

  async #load(folder: 'new' | 'cur', file: string, facts: Partial<MailSummary>): Promise<Stored> {
    const path = join(this.#path, folder, file);
    const { size, mtimeMs } = await stat(path);
    const head = new Uint8Array(Math.min(size, HEAD));
    const handle = await open(path, 'r');
    try {
      await handle.read(head, 0, head.length, 0);
    } finally {
      await handle.close();
    }
    const seconds = Number(/^([0-9]{9,11})\./.exec(file)?.[1] ?? Number.NaN);
    const summary = {
      id: idOf(file),
      // The name has whole seconds; the file knows better where both agree.
      received: Math.round(Number.isNaN(seconds) || Math.abs(mtimeMs - seconds * 1000) < 60_000 ? mtimeMs : seconds * 1000),
      read: flagsOf(file).includes('S'),
      size,
      session: null,
      outcome: null,
      ...described(head),
      ...facts,
    };
    return { summary, folder, file };
  }
}

interface Found {
  readonly folder: 'new' | 'cur';
  readonly file: string;
}

async function filesOf(path: string, folder: 'new' | 'cur'): Promise<Found[]> {
  const names = await readdir(join(path, folder)).catch(() => []);
  return names.filter((name) => !name.startsWith('.')).map((file) => ({ folder, file }));
}

/** By the seconds that names begin with, then by the names. */
function byAge({ file: a }: Found, { file: b }: Found): number {
  return Number.parseInt(a, 10) - Number.parseInt(b, 10) || (a < b ? -1 : 1);
}

/** What stays of a name whatever its flags are. */
export function idOf(file: string): string {
  return basename(file).split(':')[0]!;
}

function flagsOf(file: string): string {
  return file.split(FLAGS)[1] ?? '';
}

function flagged(file: string, read: boolean): string {
  const others = flagsOf(file).replaceAll('S', '');
  return `${idOf(file)}${FLAGS}${[...others, ...(read ? ['S'] : [])].sort().join('')}`;
}
