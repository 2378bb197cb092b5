import { Client } from './client.ts';
import { CONTENDERS, Contender, type ContenderName, type Measured } from './contender.ts';
import type { Effort, Sample, Samples } from './row.ts';
import { session, type Workload } from './workload.ts';

/** How many clients connect at a time. */
const AT_ONCE = 20;

/** Connections that are open before the memory is measured, so that all code is loaded and compiled. */
const BEFORE = 50;

/** Greeting, EHLO, QUIT, closed: again and again, some at a time. */
export async function measureSessions(effort: Effort): Promise<Samples> {
  const workload = session();
  const servers = await Promise.all(CONTENDERS.map(async (name) => [name, await Contender.start(name, workload)] as const));
  const samples = (await measureSessionsOf(servers, workload, effort)) as Samples;
  for (const [, server] of servers) await server.stop();
  return samples;
}

/** The same of any servers. */
export async function measureSessionsOf(
  servers: readonly (readonly [name: string, server: Measured])[],
  workload: Workload,
  { rounds, milliseconds }: Effort,
): Promise<{ readonly [name: string]: Sample[] }> {
  const samples = Object.fromEntries(servers.map(([name]) => [name, [] as Sample[]]));
  for (let round = -1; round < rounds; round++) {
    for (const [name, server] of servers) {
      const before = await server.report();
      const start = performance.now();
      let count = 0;
      const visit = async (): Promise<void> => {
        do {
          await visited(server.port, workload);
          count++;
        } while (performance.now() - start < milliseconds);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, visit));
      const wall = (performance.now() - start) / 1000;
      const cpu = ((await server.report()).cpu - before.cpu) / 1000;
      if (round >= 0) samples[name]!.push({ rate: count / wall, perCpu: count / cpu });
    }
  }
  return samples;
}

/** KiB of resident memory per connection that has said EHLO and nothing more; a new process for each figure. */
export async function measureIdle({ rounds, idle }: Effort): Promise<Record<ContenderName, number[]>> {
  const workload = session();
  const figures: Record<ContenderName, number[]> = { ehlo: [], 'smtp-server': [], floor: [] };
  for (let round = 0; round < rounds; round++) {
    for (const name of CONTENDERS) {
      const contender = await Contender.start(name, workload);
      const clients = await greeted(contender.port, workload, BEFORE);
      const before = await contender.report();
      for (let open = 0; open < idle; open += BEFORE)
        clients.push(...(await greeted(contender.port, workload, Math.min(BEFORE, idle - open))));
      const after = await contender.report();
      figures[name].push((after.rss - before.rss) / 1024 / idle);
      await contender.stop();
      for (const client of clients) await client.close();
    }
  }
  return figures;
}

async function visited(port: number, { opening, cycle }: Workload): Promise<void> {
  const client = await Client.open(port);
  for (const write of [...opening, ...cycle]) await client.write(write);
  await client.close();
}

function greeted(port: number, { opening }: Workload, count: number): Promise<Client[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const client = await Client.open(port);
      for (const write of opening) await client.write(write);
      return client;
    }),
  );
}
