import type { Answer, MessageQuestion, Rejection } from '@ehlo/engine';
import { Body } from './body.ts';
import type { IncomingMessage } from './handler.ts';

/** A message between its first octet and its reply. */
export class Reception implements IncomingMessage {
  readonly body: Body;
  question: MessageQuestion | null = null;
  /** What the handler has decided, for all or (LMTP) for each recipient; undefined while it is busy. */
  decision: Answer | Rejection | readonly (Answer | Rejection)[] | undefined = undefined;
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
  get next(): Answer | Rejection | undefined {
    return Array.isArray(this.decision) ? this.decision[this.told] : (this.decision as Answer | Rejection | undefined);
  }
}
