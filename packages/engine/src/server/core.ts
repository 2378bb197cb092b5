import type { CommandDialect, Reply, Verb } from '@ehlo/grammar';
import type { Forwarded, Peer, TlsInfo } from '../facts.ts';
import { Input } from '../input.ts';
import type { ChunkReader } from './chunk-reader.ts';
import type { DotReader } from './dot-reader.ts';
import type { AbortCause, CloseCause, ClosedNotice, Envelope, FaultCode, Hello, Question, Recipient, ServerEvent } from './events.ts';
import type { LimitName } from './limits.ts';
import { Outbox } from './outbox.ts';
import type { Policy } from './policy.ts';
import { type EngineReply, LMTP_REPLIES, REPLIES, type ReplyName } from './replies.ts';
import { findRow, type Happening, type Phase, TIMERS } from './table.ts';
import { bare, encoded, shownLines } from './wire.ts';

/** Content being received. */
export interface Progress {
  /** Octets read since the timer was set. */
  block: number;
}

/** A message being received. */
export interface Body extends Progress {
  readonly reader: DotReader | ChunkReader;
  /** Octets of content so far, those of a refused message too. */
  size: number;
  /** The final reply, once it is known that the message is refused: from then on its octets are only drained. */
  verdict: Reply | null;
  /** Milliseconds to hold that reply back. */
  delay: number;
}

/** An AUTH exchange. */
export interface Exchange {
  readonly mechanism: string;
  step: number;
}

/** A BDAT that was refused: its octets are read and dropped, and then comes the reply (RFC 3030 2). */
export interface RefusedChunk extends Progress {
  left: number;
  readonly last: boolean;
  readonly reply: Reply;
}

/** What a session knows. Facts are replaced whole, so that nothing leaks from one transaction or identity to the next. */
export interface State {
  phase: Phase;
  peer: Peer;
  /** XCLIENT was taken: who speaks from then on may be the client itself, which is not to be trusted. */
  proxied: boolean;
  /** Of XFORWARD. */
  forwarded: Forwarded | null;
  tls: TlsInfo | null;
  hello: Hello | null;
  /** A MAIL was accepted since the connection, its TLS or XCLIENT began: whoever is there speaks SMTP. */
  speaksSmtp: boolean;
  identity: string | null;
  envelope: (Envelope & { readonly recipients: Recipient[] }) | null;
  /** RCPT was given in this transaction, and none was accepted. */
  onlyRefused: boolean;
  /** Recipients that were refused since a message was accepted. */
  refusedRecipients: number;
  /** Commands since then, but those that have a limit of their own. */
  idleCommands: number;
  /** MAIL commands of this session. */
  transactions: number;
  /** Domains of this session's recipients, where their number is limited. */
  domains: ReadonlySet<string> & { add(domain: string): unknown };
  /** Chunks of this session that were hardly worth a command. */
  smallChunks: number;
  /** Recipients that the message that has arrived was decided on for (LMTP). */
  decided: number;
  body: Body | null;
  exchange: Exchange | null;
  faults: number;
  /** The greeting is held back (`greetingDelay`). */
  held: boolean;
  /** The greeting that the answer to `connect` holds back. */
  greeting: Reply | null;
  /** Whether octets came before the greeting; null once it is out: a trusted proxy that goes on behind XCLIENT is no early talker. */
  early: boolean | null;
  /** Lines behind an AUTH: they may be credentials, until another verb is understood. */
  redact: boolean;
  /** The peer has ended its side. */
  ended: boolean;
  refusedChunk: RefusedChunk | null;
  /** Said by `shutdown()`: the reply at the next command boundary. */
  farewell: Reply | null;
  /** The peer has not read its replies in time. */
  stalled: boolean;
  /** The session is over, and is not told yet: an acceptance is on its way. */
  ending: ClosedNotice | null;
}

/**
 * The session's insides, which the modules of the engine share: state, wires and clock. `go` is the only way to another phase,
 * `reply` the only way to the peer.
 */
export class Core {
  readonly input: Input = new Input();
  readonly events: ServerEvent[] = [];
  question: Question | null = null;
  state: State;
  /** How commands are read: set anew by each EHLO and HELO. */
  dialect: CommandDialect;
  now = 0;
  timer: LimitName | null = null;
  timerEnds: number = Number.POSITIVE_INFINITY;
  flushEnds: number = Number.POSITIVE_INFINITY;
  /** Since when the program has content for which it has not come back; infinite: it has none. */
  busySince: number = Number.POSITIVE_INFINITY;
  /** The domain of the last recipient that was counted. */
  counted: string | null = null;
  /** The next reply is the one to EHLO, HELO or LHLO. */
  toHello = false;
  /** Milliseconds to hold the next reply back. */
  delay = 0;

  readonly policy: Policy;
  readonly outbox: Outbox = new Outbox();

  constructor(policy: Policy, peer: Peer, tls: TlsInfo | null) {
    this.policy = policy;
    this.dialect = { tolerate: policy.tolerate, utf8: false, parameters: new Map() };
    this.state = {
      phase: 'connect',
      peer,
      forwarded: null,
      tls,
      hello: null,
      speaksSmtp: false,
      identity: null,
      envelope: null,
      onlyRefused: false,
      refusedRecipients: 0,
      idleCommands: 0,
      transactions: 0,
      domains: new Set(),
      smallChunks: 0,
      decided: 0,
      body: null,
      exchange: null,
      faults: 0,
      held: policy.limits.greetingDelay > 0,
      greeting: null,
      proxied: false,
      early: false,
      redact: false,
      ended: false,
      refusedChunk: null,
      farewell: null,
      stalled: false,
      ending: null,
    };
  }

  /** Moves to the phase that the table names. */
  go(on: Verb | Happening): void {
    const row = findRow(this.state.phase, on);
    if (row === undefined) throw new Error(`no row for ${on} in phase ${this.state.phase}`);
    if (row.to !== undefined) this.state.phase = row.to;
  }

  /** Starts the timer of a limit, in place of the one that ran. */
  arm(timer: LimitName): void {
    this.timer = timer;
    this.timerEnds = this.now + this.policy.limits[timer];
  }

  disarm(): void {
    this.timer = null;
    this.timerEnds = Number.POSITIVE_INFINITY;
  }

  /** Queues a reply; `utf8`: the client takes it (RFC 6531 3.7.4). */
  reply(reply: Reply, utf8 = false): void {
    const wire = encoded(this.#withCode(reply), this.policy, utf8);
    this.toHello = false;
    if (this.policy.trace) {
      const cause = 'rule' in reply ? { rule: (reply as EngineReply).rule, section: (reply as EngineReply).section } : 'application';
      for (const line of shownLines(wire)) this.events.push({ type: 'trace', from: 'server', line, cause });
    }
    if (this.outbox.holds) this.outbox.holdBack(wire);
    else if (this.delay > 0) {
      this.outbox.holdBack(wire);
      this.hold();
    } else this.send(wire);
  }

  /** Begins to wait: what is held back comes when `delay` is over. */
  hold(): void {
    this.timer = 'faultDelay';
    this.timerEnds = this.now + this.delay;
    this.delay = 0;
  }

  /** Whether something is held back: until it is out nothing is read. */
  get holds(): boolean {
    return this.outbox.holds || this.state.greeting !== null;
  }

  /** Sends what was held back. */
  release(): void {
    if (!this.outbox.holds) return;
    this.#awaitReader();
    this.outbox.release();
  }

  send(wire: Uint8Array): void {
    this.#awaitReader();
    this.outbox.push(wire);
  }

  #awaitReader(): void {
    if (this.outbox.size === 0) this.flushEnds = this.now + this.policy.limits.flushTimeout;
  }

  /** Starts the timer of what is waited for now; an open question and a reply that is held back have their own. */
  settle(): void {
    if (this.holds || this.question !== null) return;
    const timer = this.state.refusedChunk === null ? TIMERS[this.state.phase] : 'dataTimeout';
    if (timer !== null) this.arm(timer);
    else this.disarm();
  }

  /** Takes all output. */
  takeOutput(): Uint8Array | null {
    this.flushEnds = Number.POSITIVE_INFINITY;
    return this.outbox.take();
  }

  /** The peer does not read: nothing that could still be said, now or later, would reach it. */
  giveUpReader(): void {
    this.state.stalled = true;
    this.outbox.drop();
    this.flushEnds = Number.POSITIVE_INFINITY;
    this.close('timeout', 'flushTimeout');
  }

  get outputFull(): boolean {
    return this.outbox.isFull(this.policy.limits.output);
  }

  /** A reply of the engine, with this host's name in its place. */
  named(name: ReplyName): EngineReply {
    const reply: EngineReply = (this.policy.protocol === 'lmtp' && LMTP_REPLIES[name]) || REPLIES[name];
    if (!reply.lines[0]!.startsWith('%')) return reply;
    return { ...reply, lines: [this.policy.hostname + reply.lines[0]!.slice(1)] };
  }

  /** A protocol error: tells the application, answers the peer, and counts; beyond the budget the session closes (421). */
  fault(code: FaultCode, reply: Reply, line: string, offset = 0): void {
    if (!LIMIT_REACHED.has(code)) this.state.faults++;
    const spent = this.state.faults >= this.policy.limits.faults;
    const answer = this.#withCode(spent ? this.named('tooManyFaults') : reply);
    this.events.push({ type: 'fault', code, offset, reply: answer, line });
    if (!spent) this.delay = Math.max(this.delay, this.policy.limits.faultDelay);
    this.reply(answer);
    if (spent) this.close('faults');
  }

  /** Whether a message is being received that is wanted and not refused. Once it is whole it ends in `message`, whatever becomes of that. */
  get receiving(): boolean {
    const { phase, body } = this.state;
    return RECEIVING.has(phase) && body !== null && body.verdict === null && this.question?.type !== 'data';
  }

  /** The message that is being received will not arrive. */
  abort(cause: AbortCause, reply?: Reply): void {
    if (this.receiving) this.events.push(reply === undefined ? { type: 'aborted', cause } : { type: 'aborted', cause, reply });
  }

  /** The rest of the message is not wanted: it is read to its true end, and then answered by `reply`. */
  refuseBody(cause: AbortCause, reply: Reply, delay = 0): void {
    const { body } = this.state;
    this.abort(cause, reply);
    if (body === null || body.verdict !== null) return;
    body.verdict = reply;
    body.delay = delay;
  }

  /** The reply to the end of a message; RFC 2033 4.2, 4.3: in LMTP one for each recipient, none if there are none. */
  conclude(reply: Reply): void {
    const replies = this.policy.protocol === 'lmtp' ? (this.state.envelope?.recipients.length ?? 0) : 1;
    for (let i = 0; i < replies; i++) this.reply(reply);
  }

  /** The transaction is given up by RSET or a new EHLO (RFC 5321 4.1.4). */
  giveUpTransaction(): void {
    this.abort('reset');
    if (this.state.envelope !== null) this.events.push({ type: 'reset' });
    this.forgetTransaction();
  }

  /** RFC 5321 4.1.1.4: the end of data consumes the buffers. */
  endTransaction(): void {
    this.forgetTransaction();
    this.go('transaction-over');
  }

  /** Octets behind STARTTLS, in the same chunk or in a later one: never commands, neither before TLS nor after (CVE-2011-0411). */
  plaintextAfterStartTls(): void {
    this.events.push({ type: 'fault', code: 'plaintext-after-starttls', offset: 0, reply: undefined, line: '' });
    this.close('plaintext-after-starttls');
  }

  /** Drops the transaction. */
  forgetTransaction(): void {
    this.state.envelope = null;
    this.state.forwarded = null;
    this.state.onlyRefused = false;
    this.state.decided = 0;
    this.state.body = null;
  }

  /** Ends the session: what is queued for the peer still goes out. */
  close(cause: CloseCause, limit?: string): void {
    this.abort(cause);
    if (this.state.phase !== 'closed') this.go('close');
    this.question = null;
    this.state.greeting = null;
    this.release();
    this.forgetTransaction();
    this.input.clear();
    this.disarm();
    this.state.ending = limit === undefined ? { type: 'closed', cause } : { type: 'closed', cause, limit };
    this.tellEnd();
  }

  /** Tells that the session is over, as soon as it is known which acceptances the transport has not taken (RFC 1047). */
  tellEnd(): void {
    const { ending } = this.state;
    const untold = ending === null ? null : this.outbox.untold();
    if (untold === null) return;
    this.events.push(...untold, ending!);
    this.state.ending = null;
  }

  /** RFC 2034 3 (4): a status code in every reply "other than the initial greeting and any response to HELO or EHLO". */
  #withCode(reply: Reply): Reply {
    return this.state.phase === 'connect' || this.toHello ? bare(reply) : reply;
  }
}

/** Phases in which a message is half here. */
const RECEIVING: ReadonlySet<Phase> = new Set(['data', 'chunk', 'chunks']);

/** Refusals that are no error of the client: RFC 5321 4.5.3.1.8 wants a limit "applied in an orderly fashion". */
const LIMIT_REACHED: ReadonlySet<FaultCode> = new Set(['recipients', 'transactions', 'refused-recipients', 'idle-commands', 'too-large']);
