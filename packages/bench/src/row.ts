import { Client } from './client.ts';
import type { ContenderName, Measured } from './contender.ts';
import type { PeerName } from './peers.ts';
import { checkReceived, type Servers, withServers } from './servers.ts';
import type { Workload } from './workload.ts';

/** One line of the results: the same work for every contender. */
export interface Row {
  readonly name: string;
  readonly workload: Workload;
  readonly connections: number;
  /** What is counted, and how many of it a cycle has. */
  readonly unit: 'messages' | 'commands' | 'MiB' | 'sessions';
  readonly perCycle: number;
}

/** How long the bench takes. */
export interface Effort {
  readonly rounds: number;
  /** Rounds before them that do not count: until then a part of the time is the compiler's. */
  readonly warmUp: number;
  /** Of each measurement; with 0 each connection does one cycle. */
  readonly milliseconds: number;
  /** Connections that stand idle. */
  readonly idle: number;
}

/** One measurement: units a second, and units a second of the server's CPU. */
export interface Sample {
  readonly rate: number;
  readonly perCpu: number;
}

export type Samples = { readonly [name in ContenderName]: Sample[] } & { readonly [name in PeerName]?: Sample[] };

export function rates(samples: readonly Sample[]): number[] {
  return samples.map(({ rate }) => rate);
}

export function efficiencies(samples: readonly Sample[]): number[] {
  return samples.map(({ perCpu }) => perCpu);
}

/** Measures all contenders, and these peers, on connections that are kept. */
export function measure(row: Row, effort: Effort, peers: readonly PeerName[] = []): Promise<Samples> {
  return withServers(row.workload, peers, (servers) => measureBy(servers, row, effort));
}

/** Measures servers in turn, round after round; then checks that all was received. */
export async function measureBy(
  servers: Servers,
  { workload, connections, perCycle }: Row,
  { rounds, warmUp, milliseconds }: Effort,
): Promise<Samples> {
  const lanes = await Promise.all(servers.map((server) => Lane.open(server, workload, connections)));
  const samples = samplesOf(servers);
  for (let round = -warmUp; round < rounds; round++) {
    for (const lane of lanes) {
      const sample = perUnit(await lane.run(milliseconds), perCycle);
      if (round >= 0) samples[lane.name]!.push(sample);
    }
  }
  for (const lane of lanes) await lane.close();
  return samples;
}

/** None yet, for each. */
export function samplesOf(servers: Servers): Samples {
  return Object.fromEntries(servers.map(([name]) => [name, [] as Sample[]])) as unknown as Samples;
}

/** What one run of a lane took: seconds on the wall, and of the server's CPU. */
interface Run {
  readonly cycles: number;
  readonly wall: number;
  readonly cpu: number;
}

function perUnit({ cycles, wall, cpu }: Run, perCycle: number): Sample {
  return { rate: (cycles * perCycle) / wall, perCpu: (cycles * perCycle) / cpu };
}

/** A contender with its connections. */
class Lane {
  readonly name: Servers[number][0];
  readonly #contender: Measured;
  readonly #workload: Workload;
  readonly #clients: readonly Client[];
  #cycles = 0;

  private constructor([name, contender]: Servers[number], workload: Workload, clients: readonly Client[]) {
    this.name = name;
    this.#contender = contender;
    this.#workload = workload;
    this.#clients = clients;
  }

  static async open(server: Servers[number], workload: Workload, connections: number): Promise<Lane> {
    const clients = await Promise.all(Array.from({ length: connections }, () => Client.open(server[1].port)));
    await Promise.all(clients.map((client) => writeAll(client, workload.opening)));
    return new Lane(server, workload, clients);
  }

  async run(milliseconds: number): Promise<Run> {
    const before = await this.#contender.report();
    const start = performance.now();
    const counts = await Promise.all(
      this.#clients.map(async (client) => {
        let cycles = 0;
        do {
          for (const write of this.#workload.cycle) await client.write(write);
          cycles++;
        } while (performance.now() - start < milliseconds);
        return cycles;
      }),
    );
    const wall = (performance.now() - start) / 1000;
    const { cpu } = await this.#contender.report();
    const cycles = counts.reduce((sum, count) => sum + count, 0);
    this.#cycles += cycles;
    return { cycles, wall, cpu: (cpu - before.cpu) / 1000 };
  }

  /** Ends all sessions, and throws if the server has not received all that was sent. */
  async close(): Promise<void> {
    const { closing, messages } = this.#workload;
    await Promise.all(this.#clients.map((client) => writeAll(client, closing)));
    const connections = this.#clients.length;
    // A closing brings the message that an opening has announced.
    const count = messages * (this.#cycles + (closing.length > 0 ? connections : 0));
    await checkReceived([this.name, this.#contender], this.#workload, { connections, cycles: this.#cycles, messages: count });
  }
}

async function writeAll(client: Client, writes: Workload['opening']): Promise<void> {
  for (const write of writes) await client.write(write);
}
