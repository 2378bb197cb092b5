import type { MessageQuestion } from '@ehlo/engine';
import { Body } from './body.ts';
import { type Acceptance, isRefusal, type Refusal } from './decision.ts';
import type { IncomingMessage } from './handler.ts';

/** What is said of one recipient, or of all. */
export type Verdict = Acceptance | Refusal;

/** A message between its first octet and its reply. */
export class Reception implements IncomingMessage {
  readonly body: Body;
  question: MessageQuestion | null = null;
  /** How often the session has asked: once, in LMTP once for each recipient, whether it was answered in time or not. */
  asked = 0;
  /** What the handler has decided, for all or (LMTP) for each recipient; undefined while it is busy. */
  decision: Verdict | readonly Verdict[] | undefined = undefined;
  told = 0;
  readonly envelope: MessageQuestion['envelope'];

  constructor(envelope: MessageQuestion['envelope'], read: () => void) {
    this.envelope = envelope;
    this.body = new Body(read);
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

  /** The first of the recipients `[from, to)` that was accepted; -1 if none was. */
  firstAccepted(from: number, to: number): number {
    for (let i = from; i < to; i++) if (!isRefusal(this.#decisionOf(i))) return i;
    return -1;
  }

  #decisionOf(recipient: number): Verdict | undefined {
    return Array.isArray(this.decision) ? this.decision[recipient] : (this.decision as Verdict | undefined);
  }
}
