import type { MessageQuestion, Question } from '@ehlo/engine';
import type { Deciding } from './decide.ts';
import { type Acceptance, type Challenge, decisionOf, type Refusal } from './decision.ts';

/** A question that the program is asked: all but those of messages, whose octets come first. */
export type Asked = Exclude<Question, MessageQuestion>;

/** The callbacks of a question. */
export interface Asker {
  call(question: Asked): unknown;
  refusalFor(error: unknown, type: Question['type']): Refusal;
  answer(question: Asked, decision: Acceptance | Refusal | Challenge): void;
  later(call: () => void): void;
}

/** One question on its way to the program and back. Nearly every command has one, so nothing else is created for it. */
export class AskedQuestion implements Deciding<Acceptance | Refusal | Challenge> {
  readonly #question: Asked;
  readonly #asker: Asker;

  constructor(question: Asked, asker: Asker) {
    this.#question = question;
    this.#asker = asker;
  }

  call(): unknown {
    return this.#asker.call(this.#question);
  }

  understand(value: unknown): Acceptance | Refusal | Challenge {
    return decisionOf(this.#question.type, value);
  }

  instead(error: unknown): Refusal {
    return this.#asker.refusalFor(error, this.#question.type);
  }

  decided(decision: Acceptance | Refusal | Challenge): void {
    this.#asker.answer(this.#question, decision);
  }

  later(decision: Acceptance | Refusal | Challenge): void {
    this.#asker.later(() => this.decided(decision));
  }
}
