import type { Job } from '@ehlo/delivery';
import type { Disk, DiskFile } from './disk.ts';
import { Folder } from './folder.ts';
import { type MessageFront, readContent, readFront, readJob, writeMessage } from './message-file.ts';
import { hex, type Span } from './record.ts';
import { diskError, SpoolError } from './spool-error.ts';

/** A message file. */
export interface MessageFile {
  readonly number: number;
  /** Messages with jobs that need it: one, and those that have the same content. */
  messages: number;
}

/** Messages that follow each other in one folder, so that they share its sync; and folders, which are used again and again. */
const NEIGHBOURS = 256;
const FOLDERS = 256;

/** The files of `q`, by their numbers. */
export class MessageStore {
  readonly #disk: Disk;
  readonly #spool: string;
  readonly #vain: (file: MessageFile) => Promise<void>;
  readonly #folders = new Map<string, Folder>();
  /** Those that are there, or may be there again after a power failure. */
  readonly #files = new Map<number, MessageFile>();
  /** Those that can not be read, and whose jobs stay for their senders to be told. */
  readonly #lost = new Set<number>();
  /** Those that the disk did not give when the spool was opened. */
  readonly #left = new Set<number>();
  #next = 1;

  /** `vain` records that a file no longer counts; the file may exist, but was never reported as durable. */
  constructor(disk: Disk, spool: string, vain: (file: MessageFile) => Promise<void>) {
    this.#disk = disk;
    this.#spool = spool;
    this.#vain = vain;
  }

  /** No file that is written from now on has this number. */
  skip(number: number): void {
    this.#next = Math.max(this.#next, number + 1);
  }

  /** What is found at the beginning: every file with its number, the oldest first, and names that no file here has. */
  async list(): Promise<{ readonly numbers: readonly number[]; readonly strange: readonly string[] }> {
    const numbers: number[] = [];
    const strange: string[] = [];
    for (const name of await this.#disk.list(`${this.#spool}/q`)) {
      const folder = `q/${name}`;
      if (!/^[0-9a-f]{2}$/.test(name)) {
        strange.push(folder);
        continue;
      }
      const names = await this.#disk.list(`${this.#spool}/${folder}`);
      // A name that its writer had not synced is as good as any other from now on.
      await this.#folder(folder).sync();
      for (const file of names) {
        const number = Number(file);
        if (/^[1-9]\d{0,15}$/.test(file) && folderOf(number) === folder) numbers.push(number);
        else strange.push(`${folder}/${file}`);
      }
    }
    return { numbers: numbers.sort((a, b) => a - b), strange };
  }

  /** A file that was there at the beginning. */
  found(number: number): MessageFile {
    const file = { number, messages: 0 };
    this.#files.set(number, file);
    return file;
  }

  /** Whether a file is there, or may be there again: what was said of it must not be forgotten. */
  has(number: number): boolean {
    return this.#files.has(number);
  }

  /** Its content is never read again. False: that was known. */
  lose(number: number): boolean {
    const isNew = !this.#lost.has(number);
    this.#lost.add(number);
    return isNew;
  }

  isLost(number: number): boolean {
    return this.#lost.has(number);
  }

  /** It is left as it is until the spool is opened again. */
  leave(number: number): void {
    this.#left.add(number);
  }

  /** Whether nothing is known of a file: all that the log says of it still counts. */
  isLeft(number: number): boolean {
    return this.#left.has(number);
  }

  /** Writes a file; resolved, it is durable. Rejects as the content does, or with what the disk says. */
  async write(
    jobs: readonly Job[],
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<{ readonly file: MessageFile; readonly lines: readonly Span[] }> {
    const number = this.#next++;
    const file: MessageFile = { number, messages: 0 };
    const tmp = `${this.#spool}/tmp/${number}`;
    const folder = this.#folder(folderOf(number));
    let lines: readonly Span[];
    try {
      lines = await this.#writeNew(tmp, this.#words(number), jobs, content);
      await told(folder.make(), this.#words(number));
    } catch (error) {
      // What is left is swept away when the spool is opened next.
      await this.#disk.remove(tmp).catch(() => {});
      throw error;
    }
    this.#files.set(number, file);
    try {
      await this.#disk.rename(tmp, this.path(number));
      await folder.sync();
    } catch (error) {
      await this.remove(file).catch(() => {});
      await this.#vain(file);
      throw diskError(error, this.#words(number));
    }
    return { file, lines };
  }

  front(number: number): Promise<MessageFront> {
    return this.#reading(number, readFront);
  }

  job(number: number, span: Span): Promise<Job> {
    return this.#reading(number, (file) => readJob(file, span));
  }

  async *content(number: number): AsyncGenerator<Uint8Array> {
    if (this.#lost.has(number)) throw new SpoolError('damaged', `${this.path(number)} was damaged, and is not read again`);
    const file = await this.#open(number);
    try {
      yield* readContent(file);
    } catch (error) {
      throw named(error, this.path(number));
    } finally {
      await file.close();
    }
  }

  /** Its name is gone at once, and for ever with the next sync of its folder. One that is lost may have been put away, or not. */
  async remove({ number }: MessageFile): Promise<void> {
    const isLost = this.#lost.delete(number);
    try {
      await this.#disk.remove(this.path(number));
    } catch (error) {
      if (!isLost || !isAbsent(error)) throw error;
    }
    this.#folder(folderOf(number)).removed(number);
  }

  /** Moves a file unchanged to where an operator can look at it. Null: there is none. */
  async setAside(name: string): Promise<string | null> {
    const corrupt = `${this.#spool}/corrupt`;
    const aside = name.replaceAll('/', '-');
    const move = (): Promise<void> => this.#disk.rename(`${this.#spool}/${name}`, `${corrupt}/${aside}`);
    try {
      await move().catch(async (error: unknown) => {
        if (!isAbsent(error)) throw error;
        // Somebody may have taken the folder away.
        await this.#disk.makeFolder(corrupt);
        await move();
      });
      await this.#disk.syncFolder(corrupt);
      return `corrupt/${aside}`;
    } catch (error) {
      if (isAbsent(error)) return null;
      throw diskError(error, `it can not be put into ${corrupt}`);
    }
  }

  /** Makes it durable what was removed, where the disk can: of a folder that failed nothing is known. */
  async settle(): Promise<void> {
    for (const folder of this.#folders.values()) if (folder.hasRemoved) await folder.sync().catch(() => {});
  }

  /** Relative to the spool. */
  name(number: number): string {
    return `${folderOf(number)}/${number}`;
  }

  path(number: number): string {
    return `${this.#spool}/${this.name(number)}`;
  }

  async #writeNew(
    path: string,
    words: string,
    jobs: readonly Job[],
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<readonly Span[]> {
    const file = await told(this.#disk.create(path), words);
    // An error of the content is told as it is, one of the disk in its words.
    const guarded: Pick<DiskFile, 'write'> = { write: (octets, at) => told(file.write(octets, at), words) };
    try {
      const lines = await writeMessage(guarded, jobs, content);
      await told(file.sync(), words);
      return lines;
    } finally {
      await file.close().catch(() => {});
    }
  }

  #words(number: number): string {
    return `the message ${this.path(number)} can not be written`;
  }

  async #open(number: number): Promise<DiskFile> {
    try {
      return await this.#disk.open(this.path(number));
    } catch (error) {
      throw named(error, this.path(number));
    }
  }

  async #reading<T>(number: number, read: (file: DiskFile) => Promise<T>): Promise<T> {
    const file = await this.#open(number);
    try {
      return await read(file);
    } catch (error) {
      throw named(error, this.path(number));
    } finally {
      await file.close();
    }
  }

  #folder(name: string): Folder {
    const known = this.#folders.get(name);
    if (known !== undefined) return known;
    const folder = new Folder(this.#disk, `${this.#spool}/${name}`, (number) => this.#files.delete(number));
    this.#folders.set(name, folder);
    return folder;
  }
}

/** An error of the disk in the words of the spool. */
async function told<T>(work: Promise<T>, words: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw diskError(error, words);
  }
}

function folderOf(number: number): string {
  return `q/${hex(Math.floor(number / NEIGHBOURS) % FOLDERS, 2)}`;
}

/** The error with the path of the file; a missing file counts as damaged, too. */
function named(error: unknown, path: string): unknown {
  if (isAbsent(error)) return new SpoolError('damaged', `${path} is missing`, error);
  if (error instanceof SpoolError) return new SpoolError(error.code, `${path}: ${error.message}`, error.cause);
  return diskError(error, `the message ${path} can not be read`);
}

function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
