import {
  applyChange,
  type BeginOrder,
  type CloseOrder,
  type DeliveryOutcome,
  type Fact,
  type JobChange,
  type JobId,
  type Lease,
  type LookupOrder,
  type OpenOrder,
  type Order,
  type OrderId,
  type PolicyOrder,
  type SendOrder,
  type SettleOrder,
} from '@ehlo/delivery';
import type { Attempts } from './attempts.ts';
import { heldContent, sevenBit } from './held-content.ts';
import type { Means, RemoteSession } from './means.ts';
import { type Written, writeNotices } from './notices.ts';

/** Carries each order out, and tells what came of it. It begins at once, and waits for nothing but what the order names. */
export class Executor {
  readonly #means: Means;
  readonly #hostname: string;
  readonly #attempts: Attempts;
  readonly #tell: (fact: Fact) => void;
  readonly #leases: Map<JobId, Lease>;
  readonly #sessions = new Map<OrderId, Promise<RemoteSession | null>>();
  /** Whether an attempt was written down, for the `send` that waits for it. */
  readonly #begun = new Map<OrderId, Promise<boolean>>();
  /** Commits that may have to be made again: with the first, the message of which a notice tells may be gone. */
  readonly #written = new WeakMap<JobChange, Written>();
  /** Sessions that are being opened: they are given up when nothing new is begun any more. */
  readonly #openings = new Set<AbortController>();
  /** Jobs of which the queue has still to be told what came of an attempt, or of a decision. A commit that failed is made again. */
  readonly #unsettled = new Set<JobId>();
  /** Nothing new is begun. */
  #isClosing = false;

  constructor(means: Means, hostname: string, attempts: Attempts, leases: Map<JobId, Lease>, tell: (fact: Fact) => void) {
    this.#means = means;
    this.#hostname = hostname;
    this.#attempts = attempts;
    this.#leases = leases;
    this.#tell = tell;
  }

  carryOut(order: Order): void {
    if (this.#isClosing && this.#isNew(order)) return;
    switch (order.type) {
      case 'lookup':
        this.#attempts.keep(this.#lookUp(order));
        break;
      case 'policy':
        this.#attempts.keep(this.#policy(order));
        break;
      case 'open':
        this.#attempts.keep(this.#open(order));
        break;
      case 'begin':
        this.#unsettled.add(order.job);
        this.#attempts.keep(this.#begin(order));
        break;
      case 'send':
        this.#attempts.keep(this.#send(order));
        break;
      case 'settle':
        this.#unsettled.add(order.job);
        this.#attempts.keep(this.#settle(order));
        break;
      case 'close':
        this.#close(order);
        break;
      case 'drop':
        this.#leases.delete(order.job);
        // A runner that has lost the job does not repeat its commit.
        this.#unsettled.delete(order.job);
        break;
      case 'report':
        this.#attempts.keep(this.#attempts.of('report', () => this.#means.report?.(order)).then(() => {}));
    }
  }

  /** Ignores new look-ups, sessions and attempts, without an answer to the dispatcher; transactions whose attempt is recorded continue to their end. */
  close(): void {
    this.#isClosing = true;
    for (const controller of this.#openings) controller.abort();
  }

  /** How many jobs have something that the queue has still to be told. */
  get unsettled(): number {
    return this.#unsettled.size;
  }

  /** Whether a job has. */
  isUnsettled(job: JobId): boolean {
    return this.#unsettled.has(job);
  }

  /** Whether an order begins something, of which nothing is left when it is not carried out. */
  #isNew(order: Order): boolean {
    if (order.type === 'send') return order.parts.some(({ begin }) => !this.#begun.has(begin));
    return order.type === 'lookup' || order.type === 'policy' || order.type === 'open' || order.type === 'begin';
  }

  /** Ends the sessions. */
  async hangUp(): Promise<void> {
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    for (const opening of sessions) await this.#quit(opening);
  }

  async #lookUp(order: LookupOrder): Promise<void> {
    const answer = await this.#attempts.of('lookup', () => this.#means.lookUp(order));
    this.#tell({ ...(answer ?? { status: 'failed', security: 'indeterminate', ttl: 0 }), type: 'dns', to: order.id });
  }

  async #policy(order: PolicyOrder): Promise<void> {
    const answer = await this.#attempts.of('policy', () => this.#means.fetchPolicy(order));
    this.#tell({ ...(answer ?? { text: null }), type: 'policy', to: order.id });
  }

  async #open(order: OpenOrder): Promise<void> {
    const controller = new AbortController();
    this.#openings.add(controller);
    const opening = this.#attempts.of('open', () => this.#means.open(order, controller.signal));
    const session = opening.then((opened) => (opened !== null && 'opened' in opened ? opened : null));
    this.#sessions.set(order.id, session);
    const opened = await opening;
    this.#openings.delete(controller);
    if (opened !== null && 'opened' in opened) {
      // However it ended, it has.
      void this.#attempts
        .of('session', () => opened.ended)
        .then(() => {
          if (this.#sessions.get(order.id) !== session) return;
          this.#sessions.delete(order.id);
          this.#tell({ type: 'closed', to: order.id });
        });
      this.#tell({ ...opened.opened, type: 'opened', to: order.id });
      return;
    }
    this.#sessions.delete(order.id);
    // It was given up here: that says nothing of the host, and what is told of it outlives this runner.
    if (controller.signal.aborted) return;
    this.#tell({ ...(opened ?? { stage: 'connect' }), type: 'failed', to: order.id });
  }

  #close({ session }: CloseOrder): void {
    const opening = this.#sessions.get(session);
    this.#sessions.delete(session);
    if (opening !== undefined) this.#attempts.keep(this.#quit(opening));
  }

  async #quit(opening: Promise<RemoteSession | null>): Promise<void> {
    const session = await opening;
    await this.#attempts.of('close', () => session?.close());
  }

  async #begin({ id, job, attempt, recipients }: BeginOrder): Promise<void> {
    const lease = this.#leases.get(job);
    const begin = (): Promise<boolean> => this.#means.queue.begin(lease!, { attempt, recipients, at: this.#means.schedule.now() });
    const writing = lease === undefined ? Promise.resolve(false) : this.#attempts.of('begin', begin);
    this.#begun.set(
      id,
      writing.then((isDone) => isDone === true),
    );
    this.#tell({ type: 'begun', to: id, result: resultOf(await writing) });
  }

  async #send({ id, session: open, parts, transaction }: SendOrder): Promise<void> {
    const marks = parts.map(({ begin }) => this.#begun.get(begin) ?? Promise.resolve(false));
    const begun = Promise.all(marks).then((all) => all.every((one) => one));
    const lease = this.#leases.get(parts[0]!.job);
    const session = await (this.#sessions.get(open) ?? null);
    const read = (): AsyncIterable<Uint8Array> => this.#means.queue.content(lease!.job.message.id);
    const send = (): ReturnType<RemoteSession['send']> =>
      session!.send(
        transaction,
        heldContent(() => (transaction.convert ? sevenBit(read) : read()), begun),
      );
    const canSend = session !== null && lease !== undefined;
    const sent = canSend ? await this.#attempts.of('send', send) : null;
    for (const { begin } of parts) this.#begun.delete(begin);
    const missing = transaction.recipients.map(() => (canSend ? UNKNOWN : UNSENT));
    this.#tell({ ...(sent ?? { outcomes: missing, open: false }), type: 'outcomes', to: id });
  }

  async #settle({ id, job, change }: SettleOrder): Promise<void> {
    const lease = this.#leases.get(job);
    const commit = async (): Promise<boolean> => {
      const { queue, boundary } = this.#means;
      const means = {
        hostname: this.#hostname,
        boundary,
        content: (message: string) => queue.content(message),
        failed: (error: unknown) => this.#means.failed(error, 'notice'),
      };
      const written = this.#written.get(change) ?? (await writeNotices(change, lease!.job.message, means));
      if (written.isWhole) this.#written.set(change, written);
      return queue.settle(lease!, written.change, written.notices);
    };
    const isDone = lease === undefined ? false : await this.#attempts.of('settle', commit);
    if (isDone !== null) this.#unsettled.delete(job);
    // What the queue has of it now, where it stays here.
    if (isDone === true && lease !== undefined && this.#leases.get(job) === lease)
      this.#leases.set(job, { ...lease, job: applyChange(lease.job, change) });
    this.#tell({ type: 'settled', to: id, result: resultOf(isDone) });
  }
}

/** There was no session: nothing has left. */
const UNSENT: DeliveryOutcome = { status: 'unsent', stage: 'connect', cause: 'connection', reply: null };

/** A session has not kept its contract: the outcome is unknown. */
const UNKNOWN: DeliveryOutcome = { status: 'unknown', reply: null };

/** True: it is written; false: the lease is another's; null: it could not be written. */
function resultOf(isDone: boolean | null): 'done' | 'lost' | 'failed' {
  if (isDone === null) return 'failed';
  return isDone ? 'done' : 'lost';
}
