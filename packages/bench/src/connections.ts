import { Client } from './client.ts';
import { CONTENDERS, Contender, type ContenderName, type Runtime } from './contender.ts';
import type { PeerName } from './peers.ts';
import { type Effort, type Row, type Samples, samplesOf } from './row.ts';
import { checkReceived, type Servers, withServers } from './servers.ts';
import { session, type Workload } from './workload.ts';

/** Connections that are open before the memory is measured, so that all code is loaded and compiled. */
const BEFORE = 50;

/** Times that memory is measured: it hardly differs. */
const ROUNDS = 5;

export type IdleFigures = Record<ContenderName, number[]>;

/** A connection for each cycle of the workload, again and again, some at a time. */
export function measureSessions(row: Row, effort: Effort, peers: readonly PeerName[] = []): Promise<Samples> {
  return withServers(row.workload, peers, (servers) => measureSessionsBy(servers, row, effort));
}

/** Measures servers in turn, round after round; then checks that all was received. */
export async function measureSessionsBy(
  servers: Servers,
  { workload, connections }: Row,
  { rounds, warmUp, milliseconds }: Effort,
): Promise<Samples> {
  const samples = samplesOf(servers);
  const visits = new Map(servers.map(([name]) => [name, 0]));
  for (let round = -warmUp; round < rounds; round++) {
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
      await Promise.all(Array.from({ length: connections }, visit));
      const wall = (performance.now() - start) / 1000;
      const cpu = ((await server.report()).cpu - before.cpu) / 1000;
      visits.set(name, visits.get(name)! + count);
      if (round >= 0) samples[name]!.push({ rate: count / wall, perCpu: count / cpu });
    }
  }
  for (const server of servers) {
    const count = visits.get(server[0])!;
    await checkReceived(server, workload, { connections: count, cycles: count, messages: count * workload.messages });
  }
  return samples;
}

/** KiB of resident memory per connection that has said EHLO and nothing more, in this runtime; a new process for each figure. */
export async function measureIdle({ rounds, idle }: Effort, runtime: Runtime): Promise<IdleFigures> {
  const workload = session();
  const figures: IdleFigures = { ehlo: [], 'smtp-server': [], floor: [] };
  for (let round = 0; round < Math.min(rounds, ROUNDS); round++) {
    for (const name of CONTENDERS) {
      const contender = await Contender.start(name, workload, { runtime });
      const clients = await greeted(contender.port, workload, BEFORE);
      const before = await contender.collected();
      for (let open = 0; open < idle; open += BEFORE)
        clients.push(...(await greeted(contender.port, workload, Math.min(BEFORE, idle - open))));
      const after = await contender.collected();
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
