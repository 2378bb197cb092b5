// A spool as its last process has left it: which jobs there are, and in what state.

import type { Job, JobId } from '@ehlo/delivery';
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

export interface Recovered {
  readonly replay: Replay;
  readonly damaged: readonly DamagedMessage[];
}

/** A message that has to be put away. */
export interface DamagedMessage {
  readonly file: MessageFile;
  readonly error: SpoolError;
  /** Those of its jobs that the log knows, and of which there is no value. */
  readonly unreadable: readonly JobId[];
}

/** Reads the log and the first lines of all messages. What the disk does not give is left where it is and told. */
export async function recover({ log, store, jobs, value, failed }: Recovery): Promise<Recovered> {
  const replay = new Replay();
  const damaged: DamagedMessage[] = [];
  await log.open((file, scan) => {
    replay.read(file, scan);
    for (const { at } of scan.damaged) failed(new SpoolError('damaged', `log/${file}: the record at octet ${at} is not as it was written`));
  });
  const { numbers, strange } = await store.list();
  store.skip(Math.max(replay.last, numbers.at(-1) ?? 0));
  for (const name of strange) await setAside(name, 'it is no message of this spool');
  for (let at = 0; at < numbers.length; at += AT_ONCE) await Promise.all(numbers.slice(at, at + AT_ONCE).map(take));
  for (const [number, logged] of replay.files) await missing(number, logged);
  return { replay, damaged };

  async function take(number: number): Promise<void> {
    const file = store.found(number);
    const isGone = replay.gone.has(number);
    await whole(file, async () => {
      const { jobs: lines, why } = isGone ? NOTHING : await read(number);
      for (const { job, at, length } of lines) {
        const logged = replay.of(number).get(job.id);
        const { brief, where } = logged?.value ?? { brief: briefOf(job), where: { file: 0, at, length } };
        await add(number, job.id, logged, () => jobs.add(brief, file, where));
      }
      if (!isGone) await addLogged(file);
      if (why !== null) lose(file, why);
      else if (file.messages === 1) await unused(file, lines.length === 0 && !isGone);
    });
    replay.files.delete(number);
  }

  /** All of a message, or nothing: where the disk fails it may have another time. */
  async function whole(file: MessageFile, work: () => Promise<void>): Promise<void> {
    // One more than its jobs need it meanwhile.
    file.messages++;
    try {
      await work();
    } catch (error) {
      store.leave(file.number);
      for (const kept of of(file)) jobs.remove(kept);
      failed(diskError(error, `${store.name(file.number)} is left alone until the spool is opened again`));
    }
    file.messages--;
  }

  async function addLogged(file: MessageFile): Promise<void> {
    for (const [id, logged] of replay.of(file.number)) {
      const { value: last } = logged;
      if (last !== null) await add(file.number, id, logged, () => jobs.add(last.brief, file, last.where));
    }
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

  async function read(number: number): Promise<MessageFront> {
    try {
      return await store.front(number);
    } catch (error) {
      if (isDamaged(error)) return { ...NOTHING, why: error.message };
      throw error;
    }
  }

  /** A message that can not be read: its jobs stay, as far as there is something of them, so that their senders are told. */
  function lose(file: MessageFile, why: string): void {
    const unreadable = open(replay.of(file.number)).filter((id) => jobs.get(id)?.message.file !== file);
    damaged.push({ file, error: new SpoolError('damaged', `${store.name(file.number)}: ${why}`), unreadable });
  }

  /** Of no job, or not any more. Content that only a record could have named is kept where one can not be read. */
  async function unused(file: MessageFile, isContent: boolean): Promise<void> {
    if (isContent && replay.damaged > 0) await setAside(store.name(file.number), 'no record that can be read names it');
    else await store.remove(file).catch(() => {});
  }

  async function setAside(name: string, why: string): Promise<void> {
    const where = await store.setAside(name).then(
      (aside) => `it is ${aside} now`,
      (error: Error) => error.message,
    );
    failed(new SpoolError('damaged', `${name}: ${why}; ${where}`));
  }

  /** A file of which the log knows, and which is not there. */
  async function missing(number: number, logged: ReadonlyMap<JobId, Logged>): Promise<void> {
    if (open(logged).length === 0 || replay.gone.has(number)) return;
    const file = store.found(number);
    await whole(file, async () => {
      await addLogged(file);
      let isKnown = open(logged).every((id) => jobs.get(id)?.message.file === file);
      for (const kept of of(file)) isKnown &&= (await value(kept)).message.damaged === true;
      // It was put away when the spool was open before, and told of.
      if (isKnown) store.lose(number);
      else lose(file, 'it is missing');
    });
  }

  function of(file: MessageFile): Kept[] {
    return [...jobs].filter(({ message }) => message.file === file);
  }
}

const NOTHING: MessageFront = { jobs: [], why: null };

/** Jobs that are not over, as far as there are records of them that can be read. */
function open(logged: ReadonlyMap<JobId, Logged>): JobId[] {
  return [...logged].filter(([, { isOver, value, deltas }]) => !isOver && (value !== null || deltas.length > 0)).map(([id]) => id);
}
