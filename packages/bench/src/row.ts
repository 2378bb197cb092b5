import { Client } from './client.ts';
import { CONTENDERS, Contender, type ContenderName } from './contender.ts';
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

/** Measures all contenders in turn, round after round, on connections that are kept; then checks that all was received. */
export async function measure({ workload, connections, perCycle }: Row, { rounds, milliseconds }: Effort): Promise<Samples> {
  const lanes = await Promise.all(CONTENDERS.map((name) => Lane.open(name, workload, connections)));
  const samples: Samples = { ehlo: [], 'smtp-server': [], floor: [] };
  for (const lane of lanes) await lane.run(milliseconds);
  for (let round = 0; round < rounds; round++) {
    for (const lane of lanes) samples[lane.name].push(perUnit(await lane.run(milliseconds), perCycle));
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
  readonly name: ContenderName;
  readonly #contender: Contender;
  readonly #workload: Workload;
  readonly #clients: readonly Client[];
  #cycles = 0;

  private constructor(name: ContenderName, contender: Contender, workload: Workload, clients: readonly Client[]) {
    this.name = name;
    this.#contender = contender;
    this.#workload = workload;
    this.#clients = clients;
  }

  static async open(name: ContenderName, workload: Workload, connections: number): Promise<Lane> {
    const contender = await Contender.start(name, workload);
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
    const received = await this.#contender.report();
    // A closing brings the message that an opening has announced.
    const count = messages * (this.#cycles + (closing.length > 0 ? this.#clients.length : 0));
    const wire = this.#clients.length * (sizeOf(opening) + sizeOf(closing)) + this.#cycles * sizeOf(cycle);
    const due = this.name === 'floor' ? wire : count * octets;
    if (received.octets !== due) throw new Error(`${this.name} has received ${received.octets} octets, ${due} were sent`);
    if (this.name !== 'floor' && received.messages !== count) {
      throw new Error(`${this.name} has received ${received.messages} messages, ${count} were sent`);
    }
    await this.#contender.stop();
  }
}

async function writeAll(client: Client, writes: Workload['opening']): Promise<void> {
  for (const write of writes) await client.write(write);
}
