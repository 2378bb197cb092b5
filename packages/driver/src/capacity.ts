import { ClientError, type ClientErrorCode } from './client-error.ts';

/** After so many milliseconds one more connection is tried than the server was found to take. */
const AGAIN = 60_000;

/** How many connections a server takes: as many as are wanted, until it refuses one beside others that it has taken. */
export class Capacity {
  readonly #size: number;
  #most: number;
  /** When it last refused one, or was tried anew. */
  #learned = 0;

  constructor(size: number) {
    this.#size = size;
    this.#most = size;
  }

  get most(): number {
    return this.#most;
  }

  /** One more than these was refused. */
  refused(living: number, now: number): void {
    this.#most = Math.max(1, Math.min(this.#most, living));
    this.#learned = now;
  }

  /** So many are taken. */
  taken(living: number): void {
    this.#most = Math.max(this.#most, living);
  }

  /** Nothing is known any more. */
  forget(): void {
    this.#most = this.#size;
  }

  /** Milliseconds until one more may be tried, which is then among `most`; infinite where none is to be had. */
  grow(now: number): number {
    if (this.#most >= this.#size) return Number.POSITIVE_INFINITY;
    const wait = this.#learned + AGAIN - now;
    if (wait > 0) return wait;
    this.#most++;
    this.#learned = now;
    return 0;
  }
}

/** How a server, or the system that it runs on, turns away a connection that is one too many. */
const TURNED_AWAY: ReadonlySet<ClientErrorCode> = new Set(['no-connection', 'closing', 'refused', 'ended', 'lost', 'timeout']);

/** Whether a connection may have failed because there are others already: before anything was said of TLS or of who the client is, or by 4yz. */
export function isTurnedAway(error: unknown): error is ClientError {
  if (!(error instanceof ClientError)) return false;
  const { code, stage, reply } = error;
  if (reply !== null && reply.code < 500) return true;
  return TURNED_AWAY.has(code) && (stage === 'connect' || stage === 'hello');
}
