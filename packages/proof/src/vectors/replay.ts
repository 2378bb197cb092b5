import { type Phase, type Question, type Rejection, type ServerOptions, ServerSession } from '@ehlo/engine';
import { latin1, octets } from '@ehlo/grammar';
import { isQuestion } from '../question.ts';
import { apply, type Driven, optionsOf } from './apply.ts';
import { asWritten, isAnswer, type Numbered, withLateAnswers } from './order.ts';
import { difference, isMisuse, plain, plainEvent, show } from './pattern.ts';
import { type InputStep, isOutcome, type Json, joined, type OutcomeStep, type Transcript } from './transcript.ts';

/** How input is cut: each `in` whole, octet by octet, line by line as far as the session reads, or one `in` cut in two. */
export type Chunking = 'whole' | 'octets' | 'lines' | { readonly step: number; readonly at: number };

export interface ReplayOptions {
  readonly chunking?: Chunking;
  /** Give each answer as late as can be: behind all input up to the next fact of its own, and after half of the time that it may take. */
  readonly lateAnswers?: boolean;
  /** What stands in for the engine's own class. */
  readonly Session?: new (
    options: ServerOptions,
  ) => Driven;
}

type PlainEvent = { readonly type: string; readonly [name: string]: Json };

/** Something that was done to the session, and what came of it. */
export interface Move {
  readonly from: Phase;
  /** The name of the step, or `line` with the octets of a line. */
  readonly on: string;
  readonly line: string;
  readonly phases: Phase[];
  readonly events: PlainEvent[];
}

/** What a session did. Equal for every way of replaying the same transcript; `moves` is not. */
export interface ReplayLog {
  /** Adjacent chunks are merged: their borders mean nothing. */
  readonly events: readonly PlainEvent[];
  readonly output: string;
  readonly moves: readonly Move[];
}

/** A session did not do what the transcript says. */
export class TranscriptMismatch extends Error {
  /** The number of the step, from 1; one more than there are steps if the session did more than was expected. */
  readonly step: number;
  /** What was expected, and what came. */
  readonly difference: string;

  constructor(name: string, step: number, difference: string) {
    super(`${name}, step ${step}: ${difference}`);
    this.name = 'TranscriptMismatch';
    this.step = step;
    this.difference = difference;
  }
}

/** Runs a transcript against a session. Throws `TranscriptMismatch` at the first step that does not come out as written. */
export function replayTranscript(
  transcript: Transcript,
  { chunking = 'whole', lateAnswers = false, Session = ServerSession }: ReplayOptions = {},
): ReplayLog {
  const replay = new Replay(transcript, chunking, lateAnswers, Session);
  return replay.run(lateAnswers ? withLateAnswers(transcript.steps) : asWritten(transcript.steps));
}

class Replay {
  readonly #name: string;
  readonly #session: Driven;
  readonly #chunking: Chunking;
  readonly #late: boolean;
  #step = 0;
  #now = 0;
  #question: Question | null = null;
  #stalled = false;
  /** Octets that wait until the session reads again (`lines`). */
  #waiting: Uint8Array = NOTHING;
  /** Blocks that were handed in: they are ours again once the session reads. */
  #lent: Uint8Array[] = [];
  /** The message that is refused at its content: after how many more octets of it, and how. */
  #refusal: { left: number; readonly rejection: Rejection } | null = null;
  /** What was seen and not yet expected. */
  #events: PlainEvent[] = [];
  readonly #whole: boolean;
  /** What the session has sent, write by write. */
  #writes: string[] = [];
  readonly #log: { events: PlainEvent[]; output: string; moves: Move[] } = { events: [], output: '', moves: [] };

  constructor({ name, options }: Transcript, chunking: Chunking, late: boolean, Session: NonNullable<ReplayOptions['Session']>) {
    this.#name = name;
    this.#session = new Session(optionsOf(options));
    this.#chunking = chunking;
    this.#late = late;
    this.#whole = chunking === 'whole' && !late;
  }

  run(steps: readonly Numbered[]): ReplayLog {
    // The first look comes with the first input or expectation: octets may be there before the greeting.
    for (const [i, { number, step }] of steps.entries()) {
      this.#step = number;
      if ('in' in step) this.#refusal = refusalBehind(steps, i) ?? this.#refusal;
      if (isOutcome(step)) this.#expect(step);
      else {
        if (!('in' in step && this.#late)) this.#expectNothing();
        this.#perform(step);
      }
    }
    this.#pull();
    this.#step++;
    this.#expectNothing();
    return this.#log;
  }

  #expect(step: OutcomeStep): void {
    this.#pull();
    if ('out' in step) {
      const expected = joined(step.out);
      const output = this.#writes.join('');
      if (!output.startsWith(expected)) this.#fail(`expected output ${show(expected)}, got ${show(output)}`);
      // How the input is cut decides which replies can go together: only what came whole and was answered at once says how many writes there are.
      if ('together' in step && this.#whole && this.#writes[0] !== expected)
        this.#fail(`expected ${show(expected)} in one write, got ${show(this.#writes)}`);
      this.#take(expected.length);
    } else if ('chunk' in step) {
      const expected = joined(step.chunk);
      const got = this.#events.shift();
      if (got?.type !== 'chunk') return this.#fail(`expected content ${show(expected)}, got ${show(got)}`);
      const content = got.octets as string;
      if (!content.startsWith(expected)) this.#fail(`expected content ${show(expected)}, got ${show(content)}`);
      if (content !== expected) this.#events.unshift({ type: 'chunk', octets: content.slice(expected.length) });
    } else if ('event' in step) {
      const got = this.#events.shift();
      const found = difference(step.event, got);
      if (found !== null) this.#fail(`event ${show(step.event)}: ${found} in ${show(got)}`);
    } else if ('state' in step) {
      const { phase, hello, envelope, tls, identity, peer, forwarded, counters, protocol } = this.#session;
      const found = difference(step.state, plain({ phase, hello, envelope, tls, identity, peer, forwarded, counters, protocol }));
      if (found !== null) this.#fail(`state: ${found}`);
    } else if ('unsayable' in step) {
      const given = step.unsayable;
      const question = this.#asked();
      const say = () =>
        'accept' in given
          ? this.#session.accept(question, given.accept as { identity: string; text: string })
          : this.#session.reject(question, given.reject);
      if (!isMisuse(say)) this.#fail(`expected that nobody can say ${show(plain(given))}`);
    } else if ('wants' in step) {
      if (this.#session.wants !== step.wants) this.#fail(`expected it to want ${step.wants}, not ${this.#session.wants}`);
    } else {
      const left = this.#session.deadline - this.#now;
      if (left !== (step.deadline ?? Number.POSITIVE_INFINITY)) this.#fail(`expected a deadline in ${step.deadline} ms, got ${left}`);
    }
  }

  /** Before the next input everything that happened must have been expected. */
  #expectNothing(): void {
    if (this.#events.length > 0) this.#fail(`nobody expected the event ${show(this.#events[0])}`);
    if (this.#writes.length > 0) this.#fail(`nobody expected the output ${show(this.#writes.join(''))}`);
  }

  /** So many octets of what was sent have been expected. */
  #take(octets: number): void {
    for (let left = octets; left > 0; ) {
      const [first = ''] = this.#writes;
      if (first.length <= left) this.#writes.shift();
      else this.#writes[0] = first.slice(left);
      left -= first.length;
    }
  }

  #perform(step: InputStep): void {
    const session = this.#session;
    if ('in' in step) return this.#receive(octets(joined(step.in)));
    if (this.#late && isAnswer(step) && !this.#stalled) this.#wait();
    this.#move(Object.keys(step)[0]!, '');
    if ('tick' in step) this.#now += step.tick;
    session.tick(this.#now);
    const taken = apply(session, step, () => this.#asked());
    if (taken !== undefined) this.#answered(taken, step);
    if ('stall' in step) this.#stalled = step.stall;
    this.#pull();
    this.#feedWaiting();
  }

  #receive(bytes: Uint8Array): void {
    if (this.#chunking === 'lines') {
      const waiting = new Uint8Array(this.#waiting.length + bytes.length);
      waiting.set(this.#waiting);
      waiting.set(bytes, this.#waiting.length);
      this.#waiting = waiting;
      return this.#feedWaiting();
    }
    this.#move('in', '');
    const size = this.#chunking === 'octets' ? 1 : bytes.length;
    const cut = typeof this.#chunking === 'object' && this.#chunking.step === this.#step ? this.#chunking.at : size;
    for (let from = 0; from < bytes.length; ) {
      const to = Math.min(bytes.length, from === 0 ? cut : from + size);
      this.#feed(bytes.slice(from, to));
      from = to;
    }
  }

  #feed(block: Uint8Array): void {
    this.#session.tick(this.#now);
    this.#lent.push(block);
    this.#session.receive(block);
    this.#pull();
  }

  /** Hands in line by line, as long as the session reads. */
  #feedWaiting(): void {
    while (this.#waiting.length > 0 && (this.#session.reads || this.#session.wants === 'tls' || this.#session.wants === 'close')) {
      const end = this.#waiting.indexOf(LF) + 1 || this.#waiting.length;
      const line = this.#waiting.slice(0, end);
      this.#waiting = this.#waiting.slice(end);
      this.#move('line', latin1(line, 0, line.length));
      this.#feed(line);
    }
  }

  /** Takes all that the session has to say. */
  #pull(): void {
    if (this.#log.moves.length === 0) this.#move('open', '');
    const { events, moves } = this.#log;
    const { phases, events: caused } = moves.at(-1)!;
    for (let more = true; more; ) {
      more = false;
      for (let event = this.#session.nextEvent(); event !== null; event = this.#session.nextEvent()) {
        const seen = event.type === 'chunk' ? { type: 'chunk', octets: this.#look(event.bytes) } : plainEvent(event);
        if (isQuestion(event)) this.#question = event;
        merge(this.#events, seen);
        merge(events, seen);
        caused.push(seen);
        phases.push(this.#session.phase);
      }
      const bytes = this.#stalled ? null : this.#session.nextOutput();
      if (bytes === null) continue;
      this.#session.written(bytes.length);
      const text = latin1(bytes, 0, bytes.length);
      this.#writes.push(text);
      this.#log.output += text;
      more = true;
    }
    phases.push(this.#session.phase);
    if (!this.#session.reads) return;
    // What was lent is free again: a session that still looks at it will see something else.
    for (const block of this.#lent) block.fill(0x58);
    this.#lent = [];
  }

  /** What the application sees of content: up to the octet at which it refuses the message, however that was cut. */
  #look(bytes: Uint8Array): string {
    const refusal = this.#refusal;
    const seen = bytes.subarray(0, refusal?.left);
    if (refusal !== null) refusal.left -= seen.length;
    if (refusal?.left === 0) {
      this.#refusal = null;
      if (!this.#session.discard(refusal.rejection)) this.#fail('the message can not be refused at its content');
    }
    return latin1(seen, 0, seen.length);
  }

  #move(on: string, line: string): void {
    this.#log.moves.push({ from: this.#session.phase, on, line, phases: [], events: [] });
  }

  #asked(): Question {
    return this.#question ?? this.#fail('nothing has been asked');
  }

  #answered(taken: boolean, step: object): void {
    if (taken === 'stale' in step)
      this.#fail(taken ? 'the answer was taken although it is stale' : 'the answer was not taken: nothing is asked');
  }

  /** Half of the time that is left for an answer passes. */
  #wait(): void {
    const left = this.#session.deadline - this.#now;
    if (Number.isFinite(left)) this.#now += Math.floor(left / 2);
  }

  #fail(message: string): never {
    throw new TranscriptMismatch(this.#name, this.#step, message);
  }
}

/** The refusal that stands beside the content of this input, and how many octets come before it. */
function refusalBehind(steps: readonly Numbered[], from: number): { left: number; readonly rejection: Rejection } | null {
  let left = 0;
  for (const { step } of steps.slice(from + 1)) {
    if ('in' in step) return null;
    if (!('chunk' in step)) continue;
    left += joined(step.chunk).length;
    if (step.discard !== undefined) return { left, rejection: step.discard };
  }
  return null;
}

const LF = 0x0a;
const NOTHING: Uint8Array = new Uint8Array(0);

function merge(events: PlainEvent[], event: PlainEvent): void {
  const last = events.at(-1);
  if (event.type !== 'chunk' || last?.type !== 'chunk') events.push(event);
  else events[events.length - 1] = { type: 'chunk', octets: `${String(last.octets)}${String(event.octets)}` };
}
