import type { CommandDialect, Reply, Verb } from '@ehlo/grammar';
import type { Peer, TlsInfo } from '../facts.ts';
import { Input } from '../input.ts';
import { type Answered, aborted, type Change, NO_CHANGE, type TriggerData } from './change.ts';
import type { ChunkReader } from './chunk-reader.ts';
import { Clock } from './clock.ts';
import { acceptance, PLAIN_YES } from './decision.ts';
import type { Answer, CloseCause, Question, QuestionType, Recipient, ServerEvent } from './events.ts';
import {
  type Counts,
  type Decision,
  type Facts,
  firstFacts,
  NO_TRANSACTION,
  nothingCounted,
  type Transaction,
  type View,
} from './facts.ts';
import type { LimitName } from './limits.ts';
import { dialectOf } from './offer.ts';
import type { Policy } from './options.ts';
import { Outbox } from './outbox.ts';
import { type Step, type Steps, stepsOf } from './program.ts';
import type { EngineReply, ReplyName } from './replies.ts';
import type { Phase, Row, Trigger } from './row.ts';
import { TIMERS } from './table.ts';
import { encoded, shownLines } from './wire.ts';

/** How long each question may stay open: less than a compliant client waits (RFC 5321 4.5.3.2). */
const ANSWER_LIMITS: { readonly [type in QuestionType]: LimitName } = {
  connect: 'connectAnswer',
  hello: 'commandAnswer',
  starttls: 'commandAnswer',
  auth: 'commandAnswer',
  mail: 'commandAnswer',
  rcpt: 'commandAnswer',
  data: 'dataAnswer',
  message: 'messageAnswer',
  info: 'commandAnswer',
  command: 'commandAnswer',
  xclient: 'commandAnswer',
};

/** The reply when the program does not answer in time: a temporary failure of the server. */
const NO_ANSWER: { readonly [type in QuestionType]?: ReplyName } = { starttls: 'tlsFailed', auth: 'authFailed' };

const NO_STEPS: readonly Step[] = [];

/**
 * A session: its phase, what it knows and counts, its input, output and events. `carryOut` carries out a row: for `take`, which finds the row of
 * a trigger, for an accepted question, and for a command that asks nothing (`readCommand`). `#apply` is the only place where a row changes the
 * phase, facts, counts and replies. Beside the rows, reading a line or content changes some facts and counts (`reading` in states.json).
 */
export class Machine implements View {
  readonly policy: Policy;
  readonly input: Input;
  readonly outbox: Outbox = new Outbox();
  readonly clock: Clock;
  readonly events: ServerEvent[] = [];
  question: Question | null = null;
  /** The row to take when the open question is accepted; null: the row `accepted` of the phase. */
  #asked: Step | null = null;
  #phase: Phase;
  #steps: Steps;
  facts: Facts;
  transaction: Transaction = NO_TRANSACTION;
  counts: Counts = nothingCounted();
  /** How commands are parsed, and the facts from which that was computed. */
  #dialect: CommandDialect;
  #readBy: Facts;
  /** The domain of the last recipient. */
  #domain: string | null = null;

  constructor(policy: Policy, peer: Peer, tls: TlsInfo | null) {
    this.policy = policy;
    this.input = new Input(policy.tolerate.has('bare-lf-line'));
    this.clock = new Clock(policy.limits);
    this.#phase = policy.limits.greetingDelay > 0 ? 'wait' : 'connect';
    this.#steps = stepsOf(this.#phase);
    this.facts = firstFacts(peer, tls);
    this.#readBy = this.facts;
    this.#dialect = dialectOf(this);
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Changes to a phase. */
  enter(phase: Phase): void {
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#steps = stepsOf(phase);
  }

  /** How commands are read: it follows from the facts. */
  get dialect(): CommandDialect {
    if (this.#readBy === this.facts) return this.#dialect;
    this.#readBy = this.facts;
    this.#dialect = dialectOf(this);
    return this.#dialect;
  }

  get outputFull(): boolean {
    return this.outbox.isFull(this.policy.limits.output);
  }

  /** Whether a row has this trigger in this phase. */
  knows(on: Trigger): boolean {
    return this.#steps.has(on);
  }

  /** The one row of a verb, in a phase in which lines are commands; of a trigger, the first. */
  stepOf(on: Verb | Trigger): Step {
    return this.#steps.get(on)![0]!;
  }

  /** Takes the row of a trigger: the first whose conditions hold. */
  take(on: Verb | Trigger, given: object = NO_CHANGE): void {
    const steps = this.#steps.get(on) ?? NO_STEPS;
    for (const step of steps) if (step.when.length === 0 || this.#fits(step, given)) return this.carryOut(step, given);
    throw new Error(`no row for ${on} in phase ${this.#phase}`);
  }

  /** Carries out a row. */
  carryOut({ row, effect }: Step, given: object): void {
    this.#apply(effect === null ? NO_CHANGE : effect(this, given, row), row, given);
  }

  #fits({ when }: Step, given: TriggerData): boolean {
    for (const holds of when) if (!holds(this, given)) return false;
    return true;
  }

  /** Asks the program, or takes the preset's answer where it does not want to be asked. `step` is that of the command, if it is about one. */
  ask(question: Question, step: Step | null = null): void {
    this.#asked = step;
    if (!this.policy.ask.has(question.type)) return this.accept(question, PLAIN_YES);
    this.question = question;
    this.events.push(question);
    this.clock.start(ANSWER_LIMITS[question.type]);
  }

  /** Carries out an acceptance. Throws `SmtpUsageError` if the answer is not valid; the question stays open then. */
  accept(question: Question, answer: Answer): void {
    const given: Answered = acceptance(this, question, answer);
    this.question = null;
    if (this.#asked === null) this.take('accepted', given);
    else this.carryOut(this.#asked, given);
  }

  /** Asks a question of a snapshot again. */
  askAgain(question: Question): void {
    const { type } = question;
    // Most types are named as their command; for a question about no command there is no row of that name.
    const verb = type === 'command' ? 'extension' : 'verb' in question ? question.verb : type.toUpperCase();
    this.question = question;
    this.#asked = this.#steps.get(verb as Verb)?.[0] ?? null;
    this.events.push(question);
  }

  /** Carries out a refusal. */
  reject(question: Question, { reply, delay }: Decision): void {
    this.question = null;
    const given: Answered = { question, answer: PLAIN_YES, reply, delay };
    this.take('rejected', given);
  }

  /** No answer came in time: the question is closed, and a later answer is ignored. */
  expire(question: Question): void {
    if (question.type !== 'connect')
      return this.reject(question, { reply: this.policy.replies[NO_ANSWER[question.type] ?? 'noAnswer'], delay: 0 });
    this.question = null;
    this.take('no-answer', { limit: ANSWER_LIMITS.connect });
  }

  /** Starts the timer of the phase; an open question and a delayed reply have timers of their own. */
  settle(): void {
    if (this.clock.holds || this.question !== null) return;
    const timer = TIMERS[this.#phase];
    if (timer === null) this.clock.stop();
    else this.clock.start(timer);
  }

  /** Sends the replies that were held back. */
  release(): void {
    this.clock.stop();
    if (!this.outbox.holds) return;
    if (this.outbox.size === 0) this.clock.awaitReader();
    this.outbox.release();
  }

  /** Reports the end of the session, as soon as it is known which acceptances the transport has not taken. */
  tellEnd(): void {
    if (this.outbox.ending !== null) for (const notice of this.outbox.told()) this.events.push(notice);
  }

  /** Replaces some of the facts. */
  learn(facts: Partial<Facts>): void {
    this.facts = { ...this.facts, ...facts };
  }

  /** The only place where a row changes facts, counts and replies. What reading changes before the rows is in states.json, `reading`. */
  #apply(change: Change, row: Row, data: TriggerData): void {
    const { facts, transaction, counts, events, recipient, chunk, wire, asks } = change;
    if (facts !== undefined) this.learn(facts);
    if (transaction !== undefined) this.transaction = transaction;
    if (counts !== undefined) Object.assign(this.counts, counts);
    if (events !== undefined) for (const event of events) this.events.push(event);
    if (recipient !== undefined) this.#add(recipient);
    if (chunk !== undefined) (this.transaction.message!.reader as ChunkReader).begin(chunk.size, chunk.last);
    const reply = change.reply ?? (row.reply === undefined ? undefined : (data.reply ?? this.policy.replies[row.reply]));
    if (reply === undefined) this.#say(wire);
    else this.#reply(reply, change, change.delay ?? data.delay ?? 0);
    if (change.accepts !== undefined) this.outbox.accepts(change.accepts);
    if (row.to === 'closed') this.#close(row.cause ?? data.closes!, data.limit);
    else if (row.to !== undefined) this.enter(row.to);
    if (asks !== undefined) this.ask(asks);
  }

  /** RFC 9422 4.3: the domain of a recipient counts, whether the limit is announced or not. */
  #add(recipient: Recipient): void {
    this.transaction.envelope!.recipients.push(recipient);
    const { domain } = recipient.forwardPath;
    // Most recipients have the same domain as the one before: comparing costs less than a set.
    if (domain === this.#domain) return;
    this.#domain = domain;
    this.counts.domains.add(domain.toLowerCase());
  }

  #reply(reply: Reply, { utf8 = false, times = 1 }: Change, delay: number): void {
    const wire = encoded(reply, this.policy, utf8);
    // Replies after one that is held back have to wait, too.
    if (delay > 0 && !this.clock.holds) this.clock.hold(delay);
    for (let i = 0; i < times; i++) {
      if (this.policy.trace) this.#trace(reply, wire);
      if (this.clock.holds) this.outbox.holdBack(wire);
      else this.#send(wire);
    }
  }

  /** A challenge. */
  #say(wire: Uint8Array | undefined): void {
    if (wire === undefined) return;
    if (this.policy.trace) this.events.push({ type: 'trace', from: 'server', line: '334 ***' });
    this.#send(wire);
  }

  #trace(reply: Reply, wire: Uint8Array): void {
    const cause = 'rule' in reply ? { rule: (reply as EngineReply).rule, section: (reply as EngineReply).section } : 'application';
    for (const line of shownLines(wire)) this.events.push({ type: 'trace', from: 'server', line, cause });
  }

  #send(wire: Uint8Array): void {
    if (this.outbox.size === 0) this.clock.awaitReader();
    this.outbox.push(wire);
  }

  /** Ends the session: what is queued for the peer still goes out. */
  #close(cause: CloseCause, limit?: string): void {
    for (const event of aborted(this, cause)) this.events.push(event);
    this.enter('closed');
    this.question = null;
    this.release();
    if (this.facts.greeting !== null || this.facts.refusedChunk !== null) this.learn({ greeting: null, refusedChunk: null });
    this.transaction = NO_TRANSACTION;
    this.input.clear();
    this.outbox.ending = limit === undefined ? { type: 'closed', cause } : { type: 'closed', cause, limit };
    this.tellEnd();
  }
}
