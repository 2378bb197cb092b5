import { encodeUtf8, isHostName, type Reply } from '@ehlo/grammar';
import { SmtpUsageError } from '../error.ts';
import { printable } from '../escape.ts';
import type { TlsInfo } from '../facts.ts';
import { concat } from '../octets.ts';
import { checkOptions } from '../option-table.ts';
import type { Redactor } from '../redact.ts';
import type { Body, Part } from './body.ts';
import type { Capabilities } from './capabilities.ts';
import type { ClientCause, ClientEvent, ClientFaultCode, Stage } from './events.ts';
import { CONDITIONS, GUARD_FAILURES } from './guards.ts';
import { type ClientLimitName, type ClientLimits, resolveClientLimits } from './limits.ts';
import { Lines } from './lines.ts';
import { CLIENT_OPTIONS, type ClientFeature, type ClientOptions } from './options.ts';
import { ownParameters } from './plan.ts';
import { type ClientGuard, type ClientPhase, type ClientTrigger, findClientRow } from './table.ts';
import { settleAll, stageOf, type Transaction } from './transaction.ts';

/** What a reply answers. */
export type Asked =
  | 'GREETING'
  | 'EHLO'
  | 'HELO'
  | 'LHLO'
  | 'STARTTLS'
  | 'AUTH'
  | 'RSET'
  | 'MAIL'
  | 'RCPT'
  | 'DATA'
  | 'BDAT'
  | 'END' // of the message
  | 'COMMAND' // of the program
  | 'QUIT';

/** A reply that is due. */
export interface Due {
  readonly to: Asked;
  readonly transaction: Transaction | null;
  /** The recipient, for RCPT. */
  readonly index: number;
  /** Octets of the command. */
  readonly size: number;
  /** Whether its text may hold UTF-8: SMTPUTF8 was said (RFC 6531 3.7.4). */
  readonly utf8: boolean;
  /** Whether what it answers has been handed out: a reply that comes before is none. */
  live: boolean;
}

/** How long each reply is waited for; `commandTimeout` where nothing is said here. */
const TIMERS: { readonly [to in Asked]?: ClientLimitName } = {
  GREETING: 'greetingTimeout',
  EHLO: 'helloTimeout',
  HELO: 'helloTimeout',
  LHLO: 'helloTimeout',
  AUTH: 'authTimeout',
  RSET: 'mailTimeout',
  MAIL: 'mailTimeout',
  RCPT: 'rcptTimeout',
  DATA: 'dataTimeout',
  BDAT: 'blockTimeout',
  END: 'messageTimeout',
  QUIT: 'quitTimeout',
};

/** An AUTH exchange. */
export interface ClientExchange {
  readonly mechanism: string;
  /** The initial response, where the AUTH line had no room for it. */
  initial: Uint8Array | null;
  challenges: number;
  /** `open`: a challenge waits for the program. */
  state: 'asked' | 'open' | 'cancelled';
}

/** What the program asks by `command`, outside of a transaction. */
export interface PlainCommand {
  readonly verb: string;
  readonly line: string;
  readonly utf8: boolean;
}

/** Why the session says QUIT by itself. */
interface Leaving {
  readonly stage: Stage | 'ready';
  readonly cause: ClientCause;
  readonly reply: Reply | null;
}

/** The client's insides, which its modules share. `go` is the only way to another phase, `ask` the only way to the peer but for a message. */
export class ClientCore {
  readonly options: ClientOptions;
  readonly limits: ClientLimits;
  readonly input: Lines = new Lines();
  events: ClientEvent[] = [];
  phase: ClientPhase = 'connect';
  tls: TlsInfo | null;
  capabilities: Capabilities | null = null;
  authenticated: string | null = null;
  exchange: ClientExchange | null = null;
  /** Knows what was said in AUTH: never shown, should the server repeat it. Null until AUTH begins. */
  redactor: Redactor | null = null;
  /** What the reply that is being answered says, where it is withheld. */
  withheld: string | null = null;
  /** The replies that are due, in order. RFC 2920 3.1: they are told apart by counting, never by what they say. */
  readonly due: Due[] = [];
  /** A reply began to arrive before anything was asked that it could answer. */
  premature = false;
  /** Octets of the commands that are not answered. */
  flight = 0;
  /** The transaction that was begun last. */
  active: Transaction | null = null;
  /** The one before it, whose last reply is due. */
  finishing: Transaction | null = null;
  body: Body | null = null;
  /** The server holds a transaction that came to nothing: RSET has to come before the next. */
  half = false;
  /** The command of the program's that waits while RSET comes before it. */
  command: PlainCommand | null = null;
  /** How often MAIL has been said. */
  transactions = 0;
  /** Domains of the recipients that were asked for, where the server has limits (RFC 9422 4.3). */
  readonly domains: Set<string> = new Set();
  lastId = 0;
  quitting = false;
  leaving: Leaving | null = null;

  now = 0;
  /** Octets that were handed out and not yet `written`. */
  unwritten = 0;
  #output: Part[] = [];
  #event = 0; // of those that were taken
  #started = false;
  #timer: ClientLimitName | null = null;
  #timerEnds: number = Number.POSITIVE_INFINITY;
  /** What the timer waits for: a reply, a block of the message, a handshake. */
  #awaited: unknown = null;

  constructor(given: ClientOptions) {
    const options = checkOptions(CLIENT_OPTIONS, given);
    const { hostname } = options as { readonly hostname?: unknown };
    if (typeof hostname !== 'string' || !isHostName(hostname)) {
      const must = 'hostname must be a domain name or an address literal such as [192.0.2.1] (RFC 5321 4.1.4)';
      throw new SmtpUsageError('bad-hostname', `${must}, not ${JSON.stringify(hostname)}`);
    }
    ownParameters(options);
    this.options = options;
    this.limits = resolveClientLimits(options.limits);
    this.tls = options.tls ?? null;
    this.expect('GREETING', null, 0, 0).live = true;
  }

  /** Moves to the phase that the table names: there is one wherever this is called. */
  go(on: ClientTrigger): void {
    this.phase = findClientRow(this.phase, on)!.to;
  }

  /** Whether the table and its guards let the program do something now. */
  may(on: ClientTrigger): boolean {
    return this.#refusal(on) === undefined;
  }

  /** Throws `SmtpUsageError` unless the program may do something now. */
  demand(on: ClientTrigger): void {
    const refusal = this.#refusal(on);
    if (refusal !== undefined)
      throw new SmtpUsageError(GUARD_FAILURES[refusal as ClientGuard] ?? 'not-ready', `can't ${on} unless ${refusal}`);
  }

  /** The first condition that does not hold, or that there is no row. */
  #refusal(on: ClientTrigger): string | undefined {
    const row = findClientRow(this.phase, on);
    return row === undefined ? `the phase is not ${this.phase}` : row.guards?.find((guard) => !CONDITIONS[guard](this));
  }

  feature<Name extends ClientFeature['name']>(name: Name): Extract<ClientFeature, { readonly name: Name }> | undefined {
    return this.options.features?.find((feature) => feature.name === name) as Extract<ClientFeature, { readonly name: Name }> | undefined;
  }

  offers(keyword: string): boolean {
    return this.capabilities?.extensions.has(keyword) === true;
  }

  /** Whether as much is pipelined as `level` says. */
  pipelines(level: 'envelope' | 'data' | 'transactions'): boolean {
    return this.offers('PIPELINING') && LEVELS.indexOf(this.options.pipelining ?? 'envelope') >= LEVELS.indexOf(level);
  }

  /** Whether a command may be sent now: nothing is due, or it may stand behind others and there is room in flight. */
  hasRoom(line: string): boolean {
    return this.due.length === 0 || (this.pipelines('envelope') && this.flight + line.length + 2 <= this.limits.flight);
  }

  /** Queues a command line, the verb alone if nothing is given. `shown` is what a trace shows of it. */
  ask(to: Asked, line: string = to, transaction: Transaction | null = null, index = 0, shown: string = line, utf8?: boolean): void {
    const bytes = encodeUtf8(`${line}\r\n`);
    if (this.options.trace === true) this.events.push({ type: 'trace', from: 'client', line: printable(shown) });
    this.#output.push({ bytes, due: this.expect(to, transaction, index, bytes.length, utf8) });
  }

  /** A reply will be due. */
  expect(
    to: Asked,
    transaction: Transaction | null,
    index: number,
    size: number,
    utf8: boolean = transaction?.plan.smtpUtf8 === true,
  ): Due {
    const due: Due = { to, transaction, index, size, utf8, live: false };
    this.due.push(due);
    this.flight += size;
    return due;
  }

  /** Takes the next event. They may be many at once: one for each recipient. */
  takeEvent(): ClientEvent | null {
    if (this.#event === this.events.length) {
      this.events = [];
      this.#event = 0;
      return null;
    }
    return this.events[this.#event++]!;
  }

  /** Takes the next octets for the wire: what is short is put together, what is long goes alone. */
  takeOutput(): Uint8Array | null {
    const taken: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      const fromBody = this.body !== null && !this.body.done;
      const part = fromBody ? this.body!.peek(this) : this.#output[0];
      if (!part || (size > 0 && part.bytes.length >= LONG)) break;
      taken.push(part.bytes);
      size += part.bytes.length;
      if (fromBody) this.body!.taken(part);
      else this.#output.shift();
      const { due } = part;
      if (due !== null) due.live = true;
      if (due?.to === 'END') due.transaction!.handed = true;
      if (part.bytes.length >= LONG || size >= MOST) break;
    }
    if (size === 0) return null;
    this.unwritten += size;
    this.body?.leaves(this.now);
    this.settle();
    return concat(taken);
  }

  /** So many octets have left the transport. */
  written(octets: number): void {
    this.unwritten = Math.max(0, this.unwritten - octets);
    this.body?.left(octets, this.unwritten === 0, this.now, this.limits.block);
    this.settle();
  }

  /** A line or call of the peer's that breaks the protocol ends the session: nobody knows any more what a later reply would answer. */
  fault(code: ClientFaultCode, line: string): void {
    this.events.push({ type: 'fault', code, line });
    this.close('fault');
  }

  /** Says QUIT and closes for this reason (RFC 5321 4.1.1.10). */
  leave(cause: ClientCause, reply: Reply | null): void {
    this.leaving = { stage: cause === 'tls' ? 'tls' : (STAGES[this.phase] ?? 'ready'), cause, reply };
    this.go('leave');
    this.ask('QUIT');
  }

  /** Ends the session. What is not decided is told now. */
  close(cause: ClientCause, reply: Reply | null = null, limit: string | null = null): void {
    if (this.phase === 'closed') return;
    const stage = this.active === null ? (this.leaving?.stage ?? STAGES[this.phase] ?? 'ready') : stageOf(this, this.active);
    for (const transaction of [this.finishing, this.active]) {
      if (transaction !== null) settleAll(this, transaction, { cause, reply });
    }
    this.go('close');
    this.active = this.finishing = this.body = this.exchange = null;
    this.#output = [];
    this.due.length = 0;
    this.input.clear();
    this.settle();
    this.events.push({ type: 'closed', cause, stage, reply, limit });
  }

  /** The session ends as it was to end, if it was; else for this reason. */
  over(cause: ClientCause, limit: string | null = null): void {
    const planned = this.phase === 'quit' && this.finishing === null && this.active === null;
    if (planned) this.close(this.leaving?.cause ?? 'quit', this.leaving?.reply);
    else this.close(cause, null, limit);
  }

  /** Starts the timer of what is awaited now, unless it runs already. */
  settle(): void {
    const [awaited, timer] = this.#awaiting();
    if (awaited === this.#awaited || !this.#started) return;
    this.#awaited = awaited;
    this.#timer = timer;
    this.#timerEnds = timer === null ? Number.POSITIVE_INFINITY : this.now + this.limits[timer];
  }

  #awaiting(): readonly [unknown, ClientLimitName | null] {
    if (this.phase === 'closed') return NOTHING;
    if (this.phase === 'tls') return [this.phase, 'tlsTimeout'];
    const { body } = this;
    // While a message is sent, it is the peer that is awaited only as long as octets are on their way.
    if (body !== null && this.unwritten > 0) return [body.block, 'blockTimeout'];
    const due = this.due[0];
    if (due !== undefined && (body === null || body.done || due.to !== 'END')) return [due, TIMERS[due.to] ?? 'commandTimeout'];
    // Nothing is asked, and a line has begun: it need not be waited for without end.
    return this.premature ? PREMATURE : NOTHING;
  }

  get deadline(): number {
    return Math.min(this.#timerEnds, this.body?.rateEnds(this.limits) ?? Number.POSITIVE_INFINITY);
  }

  /** Lets time pass. */
  tick(now: number): void {
    if (!this.#started || now > this.now) this.now = now;
    if (!this.#started) {
      this.#started = true;
      this.settle();
    }
    if (this.phase === 'closed' || this.now < this.deadline) return;
    this.over('timeout', this.now < this.#timerEnds ? 'rate' : this.#timer);
  }
}

/** What a session without a transaction is doing; in phases that are not named here it is ready. */
const STAGES: { readonly [phase in ClientPhase]?: Stage } = {
  connect: 'connect',
  hello: 'hello',
  starttls: 'tls',
  tls: 'tls',
  auth: 'auth',
};
const NOTHING: readonly [null, null] = [null, null];
const PREMATURE: readonly ['premature', 'commandTimeout'] = ['premature', 'commandTimeout'];
const LEVELS: readonly string[] = ['off', 'envelope', 'data', 'transactions'];
/** From here on octets are handed out where they lie, not put together with others. */
const LONG = 4096;
/** More is not put together. */
const MOST = 65_536;
