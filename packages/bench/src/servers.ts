import { CONTENDERS, Contender, type ContenderName, type Measured } from './contender.ts';
import { Peer, type PeerName } from './peers.ts';
import { sizeOf, type Workload } from './workload.ts';

export type Servers = readonly (readonly [name: ContenderName | PeerName, server: Measured])[];

/** Starts the contenders, and the peers that are named, each in a process of its own; stops them when the work is done, or has failed. */
export async function withServers<T>(workload: Workload, peers: readonly PeerName[], work: (servers: Servers) => Promise<T>): Promise<T> {
  const servers: [name: ContenderName | PeerName, server: Measured][] = [];
  try {
    for (const name of CONTENDERS) servers.push([name, await Contender.start(name, workload)]);
    for (const name of peers) servers.push([name, await Peer.start(name)]);
    return await work(servers);
  } finally {
    for (const [, server] of servers) await server.stop();
  }
}

/** Throws if a server has not received all that was sent: so many times each of these parts of the workload, and so many messages. */
export async function checkReceived(
  [name, server]: Servers[number],
  { opening, cycle, closing, octets }: Workload,
  sent: { readonly connections: number; readonly cycles: number; readonly messages: number },
): Promise<void> {
  if (server.counts === 'nothing') return;
  const received = await server.report();
  const wire = sent.connections * (sizeOf(opening) + sizeOf(closing)) + sent.cycles * sizeOf(cycle);
  const due = server.counts === 'wire' ? wire : sent.messages * octets;
  if (received.octets !== due) throw new Error(`${name} has received ${received.octets} octets, ${due} were sent`);
  if (server.counts === 'content' && received.messages !== sent.messages) {
    throw new Error(`${name} has received ${received.messages} messages, ${sent.messages} were sent`);
  }
}
