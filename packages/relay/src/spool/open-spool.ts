import type { EpochMs } from '@ehlo/delivery';
import { SPARE } from './cleaner.ts';
import { Commits, readValue, type SpoolParts } from './commits.ts';
import type { Disk } from './disk.ts';
import { Jobs } from './jobs.ts';
import { Log } from './log.ts';
import { MessageStore } from './message-store.ts';
import { nodeDisk } from './node-disk.ts';
import { WrittenPolicies } from './policies.ts';
import { recover } from './recover.ts';
import { Room } from './room.ts';
import { Spare } from './spare.ts';
import { Spool } from './spool.ts';
import { diskError } from './spool-error.ts';

export interface SpoolOptions {
  /** The clock of leases and of what is due. Default: the wall clock. */
  readonly now?: () => EpochMs;
  /** Milliseconds that a lease lasts. Default 30,000. */
  readonly lease?: number;
  /** Octets of a file of the log, after which the next begins. Default 4 MiB. */
  readonly logSize?: number;
  /**
   * Octets of the disk that `put` leaves free, so that there is room for what becomes of the messages that are there: `put` rejects with `full` before
   * that. To them come four times the octets of the jobs that wait. Default: 5 × `logSize`, what the log may have beside twice what counts of it.
   */
  readonly reserve?: number;
  /** Called for damaged data that was set aside, and for failures of work that no call waits for. Default: a warning of the process. */
  readonly failed?: (error: Error) => void;
  /** Where the files are. Default: the disk of this machine. */
  readonly disk?: Disk;
}

const FENCES_OF_A_PROCESS = 2 ** 32;
/** Ours: octets that are given up when the disk is full; a message that is over frees more than the record takes that says so. */
const SPARE_ROOM = 256 * 1024;
/** The log may have twice what counts of it; and the value of a job grows with what servers say of its recipients. */
const GROWTH = 4;

/**
 * Opens the queue in a folder, which is made where there is none: for this process alone, until it is closed or ends. Rejects with a `SpoolError`:
 * `locked` where another process has it.
 *
 * @example
 * ```ts
 * import { mkdtemp } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { newJob } from '@ehlo/delivery';
 * import { openSpool } from '@ehlo/relay/spool';
 * const folder = await mkdtemp(`${tmpdir()}/spool-`);
 * const spool = await openSpool(folder);
 * const message = { id: 'm', reversePath: 'ann@example.org', arrived: 0, size: 0 };
 * await spool.put([newJob('j', message, 'example.net', [{ address: 'joe@example.net' }])], []);
 * await spool.close();
 * const again = await openSpool(folder);
 * const leases = await again.take(10);
 * await again.close();
 * leases.map(({ job }) => job.id)
 * // → ['j']
 * ```
 */
export async function openSpool(folder: string, options: SpoolOptions = {}): Promise<Spool> {
  const { now = Date.now, lease = 30_000, logSize = 4 * 1024 * 1024, failed = warn, disk = nodeDisk } = options;
  const { reserve = (SPARE + 1) * logSize } = options;
  const words = `the spool ${folder} can not be opened`;
  try {
    await disk.makeFolder(folder);
    const unlock = await disk.lock(folder);
    try {
      return await open();
    } catch (error) {
      await unlock();
      throw error;
    }
    async function open(): Promise<Spool> {
      for (const name of ['q', 'log', 'tmp', 'corrupt']) await disk.makeFolder(`${folder}/${name}`);
      for (const name of await disk.list(`${folder}/tmp`)) await disk.remove(`${folder}/tmp/${name}`);
      const log = new Log(
        disk,
        `${folder}/log`,
        `${folder}/tmp`,
        logSize,
        new Spare(disk, `${folder}/tmp/spare`, Math.min(logSize, SPARE_ROOM)),
      );
      const store = new MessageStore(disk, folder, (file) => commits.vain(file));
      const jobs = new Jobs((file) => commits.remove(file));
      const { replay, damaged } = await recover({ log, store, jobs, failed, value: (kept) => readValue(kept, { log, store }) });
      const policies = new WrittenPolicies(replay.policies, (domain, kept) => commits.policy(domain, kept));
      const room = new Room(disk, folder, () => reserve + GROWTH * jobs.octets);
      const parts: SpoolParts = { log, store, jobs, policies, room, now, logSize, failed };
      const commits = new Commits(parts);
      for (const { file, error, unreadable } of damaged) await commits.setAside(file, error, unreadable);
      const end = async (): Promise<void> => {
        await log.close();
        await unlock();
      };
      return new Spool(parts, commits, { lease, fence: log.last * FENCES_OF_A_PROCESS }, end);
    }
  } catch (error) {
    throw diskError(error, words);
  }
}

function warn(error: Error): void {
  process.emitWarning(error.message, { type: 'SpoolWarning' });
}
