import { mkdir, mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from './client.ts';
import { Contender } from './contender.ts';
import type { Effort, Sample } from './row.ts';
import { sequential, small } from './workload.ts';

/** Messages that are stored at a time. */
const AT_ONCE = 20;

export interface StorageSamples {
  readonly ehlo: Sample[];
  /** What the disk does for a program that knows no SMTP. */
  readonly disk: Sample[];
}

/** `ehlo serve` with its mail directory: a message is answered when its file and its name are on disk. Beside it, the disk alone. */
export async function measureStorage({ rounds, milliseconds }: Effort): Promise<StorageSamples> {
  // Beside the program, not in the folder for temporary files: that one may be memory.
  const cache = fileURLToPath(new URL('../node_modules/.cache/', import.meta.url));
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'bench-'));
  try {
    const samples: StorageSamples = { ehlo: [], disk: [] };
    const maildir = join(folder, 'mail');
    const contender = await Contender.startStorage(maildir);
    const message = small();
    const { opening, cycle } = sequential(message);
    const clients = await Promise.all(Array.from({ length: AT_ONCE }, () => Client.open(contender.port)));
    for (const client of clients) for (const write of opening) await client.write(write);
    let stored = 0;
    const send = async (lane: number): Promise<void> => {
      for (const write of cycle) await clients[lane]!.write(write);
      stored++;
    };
    const disk = await Disk.open(join(folder, 'disk'));
    const save = (): Promise<void> => disk.save(message.content);
    for (let round = -1; round < rounds; round++) {
      const before = await contender.report();
      const sent = await repeated(send, milliseconds);
      const cpu = ((await contender.report()).cpu - before.cpu) / 1000;
      const { user, system } = process.cpuUsage();
      const alone = await repeated(save, milliseconds);
      const used = process.cpuUsage({ user, system });
      if (round < 0) continue;
      samples.ehlo.push({ rate: sent.count / sent.wall, perCpu: sent.count / cpu });
      samples.disk.push({ rate: alone.count / alone.wall, perCpu: alone.count / ((used.user + used.system) / 1e6) });
    }
    for (const client of clients) await client.close();
    await contender.stop();
    await check(join(maildir, 'new'), stored, message.content.length);
    return samples;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function repeated(work: (lane: number) => Promise<void>, milliseconds: number): Promise<{ count: number; wall: number }> {
  const start = performance.now();
  let count = 0;
  const lane = async (_: unknown, number: number): Promise<void> => {
    do {
      await work(number);
      count++;
    } while (performance.now() - start < milliseconds);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return { count, wall: (performance.now() - start) / 1000 };
}

/**
 * What storing a message needs of the disk, and nothing more: a new file, written and synced, and its name in a directory, synced. One sync of
 * the directory serves all names that were made before it began. No file is ever deleted or replaced: some file systems keep a deleted one's
 * place for seconds, and the search for another one grows.
 */
class Disk {
  readonly #folder: string;
  #count = 0;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(folder: string): Promise<Disk> {
    for (const name of ['tmp', 'new']) await mkdir(join(folder, name), { recursive: true });
    return new Disk(folder);
  }

  async save(content: Uint8Array): Promise<void> {
    const name = `message-${this.#count++}`;
    const draft = join(this.#folder, 'tmp', name);
    const file = await open(draft, 'wx');
    await file.write(content);
    await file.sync();
    await file.close();
    await rename(draft, join(this.#folder, 'new', name));
    await this.#named();
  }

  #named(): Promise<void> {
    this.#next ??= this.#running.then(() => {
      this.#next = null;
      this.#running = this.#sync();
      return this.#running;
    });
    return this.#next;
  }

  async #sync(): Promise<void> {
    const directory = await open(join(this.#folder, 'new'), 'r');
    await directory.sync();
    await directory.close();
  }
}

async function check(folder: string, count: number, least: number): Promise<void> {
  const files = await readdir(folder);
  if (files.length !== count) throw new Error(`${files.length} messages are stored, ${count} were accepted`);
  for (const file of files) {
    const { size } = await stat(join(folder, file));
    if (size <= least) throw new Error(`a stored message has ${size} octets; its content alone has ${least}`);
  }
}
