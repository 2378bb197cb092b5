import type { BegunAttempt, Job, JobChange, JobCounts, JobId, JobQuery, Lease, Queue } from '@ehlo/delivery';
import { openSpool, type Spool } from '@ehlo/relay/spool';
import { Dice, SimulatedDisk } from '../../../relay/test/spool/simulated-disk.ts';

/** How the disk of a spool fails: once in so many operations. */
const SELDOM = 150;
export const DISK_FAULTS = ['disk is full at times', 'disk fails at times'] as const;

/** What is put, all at once, too; and how many jobs there are. */
export interface CountedQueue extends Queue {
  readonly size: number;
  put(jobs: readonly Job[], content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string>;
}

/** A spool on a simulated disk: of the process that has it nothing is left when the power fails, and of the disk what was synced. */
export class SpoolQueue implements CountedQueue {
  readonly #now: () => number;
  readonly #dice: Dice;
  readonly #faults: ReadonlySet<string>;
  /** What it has told of damage: there is none. */
  readonly damage: string[] = [];
  #disk: SimulatedDisk;
  #spool: Spool | null = null;
  #opened: Promise<Spool>;
  #isOpen: (spool: Spool) => void = () => {};
  /** Messages that are being put by somebody who tries until it is done. */
  #putting = 0;

  constructor(now: () => number, seed: number, faults: ReadonlySet<string>) {
    this.#now = now;
    this.#dice = new Dice(seed);
    this.#faults = faults;
    this.#disk = new SimulatedDisk(this.#options);
    this.#opened = this.#waiting();
  }

  /** Where it is closed, nobody knows. */
  get size(): number {
    return this.#putting + (this.#spool?.size ?? 1);
  }

  /** The process begins. */
  async open(): Promise<void> {
    const options = {
      disk: this.#disk,
      now: this.#now,
      lease: 5 * 60_000,
      logSize: 4000,
      failed: (error: Error) => {
        if ('code' in error && error.code === 'damaged') this.damage.push(error.message);
      },
    };
    for (let tries = 0; this.#spool === null; tries++) {
      try {
        this.#spool = await openSpool('spool', options);
      } catch (error) {
        if (tries > 100) throw error;
      }
    }
    this.#isOpen(this.#spool);
  }

  /** The process ends as it should. */
  async close(): Promise<void> {
    const spool = this.#spool;
    this.#gone();
    await spool?.close();
    this.#disk = this.#disk.restarted(this.#options, false);
  }

  /** Nothing that is under way is ever answered. */
  powerFails(): void {
    this.#disk.powerOff();
    this.#gone();
    this.#disk = this.#disk.restarted(this.#options);
  }

  /** Whoever puts waits until there is a spool, and puts again what nobody has acknowledged. */
  async put(jobs: readonly Job[], content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
    this.#putting++;
    try {
      for (;;) {
        const spool = await this.#opened;
        const { died } = this.#disk;
        const id = await Promise.race([spool.put(jobs, content), died.then(() => null)]);
        if (id !== null) return id;
      }
    } finally {
      this.#putting--;
    }
  }

  take(most: number): Promise<readonly Lease[]> {
    return this.#living.take(most);
  }

  renew(leases: readonly Lease[]): Promise<ReadonlySet<JobId>> {
    return this.#living.renew(leases);
  }

  begin(lease: Lease, attempt: BegunAttempt): Promise<boolean> {
    return this.#living.begin(lease, attempt);
  }

  settle(lease: Lease, change: JobChange, notices: ReadonlyMap<JobId, readonly Uint8Array[]>): Promise<boolean> {
    return this.#living.settle(lease, change, notices);
  }

  release(leases: readonly Lease[]): Promise<void> {
    return this.#living.release(leases);
  }

  content(id: string): AsyncIterable<Uint8Array> {
    return this.#living.content(id);
  }

  find(query: JobQuery): AsyncIterable<Job> {
    return this.#living.find(query);
  }

  count(): Promise<JobCounts> {
    return this.#living.count();
  }

  operate(id: JobId, what: Parameters<Queue['operate']>[1]): Promise<boolean> {
    return this.#living.operate(id, what);
  }

  get #living(): Spool {
    if (this.#spool === null) throw new Error('nobody has the spool');
    return this.#spool;
  }

  get #options(): ConstructorParameters<typeof SimulatedDisk>[0] {
    const codes = [this.#faults.has('disk is full at times') ? 'ENOSPC' : [], this.#faults.has('disk fails at times') ? 'EIO' : []].flat();
    const isWriting = (operation: string): boolean => ['write', 'sync', 'syncFolder', 'rename', 'create'].includes(operation);
    return {
      dice: this.#dice,
      fault: (_, operation) => (codes.length > 0 && isWriting(operation) && this.#dice.is(SELDOM) ? this.#dice.of(codes) : null),
    };
  }

  #gone(): void {
    if (this.#spool === null) return;
    this.#spool = null;
    this.#opened = this.#waiting();
  }

  #waiting(): Promise<Spool> {
    return new Promise((resolve) => {
      this.#isOpen = resolve;
    });
  }
}
