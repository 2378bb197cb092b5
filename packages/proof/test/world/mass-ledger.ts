// What is known of millions of recipients, an octet for each thing: the laws of delivery (docs/delivery.md) are read off it.
import { FINAL_STATES, type FinalState, type Job, type RecipientChange } from '@ehlo/delivery';

export interface MassSums {
  readonly recipients: number;
  readonly states: { readonly [state in FinalState]?: number };
  readonly notices: number;
  /** Copies beside the first: each where an attempt was unknown. */
  readonly duplicates: number;
  /** Attempts of which nobody knows what came of them. */
  readonly unknown: number;
  /** How recipients ended, by what was said or met last. */
  readonly categories: { readonly [category: string]: number };
  readonly violations: readonly string[];
}

/** Ours: violations that are told. */
const TOLD = 20;

export class MassLedger {
  #count = 0;
  /** 0: due; else the place of its state, from 1. */
  #states = new Uint8Array(1 << 20);
  #copies = new Uint8Array(1 << 20);
  #marks = new Uint8Array(1 << 20);
  #unknown = new Uint8Array(1 << 20);
  #told = new Uint8Array(1 << 20);
  #wants = new Uint8Array(1 << 20);
  #notices = 0;
  readonly #categories = new Map<string, number>();
  readonly #violations: string[] = [];
  readonly #about: number | null;
  readonly story: string[] = [];

  constructor(about: number | null) {
    this.#about = about;
  }

  /** A job has come into being: the number of its first recipient. */
  born({ message, recipients }: Job): number {
    const first = this.#count;
    this.#count += recipients.length;
    if (this.#count > this.#states.length) this.#grow();
    for (let index = 0; index < recipients.length; index++) {
      const { notify } = recipients[index]!;
      const isTold = notify === undefined || (notify !== 'NEVER' && notify.includes('FAILURE'));
      this.#wants[first + index] = message.reversePath !== '' && isTold ? 1 : 0;
    }
    if (message.notice === true) this.#notices++;
    return first;
  }

  marked(number: number, at: number): void {
    this.#marks[number]!++;
    if (number === this.#about) this.tell(at, 'an attempt is written down');
  }

  /** A host has taken a copy. */
  taken(number: number, at: number): void {
    const copies = ++this.#copies[number]!;
    if (number === this.#about) this.tell(at, `its host takes copy ${copies}`);
    if (copies > 1 && isAccepted(this.#states[number]!)) this.wrong(number, 'sent again after a durable acceptance');
    if (copies > this.#marks[number]!) this.wrong(number, 'sent without a mark');
  }

  /** What a commit has said of a recipient that was due. */
  settled(number: number, { state, last, unknown }: RecipientChange, at: number): void {
    if (unknown !== undefined) this.#unknown[number] = unknown;
    if (state === 'due') return;
    if (number === this.#about) this.tell(at, `${state} (${last?.status ?? ''} ${last?.category ?? ''})`);
    if (this.#states[number] !== 0) this.wrong(number, `${FINAL_STATES[this.#states[number]! - 1]} → ${state}`);
    if (last === undefined) this.wrong(number, `${state}, and nothing says why`);
    this.#states[number] = 1 + FINAL_STATES.indexOf(state);
    const category = `${state}: ${last?.category ?? ''}`;
    this.#categories.set(category, (this.#categories.get(category) ?? 0) + 1);
  }

  /** Its sender is told that it failed. */
  noticed(number: number, at: number): void {
    this.#told[number]!++;
    if (number === this.#about) this.tell(at, 'its sender is told that it failed');
  }

  tell(at: number, what: string): void {
    this.story.push(`${Math.round(at / 1000)} s ${what}`);
  }

  wrong(number: number, what: string): void {
    if (this.#violations.length < TOLD) this.#violations.push(`recipient ${number}: ${what}`);
  }

  sums(): MassSums {
    const states: { [state in FinalState]?: number } = {};
    let [duplicates, unknown] = [0, 0];
    for (let number = 0; number < this.#count; number++) {
      const state = FINAL_STATES[this.#states[number]! - 1];
      const copies = this.#copies[number]!;
      unknown += this.#unknown[number]!;
      duplicates += Math.max(0, copies - 1);
      if (state === undefined) this.wrong(number, 'it never came to an end');
      else states[state] = (states[state] ?? 0) + 1;
      if (isAccepted(this.#states[number]!) && copies === 0) this.wrong(number, 'accepted, and lost');
      if (copies > 1 + this.#unknown[number]!) this.wrong(number, `${copies} copies, and ${this.#unknown[number]} attempts unknown`);
      const isTold = (state === 'failed' || state === 'expired') && this.#wants[number] === 1;
      if (this.#told[number] !== (isTold ? 1 : 0)) this.wrong(number, `${state}, and told ${this.#told[number]} times`);
    }
    const categories = Object.fromEntries([...this.#categories].sort(([, a], [, b]) => b - a));
    return { recipients: this.#count, states, notices: this.#notices, duplicates, unknown, categories, violations: this.#violations };
  }

  #grow(): void {
    const grown = (old: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> => {
      const larger = new Uint8Array(old.length * 2);
      larger.set(old);
      return larger;
    };
    this.#states = grown(this.#states);
    this.#copies = grown(this.#copies);
    this.#marks = grown(this.#marks);
    this.#unknown = grown(this.#unknown);
    this.#told = grown(this.#told);
    this.#wants = grown(this.#wants);
  }
}

function isAccepted(state: number): boolean {
  return state === 1 + FINAL_STATES.indexOf('relayed') || state === 1 + FINAL_STATES.indexOf('delivered');
}
