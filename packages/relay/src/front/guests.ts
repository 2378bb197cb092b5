// What is remembered of clients by their addresses: how many connections they have, and how often their logins have failed.

import { clientKey } from './networks.ts';

export interface GuestLimits {
  /** Connections of one client at a time. */
  readonly connections: number;
  /** Failed logins until a client is told to come back later. */
  readonly failures: number;
  /** For how long it is told so, and after which failures are forgotten; milliseconds. */
  readonly pause: number;
}

interface Failures {
  count: number;
  at: number;
}

/** Clients that are remembered for their failures: those that have failed the longest ago are forgotten first. Ours. */
const MOST = 100_000;
/** RFC 4954 has no pause for a failed login. Ours: the first waits this long, each one after it twice as long, milliseconds. */
const FIRST = 250;
const LONGEST = 8000;

/** Counts by the address of a client; of IPv6 by its /64, of which a client has all addresses. */
export class Guests {
  readonly #now: () => number;
  readonly #open = new Map<string, number>();
  readonly #failures = new Map<string, Failures>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes a place for a connection; null: the client has as many as it may. The call gives it back, once. */
  enter(address: string, most: number): (() => void) | null {
    const key = clientKey(address);
    const open = this.#open.get(key) ?? 0;
    if (open >= most) return null;
    this.#open.set(key, open + 1);
    let isIn = true;
    return () => {
      if (!isIn) return;
      isIn = false;
      const left = this.#open.get(key)! - 1;
      if (left > 0) this.#open.set(key, left);
      else this.#open.delete(key);
    };
  }

  /** A login has failed. */
  failed(address: string, { pause }: GuestLimits): void {
    const key = clientKey(address);
    const count = this.#count(key, pause) + 1;
    this.#failures.delete(key);
    this.#failures.set(key, { count, at: this.#now() });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > MOST && oldest !== undefined) this.#failures.delete(oldest);
  }

  /** A login was right. */
  succeeded(address: string): void {
    this.#failures.delete(clientKey(address));
  }

  /** Whether its logins have failed so often that it may not try again yet. */
  isShut(address: string, { failures, pause }: GuestLimits): boolean {
    return this.#count(clientKey(address), pause) >= failures;
  }

  /** How long the answer to a login is held back; milliseconds. */
  delay(address: string, { pause }: GuestLimits): number {
    const count = this.#count(clientKey(address), pause);
    return count === 0 ? 0 : Math.min(FIRST * 2 ** (count - 1), LONGEST);
  }

  #count(key: string, pause: number): number {
    const found = this.#failures.get(key);
    if (found === undefined) return 0;
    if (this.#now() - found.at < pause) return found.count;
    this.#failures.delete(key);
    return 0;
  }
}
