import { encodeUtf8, type Reply } from '@ehlo/grammar';
import type { TransactionPaths } from './envelope.ts';
import type { ClientCause, ClientEvent, Outcome, Stage } from './events.ts';
import type { TransactionPhase } from './phases.ts';
import type { PlannedRecipient, TransactionPlan } from './plan.ts';

/** A mail transaction of a client: its phase, its commands, its due replies, and the state of each recipient. */
export class Transaction {
  readonly id: number;
  readonly plan: TransactionPlan;
  phase: TransactionPhase = 'mail';
  /** Said: the recipients that are asked for, and how many of them have been. */
  readonly asking: readonly PlannedRecipient[];
  asked = 0;
  /** Owed: replies to MAIL and RCPT that are due. */
  pending = 0;
  /** Known: the server has accepted MAIL. */
  open = false;
  /** Known: recipients that the server has accepted. */
  readonly accepted: number[] = [];
  /** LMTP: how many of them have the reply to the end of the message. */
  ends = 0;
  /** The reply to a chunk that was refused first (RFC 3030 2). */
  refusal: Reply | null = null;
  /** Recipients whose outcome is not reported. */
  untold: number;
  readonly #told: Uint8Array;
  readonly #tell: (event: ClientEvent) => void;

  constructor(id: number, plan: TransactionPlan, tell: (event: ClientEvent) => void) {
    this.id = id;
    this.plan = plan;
    this.asking = plan.recipients.filter(({ problem, batch }) => problem === null && batch === 0);
    this.untold = plan.recipients.length;
    this.#told = new Uint8Array(plan.recipients.length);
    this.#tell = tell;
  }

  /** Every outcome was reported. */
  get settled(): boolean {
    return this.untold === 0;
  }

  /** Somebody is left to be asked for. */
  get recipientsLeft(): boolean {
    return this.asked < this.asking.length && this.untold > 0;
  }

  /** The recipients of the message. */
  get paths(): TransactionPaths {
    const { reversePath, recipients } = this.plan;
    return { reversePath: encodeUtf8(reversePath), recipients: this.accepted.map((index) => encodeUtf8(recipients[index]!.forwardPath)) };
  }

  /** The server has accepted a recipient. */
  accept(index: number, reply: Reply): void {
    this.accepted.push(index);
    if (this.#told[index] === 0) this.#tell({ type: 'recipient', transaction: this.id, index, reply });
  }

  /** Tells what became of a recipient, once. */
  tell(index: number, outcome: Outcome): void {
    if (this.#told[index] === 1) return;
    this.#told[index] = 1;
    this.untold--;
    this.#tell({ type: 'outcome', transaction: this.id, index, ...outcome });
    if (this.untold === 0) this.#tell({ type: 'settled', transaction: this.id });
  }

  /** Tells the rest what was decided for all. */
  settle(outcome: Outcome): void {
    for (let index = 0; this.untold > 0; index++) this.tell(index, outcome);
  }

  /** The session is over: that leaves open what the server did with a message whose end was handed out. */
  end(stage: Stage, cause: ClientCause, reply: Reply | null): void {
    const doubtful = this.phase === 'message' && this.accepted.length > 0;
    this.settle(doubtful ? { status: 'unknown', stage: 'message', cause, reply } : { status: 'unsent', stage, cause, reply });
    this.phase = 'over';
  }
}

/** A refusal by the server. */
export function refused(stage: Stage, reply: Reply): Outcome {
  return { status: 'refused', stage, permanent: reply.code >= 500, reply, problem: null };
}
