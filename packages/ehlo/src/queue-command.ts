// `ehlo queue`: what a relay has, and what an operator wants of it.

import type { JobSteps, ShownJob, WishResult, WishTold } from '@ehlo/relay/control';
import { EXIT } from './exit-codes.ts';
import { jsonLine } from './json-line.ts';
import { visible } from './message-text.ts';
import { type Query, QueueClient, QueueError } from './queue-client.ts';
import { type QueueOptions, queryOf, SOCKET } from './queue-options.ts';
import { countsText, JobTable, jobLines, statusLines, stepLines } from './queue-text.ts';

/** What the command is given of the process it runs in. */
export interface QueueMeans {
  /** A line of the answer; settles when there is room for another. */
  readonly write: (line: string) => Promise<void>;
  /** Octets of a message as they are; null: standard output is a terminal. */
  readonly octets: ((bytes: Uint8Array) => Promise<void>) | null;
  readonly warn: (line: string) => void;
  /** Asks the user at the terminal; null: no terminal. */
  readonly confirm: ((question: string) => Promise<boolean>) | null;
  readonly signal: AbortSignal;
}

/** The action, and the question that confirms it; null: the action can be undone. */
export const WISHES: { readonly [wish in Wish]: string | null } = {
  retry: null,
  hold: null,
  release: null,
  delete: 'delete them, and tell nobody',
  bounce: 'give them up, and tell their senders',
};

export type Wish = 'retry' | 'hold' | 'release' | 'delete' | 'bounce';

/** Ours: names in one request. */
const MOST_IDS = 20;

/** Shows the jobs that are meant. Returns the exit code: 0 also where there are none. */
export async function queueList(options: QueueOptions, { write, signal }: QueueMeans): Promise<number> {
  const client = clientOf(options);
  const query: Query = [...queryOf([], options), ...(options.most === undefined ? [] : [['most', String(options.most)] as const])];
  const table = options.json ? null : new JobTable(Date.now());
  for await (const shown of client.lines<ShownJob>('GET', 'jobs', query)) {
    if (signal.aborted) return 0;
    for (const line of table?.add(shown) ?? [jsonLine(shown)]) await write(line);
  }
  for (const line of table?.end() ?? []) await write(line);
  return 0;
}

/** Shows all that is known of one job, or the octets of its message. Returns the exit code: 1 where there is none. */
export async function queueShow(id: string, options: QueueOptions, means: QueueMeans): Promise<number> {
  const client = clientOf(options);
  for await (const shown of client.lines<ShownJob>('GET', 'jobs', queryOf([id], {}))) {
    if (options.raw === true) await raw(client, shown.job.message.id, means);
    else for (const line of options.json ? [jsonLine(shown)] : jobLines(shown, Date.now())) await means.write(line);
    return 0;
  }
  return none(id);
}

/** Shows the steps that led to where each recipient of a job stands. Returns the exit code: 1 where there is none. */
export async function queueWhy(id: string, options: QueueOptions, { write }: QueueMeans): Promise<number> {
  for await (const told of clientOf(options).lines<JobSteps>('GET', 'why', queryOf([id], {}))) {
    for (const line of options.json ? [jsonLine(told)] : stepLines(told)) await write(line);
    return 0;
  }
  return none(id);
}

/** Shows how a relay fares; with `follow` each time that something is other, until it has stopped. Returns the exit code. */
export async function queueStatus(options: QueueOptions, { write, signal }: QueueMeans): Promise<number> {
  const client = clientOf(options);
  let before = '';
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    const status = await client.status().catch((error: unknown) => {
      // Whoever drains is gone in the end.
      if (isFirst || !(error instanceof QueueError)) throw error;
      return null;
    });
    if (status === null) {
      if (!options.json) await write('the relay has stopped');
      break;
    }
    const { started: _started, now: _now, queue, ...rest } = status;
    const facts = JSON.stringify([rest, { ...queue, age: 0 }]);
    if (facts !== before) for (const line of options.json ? [jsonLine(status)] : statusLines(status)) await write(line);
    before = facts;
    if (options.follow !== true) break;
    await pause(1000, signal);
  }
  return 0;
}

/** Brings a wish to the jobs that are meant. Returns the exit code: 1 where one of them could not be had, or there was none. */
export async function queueWish(wish: Wish, ids: readonly string[], options: QueueOptions, means: QueueMeans): Promise<number> {
  const client = clientOf(options);
  const filters = queryOf([], options);
  if (ids.length === 0 && filters.length === 0 && options.all !== true)
    throw new QueueError(`which jobs? Name them, or select them by --domain and the like, or take them --all`, USAGE);
  const selections = ids.length === 0 ? [filters] : groups(ids, MOST_IDS).map((some) => queryOf(some, options));
  if (WISHES[wish] !== null && options.yes !== true && !(await isMeant(wish, client, selections, means))) return EXIT.refused;
  const counts = new Map<WishResult, number>();
  for (const selection of selections) {
    const query: Query = options.all === true ? [...selection, ['all', 'yes']] : selection;
    for await (const told of client.lines<WishTold>('POST', wish, query)) {
      counts.set(told.result, (counts.get(told.result) ?? 0) + 1);
      if (options.json) await means.write(jsonLine(told));
      else if (told.result in PROBLEMS) means.warn(`${visible(told.id)}: ${PROBLEMS[told.result as keyof typeof PROBLEMS]}`);
    }
  }
  if (!options.json) await means.write(`${wish}: ${countsText(counts)}`);
  const isAll = counts.size > 0 && !counts.has('leased') && !counts.has('gone');
  return isAll ? 0 : EXIT.refused;
}

const PROBLEMS = {
  leased: 'another relay has it, or this one that stops; nothing was done: ask that one, or once more in a while',
  gone: 'there is no such job in the queue (any more)',
} as const satisfies { readonly [result in WishResult]?: string };

/** A wrong option. */
const USAGE = 2;

function clientOf({ socket = SOCKET }: QueueOptions): QueueClient {
  return new QueueClient(socket);
}

function none(id: string): never {
  throw new QueueError(`there is no job ${visible(id)} in the queue`, EXIT.refused);
}

/** Asks for confirmation before an irreversible action, and shows how many jobs it affects. */
async function isMeant(wish: Wish, client: QueueClient, selections: readonly Query[], { confirm, write }: QueueMeans): Promise<boolean> {
  if (confirm === null) throw new QueueError(`${wish} is for ever: give --yes`, USAGE);
  const counts = new Map<string, number>();
  for (const selection of selections) {
    for await (const { state } of client.lines<ShownJob>('GET', 'jobs', selection)) counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  if (counts.size === 0) {
    await write(countsText(counts));
    return false;
  }
  return await confirm(`${countsText(counts)}; ${WISHES[wish]}? [y/N] `);
}

/** The message as it is; on a terminal its lines as inert text. */
async function raw(client: QueueClient, message: string, { octets, write }: QueueMeans): Promise<void> {
  const content = client.octets('GET', 'content', [['message', message]]);
  if (octets !== null) {
    for await (const bytes of content) await octets(bytes);
    return;
  }
  let rest = '';
  const decoder = new TextDecoder();
  for await (const bytes of content) {
    const lines = `${rest}${decoder.decode(bytes, { stream: true })}`.split('\r\n');
    rest = lines.pop()!;
    for (const line of lines) await write(visible(line));
  }
  if (rest !== '') await write(visible(rest));
}

function groups<T>(all: readonly T[], most: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / most) }, (_, i) => all.slice(i * most, (i + 1) * most));
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      done();
    });
  });
}
