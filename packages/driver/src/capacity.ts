import { ClientError, type ClientErrorCode } from './client-error.ts';

/** Milliseconds after a refusal until one more connection than the server accepted is tried. */
const AGAIN = 60_000;

/** How many connections a server takes: as many as wanted, until it refuses a connection while others are open. */
export class Capacity {
  readonly #size: number;
  #most: number;
  /** When it last refused one, or when one more was last tried. */
  #learned = 0;

  constructor(size: number) {
    this.#size = size;
    this.#most = size;
  }

  get most(): number {
    return this.#most;
  }

  /** Whether it is as many as are wanted. */
  get isWhole(): boolean {
    return this.#most >= this.#size;
  }

  /** The server refused a connection while so many were open. */
  refused(living: number, now: number): void {
    this.#most = Math.max(1, Math.min(this.#most, living));
    this.#learned = now;
  }

  /** The server accepted a connection; now so many are open. */
  taken(living: number): void {
    this.#most = Math.max(this.#most, living);
  }

  /** Forgets what was learned. */
  forget(): void {
    this.#most = this.#size;
  }

  /** Milliseconds until one more may be tried, which is then counted in `most`; asked unless it `isWhole`. */
  grow(now: number): number {
    const wait = this.#learned + AGAIN - now;
    if (wait > 0) return wait;
    this.#most++;
    this.#learned = now;
    return 0;
  }
}

/** How a server, or the system that it runs on, turns away a connection that is one too many. */
const TURNED_AWAY: ReadonlySet<ClientErrorCode> = new Set(['no-connection', 'closing', 'refused', 'ended', 'lost', 'timeout']);

/** Whether a connection may have failed because others are open already: it failed before TLS and authentication, or with 4yz. */
export function isTurnedAway(error: unknown): error is ClientError {
  if (!(error instanceof ClientError)) return false;
  const { code, stage, reply } = error;
  if (reply !== null && reply.code < 500) return true;
  return TURNED_AWAY.has(code) && (stage === 'connect' || stage === 'hello');
}
