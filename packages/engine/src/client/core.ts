import { encodeUtf8, isHostName, type Reply } from '@ehlo/grammar';
import { SmtpUsageError } from '../error.ts';
import { printable } from '../escape.ts';
import type { TlsInfo } from '../facts.ts';
import { checkOptions } from '../option-table.ts';
import type { Redactor } from '../redact.ts';
import type { Body } from './body.ts';
import type { Capabilities } from './capabilities.ts';
import type { PlainCommand } from './command.ts';
import { type Asked, type Due, type Part, TIMERS } from './due.ts';
import type { ClientCause, ClientEvent, Stage } from './events.ts';
import type { ClientExchange } from './exchange.ts';
import type { ClientFeature } from './features.ts';
import { type ClientLimitName, type ClientLimits, resolveClientLimits } from './limits.ts';
import { Lines } from './lines.ts';
import { CLIENT_OPTIONS, type ClientOptions } from './options.ts';
import type { ClientPhase, TransactionPhase } from './phases.ts';
import { ownParameters } from './plan.ts';
import type { Transaction } from './transaction.ts';

/** Why the session ends: the reason for which it sends QUIT by itself, or what has ended it. */
interface Leaving {
  readonly stage: Stage | 'ready';
  readonly cause: ClientCause;
  readonly reply: Reply | null;
}

/** The facts of a client session, its wire and its clock. The rows of the tables change them through `run.ts`. Everything except message content is sent through `ask`. */
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
  /** Knows the secrets of AUTH, which are never shown, even if the server repeats them. Null until AUTH begins. */
  redactor: Redactor | null = null;
  /** The reply that is being carried out, the command that it answers, and its text, if that must not be shown. */
  reply: Reply = NO_REPLY;
  answered: Due | null = null;
  withheld: string | null = null;
  /** The replies that are due, in order. RFC 2920 3.1: replies are matched by counting, never by their text. */
  readonly due: Due[] = [];
  /** A reply began to arrive before anything was asked that it could answer. */
  premature = false;
  /** Octets of the commands that are not answered. */
  flight = 0;
  /** The transactions that are not over: the one whose last reply is due, and the one after it. */
  readonly transactions: Transaction[] = [];
  /** The message that is being sent, or was last. */
  body: Body | null = null;
  /** The server may still hold a transaction that was given up: RSET has to come before the next. */
  half = false;
  /** The command of the program's that waits while RSET comes before it. */
  command: PlainCommand | null = null;
  /** How many MAIL were sent. */
  mails = 0;
  /** Domains of the recipients that were asked for, where the server has limits (RFC 9422 4.3). */
  readonly domains: Set<string> = new Set();
  lastId = 0;
  /** The program wants to quit, when what is under way is over. */
  quitting = false;
  leaving: Leaving | null = null;
  /** How it ends; `limit` has run out. */
  closing: (Leaving & { readonly limit: string | null }) | null = null;

  now = 0;
  /** Octets that were handed out and not yet `written`. */
  unwritten = 0;
  readonly output: Part[] = [];
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

  /** The transaction that was begun last. */
  get active(): Transaction | null {
    return this.transactions.at(-1) ?? null;
  }

  feature(name: ClientFeature['name']): ClientFeature | undefined {
    return this.options.features?.find((feature) => feature.name === name);
  }

  offers(keyword: string): boolean {
    return this.capabilities?.extensions.has(keyword) === true;
  }

  /** Whether as much is pipelined as `level` says. */
  pipelines(level: 'envelope' | 'data' | 'transactions'): boolean {
    return this.offers('PIPELINING') && LEVELS.indexOf(this.options.pipelining ?? 'envelope') >= LEVELS.indexOf(level);
  }

  /** Whether a command may be sent now: no reply is due, or it may be pipelined and fits into `flight`. */
  hasRoom(line: string): boolean {
    return this.due.length === 0 || (this.pipelines('envelope') && this.flight + line.length + 2 <= this.limits.flight);
  }

  /** Queues a command line. Default: the verb without arguments. `shown` is what a trace shows of it. */
  ask(to: Asked, line: string = to, transaction: Transaction | null = null, index = 0, shown: string = line, utf8?: boolean): void {
    const bytes = encodeUtf8(`${line}\r\n`);
    if (this.options.trace === true) this.events.push({ type: 'trace', from: 'client', line: printable(shown) });
    this.output.push({ bytes, due: this.expect(to, transaction, index, bytes.length, utf8) });
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
    if (this.#event < this.events.length) return this.events[this.#event++]!;
    if (this.#event > 0) {
      this.events = [];
      this.#event = 0;
    }
    return null;
  }

  /** So many octets have left the transport. */
  written(octets: number): void {
    this.unwritten = Math.max(0, this.unwritten - octets);
    this.body?.left(octets, this.unwritten === 0, this.now, this.limits.block);
    this.settle();
  }

  /** Says QUIT and closes for this reason (RFC 5321 4.1.1.10). */
  leave(stage: Stage | 'ready', cause: ClientCause, reply: Reply | null): void {
    this.leaving = { stage, cause, reply };
    this.ask('QUIT');
  }

  /** What the session is doing: of a transaction, what it waits for. */
  get stage(): Stage | 'ready' {
    return this.active === null ? (this.leaving?.stage ?? STAGES[this.phase] ?? 'ready') : this.stageOf(this.active);
  }

  /** The stage of a transaction: its first due reply, or if none is due its last command. */
  stageOf(transaction: Transaction): Stage {
    const { phase } = transaction;
    const due = this.due.find((due) => due.transaction === transaction);
    return due === undefined || (due.to === 'END' && phase === 'message') ? SAID[phase] : OWED[due.to as keyof typeof OWED];
  }

  /** Starts the timer of what is awaited now, unless it runs already. */
  settle(): void {
    if (!this.#started) return;
    const { phase, body } = this;
    const due = this.due[0];
    if (phase === 'closed') this.#await(null, null);
    else if (phase === 'tls') this.#await(phase, 'tlsTimeout');
    // While a message is sent, the time counts against the peer only as long as octets are on their way.
    else if (body !== null && this.unwritten > 0) this.#await(body.block, 'blockTimeout');
    else if (due !== undefined && (body === null || body.done || due.to !== 'END')) this.#await(due, TIMERS[due.to] ?? 'commandTimeout');
    // No command waits for a reply, and a line has begun: it is not waited for without a limit.
    else if (this.premature) this.#await('premature', 'commandTimeout');
    else this.#await(null, null);
  }

  #await(awaited: unknown, timer: ClientLimitName | null): void {
    if (awaited === this.#awaited) return;
    this.#awaited = awaited;
    this.#timer = timer;
    this.#timerEnds = timer === null ? Number.POSITIVE_INFINITY : this.now + this.limits[timer];
  }

  get deadline(): number {
    return Math.min(this.#timerEnds, this.body?.rateEnds(this.limits) ?? Number.POSITIVE_INFINITY);
  }

  /** Lets time pass. Returns the limit that has run out, if one has. */
  tick(now: number): ClientLimitName | null {
    if (!this.#started || now > this.now) this.now = now;
    if (!this.#started) {
      this.#started = true;
      this.settle();
    }
    if (this.phase === 'closed' || this.now < this.deadline) return null;
    return this.now < this.#timerEnds ? 'rate' : this.#timer;
  }
}

/** What a session without a transaction is doing; in phases that are not named here it is ready. */
const STAGES: { readonly [phase in ClientPhase]?: Stage } = {
  connect: 'connect',
  hello: 'hello',
  greeted: 'hello',
  starttls: 'tls',
  tls: 'tls',
  auth: 'auth',
  challenge: 'auth',
  cancelled: 'auth',
};
/** What a transaction waits for: its due reply, or if none is due, what follows from its last command. */
const OWED = { RSET: 'mail', MAIL: 'mail', RCPT: 'rcpt', DATA: 'data', BDAT: 'body', END: 'body' } as const;
const SAID: { readonly [phase in TransactionPhase]: Stage } = {
  mail: 'mail',
  envelope: 'rcpt',
  data: 'data',
  body: 'body',
  stopped: 'body',
  end: 'body',
  message: 'message',
  over: 'message',
};
const NO_REPLY: Reply = { code: 0, lines: [] };
const LEVELS: readonly string[] = ['off', 'envelope', 'data', 'transactions'];
