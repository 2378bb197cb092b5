import { Client } from './client.ts';
import { CONTENDERS, Contender, type ContenderName, type Measured } from './contender.ts';
import { sizeOf, type Workload } from './workload.ts';

/** One line of the results: the same work for every contender. */
export interface Row {
  readonly name: string;
  readonly workload: Workload;
  readonly connections: number;
  /** What is counted, and how many of it a cycle has. */
  readonly unit: 'messages' | 'commands' | 'MiB' | 'sessions';
  readonly perCycle: number;
}

/** How long the bench takes: rounds, and the milliseconds of each measurement; with 0 each connection does one cycle. */
export interface Effort {
  readonly rounds: number;
  readonly milliseconds: number;
  /** Connections that stand idle. */
  readonly idle: number;
}

/** One measurement: units a second, and units a second of the server's CPU. */
export interface Sample {
  readonly rate: number;
  readonly perCpu: number;
}

export type Samples = Record<ContenderName, Sample[]>;

/** Measures all contenders. */
export async function measure(row: Row, effort: Effort): Promise<Samples> {
  const servers = await Promise.all(CONTENDERS.map(async (name) => [name, await Contender.start(name, row.workload)] as const));
  const samples = (await measureBy(servers, row, effort)) as Samples;
  for (const [, server] of servers) await server.stop();
  return samples;
}

/** Measures servers in turn, round after round, on connections that are kept; then checks that all was received. */
export async function measureBy(
  servers: readonly (readonly [name: string, server: Measured])[],
  { workload, connections, perCycle }: Row,
  { rounds, milliseconds }: Effort,
): Promise<{ readonly [name: string]: Sample[] }> {
  const lanes = await Promise.all(servers.map(([name, server]) => Lane.open(name, server, workload, connections)));
  const samples = Object.fromEntries(servers.map(([name]) => [name, [] as Sample[]]));
  for (const lane of lanes) await lane.run(milliseconds);
  for (let round = 0; round < rounds; round++) {
    for (const lane of lanes) samples[lane.name]!.push(perUnit(await lane.run(milliseconds), perCycle));
  }
  for (const lane of lanes) await lane.close();
  return samples;
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
  readonly name: string;
  readonly #contender: Measured;
  readonly #workload: Workload;
  readonly #clients: readonly Client[];
  #cycles = 0;

  private constructor(name: string, contender: Measured, workload: Workload, clients: readonly Client[]) {
    this.name = name;
    this.#contender = contender;
    this.#workload = workload;
    this.#clients = clients;
  }

  static async open(name: string, contender: Measured, workload: Workload, connections: number): Promise<Lane> {
    const clients = await Promise.all(Array.from({ length: connections }, () => Client.open(contender.port)));
    await Promise.all(clients.map((client) => writeAll(client, workload.opening)));
    return new Lane(name, contender, workload, clients);
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
    const { opening, cycle, closing, messages, octets } = this.#workload;
    await Promise.all(this.#clients.map((client) => writeAll(client, closing)));
    const { counts } = this.#contender;
    if (counts === 'nothing') return;
    const received = await this.#contender.report();
    // A closing brings the message that an opening has announced.
    const count = messages * (this.#cycles + (closing.length > 0 ? this.#clients.length : 0));
    const wire = this.#clients.length * (sizeOf(opening) + sizeOf(closing)) + this.#cycles * sizeOf(cycle);
    const due = counts === 'wire' ? wire : count * octets;
    if (received.octets !== due) throw new Error(`${this.name} has received ${received.octets} octets, ${due} were sent`);
    if (counts === 'content' && received.messages !== count) {
      throw new Error(`${this.name} has received ${received.messages} messages, ${count} were sent`);
    }
  }
}

async function writeAll(client: Client, writes: Workload['opening']): Promise<void> {
  for (const write of writes) await client.write(write);
}
