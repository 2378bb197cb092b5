import type {
  Answer,
  AuthQuestion,
  ConnectionFacts,
  Question,
  Rejection,
  ServerEvent,
  ServerOptions,
  ServerSession,
  TlsInfo,
} from '@ehlo/engine';
import { latin1 } from '@ehlo/grammar';
import type { InputStep, TlsFacts } from './transcript.ts';

/** What was done to a session, as the steps of a transcript have it; a refusal of content stands behind the octets that were seen of it. */
export type Done = Exclude<InputStep, { readonly discard: unknown }> | { readonly discard: Rejection; readonly behind: number };

/** What a session did, and what was done to it. It holds secrets: `transcribe` makes a transcript of it, which does not. */
export interface Recording {
  readonly options: ServerOptions;
  readonly facts: ConnectionFacts;
  readonly done: readonly Done[];
  /** Events as JSON, secrets left out, and of content how many octets there were. */
  readonly events: readonly string[];
  readonly output: string;
  /** There was more, for which there was no room. */
  readonly cut: boolean;
}

/** How a session is recorded. */
export interface RecordOptions {
  /** Called when the session is over. */
  readonly ended: (recording: Recording) => void;
  /** Asked before so many octets more are kept: false cuts the recording here. A session has 4 MiB at the most. */
  readonly room?: (octets: number) => boolean;
}

/** Octets of one session that are kept. */
const MOST = 4 * 1024 * 1024;

/**
 * The session, recorded: it does what it did, in whole milliseconds of a clock that begins with it, and what is done to it is written down.
 *
 * @example
 * ```ts
 * import { ServerSession } from '@ehlo/engine';
 * import { octets } from '@ehlo/grammar';
 * import { recorded, transcribe } from '@ehlo/proof';
 * const options = { hostname: 'mx.example.org', preset: 'sink' } as const;
 * const names: string[] = [];
 * const session = recorded(new ServerSession(options), options, {}, {
 *   ended: (recording) => {
 *     for (const step of transcribe(recording, 'a-session', 'How a session goes that asks for nothing.').steps) names.push(Object.keys(step)[0]!);
 *   },
 * });
 * session.tick(performance.now());
 * session.receive(octets('QUIT\r\n'));
 * while (session.nextEvent() !== null || session.nextOutput() !== null);
 * names.join(' ')
 * // → 'out in out event'
 * ```
 */
export function recorded(session: ServerSession, options: ServerOptions, facts: ConnectionFacts, how: RecordOptions): ServerSession {
  const recorder = new SessionRecorder(session, options, facts, how);
  return new Proxy(session, {
    get(target, name) {
      if (name === 'deadline') return recorder.deadline;
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function' || typeof name !== 'string') return value;
      const note = NOTES[name];
      return note === undefined
        ? (...args: unknown[]) => (value as Method).apply(target, args)
        : (...args: unknown[]) => note(recorder, (...given) => (value as Method).apply(target, given), args);
    },
  });
}

type Method = (...args: unknown[]) => unknown;

/** What is written down of each call. */
const NOTES: { readonly [name: string]: (recorder: SessionRecorder, call: Method, args: unknown[]) => unknown } = {
  tick: (recorder, call, [now]) => call(recorder.time(now as number)),
  receive: (recorder, call, [bytes]) => {
    const block = bytes as Uint8Array;
    if (block.length > 0) recorder.note({ in: latin1(block, 0, block.length) }, block.length);
    return call(block);
  },
  receiveEnd: (recorder, call) => {
    recorder.note({ end: true });
    return call();
  },
  lost: (recorder, call) => {
    recorder.note({ lost: true });
    return call();
  },
  secured: (recorder, call, [tls]) => {
    recorder.note({ secured: factsOf(tls as TlsInfo) });
    return call(tls);
  },
  shutdown: (recorder, call, [rejection]) => {
    recorder.note({ shutdown: rejection === undefined ? {} : saidOf(rejection as Rejection) });
    return call(rejection);
  },
  accept: (recorder, call, [question, answer]) =>
    recorder.answer(call(question as Question, answer), { accept: saidOf((answer as Answer | undefined) ?? {}) }),
  reject: (recorder, call, [question, rejection]) =>
    recorder.answer(call(question as Question, rejection), { reject: saidOf(rejection as Rejection) }),
  // What a server says in a challenge may follow from a secret; the words of its own are for its client alone.
  challenge: (recorder, call, [question, data]) => recorder.answer(call(question as AuthQuestion, data), { challenge: WITHHELD_OCTETS }),
  discard: (recorder, call, [rejection]) =>
    recorder.answer(call(rejection), { discard: saidOf(rejection as Rejection), behind: recorder.content }),
  nextEvent: (recorder, call) => recorder.event(call() as ServerEvent | null),
  nextOutput: (recorder, call) => recorder.output(call() as Uint8Array | null),
};

/** What stands for octets that are withheld. */
export const WITHHELD_OCTETS = 'withheld';

interface Growing extends Recording {
  readonly done: Done[];
  readonly events: string[];
  output: string;
  cut: boolean;
}

/** Octets of a step beside its own. */
const STEP = 64;

class SessionRecorder {
  readonly #session: ServerSession;
  readonly #how: RecordOptions;
  readonly #recording: Growing;
  /** When the session's own clock began. */
  #base = Number.NaN;
  #now = 0;
  /** Milliseconds that have passed without a trace. */
  #passed = 0;
  #size = 0;
  #over = false;
  readonly #seen: SeenEvents = new SeenEvents();

  constructor(session: ServerSession, options: ServerOptions, facts: ConnectionFacts, how: RecordOptions) {
    this.#session = session;
    this.#how = how;
    this.#recording = { options, facts, done: [], events: [], output: '', cut: false };
  }

  /** Octets of the message that arrives which were handed out. */
  get content(): number {
    return this.#seen.content;
  }

  get deadline(): number {
    return this.#session.deadline + (Number.isNaN(this.#base) ? 0 : this.#base);
  }

  /** What time it is for the session: whole milliseconds since it was first said. */
  time(now: number): number {
    if (Number.isNaN(this.#base)) this.#base = Math.floor(now);
    const time = Math.max(this.#now, Math.floor(now) - this.#base);
    this.#passed += time - this.#now;
    this.#now = time;
    if (time >= this.#session.deadline) this.#pass();
    return time;
  }

  note(step: Done, octets = 0): void {
    if (!this.#hasRoom(octets + STEP)) return;
    this.#pass();
    this.#recording.done.push(step);
  }

  answer(taken: unknown, step: Done): unknown {
    if (taken === true) this.note(step, JSON.stringify(step).length);
    return taken;
  }

  event(event: ServerEvent | null): ServerEvent | null {
    if (event === null || this.#over) return event;
    const text = this.#seen.take(event);
    if (text !== null && this.#hasRoom(text.length)) this.#recording.events.push(text);
    if (event.type === 'closed') {
      this.#over = true;
      this.#how.ended(this.#recording);
    }
    return event;
  }

  output(bytes: Uint8Array | null): Uint8Array | null {
    if (bytes !== null && this.#hasRoom(bytes.length)) this.#recording.output += latin1(bytes, 0, bytes.length);
    return bytes;
  }

  /** Time that has passed becomes a step. */
  #pass(): void {
    if (this.#passed > 0 && !this.#recording.cut) this.#recording.done.push({ tick: this.#passed });
    this.#passed = 0;
  }

  #hasRoom(octets: number): boolean {
    if (this.#over || this.#recording.cut) return false;
    this.#size += octets;
    this.#recording.cut = this.#size > MOST || this.#how.room?.(octets) === false;
    return !this.#recording.cut;
  }
}

/** Events as they are compared: of content only how much there is, and lines of the conversation, which say nothing new, not at all. */
export class SeenEvents {
  /** Octets of content since the last other event. */
  content = 0;

  /** The event as text; null if it is none by itself. */
  take(event: ServerEvent): string | null {
    if (event.type === 'trace') return null;
    if (event.type === 'chunk') {
      this.content += event.bytes.length;
      return null;
    }
    const text = `${this.content} ${JSON.stringify(event)}`;
    this.content = 0;
    return text;
  }
}

/** What an answer says, without what a driver keeps beside it. */
function saidOf<A extends Rejection | (Answer & { readonly identity?: string })>(answer: A): A {
  const { code, enhanced, text, delay, identity } = answer as Answer & { readonly identity?: string };
  return JSON.parse(JSON.stringify({ code, enhanced, text, delay, identity })) as A;
}

/** What is known of TLS, as a transcript has it. */
export function factsOf({ protocol, cipher, servername, bindings }: TlsInfo): TlsFacts {
  return { protocol, cipher, servername, ...(bindings === undefined ? {} : { bindings: [...bindings.keys()] }) };
}
