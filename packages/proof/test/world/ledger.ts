// Who was to get what, what they have got, and what was told: the laws of delivery (docs/delivery.md) are read off it.

import type { FinalState, Job, RecipientState } from '@ehlo/delivery';

/** What is known of one recipient of one message. */
class Account {
  state: RecipientState = 'due';
  /** Copies that its host has taken. */
  copies = 0;
  /** Attempts whose outcome nobody knows, or that were marked and not settled by whoever marked them. */
  marks = 0;
  /** Notices of its failure. */
  told = 0;
  readonly isToldOf: boolean;

  constructor(isToldOf: boolean) {
    this.isToldOf = isToldOf;
  }
}

export interface Sums {
  readonly recipients: number;
  readonly states: { readonly [state in FinalState]?: number };
  readonly notices: number;
  /** Copies beside the first. */
  readonly duplicates: number;
  readonly violations: readonly string[];
}

export class Ledger {
  readonly #accounts = new Map<string, Account>();
  readonly #violations: string[] = [];
  #notices = 0;
  /** The recipient whose story is told. */
  readonly #about: string | null;
  readonly story: string[] = [];

  constructor(about: string | null = null) {
    this.#about = about;
  }

  /** A job has come into being. */
  born({ message, recipients }: Job): void {
    if (message.notice === true) this.#notices++;
    for (const { address, notify } of recipients) {
      const key = `${message.id} ${address}`;
      if (this.#accounts.has(key)) continue;
      const wantsFailures = notify === undefined || (notify !== 'NEVER' && notify.includes('FAILURE'));
      this.#accounts.set(key, new Account(message.reversePath !== '' && wantsFailures));
    }
  }

  /** An attempt is marked: its end may leave. */
  marked(message: string, address: string, at: number): void {
    this.#of(message, address).marks++;
    this.tell(message, address, at, 'an attempt is written down');
  }

  /** A host has taken a copy. */
  taken(message: string, address: string, at: number): void {
    const account = this.#of(message, address);
    account.copies++;
    this.tell(message, address, at, `its host takes copy ${account.copies}`);
    if (account.copies > 1 && isAccepted(account.state)) this.#wrong(message, address, 'sent again after a durable acceptance');
    if (account.copies > account.marks) this.#wrong(message, address, 'sent without a mark');
  }

  /** A state is committed. */
  settled(message: string, address: string, state: RecipientState, at: number): void {
    const account = this.#of(message, address);
    if (state === account.state) return;
    this.tell(message, address, at, `${account.state} → ${state}`);
    if (account.state !== 'due' && !(account.state === 'unknown' && isAccepted(state)))
      this.#wrong(message, address, `${account.state} → ${state}`);
    account.state = state;
  }

  /** A notice tells of a failure. */
  noticed(message: string, address: string, at: number): void {
    this.#of(message, address).told++;
    this.tell(message, address, at, 'its sender is told that it failed');
  }

  tell(message: string, address: string, at: number, what: string): void {
    if (this.#about === `${message} ${address}`) this.story.push(`${timeOf(at)} ${what}`);
  }

  /** For everybody: a relay that crashes, a clock that is set. */
  tellAll(at: number, what: string): void {
    if (this.#about !== null) this.story.push(`${timeOf(at)} ${what}`);
  }

  /** When all is over. */
  sums(): Sums {
    const states: { [state in FinalState]?: number } = {};
    let duplicates = 0;
    for (const [key, account] of this.#accounts) {
      const { state, copies, marks, told, isToldOf } = account;
      const wrong = (what: string): void => void this.#violations.push(`${key}: ${what}`);
      if (state === 'due') wrong('it never came to an end');
      else states[state] = (states[state] ?? 0) + 1;
      if (isAccepted(state) && copies === 0) wrong(`${state}, and lost`);
      if (copies > marks) wrong(`${copies} copies of ${marks} attempts`);
      const isTold = (state === 'failed' || state === 'expired') && isToldOf;
      if (told !== (isTold ? 1 : 0)) wrong(`${state}, and told ${told} times`);
      duplicates += Math.max(0, copies - 1);
    }
    return { recipients: this.#accounts.size, states, notices: this.#notices, duplicates, violations: this.#violations };
  }

  #of(message: string, address: string): Account {
    const account = this.#accounts.get(`${message} ${address}`);
    if (account !== undefined) return account;
    this.#wrong(message, address, 'nobody has asked for it');
    return new Account(false);
  }

  #wrong(message: string, address: string, what: string): void {
    this.#violations.push(`${message} ${address}: ${what}`);
  }
}

function isAccepted(state: RecipientState): boolean {
  return state === 'relayed' || state === 'delivered';
}

/** Days, hours, minutes and seconds of the world. */
function timeOf(at: number): string {
  const seconds = Math.floor(at / 1000);
  const part = (value: number): string => String(value).padStart(2, '0');
  return `day ${Math.floor(seconds / 86_400)} ${part(Math.floor(seconds / 3600) % 24)}:${part(Math.floor(seconds / 60) % 60)}:${part(seconds % 60)}`;
}
