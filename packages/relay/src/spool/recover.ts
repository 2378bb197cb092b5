// A spool as its last process has left it: which jobs there are, and in what state.

import type { Job, JobId } from '@ehlo/delivery';
import { fateOf, withoutContent } from './commits.ts';
import { briefOf, type Jobs, type Kept } from './jobs.ts';
import type { Log } from './log.ts';
import type { MessageFront } from './message-file.ts';
import type { MessageFile, MessageStore } from './message-store.ts';
import { type Logged, Replay } from './replay.ts';
import { diskError, isDamaged, SpoolError } from './spool-error.ts';

/** Messages that are looked at together. */
const AT_ONCE = 32;

export interface Recovery {
  readonly log: Log;
  readonly store: MessageStore;
  readonly jobs: Jobs;
  /** The value of a job, as the log or its message file has it. */
  value(kept: Kept): Promise<Job>;
  /** Told of each thing that is not as it was written. */
  failed(error: SpoolError): void;
}

/** Reads the log and the first lines of all messages. What can't be read is set aside and told; the rest is there. */
export async function recover({ log, store, jobs, value, failed }: Recovery): Promise<Replay> {
  const replay = new Replay();
  await log.open((file, scan) => {
    replay.read(file, scan);
    for (const { at } of scan.damaged) failed(new SpoolError('damaged', `log/${file}: the record at octet ${at} is not as it was written`));
  });
  const { numbers, strange } = await store.list();
  store.skip(Math.max(replay.last, numbers.at(-1) ?? 0));
  for (const name of strange) await setAside(name, 'it is no message of this spool');
  for (let at = 0; at < numbers.length; at += AT_ONCE) await Promise.all(numbers.slice(at, at + AT_ONCE).map(take));
  for (const [number, logged] of replay.files) await missing(number, logged);
  return replay;

  async function take(number: number): Promise<void> {
    const file = store.found(number);
    const front = replay.gone.has(number) ? null : await read(number);
    const why = front?.why ?? null;
    // One more than its jobs need it meanwhile.
    file.messages++;
    for (const { job, at, length } of front?.jobs ?? []) {
      const logged = replay.of(number).get(job.id);
      const { brief, where } = logged?.value ?? { brief: briefOf(job), where: { file: 0, at, length } };
      await add(number, job.id, logged, () => jobs.add(brief, file, where));
    }
    for (const [id, logged] of front === null ? [] : replay.of(number)) {
      const { value: last } = logged;
      if (last !== null) await add(number, id, logged, () => jobs.add(last.brief, file, last.where));
    }
    if (why !== null) await lose(file, why);
    replay.files.delete(number);
    if (--file.messages === 0) await (why === null ? unused(file, front) : store.remove(file).catch(() => {}));
  }

  async function add(number: number, id: JobId, logged: Logged | undefined, make: () => Kept): Promise<void> {
    if (logged?.isOver || jobs.get(id) !== undefined) return;
    const kept = make();
    if (logged === undefined) return;
    kept.wish = logged.wish;
    if (logged.deltas.length === 0 && !logged.isDamaged) return;
    let job = await value(kept);
    for (const delta of logged.deltas) job = delta(job);
    if (logged.isDamaged) {
      job = { ...job, held: true };
      failed(new SpoolError('damaged', `job ${id} of ${store.name(number)}: what became of it last can not be read; it is held`));
    }
    jobs.load(kept, job);
    kept.isChanged = true;
    kept.due = briefOf(job).due;
    jobs.sort(kept);
  }

  /** Null: nothing is known of it. */
  async function read(number: number): Promise<MessageFront | null> {
    try {
      return await store.front(number);
    } catch (error) {
      if (isDamaged(error)) return { jobs: [], why: error.message };
      // The disk may give it another time.
      store.leave(number);
      failed(diskError(error, `${store.name(number)} is left alone until the spool is opened again`));
      return null;
    }
  }

  /** A message that can not be read: its jobs stay, as far as there is something of them, so that their senders are told. */
  async function lose(file: MessageFile, why: string): Promise<void> {
    const { number } = file;
    store.lose(number);
    const all = [...jobs].filter(({ message }) => message.file === file);
    const news: JobId[] = [];
    for (const kept of all) {
      const job = kept.job ?? (await value(kept));
      // It was told of, and its sender was not, yet.
      if (job.message.damaged === true) continue;
      const after = withoutContent(job);
      jobs.move(kept, await log.append({ n: number, id: kept.id, job: after, ...(kept.wish === undefined ? {} : { wish: kept.wish }) }));
      jobs.unload(kept);
      kept.isChanged = false;
      kept.due = briefOf(after).due;
      jobs.sort(kept);
      news.push(kept.id);
    }
    const without = open(replay.of(number)).filter((id) => jobs.get(id)?.message.file !== file);
    const aside = await store.setAside(store.name(number));
    if (aside === null && news.length === 0 && without.length === 0) return;
    failed(
      new SpoolError('damaged', `${store.name(number)}: ${why}${aside === null ? '' : `; it is ${aside} now`}${fateOf(news, without)}`),
    );
    if (all.length === 0) await log.append({ n: number, gone: true });
  }

  /** Of no job, or not any more. Content that only a record could have named is kept where one can not be read. */
  async function unused(file: MessageFile, front: MessageFront | null): Promise<void> {
    if (front !== null && front.jobs.length === 0 && replay.damaged > 0)
      await setAside(store.name(file.number), 'no record that can be read names it');
    else if (front !== null || replay.gone.has(file.number)) await store.remove(file).catch(() => {});
  }

  async function setAside(name: string, why: string): Promise<void> {
    failed(new SpoolError('damaged', `${name}: ${why}; it is ${await store.setAside(name)} now`));
  }

  /** A file of which the log knows, and which is not there. */
  async function missing(number: number, logged: ReadonlyMap<JobId, Logged>): Promise<void> {
    if (open(logged).length === 0 || replay.gone.has(number)) return;
    const file = store.found(number);
    file.messages++;
    for (const [id, one] of logged) {
      const { value: last } = one;
      if (last !== null) await add(number, id, one, () => jobs.add(last.brief, file, last.where));
    }
    await lose(file, 'it is missing');
    if (--file.messages === 0) await store.remove(file).catch(() => {});
  }
}

/** Jobs that are not over, as far as there are records of them that can be read. */
function open(logged: ReadonlyMap<JobId, Logged>): JobId[] {
  return [...logged].filter(([, { isOver, value, deltas }]) => !isOver && (value !== null || deltas.length > 0)).map(([id]) => id);
}
