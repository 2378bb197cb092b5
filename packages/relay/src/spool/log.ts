import type { Disk, DiskFile } from './disk.ts';
import { firstIn, formatRecord, type LogRecord, parseRecord, type Scan, type Span, scanLog } from './record.ts';
import type { Spare } from './spare.ts';
import { diskError, isFull, SpoolError } from './spool-error.ts';

/** Where a record is. */
export interface Place extends Span {
  readonly file: number;
}

interface Waiting {
  readonly record: LogRecord;
  resolve(place: Place): void;
  reject(error: SpoolError): void;
}

/** A log file. `size`: octets that count; there may be others after them where a write has failed. */
interface LogFile {
  readonly number: number;
  readonly file: DiskFile;
  size: number;
}

/**
 * Records one after the other in files that are numbered. There is one writer: what comes while it writes goes with the next write, and one sync is
 * for all of them. Where a write or a sync fails, all that waited for it fail, and the file is written anew under the same name, as far as it is
 * known to be durable, before the next: what was synced without success is never synced again. Where the disk is full nothing was synced: the file is
 * cut after what counts, which needs no room, and the spare room is given up for the record, by which a message may go.
 */
export class Log {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #tmp: string;
  /** Octets after which the next file begins. */
  readonly #most: number;
  readonly #spare: Spare;
  /** The oldest first; the last is written to. */
  readonly #files: LogFile[] = [];
  #waiting: Waiting[] = [];
  #writing: Promise<void> | null = null;
  /** The last file may have octets that do not count. */
  #isTorn = false;

  constructor(disk: Disk, folder: string, tmp: string, most: number, spare: Spare) {
    this.#disk = disk;
    this.#folder = folder;
    this.#tmp = tmp;
    this.#most = most;
    this.#spare = spare;
  }

  get files(): number {
    return this.#files.length;
  }

  /** The number of the last file; it grows with every opening. */
  get last(): number {
    return this.#files.at(-1)?.number ?? 0;
  }

  /** The oldest file, where it is not the one that is written to. */
  get oldest(): number | null {
    return this.#files.length < 2 ? null : this.#files[0]!.number;
  }

  /** Opens what is there, tells each file as it is read, the oldest first, and begins another. */
  async open(read: (file: number, scan: Scan) => void): Promise<void> {
    const numbers = (await this.#disk.list(this.#folder)).filter((name) => /^\d+$/.test(name)).map(Number);
    numbers.sort((a, b) => a - b);
    const last = numbers.at(-1) ?? 0;
    const first = await this.#first(numbers);
    for (const number of numbers) {
      if (number < first) {
        await this.#disk.remove(this.#path(number));
        continue;
      }
      const file = await this.#disk.open(this.#path(number));
      const octets = await readAll(file, await file.size());
      const scan = scanLog(octets, number === last);
      this.#files.push({ number, file, size: scan.end });
      read(number, scan);
    }
    // Its end may be torn, and what can be read of it may never have come to the disk.
    if (last > 0) await this.#renewed();
    await this.#begin(last + 1);
    await this.#spare.make();
  }

  /** Resolved: the record is durable. */
  append(record: LogRecord): Promise<Place> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ record, resolve, reject });
      this.#writing ??= this.#write();
    });
  }

  async read({ file: number, at, length }: Place): Promise<LogRecord> {
    const file = this.#files.find((one) => one.number === number)?.file;
    const line = Buffer.alloc(length);
    const words = `${this.#path(number)}: the record at octet ${at} can not be read`;
    try {
      await file?.read(line, at);
    } catch (error) {
      throw diskError(error, words);
    }
    const record = parseRecord(line);
    if (record === null) throw new SpoolError('damaged', words);
    return record;
  }

  /** The records of a file that is not written to any more. */
  async scan(number: number): Promise<Scan> {
    const { file, size } = this.#files.find((one) => one.number === number)!;
    return scanLog(await readAll(file, size), false);
  }

  /** Nothing counts of the oldest file any more. Its name may come back after a power failure: the record says that it does not count then. */
  async drop(number: number): Promise<void> {
    await this.append({ first: number + 1 });
    const [oldest] = this.#files.splice(0, 1);
    await oldest!.file.close();
    await this.#disk.remove(this.#path(number));
  }

  /** Behind all that was to be written. */
  async close(): Promise<void> {
    await this.#writing;
    for (const { file } of this.#files.splice(0)) await file.close();
  }

  async #write(): Promise<void> {
    // What is asked for in the same turn goes together.
    await null;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      await this.#writeBatch(batch);
    }
    this.#writing = null;
  }

  async #writeBatch(batch: readonly Waiting[]): Promise<void> {
    const lines = batch.map(({ record }, index) => formatRecord(record, index === 0));
    const octets = Buffer.concat(lines);
    try {
      const log = await this.#add(octets).catch(async (error: unknown) => {
        if (isFull(error) && (await this.#spare.give())) return this.#add(octets);
        throw error;
      });
      for (const [index, { length }] of lines.entries()) {
        batch[index]!.resolve({ file: log.number, at: log.size, length });
        log.size += length;
      }
    } catch (error) {
      const failure = diskError(error, `the log of the spool, ${this.#folder}, can not be written`);
      for (const { reject } of batch) reject(failure);
    }
  }

  /** Writes and syncs octets at the end of the last file, which has to count them still. */
  async #add(octets: Uint8Array): Promise<LogFile> {
    if (this.#isTorn) await this.#renew();
    if (this.#files.at(-1)!.size >= this.#most) {
      await this.#begin(this.last + 1);
      await this.#spare.make();
    }
    const log = this.#files.at(-1)!;
    this.#isTorn = true;
    try {
      await log.file.write(octets, log.size);
    } catch (error) {
      if (isFull(error)) await this.#cut();
      throw error;
    }
    await log.file.sync();
    this.#isTorn = false;
    return log;
  }

  /** A file of the process before: where there is no room for another, what can be read of it is synced where it stands. */
  async #renewed(): Promise<void> {
    try {
      await this.#renew();
    } catch (error) {
      if (!isFull(error)) throw error;
      await this.#cut();
    }
  }

  /** Takes away what does not count of the last file. Where that fails, it is written anew before the next record. */
  async #cut(): Promise<void> {
    const { file, size } = this.#files.at(-1)!;
    await file.cut(size);
    await file.sync();
    this.#isTorn = false;
  }

  /** Writes the last file anew, as far as it counts. */
  async #renew(): Promise<void> {
    const log = this.#files.at(-1)!;
    const file = await this.#put(log.number, await readAll(log.file, log.size));
    await log.file.close();
    this.#files[this.#files.length - 1] = { ...log, file };
    this.#isTorn = false;
  }

  async #begin(number: number): Promise<void> {
    this.#files.push({ number, file: await this.#put(number, new Uint8Array(0)), size: 0 });
  }

  /** The first file that counts: the last that says so knows. */
  async #first(numbers: readonly number[]): Promise<number> {
    for (const number of [...numbers].reverse()) {
      const file = await this.#disk.open(this.#path(number));
      try {
        const first = firstIn(await readAll(file, await file.size()));
        if (first !== null) return first;
      } finally {
        await file.close();
      }
    }
    return 0;
  }

  /** A log file with these octets, durable with its name. */
  async #put(number: number, octets: Uint8Array): Promise<DiskFile> {
    const tmp = `${this.#tmp}/log-${number}`;
    const file = await this.#disk.create(tmp);
    try {
      if (octets.length > 0) await file.write(octets, 0);
      await file.sync();
      await this.#disk.rename(tmp, this.#path(number));
      await this.#disk.syncFolder(this.#folder);
      return file;
    } catch (error) {
      await file.close();
      // It has taken room.
      await this.#disk.remove(tmp).catch(() => {});
      throw error;
    }
  }

  #path(number: number): string {
    return `${this.#folder}/${number}`;
  }
}

async function readAll(file: DiskFile, size: number): Promise<Uint8Array> {
  const octets = Buffer.allocUnsafeSlow(size);
  const length = await file.read(octets, 0);
  return octets.subarray(0, length);
}
