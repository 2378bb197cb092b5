import type { Question, Rejection, ServerOptions } from '@ehlo/engine';
import { ServerSession } from '@ehlo/engine';
import { latin1, octets } from '@ehlo/grammar';
import { isQuestion } from '../question.ts';
import { apply } from './apply.ts';
import { plainEvent } from './pattern.ts';
import { type Done, factsOf, type Recording, SeenEvents } from './recorder.ts';
import { replayTranscript, TranscriptMismatch } from './replay.ts';
import type { InputStep, Step, Transcript, TranscriptOptions } from './transcript.ts';
import { withhold } from './withhold.ts';

/** A recording comes out otherwise when it is replayed: a client that did not read, or a program that took its time with content, for two. */
export class NotReplayable extends Error {
  override readonly name = 'NotReplayable';
}

/**
 * The transcript of a recorded session: what was done to it, and what came of it, step by step. Responses of AUTH and challenges are replaced
 * by `withheld`. It replays: throws `NotReplayable` where it does not, or where it would not say what the session has said.
 */
export function transcribe(recording: Recording, name: string, why: string): Transcript {
  const options = optionsOf(recording);
  const run = new Rerun(recording.options, recording.facts, withhold(recording));
  const { steps, events, output } = run;
  for (const [i, event] of recording.events.entries())
    if (events[i] !== event) throw new NotReplayable(`event ${i + 1} was ${event}, and is ${events[i] ?? 'none'} when it is replayed`);
  if (!recording.cut && events.length > recording.events.length) throw new NotReplayable('more events come when it is replayed');
  if (!withoutChallenges(output).startsWith(withoutChallenges(recording.output)))
    throw new NotReplayable('its server says something else when it is replayed');
  const transcript: Transcript = { name, why, role: 'server', options, steps };
  try {
    replayTranscript(transcript);
  } catch (error) {
    throw error instanceof TranscriptMismatch ? new NotReplayable(error.message) : error;
  }
  return transcript;
}

type Refusal = Extract<Done, { readonly discard: Rejection }>;

/** Does to a session what was done to another, and writes down what comes of it. */
class Rerun {
  readonly steps: Step[] = [];
  readonly events: string[] = [];
  output = '';
  readonly #session: ServerSession;
  readonly #seen: SeenEvents = new SeenEvents();
  #question: Question | null = null;
  /** The refusal of the message that comes: behind so many octets of it. */
  #refusal: Refusal | null = null;

  constructor(options: ServerOptions, facts: Recording['facts'], done: readonly Done[]) {
    this.#session = new ServerSession({ ...options, trace: false }, facts);
    let now = 0;
    const given = new Set<Done>();
    this.#pull();
    for (const [i, step] of done.entries()) {
      if (given.has(step)) continue;
      if ('in' in step) {
        this.#refusal = refusalBehind(done, i);
        if (this.#refusal !== null) given.add(this.#refusal);
      }
      if ('tick' in step) now += step.tick;
      this.#do(step, now);
    }
  }

  #do(step: Done, now: number): void {
    const session = this.#session;
    session.tick(now);
    if ('discard' in step) {
      this.steps.push({ discard: step.discard });
      session.discard(step.discard);
    } else {
      this.steps.push(step as InputStep);
      if ('in' in step) session.receive(octets(step.in as string));
      else apply(session, step, () => this.#question!);
    }
    this.#pull();
  }

  #pull(): void {
    const session = this.#session;
    const { steps } = this;
    for (let more = true; more; ) {
      more = false;
      for (let event = session.nextEvent(); event !== null; event = session.nextEvent()) {
        if (isQuestion(event)) this.#question = event;
        const text = this.#seen.take(event);
        if (text !== null) this.events.push(text);
        if (event.type === 'chunk') this.#content(event.bytes);
        else steps.push({ event: plainEvent(event) });
      }
      const bytes = session.nextOutput();
      if (bytes === null) continue;
      session.written(bytes.length);
      const said = latin1(bytes, 0, bytes.length);
      this.output += said;
      const last = steps.at(-1);
      if (last !== undefined && 'out' in last) steps[steps.length - 1] = { out: `${last.out as string}${said}` };
      else steps.push({ out: said });
      more = true;
    }
  }

  /** Content, up to the octet at which it is refused. */
  #content(bytes: Uint8Array): void {
    const refusal = this.#refusal;
    const beyond = refusal === null ? 0 : Math.max(0, this.#seen.content - refusal.behind);
    const text = latin1(bytes, 0, bytes.length - beyond);
    const last = this.steps.at(-1);
    const before = last !== undefined && 'chunk' in last && last.discard === undefined ? (last.chunk as string) : null;
    if (before !== null) this.steps.pop();
    const whole = (before ?? '') + text;
    if (refusal === null || this.#seen.content < refusal.behind) return void this.steps.push({ chunk: whole });
    this.#refusal = null;
    this.#seen.content -= beyond;
    this.steps.push({ chunk: whole, discard: refusal.discard });
    this.#session.discard(refusal.discard);
  }
}

/** The refusal that follows this input before another answer. */
function refusalBehind(done: readonly Done[], from: number): Refusal | null {
  for (const step of done.slice(from + 1)) {
    if ('discard' in step) return step.behind > 0 ? step : null;
    if ('accept' in step || 'reject' in step || 'challenge' in step) return null;
  }
  return null;
}

/** The options of the session as JSON. Extensions that a program has defined are functions, and can't be. */
function optionsOf({ options, facts }: Recording): TranscriptOptions {
  const { tolerate, extensions, auth, trace: _, ...rest } = options;
  const own = extensions?.find((one) => typeof one !== 'string');
  if (own !== undefined) throw new NotReplayable('it offers an extension that the program has defined');
  const { address = '', port = 0 } = facts.peer ?? {};
  return JSON.parse(
    JSON.stringify({
      ...rest,
      peer: { address, port },
      ...(facts.tls === undefined ? {} : { tls: factsOf(facts.tls) }),
      ...(auth === undefined ? {} : { auth: { mechanisms: auth.mechanisms, required: auth.required, inClear: auth.inClear } }),
      ...(tolerate === undefined ? {} : { tolerate: [...tolerate] }),
      ...(extensions === undefined ? {} : { extensions }),
    }),
  ) as TranscriptOptions;
}

/** Challenges are withheld: they are not compared. */
function withoutChallenges(output: string): string {
  return output.replaceAll(/^334 .*$/gm, '334');
}
