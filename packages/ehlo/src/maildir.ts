import { existsSync } from 'node:fs';
import { mkdir, open, readdir, stat, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { DirectorySync } from './directory-sync.ts';
import { renameFile, unlinkFile, writeFile } from './files.ts';

/** A folder that can't be made, for a reason of its own. */
export class MaildirError extends Error {}

/**
 * A mail directory (maildir(5)): each message is one file, written to `tmp/` and flushed to disk, then named in `new/`, and then that
 * name is flushed, too. When `store` has resolved, the message survives a crash of the process and of the machine. A reader may see the
 * whole message in `new/` a moment before that, when the client has not been told yet. No message is ever replaced by another.
 *
 * Folders that are missing are made, also while the server runs. Directories can't be flushed on Windows: there a crash of the
 * machine may lose the name of a message.
 */
export class Maildir {
  readonly #path: string;
  readonly #new: DirectorySync;
  readonly #keep: number;
  /** What this run has stored and kept, the oldest first. */
  readonly #kept: string[] = [];

  private constructor(path: string, keep: number) {
    this.#path = path;
    this.#keep = keep;
    this.#new = new DirectorySync(join(path, 'new'));
  }

  /** Opens a mail directory, of whose messages of this run only so many are kept. Rejects with Node's error or `MaildirError` if it can't be made or written. */
  static async open(path: string, keep: number = Number.POSITIVE_INFINITY): Promise<Maildir> {
    const maildir = new Maildir(path, keep);
    await maildir.#makeFolders();
    const drafts = join(maildir.#path, 'tmp');
    const probe = join(drafts, `probe-${process.pid}`);
    await (await open(probe, 'w')).close();
    await unlink(probe);
    await sweep(drafts);
    return maildir;
  }

  /** Stores a message under a name that contains `id`; resolves with the path of its file. Where it rejects, nothing of it is left in `new/`. */
  async store(id: string, body: AsyncIterable<Uint8Array>): Promise<string> {
    const name = `${Math.floor(Date.now() / 1000)}.${id}.${HOST}`;
    const draft = join(this.#path, 'tmp', name);
    const file = join(this.#path, 'new', name);
    await writeFile(draft, body, (create) => this.#withFolders(create));
    try {
      await this.#withFolders(() => publish(draft, file));
    } catch (error) {
      await unlinkFile(draft).catch(() => {});
      throw error;
    }
    try {
      await this.#new.sync();
    } catch (error) {
      await unlinkFile(file).catch(() => {});
      throw error;
    }
    if (this.#keep < Number.POSITIVE_INFINITY) await this.#forget(file);
    return file;
  }

  /** Removes the oldest beyond those that are kept; a reader may have moved it. */
  async #forget(file: string): Promise<void> {
    this.#kept.push(file);
    if (this.#kept.length > this.#keep) await unlink(this.#kept.shift()!).catch(() => {});
  }

  /** Does something in the folders. Any of them may have been taken away since the last message, and while this one came. */
  async #withFolders<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      await this.#makeFolders();
      return await call();
    }
  }

  async #makeFolders(): Promise<void> {
    const made = new Set<string>();
    for (const folder of ['tmp', 'new', 'cur']) await makeFolder(join(this.#path, folder), made);
    for (const parent of new Set([...made].map((folder) => dirname(folder)))) await new DirectorySync(parent).sync();
  }
}

/** Makes a folder and those above it that are missing, and notes them. Ends also where a file system never lets a folder be: procfs. */
async function makeFolder(path: string, made: Set<string>): Promise<void> {
  if (await isMade(path, made)) return;
  await makeFolder(dirname(path), made);
  if (!(await isMade(path, made))) throw new MaildirError(`the file system of ${dirname(path)} lets no folder be made there`);
}

/** Whether the folder is there now; false if what it would lie in is not. */
async function isMade(path: string, made: Set<string>): Promise<boolean> {
  try {
    await mkdir(path);
    made.add(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' && dirname(path) !== path) return false;
    if ((await stat(path).catch(() => null))?.isDirectory()) return true;
    throw error;
  }
}

/**
 * Gives a draft its name. Fails with EEXIST where that is taken: `rename` alone would replace what is there. Nobody takes it between the look and
 * the call: a message has the name in `tmp/` first, which only one can have.
 */
async function publish(draft: string, file: string): Promise<void> {
  if (existsSync(file)) throw Object.assign(new Error(`EEXIST: there is a message ${file}`), { code: 'EEXIST' });
  await renameFile(draft, file);
}

/** Removes the files of messages during which a server crashed: after 36 hours they are no longer written to (maildir(5)). */
async function sweep(drafts: string): Promise<void> {
  const oldest = Date.now() - 36 * 3_600_000;
  for (const name of await readdir(drafts)) {
    const draft = join(drafts, name);
    const { mtimeMs } = await stat(draft).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (mtimeMs < oldest) await unlink(draft).catch(() => {});
  }
}

/** A host name as a Maildir file name may hold it. */
const HOST: string = hostname().replaceAll(/[^\w.-]/g, '_') || 'localhost';

function codeOf(error: unknown): unknown {
  return (error as NodeJS.ErrnoException | null)?.code;
}
