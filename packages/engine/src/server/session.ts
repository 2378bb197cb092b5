import type { Reply } from '@ehlo/grammar';
import { SmtpUsageError } from '../error.ts';
import type { Forwarded, Peer, TlsInfo } from '../facts.ts';
import { accepted, ask, rejected } from './answer.ts';
import { readResponse, sendChallenge } from './auth.ts';
import { askForDecision, readBody } from './body.ts';
import { readRefusedChunk } from './chunk.ts';
import { endsOf, gave, pass, resumed } from './clock.ts';
import { readCommand } from './command.ts';
import { Core } from './core.ts';
import { checkFarewell, PLAIN_YES, refusal } from './decision.ts';
import type { Answer, AnswerOf, AuthQuestion, Counters, Envelope, Hello, Question, Rejection, ServerEvent, Wants } from './events.ts';
import { dialectOf } from './offer.ts';
import { type ConnectionFacts, policyOf, type ServerOptions } from './policy.ts';
import { restoreCore, type Snapshot, snapshotOf } from './snapshot.ts';
import type { Phase } from './table.ts';

const UNKNOWN_PEER: Peer = { address: '', port: 0 };

/**
 * The server's side of an SMTP session (RFC 5321), as a pure state machine: octets, answers and time go in; octets, events and a
 * deadline come out. It does no I/O, keeps no timer, and nothing that comes from the network makes it throw.
 *
 * Loop: `tick`, `receive`, then `nextEvent` until it gives null, then write `nextOutput`, then do what `wants` says.
 *
 * @example
 * ```ts
 * import { ServerSession } from '@ehlo/engine';
 * import { latin1, octets } from '@ehlo/grammar';
 * const session = new ServerSession({ hostname: 'mx.example.org', preset: 'sink' });
 * session.nextEvent();
 * session.receive(octets('HELO client.example\r\n'));
 * session.nextEvent();
 * const wire = session.nextOutput()!;
 * latin1(wire, 0, wire.length)
 * // → '220 mx.example.org ESMTP Service ready\r\n250 mx.example.org\r\n'
 * ```
 */
export class ServerSession {
  #core: Core;

  /**
   * Throws `SmtpUsageError` if the options contradict each other or a standard. They are read once: who has many sessions gives all
   * of them one object, and to each the facts of its connection.
   */
  constructor(options: ServerOptions, { peer = UNKNOWN_PEER, tls }: ConnectionFacts = options) {
    this.#core = new Core(policyOf(options), peer, tls ?? null);
  }

  /** Octets from the peer. They are lent until `reads` is true again; a `chunk` may be a view of them. */
  receive(bytes: Uint8Array): void {
    const { state, input } = this.#core;
    if (state.phase === 'closed' || state.ended || bytes.length === 0) return;
    if (state.phase === 'tls') return this.#core.plaintextAfterStartTls();
    if (state.phase === 'connect' && state.early !== null) state.early = true;
    input.push(bytes);
  }

  /** The peer has ended its side: commands that are complete are carried out, then the session closes. */
  receiveEnd(): void {
    this.#core.state.ended = true;
  }

  /** The connection is gone: nothing more can be read or written. */
  lost(): void {
    const core = this.#core;
    core.outbox.lose();
    if (core.state.phase === 'closed') core.tellEnd();
    else core.close('lost');
  }

  /** The octets to write, all there are; null if none. The session never touches them again. Say by `written` what became of them. */
  nextOutput(): Uint8Array | null {
    return this.#core.takeOutput();
  }

  /**
   * So many more octets of the output were taken by the transport: by the operating system, not by a buffer of the program. Legal in every
   * state. Nothing else tells the session that an acceptance has left: who never calls it gets `unacknowledged` for each message.
   */
  written(octets: number): void {
    this.#core.outbox.written(octets);
    this.#core.tellEnd();
  }

  /**
   * The next event; null if the session waits: write the output, then look at `wants`. Who has been given content and is slow to ask
   * for more holds the client up: its time does not run meanwhile.
   */
  nextEvent(): ServerEvent | null {
    const core = this.#core;
    resumed(core);
    for (;;) {
      const event = core.events.shift();
      if (event?.type === 'chunk') gave(core);
      if (event !== undefined) return event;
      if (core.question !== null || core.outputFull || !step(core)) return null;
    }
  }

  /**
   * Answers an open question with yes. Returns false if it is no longer asked: the peer is gone, time has run out, or it was
   * answered before. Throws `SmtpUsageError` if the answer can't be said; the question is open then as before.
   *
   * True means that the reply is queued, no more: it may be held back (`delay`), wait for a client that does not read, or be lost with the
   * connection. Where the transport has not taken all of the reply that accepts a message when the session ends, the notice
   * `unacknowledged` tells it, once; false to a `message` question says the same at once. What the transport has taken may still be lost
   * on its way: nobody but the client knows (RFC 1047).
   */
  accept<Q extends Question>(
    question: Q,
    ...[answer]: AnswerOf<Q> extends { readonly [name: string]: unknown } ? [AnswerOf<Q>] : [AnswerOf<Q>?]
  ): boolean {
    const core = this.#core;
    if (core.question !== question) return false;
    accepted(core, question, (answer as Answer | undefined) ?? PLAIN_YES);
    core.settle();
    return true;
  }

  /** Answers an open question with no. Returns false and throws as `accept` does. */
  reject(question: Question, rejection: Rejection): boolean {
    const core = this.#core;
    if (core.question !== question) return false;
    rejected(core, question, rejection);
    core.settle();
    return true;
  }

  /** Answers an AUTH question with a challenge (RFC 4954 4); the client's response will be a new question. */
  challenge(question: AuthQuestion, data: Uint8Array): boolean {
    const sent = sendChallenge(this.#core, question, data);
    if (sent) this.#core.settle();
    return sent;
  }

  /**
   * Refuses the message that is being received: its chunks stop, the rest is drained, this is the final reply. Returns false if there
   * is none; throws as `reject` does, and the chunks go on then.
   */
  discard(rejection: Rejection): boolean {
    const core = this.#core;
    if (!core.receiving) return false;
    const { reply, delay } = refusal(core, rejection);
    core.refuseBody('discarded', reply, delay);
    return true;
  }

  /** The TLS handshake is done: all that the client said in clear is forgotten (RFC 3207 4.2). */
  secured(tls: TlsInfo): void {
    const { state } = this.#core;
    if (state.phase === 'closed') return;
    if (state.phase !== 'tls') throw new SmtpUsageError('not-waiting-for-tls', 'no STARTTLS has been accepted');
    state.tls = tls;
    state.speaksSmtp = false;
    state.hello = null;
    state.identity = null;
    this.#core.dialect = dialectOf(this.#core);
    this.#core.forgetTransaction();
    this.#core.go('secured');
    this.#core.settle();
  }

  /**
   * Closes with 421 at the next command boundary outside a transaction; `rejection` is that reply in words of your own. Throws `SmtpUsageError`
   * as `reject` does, and `reply-class` for another code: a server that closes unasked says 421 (RFC 5321 3.8).
   */
  shutdown(rejection?: Rejection): void {
    const core = this.#core;
    if (rejection !== undefined) checkFarewell(rejection);
    const farewell: Reply = rejection === undefined ? core.named('shutdown') : refusal(core, rejection).reply;
    if (core.state.phase !== 'closed') core.state.farewell = farewell;
  }

  /** Says what time it is, in milliseconds of any monotonic clock: before every input and answer, and at `deadline`. */
  tick(now: number): void {
    pass(this.#core, now);
  }

  /** When `tick` has to be called at the latest; infinite while nothing runs out. */
  get deadline(): number {
    return this.#core.state.phase === 'closed' ? Number.POSITIVE_INFINITY : Math.min(endsOf(this.#core), this.#core.flushEnds);
  }

  /** Whether to keep one read outstanding. */
  get reads(): boolean {
    const { state, input, outputFull } = this.#core;
    return state.phase !== 'closed' && state.phase !== 'tls' && !state.ended && input.chunks === 0 && !outputFull;
  }

  /** What to do when `nextEvent` gives null and the output is written. */
  get wants(): Wants {
    const { state, question, outputFull } = this.#core;
    if (state.phase === 'closed') return state.stalled ? 'abort' : 'close';
    if (question !== null) return 'answer';
    if (outputFull) return 'flush';
    return state.phase === 'tls' ? 'tls' : 'input';
  }

  get phase(): Phase {
    return this.#core.state.phase;
  }

  get hello(): Hello | null {
    return this.#core.state.hello;
  }

  get envelope(): Envelope | null {
    return this.#core.state.envelope;
  }

  get tls(): TlsInfo | null {
    return this.#core.state.tls;
  }

  get identity(): string | null {
    return this.#core.state.identity;
  }

  /** The peer, as a trusted proxy may have told it (XCLIENT). */
  get peer(): Peer {
    return this.#core.state.peer;
  }

  /** What a trusted sender has said of the client that it had its message from (XFORWARD); forgotten with the transaction. */
  get forwarded(): Forwarded | null {
    return this.#core.state.forwarded;
  }

  /** What has been counted so far. */
  get counters(): Counters {
    const { transactions, faults, idleCommands, refusedRecipients } = this.#core.state;
    return { transactions, faults, idleCommands, refusedRecipients };
  }

  /** RFC 3848, RFC 6531 4.3: the name of the protocol for the WITH clause of a Received field. */
  get protocol(): string {
    const { hello, tls, identity, envelope } = this.#core.state;
    if (hello === null || hello.verb === 'HELO') return this.#core.policy.protocol.toUpperCase();
    const family = hello.verb === 'LHLO' ? 'LMTP' : 'SMTP';
    const extended = envelope?.parameters.smtpUtf8 === true ? `UTF8${family}` : family === 'SMTP' ? 'ESMTP' : family;
    return `${extended}${tls === null ? '' : 'S'}${identity === null ? '' : 'A'}`;
  }

  /** A copy of the whole state. Throws `SmtpUsageError` `snapshot-refused` during AUTH and the TLS hand-over. */
  snapshot(): Snapshot {
    return snapshotOf(this.#core);
  }

  /** A session that goes on where the snapshot was taken; an open question is asked again. */
  static restore(options: ServerOptions, snapshot: Snapshot, now: number): ServerSession {
    const session = new ServerSession(options);
    session.#core = restoreCore(policyOf(options), options.peer ?? UNKNOWN_PEER, snapshot, now);
    return session;
  }
}

/** Who reads the octets in each phase. */
const READERS: { readonly [phase in Phase]: (core: Core) => boolean } = {
  connect: greet,
  refused: readCommand,
  greeted: readCommand,
  ready: readCommand,
  mail: readCommand,
  rcpt: readCommand,
  data: readBody,
  chunk: readBody,
  chunks: readCommand,
  message: askForDecision,
  auth: readResponse,
  tls: () => false,
  closed: () => false,
};

/** Reads and carries out one thing. Returns false if the session has to wait. */
function step(core: Core): boolean {
  const { state } = core;
  const { phase, refusedChunk } = state;
  if (phase === 'closed' || core.holds) return false;
  if (isTimeToLeave(core)) {
    core.reply(state.farewell!);
    core.close('shutdown');
    return true;
  }
  const read = refusedChunk === null ? READERS[phase](core) : readRefusedChunk(core, refusedChunk);
  if (read) {
    // In a message, and in a chunk that is refused, the timer restarts at each block only.
    const inside = refusedChunk === null ? phase === 'data' || phase === 'chunk' : state.refusedChunk !== null;
    if (!inside || state.phase !== phase) core.settle();
    return true;
  }
  if (!state.ended || phase === 'connect') return false;
  core.close('ended');
  return true;
}

/** Whether `shutdown()` was called and nothing is half done: no transaction, no exchange, no hand-over. */
function isTimeToLeave({ state }: Core): boolean {
  return (
    state.farewell !== null && state.envelope === null && state.refusedChunk === null && state.phase !== 'auth' && state.phase !== 'tls'
  );
}

/** RFC 5321 3.1: the server speaks first. */
function greet(core: Core): boolean {
  if (core.state.held) {
    if (core.timer === null) core.arm('greetingDelay');
    return false;
  }
  ask(core, { type: 'connect', peer: core.state.peer });
  return true;
}
