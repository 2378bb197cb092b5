import { SmtpUsageError } from '../error.ts';
import type { Forwarded, Peer, TlsInfo } from '../facts.ts';
import { readResponse, sendChallenge } from './auth.ts';
import { drain, messageQuestion, readBody } from './body.ts';
import { readCommand } from './command.ts';
import { checkFarewell, PLAIN_YES, refusal } from './decision.ts';
import type { Answer, AnswerOf, AuthQuestion, Counters, Envelope, Hello, Question, Rejection, ServerEvent, Wants } from './events.ts';
import { isReceiving } from './facts.ts';
import { Machine } from './machine.ts';
import type { ConnectionFacts, ServerOptions } from './options.ts';
import { policyOf } from './policy.ts';
import type { Phase } from './row.ts';
import { restoreMachine, type Snapshot, snapshotOf } from './snapshot.ts';

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
  #machine: Machine;

  /**
   * Throws `SmtpUsageError` if the options contradict each other or a standard. They are read once: pass
   * the same object to all sessions, and to each session the facts of its connection.
   */
  constructor(options: ServerOptions, { peer = UNKNOWN_PEER, tls }: ConnectionFacts = options) {
    this.#machine = new Machine(policyOf(options), peer, tls ?? null);
  }

  /** Octets from the peer. They are lent until `reads` is true again; a `chunk` may be a view of them. */
  receive(bytes: Uint8Array): void {
    const { phase, input } = this.#machine;
    if (phase === 'closed' || input.ended || bytes.length === 0) return;
    if (phase === 'tls') return this.#machine.take('plaintext');
    input.push(bytes);
  }

  /** The peer has ended its side: commands that are complete are carried out, then the session closes. */
  receiveEnd(): void {
    this.#machine.input.ended = true;
  }

  /** The connection is gone: nothing more can be read or written. */
  lost(): void {
    const machine = this.#machine;
    machine.outbox.lose();
    if (machine.phase === 'closed') machine.tellEnd();
    else machine.take('lost');
  }

  /** The octets to write, all there are; null if none. The session never touches them again. Say by `written` what became of them. */
  nextOutput(): Uint8Array | null {
    const { clock, outbox, policy } = this.#machine;
    clock.readerDone();
    return outbox.take(policy.lastBurst);
  }

  /**
   * Reports that the operating system (not only a buffer of the program) has accepted so many more octets of the output. Legal in every
   * state. Only by this the session knows that an acceptance was sent: without these calls every message is reported as `unacknowledged`.
   */
  written(octets: number): void {
    this.#machine.outbox.written(octets);
    this.#machine.tellEnd();
  }

  /**
   * The next event; null if the session waits: write the output, then look at `wants`. After content was given, the
   * client's time does not run until the program asks for the next event: a slow program delays the client.
   */
  nextEvent(): ServerEvent | null {
    const machine = this.#machine;
    machine.clock.resumed();
    const { events } = machine;
    for (;;) {
      if (events.length > 0) {
        const event = events.shift()!;
        if (event.type === 'chunk') machine.clock.gave();
        return event;
      }
      if (machine.question !== null || machine.outputFull || !step(machine)) return null;
    }
  }

  /**
   * Answers an open question with yes. Returns false if it is no longer asked: the peer is gone, time has run out, or it was
   * answered before. Throws `SmtpUsageError` if the answer can't be said; the question is open then as before.
   *
   * True means only that the reply is queued: it may be held back (`delay`), wait for a client that does not read, or be lost with the
   * connection. If the transport has not accepted all of the reply that accepts a message when the session ends, the notice
   * `unacknowledged` reports it once; false for a `message` question means the same at once. Octets that the transport has accepted may still be
   * lost on the network: only the client knows (RFC 1047).
   */
  accept<Q extends Question>(
    question: Q,
    ...[answer]: AnswerOf<Q> extends { readonly [name: string]: unknown } ? [AnswerOf<Q>] : [AnswerOf<Q>?]
  ): boolean {
    const machine = this.#machine;
    if (machine.question !== question) return false;
    machine.accept(question, (answer as Answer | undefined) ?? PLAIN_YES);
    machine.settle();
    return true;
  }

  /** Answers an open question with no. Returns false and throws as `accept` does. */
  reject(question: Question, rejection: Rejection): boolean {
    const machine = this.#machine;
    if (machine.question !== question) return false;
    machine.reject(question, refusal(machine, rejection, question.type === 'connect'));
    machine.settle();
    return true;
  }

  /** Answers an AUTH question with a challenge (RFC 4954 4); the client's response will be a new question. */
  challenge(question: AuthQuestion, data: Uint8Array): boolean {
    const sent = sendChallenge(this.#machine, question, data);
    if (sent) this.#machine.settle();
    return sent;
  }

  /**
   * Refuses the message that is being received: its chunks stop, the rest is drained, this is the final reply. Returns false if there
   * is none; throws as `reject` does, and the chunks go on then.
   */
  discard(rejection: Rejection): boolean {
    const machine = this.#machine;
    if (!isReceiving(machine)) return false;
    machine.take('refuse-message', { cause: 'discarded', ...refusal(machine, rejection) });
    return true;
  }

  /** The TLS handshake is done: all that the client sent in clear is discarded (RFC 3207 4.2). */
  secured(tls: TlsInfo): void {
    const machine = this.#machine;
    if (machine.phase === 'closed') return;
    if (machine.phase !== 'tls') throw new SmtpUsageError('not-waiting-for-tls', 'no STARTTLS has been accepted');
    machine.take('secured', { tls });
    machine.settle();
  }

  /**
   * Closes with 421 at the next command boundary outside a transaction; `rejection` is that reply in words of your own. Throws `SmtpUsageError`
   * as `reject` does, and `reply-class` for another code: a server that closes unasked says 421 (RFC 5321 3.8).
   */
  shutdown(rejection?: Rejection): void {
    const machine = this.#machine;
    if (rejection !== undefined) checkFarewell(rejection);
    const farewell = rejection === undefined ? machine.policy.replies.shutdown : refusal(machine, rejection).reply;
    machine.outbox.farewell = farewell;
  }

  /** Says what time it is, in milliseconds of any monotonic clock: before every input and answer, and at `deadline`. */
  tick(now: number): void {
    const machine = this.#machine;
    const over = machine.clock.pass(now);
    if (machine.phase === 'closed' || over === null) return;
    if (over === 'timer') runOut(machine);
    else giveUpReader(machine);
  }

  /** When `tick` has to be called at the latest; infinite while nothing runs out. */
  get deadline(): number {
    return this.#machine.phase === 'closed' ? Number.POSITIVE_INFINITY : this.#machine.clock.deadline;
  }

  /** Acceptances of messages that the transport has not taken. */
  get unacknowledged(): number {
    return this.#machine.outbox.unacknowledged;
  }

  /** Whether to keep one read outstanding. */
  get reads(): boolean {
    const { phase, input, outputFull } = this.#machine;
    return phase !== 'closed' && phase !== 'tls' && !input.ended && input.chunks === 0 && !outputFull;
  }

  /** What to do when `nextEvent` gives null and the output is written. */
  get wants(): Wants {
    const { phase, question, outbox, outputFull } = this.#machine;
    if (phase === 'closed') return outbox.stalled ? 'abort' : 'close';
    if (question !== null) return 'answer';
    if (outputFull) return 'flush';
    return phase === 'tls' ? 'tls' : 'input';
  }

  get phase(): Phase {
    return this.#machine.phase;
  }

  get hello(): Hello | null {
    return this.#machine.facts.hello;
  }

  get envelope(): Envelope | null {
    return this.#machine.transaction.envelope;
  }

  get tls(): TlsInfo | null {
    return this.#machine.facts.tls;
  }

  get identity(): string | null {
    return this.#machine.facts.identity;
  }

  /** The peer, as a trusted proxy may have told it (XCLIENT). */
  get peer(): Peer {
    return this.#machine.facts.peer;
  }

  /** The facts of a trusted sender about the client that it had its message from (XFORWARD); discarded with the transaction. */
  get forwarded(): Forwarded | null {
    return this.#machine.transaction.forwarded;
  }

  /** What has been counted so far. */
  get counters(): Counters {
    const { transactions, faults, idleCommands, refusedRecipients } = this.#machine.counts;
    return { transactions, faults, idleCommands, refusedRecipients };
  }

  /** RFC 3848, RFC 6531 4.3: the name of the protocol for the WITH clause of a Received field. */
  get protocol(): string {
    const { hello, tls, identity } = this.#machine.facts;
    const { envelope } = this.#machine.transaction;
    if (hello === null || hello.verb === 'HELO') return this.#machine.policy.protocol.toUpperCase();
    const family = hello.verb === 'LHLO' ? 'LMTP' : 'SMTP';
    const extended = envelope?.parameters.smtpUtf8 === true ? `UTF8${family}` : family === 'SMTP' ? 'ESMTP' : family;
    return `${extended}${tls === null ? '' : 'S'}${identity === null ? '' : 'A'}`;
  }

  /** A copy of the whole state. Throws `SmtpUsageError` `snapshot-refused` during AUTH and the TLS hand-over. */
  snapshot(): Snapshot {
    return snapshotOf(this.#machine);
  }

  /** A session that goes on where the snapshot was taken; an open question is asked again. */
  static restore(options: ServerOptions, snapshot: Snapshot, now: number): ServerSession {
    const session = new ServerSession(options);
    session.#machine = restoreMachine(policyOf(options), options.peer ?? UNKNOWN_PEER, snapshot, now);
    return session;
  }
}

/** Reads the octets of a phase, or asks what comes next. Returns false if there is nothing to do. */
type Reader = (machine: Machine) => boolean;

const READERS: { readonly [phase in Phase]: Reader } = {
  wait: (machine) => {
    if (machine.clock.timer === null) machine.settle();
    return false;
  },
  connect: (machine) => {
    machine.ask({ type: 'connect', peer: machine.facts.peer });
    return settled(machine);
  },
  greeting: () => false,
  refused: readLine,
  greeted: readLine,
  ready: readLine,
  mail: readLine,
  rcpt: readLine,
  data: (machine) => readBlock(machine, readBody),
  chunk: (machine) => readBlock(machine, readBody),
  chunks: readLine,
  drain: (machine) => readBlock(machine, drain),
  message: (machine) => {
    machine.ask(messageQuestion(machine));
    return settled(machine);
  },
  auth: (machine) => readResponse(machine) && settled(machine),
  // Octets after STARTTLS, in the same chunk or in a later one: never commands, neither before TLS nor after (CVE-2011-0411).
  tls: (machine) => {
    const isPlain = !machine.input.empty;
    if (isPlain) machine.take('plaintext');
    return isPlain;
  },
  closed: () => false,
};

/** The timer restarts with each line. The rest of a line that was too long does not restart it, so a peer cannot keep the session open with one. */
function readLine(machine: Machine): boolean {
  return readCommand(machine) && (machine.input.rest || settled(machine));
}

/** The timer of content restarts at each block (`dataBlock`), not at each octet. */
function readBlock(machine: Machine, read: Reader): boolean {
  const { phase } = machine;
  return read(machine) && (machine.phase === phase || settled(machine));
}

function settled(machine: Machine): true {
  machine.settle();
  return true;
}

/** Reads and carries out one line, block or event. Returns false if the session has to wait. */
function step(machine: Machine): boolean {
  if (machine.clock.holds) return false;
  const { outbox } = machine;
  if (outbox.farewell !== null && machine.knows('leave')) {
    machine.take('leave', { reply: outbox.farewell });
    return true;
  }
  if (READERS[machine.phase](machine)) return true;
  if (!machine.input.ended || !machine.knows('end')) return false;
  machine.take('end');
  return true;
}

/** The peer does not read its replies: no reply, queued or later, would reach it. */
function giveUpReader(machine: Machine): void {
  machine.outbox.stalled = true;
  machine.outbox.drop();
  machine.clock.readerDone();
  machine.take('stalled', { limit: 'flushTimeout' });
}

/** Handles the end of a timer. */
function runOut(machine: Machine): void {
  const { clock, question } = machine;
  const { timer, busy, holds } = clock;
  clock.stop();
  if (busy) machine.take('content-not-taken', { limit: 'messageAnswer' });
  else if (holds) {
    if (machine.phase === 'greeting') machine.take('time-out');
    machine.release();
    machine.settle();
  } else if (question !== null) {
    machine.expire(question);
    machine.settle();
  } else machine.take('time-out', { limit: timer! });
}
