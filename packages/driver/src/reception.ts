import { dropPromise, type MessageQuestion } from '@ehlo/engine';
import { Body } from './body.ts';
import type { Deciding } from './decide.ts';
import { type Acceptance, decisionOf, isRefusal, type Refusal } from './decision.ts';
import type { IncomingMessage } from './handler.ts';

/** The decision for one recipient, or for all. */
export type Verdict = Acceptance | Refusal;

/** The callbacks of a reception. */
export interface Receiver {
  /** Whether there is a decision for each recipient (LMTP). */
  readonly hasRecipients: boolean;
  receive(reception: Reception): unknown;
  received(reception: Reception, decision: Verdict | readonly Verdict[]): void;
  refusalFor(error: unknown, type: 'message'): Refusal;
  /** There is room again in a body. */
  goOn(): void;
  later(call: () => void): void;
}

/** A message between its first octet and its reply. */
export class Reception implements IncomingMessage, Deciding<Verdict | readonly Verdict[]> {
  readonly body: Body;
  question: MessageQuestion | null = null;
  /** How often the session has asked: once, in LMTP once for each recipient, whether it was answered in time or not. */
  asked = 0;
  /** What the handler has decided, for all or (LMTP) for each recipient; undefined while it is busy. */
  decision: Verdict | readonly Verdict[] | undefined = undefined;
  told = 0;
  /** The handler was told that the client does not know of the acceptance. */
  missed = false;
  readonly envelope: MessageQuestion['envelope'];
  readonly #receiver: Receiver;

  constructor(envelope: MessageQuestion['envelope'], receiver: Receiver) {
    this.envelope = envelope;
    this.body = new Body(() => receiver.goOn());
    this.#receiver = receiver;
  }

  get size(): number {
    return this.question?.size ?? 0;
  }

  get deviations(): MessageQuestion['deviations'] {
    return this.question?.deviations ?? [];
  }

  /** The decision that the open question asks for. */
  get next(): Verdict | undefined {
    return this.#decisionOf(this.asked - 1);
  }

  call(): unknown {
    return this.#receiver.receive(this);
  }

  /** What the handler has returned: one decision for all, or in LMTP one for each recipient. Throws what is wrong with it, but not with one of many. */
  understand(value: unknown): Verdict | readonly Verdict[] {
    if (!Array.isArray(value)) return this.#verdict(value);
    const { length } = this.envelope.recipients;
    if (!this.#receiver.hasRecipients || value.length !== length) {
      for (const one of value) dropPromise(one);
      throw new TypeError(
        this.#receiver.hasRecipients
          ? `the handler of 'message' gave ${value.length} decisions for ${length} recipients`
          : "the handler of 'message' gave a decision for each recipient, which only LMTP can tell: give one for all",
      );
    }
    return Array.from(value, (one) => {
      try {
        return this.#verdict(one);
      } catch (error) {
        return this.instead(error);
      }
    });
  }

  instead(error: unknown): Refusal {
    return this.#receiver.refusalFor(error, 'message');
  }

  decided(decision: Verdict | readonly Verdict[]): void {
    this.#receiver.received(this, decision);
  }

  later(decision: Verdict | readonly Verdict[]): void {
    this.#receiver.later(() => this.decided(decision));
  }

  /** A message is never accepted whose body was not read to the end. */
  #verdict(value: unknown): Verdict {
    const decision = decisionOf('message', value) as Verdict;
    if (isRefusal(decision) || this.body.consumed) return decision;
    throw this.body.aborted ?? new Error('the message was accepted, but its body was not read to the end');
  }

  /** The first of the recipients `[from, to)` that was accepted; -1 if none was. */
  firstAccepted(from: number, to: number): number {
    for (let i = from; i < to; i++) if (!isRefusal(this.#decisionOf(i))) return i;
    return -1;
  }

  #decisionOf(recipient: number): Verdict | undefined {
    return Array.isArray(this.decision) ? this.decision[recipient] : (this.decision as Verdict | undefined);
  }
}
