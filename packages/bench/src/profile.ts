// Where the processor time of a server goes: its profile, shared out by whose code ran, beside that of the floor.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureSessionsBy } from './connections.ts';
import { Contender, type Measured } from './contender.ts';
import { type Effort, efficiencies, measureBy, type Row } from './row.ts';
import { median } from './statistics.ts';

/** Whose code runs. */
export const PARTS = ['write', 'Node', 'engine', 'grammar', 'driver', 'adapter', 'garbage', 'other'] as const;

export type Part = (typeof PARTS)[number];

const PROFILED = ['ehlo', 'floor'] as const;

/** Microseconds of the server's processor time for one unit of a row. */
export type Times = Record<Part, number>;

export interface ProfiledRow {
  readonly name: string;
  readonly ehlo: Times;
  readonly floor: Times;
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

/** What `--cpu-prof` writes; times are microseconds of the system's monotonic clock. */
export interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Profiles both servers at the work of a row, done for long before: what that brings is the loading and compiling of code. */
export async function profileRow(row: Row, effort: Effort): Promise<ProfiledRow> {
  const work = row.unit === 'sessions' ? measureSessionsBy : measureBy;
  const folder = await mkdtemp(join(tmpdir(), 'ehlo-profile-'));
  try {
    const flags = (one: string): string[] => ['--cpu-prof', '--cpu-prof-interval', '250', '--cpu-prof-dir', join(folder, one)];
    const servers = await Promise.all(
      PROFILED.map(async (one) => [one, await Contender.start(one, row.workload, { flags: flags(one) })] as const),
    );
    // Both times count the same connections anew: what was received in all is the business of the tables.
    const counted = servers.map(
      ([one, server]) =>
        [one, { port: server.port, counts: 'nothing', report: () => server.report(), stop: () => server.stop() } as Measured] as const,
    );
    await work(counted, row, effort);
    const since = Number(process.hrtime.bigint() / 1000n);
    const samples = await work(counted, row, { ...effort, warmUp: 0 });
    for (const [, server] of servers) await server.stop();
    const times = async (one: (typeof PROFILED)[number]): Promise<Times> => {
      const [file] = await readdir(join(folder, one));
      const profile = JSON.parse(await readFile(join(folder, one, file!), 'utf8')) as Profile;
      return timesOf(profile, since, 1e6 / median(efficiencies(samples[one])));
    };
    return { name: row.name, ehlo: await times('ehlo'), floor: await times('floor') };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Shares out the time of one unit. Samples count, not the time between them: a process that has to wait for the processor is not sampled
 * meanwhile, and what it waits amid a write is not the work of the write.
 */
export function timesOf({ nodes, samples, timeDeltas, startTime }: Profile, since: number, unit: number): Times {
  const parts = partsOf(nodes);
  const counts = Object.fromEntries(PARTS.map((part) => [part, 0])) as Times;
  let now = startTime;
  let all = 0;
  for (const [i, id] of samples.entries()) {
    now += timeDeltas[i]!;
    const part = parts.get(id);
    if (now < since || part === undefined || part === null) continue;
    counts[part]++;
    all++;
  }
  return Object.fromEntries(PARTS.map((part) => [part, (counts[part] / (all || 1)) * unit])) as Times;
}

/** The part of each node; null where the process had nothing to do. */
function partsOf(nodes: readonly ProfileNode[]): Map<number, Part | null> {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const parts = new Map<number, Part | null>();
  // Parents come before their children.
  for (const node of nodes) parts.set(node.id, partOf(node, parts.get(parents.get(node.id) ?? -1) ?? 'other'));
  return parts;
}

/** Functions without a file are the runtime's: those that do no input or output are their caller's. */
function partOf({ callFrame: { functionName, url } }: ProfileNode, caller: Part): Part | null {
  if (functionName === '(idle)') return null;
  if (functionName === '(garbage collector)') return 'garbage';
  if (functionName === '(program)' || functionName === '(root)') return 'other';
  if (/^(?:write|shutdown)/.test(functionName) && url === '') return 'write';
  if (url === '') return caller;
  if (url.startsWith('node:')) return 'Node';
  const name = /\/packages\/(engine|grammar|driver|node)\//.exec(url)?.[1];
  return name === undefined ? 'other' : name === 'node' ? 'adapter' : (name as Part);
}
