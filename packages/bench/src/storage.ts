import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from './client.ts';
import { Contender } from './contender.ts';
import { Disk } from './disk.ts';
import type { Effort, Sample } from './row.ts';
import { sequential, small, type Workload } from './workload.ts';

/** Messages that are stored at a time. */
const AT_ONCE = 20;

export interface StorageSamples {
  readonly ehlo: Sample[];
  /** What it costs over the same sockets, without SMTP. */
  readonly floor: Sample[];
  /** What the disk does for a program that knows no SMTP. */
  readonly disk: Sample[];
}

/**
 * `ehlo serve` with its mail directory: a message is answered when its file and its name are on disk. Beside it, bare sockets
 * that store alike, and the disk alone.
 */
export async function measureStorage({ rounds, warmUp, milliseconds }: Effort): Promise<StorageSamples> {
  // Beside the program, not in the folder for temporary files: that one may be memory.
  const cache = fileURLToPath(new URL('../node_modules/.cache/', import.meta.url));
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'bench-'));
  try {
    const samples: StorageSamples = { ehlo: [], floor: [], disk: [] };
    const maildir = join(folder, 'mail');
    const message = small();
    const workload = sequential(message);
    const servers = {
      ehlo: await Contender.startStorage(maildir),
      floor: await Contender.startFloorStorage(join(folder, 'floor'), workload),
    };
    const senders = { ehlo: await Sender.open(servers.ehlo.port, workload), floor: await Sender.open(servers.floor.port, workload) };
    const disk = await Disk.open(join(folder, 'disk'));
    const save = (): Promise<void> => disk.save(message.content);
    for (let round = -warmUp; round < rounds; round++) {
      for (const name of ['ehlo', 'floor'] as const) {
        const before = await servers[name].report();
        const sent = await repeated((lane) => senders[name].send(lane), milliseconds);
        const cpu = ((await servers[name].report()).cpu - before.cpu) / 1000;
        if (round >= 0) samples[name].push({ rate: sent.count / sent.wall, perCpu: sent.count / cpu });
      }
      const { user, system } = process.cpuUsage();
      const alone = await repeated(save, milliseconds);
      const used = process.cpuUsage({ user, system });
      if (round >= 0) samples.disk.push({ rate: alone.count / alone.wall, perCpu: alone.count / ((used.user + used.system) / 1e6) });
    }
    for (const name of ['ehlo', 'floor'] as const) {
      await senders[name].close();
      await servers[name].stop();
    }
    await check(join(maildir, 'new'), senders.ehlo.count, message.content.length);
    await check(join(folder, 'floor', 'new'), senders.floor.count, message.content.length);
    return samples;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A client of a server that stores: a message on each of its connections at a time. */
class Sender {
  readonly #clients: readonly Client[];
  readonly #cycle: Workload['cycle'];
  /** Messages that were accepted. */
  count = 0;

  private constructor(clients: readonly Client[], cycle: Workload['cycle']) {
    this.#clients = clients;
    this.#cycle = cycle;
  }

  static async open(port: number, { opening, cycle }: Workload): Promise<Sender> {
    const clients = await Promise.all(Array.from({ length: AT_ONCE }, () => Client.open(port)));
    for (const client of clients) for (const write of opening) await client.write(write);
    return new Sender(clients, cycle);
  }

  async send(lane: number): Promise<void> {
    for (const write of this.#cycle) await this.#clients[lane]!.write(write);
    this.count++;
  }

  async close(): Promise<void> {
    for (const client of this.#clients) await client.close();
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

async function check(folder: string, count: number, least: number): Promise<void> {
  const files = await readdir(folder);
  if (files.length !== count) throw new Error(`${files.length} messages are stored, ${count} were accepted`);
  for (const file of files) {
    const { size } = await stat(join(folder, file));
    if (size <= least) throw new Error(`a stored message has ${size} octets; its content alone has ${least}`);
  }
}
