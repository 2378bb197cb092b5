import type { ClientSession } from './client/session.ts';
import { SmtpUsageError } from './error.ts';
import type { ServerSession } from './server/session.ts';

/** Calls with input for a session: `tick` comes before each of them. */
const INPUTS: ReadonlySet<string> = new Set([
  ...['receive', 'receiveEnd', 'secured', 'shutdown', 'accept', 'reject', 'challenge', 'discard'],
  ...['send', 'write', 'end', 'abort', 'authenticate', 'respond', 'cancel', 'command', 'quit', 'starttls'],
]);
const ANSWERS: ReadonlySet<string> = new Set(['accept', 'reject', 'challenge']);
const RESPONSES: ReadonlySet<string> = new Set(['respond', 'cancel']);
/** Blocks that may still come when a session has stopped reading: no transport stops at once. */
const LATE = 32;
/** What the octets of a chunk are replaced by when its time is over. */
const SPENT = 0x5a;

/** How a session is watched. */
export interface WatchOptions {
  /** What is given to `receive` is never touched again, so that a `chunk` may be kept. Default false: it is lent. */
  readonly keepsChunks?: boolean;
}

/** Octets that a session was lent, and what they were then. */
interface Loan {
  readonly bytes: Uint8Array;
  readonly copy: Uint8Array;
}

/**
 * The session, watched: a call that breaks the rules for driving a session (SERVER.md, CLIENT.md) throws `SmtpUsageError` `driving`, which says
 * what the program must do. For tests of programs that drive a session by their own loop; it copies all octets.
 *
 * What is found: input or an answer without `tick` since the session last had nothing to say; time that goes back; octets that were touched
 * while they were lent; more `written` than was handed out; output that was not asked for until there was none, since the session began or for
 * 32 blocks of input; `nextEvent` that was not called after output was taken and before the next input; more than 32 blocks of input while
 * `reads` was false; a question or a challenge that is answered twice, also when its time was over. What can't be found: that `written` is never
 * called, which looks like a transport that takes nothing. A `chunk` is a copy here, and its octets are overwritten when the block that it came
 * in is the program's again: a program that kept them sees `Z`.
 *
 * @example
 * ```ts
 * import { ServerSession, watched } from '@ehlo/engine';
 * import { octets } from '@ehlo/grammar';
 * const session = watched(new ServerSession({ hostname: 'mx.example.org', preset: 'sink' }));
 * let said = '';
 * try {
 *   session.receive(octets('EHLO client.example.org\r\n'));
 * } catch (error) {
 *   said = (error as Error).message;
 * }
 * said
 * // → 'receive: say the time first, by tick'
 * ```
 */
export function watched<S extends ServerSession | ClientSession>(session: S, { keepsChunks = false }: WatchOptions = {}): S {
  const watch = new Watch(session, keepsChunks);
  return new Proxy(session, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function' || typeof name !== 'string') return value;
      return (...args: unknown[]) => watch.call(name, args, value as Method);
    },
  });
}

type Method = (...args: unknown[]) => unknown;

class Watch {
  readonly #session: ServerSession | ClientSession;
  readonly #keepsChunks: boolean;
  #now = Number.NEGATIVE_INFINITY;
  /** Whether `tick` was called since the session last had no output. */
  #timely = false;
  #loans: Loan[] = [];
  #chunks: Uint8Array[] = [];
  readonly #answered: WeakSet<object> = new WeakSet();
  #given = 0;
  #written = 0;
  /** What is due before the next input. */
  #due: 'nothing' | 'events' = 'nothing';
  /** Blocks that were received before output was asked for, ever. */
  #unasked = 0;
  /** Whether the output that was asked for last may not be all; and blocks that were received since, with nothing on its way. */
  #isMore = false;
  #left = 0;
  /** Whether the AUTH challenge that a client was told last has its answer. */
  #responded = false;
  /** Whether all that the program has written was handed out. */
  #drained = true;
  /** Blocks that were received while `reads` was false. */
  #late = 0;

  constructor(session: ServerSession | ClientSession, keepsChunks: boolean) {
    this.#session = session;
    this.#keepsChunks = keepsChunks;
  }

  call(name: string, args: unknown[], method: Method): unknown {
    if (INPUTS.has(name)) this.#input(name, args);
    if (name === 'tick') this.#time(args[0] as number);
    if (name === 'written') this.#pass(args[0] as number);
    const result = method.apply(this.#session, args);
    this.#after(name, args, result);
    return name === 'nextEvent' ? this.#event(result as { readonly type: string } | null) : result;
  }

  #input(name: string, [first]: unknown[]): void {
    this.#look(name);
    if (!this.#timely) broken(name, 'say the time first, by tick');
    if (ANSWERS.has(name) && this.#answered.has(first as object)) broken(name, 'this question has been answered');
    if (RESPONSES.has(name) && this.#responded) broken(name, 'this challenge has been answered');
    if (name !== 'receive') return;
    if (this.#due === 'events') broken(name, 'ask for events behind the output that was taken, by nextEvent, until there is none');
    if (this.#unasked > 1) broken(name, 'ask for output, by nextOutput, until there is none: nobody has, since the session began');
    // A transport that is full takes none, but not for so long once it has nothing to write.
    this.#left = this.#isMore && this.#given === this.#written ? this.#left + 1 : 0;
    if (this.#left > LATE) broken(name, 'ask for output, by nextOutput, until there is none: all that it gave has been written');
    this.#late = this.#session.reads || this.#over ? 0 : this.#late + 1;
    if (this.#late > LATE)
      broken(name, `the session does not read, and was given ${LATE} blocks meanwhile: keep the octets until reads is true`);
  }

  #time(now: number): void {
    if (now < this.#now) broken('tick', `time goes forward: it was ${this.#now}, and is said to be ${now}`);
    this.#now = now;
    this.#timely = true;
  }

  #pass(octets: number): void {
    this.#written += octets;
    if (this.#written > this.#given) broken('written', `${this.#written} octets are said to be taken, and ${this.#given} were handed out`);
  }

  #after(name: string, [first]: unknown[], result: unknown): void {
    if (name === 'receive') this.#unasked++;
    if (name === 'write' && result === true) this.#drained = false;
    if (name === 'receive' || (name === 'write' && result === true)) this.#lend(first as Uint8Array, name);
    if (ANSWERS.has(name)) this.#answered.add(first as object);
    if (RESPONSES.has(name)) this.#responded = true;
    if (name === 'nextEvent' && this.#due === 'events') this.#due = 'nothing';
    if (this.#loans.length > 0 && this.#returned) {
      this.#look(name);
      this.#loans = [];
    }
    if (name !== 'nextOutput') return;
    this.#unasked = Number.NEGATIVE_INFINITY;
    this.#due = result === null ? 'nothing' : 'events';
    // The session has no event and no output: the next input comes at a later time, so it needs a new `tick`.
    if (result === null) this.#timely = false;
    this.#drained = result === null;
    this.#isMore = result !== null;
    if (result !== null) this.#given += (result as Uint8Array).length;
  }

  get #over(): boolean {
    return this.#session.phase === 'closed';
  }

  /** Whether the octets that were lent are the program's again. */
  get #returned(): boolean {
    const session = this.#session;
    if (!('canWrite' in session)) return this.#over || session.reads;
    return this.#over || session.phase === 'ready' || (this.#drained && this.#given === this.#written);
  }

  #lend(bytes: Uint8Array, name: string): void {
    // A client's session reads replies at once; what it is given to send it keeps.
    const kept = name === 'write' || !('canWrite' in this.#session);
    if (kept && !this.#returned) this.#loans.push({ bytes, copy: bytes.slice() });
  }

  #look(name: string): void {
    for (const { bytes, copy } of this.#loans)
      if (!same(bytes, copy)) broken(name, 'octets that the session was lent have been changed meanwhile');
  }

  #event(event: { readonly type: string; readonly bytes?: Uint8Array } | null): unknown {
    if (event === null && this.#returned) {
      for (const chunk of this.#chunks) chunk.fill(SPENT);
      this.#chunks = [];
    }
    if (event?.type === 'challenge') this.#responded = false;
    if (this.#keepsChunks || event?.type !== 'chunk' || event.bytes === undefined) return event;
    const bytes = event.bytes.slice();
    this.#chunks.push(bytes);
    return { ...event, bytes };
  }
}

function same(bytes: Uint8Array, copy: Uint8Array): boolean {
  for (let i = 0; i < copy.length; i++) if (bytes[i] !== copy[i]) return false;
  return true;
}

function broken(name: string, what: string): never {
  throw new SmtpUsageError('driving', `${name}: ${what}`);
}
