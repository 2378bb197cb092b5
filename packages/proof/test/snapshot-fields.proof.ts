// A session that sleeps between any two things that are done to it shows what the vectors say; and where it forgets one field of its
// snapshot, some vector tells: nothing is kept for nothing.
import {
  type AuthQuestion,
  type Question,
  type Rejection,
  type ServerEvent,
  type ServerOptions,
  ServerSession,
  type Snapshot,
  type TlsInfo,
} from '@ehlo/engine';
import { expect, test } from 'vitest';
import { type Driven, replayTranscript } from '../src/vectors/index.ts';
import { LAWS } from './laws/laws.ts';
import { transcripts } from './vectors.ts';

type Change = (snapshot: Snapshot, fresh: Snapshot) => Snapshot;

/** Goes through a snapshot before each call, and loses on its way what `change` takes. */
class Sleeper implements Driven {
  #session: ServerSession;
  readonly #options: ServerOptions;
  readonly #change: Change;
  readonly #fresh: Snapshot;
  #now = 0;
  #calls = 0;
  /** The open question as it was asked first, and as it was asked again. */
  #asked: { readonly first: Question; readonly again: Question } | null = null;

  constructor(options: ServerOptions, change: Change) {
    this.#options = options;
    this.#change = change;
    this.#session = new ServerSession(options);
    this.#fresh = this.#session.snapshot();
  }

  /** Sleeps, and is the session that wakes up; during AUTH and the hand-over to TLS it can't. */
  #awake(): ServerSession {
    if (this.phase === 'auth' || this.phase === 'tls') return this.#session;
    this.#session = ServerSession.restore(this.#options, this.#change(this.#session.snapshot(), this.#fresh), this.#now);
    if (this.#asked !== null && this.#session.wants === 'answer') {
      const again = this.#session.nextEvent();
      if (again?.type !== this.#asked.first.type) throw new Error(`asked again: ${again?.type}`);
      this.#asked = { first: this.#asked.first, again: again as Question };
    }
    return this.#session;
  }

  nextEvent(): ServerEvent | null {
    // Who forgets may do the same thing for ever.
    if (++this.#calls > MOST_CALLS) throw new Error('no end');
    const event = this.#awake().nextEvent();
    if (event !== null && !NOTICES.has(event.type)) this.#asked = { first: event as Question, again: event as Question };
    return event;
  }

  #open(question: Question): Question {
    return this.#asked?.first === question ? this.#asked.again : question;
  }

  accept(question: Question, answer?: object): boolean {
    const session = this.#awake();
    const given = session.accept(this.#open(question), answer as never);
    this.#asked = null;
    return given;
  }

  reject(question: Question, rejection: Rejection): boolean {
    const session = this.#awake();
    const given = session.reject(this.#open(question), rejection);
    this.#asked = null;
    return given;
  }

  challenge(question: AuthQuestion, data: Uint8Array): boolean {
    this.#asked = null;
    return this.#session.challenge(question, data);
  }

  tick(now: number): void {
    this.#awake().tick(now);
    this.#now = now;
  }

  secured(tls: TlsInfo): void {
    this.#session.secured(tls);
  }

  receive = (bytes: Uint8Array): void => this.#awake().receive(bytes);
  receiveEnd = (): void => this.#awake().receiveEnd();
  lost = (): void => this.#awake().lost();
  nextOutput = (): Uint8Array | null => this.#awake().nextOutput();
  written = (octets: number): void => this.#awake().written(octets);
  discard = (rejection: Rejection): boolean => this.#awake().discard(rejection);
  shutdown = (rejection?: Rejection): void => this.#awake().shutdown(rejection);

  get deadline(): number {
    return this.#session.deadline;
  }

  get reads(): boolean {
    return this.#session.reads;
  }

  get wants(): ServerSession['wants'] {
    return this.#session.wants;
  }

  get phase(): ServerSession['phase'] {
    return this.#session.phase;
  }

  get hello(): ServerSession['hello'] {
    return this.#session.hello;
  }

  get envelope(): ServerSession['envelope'] {
    return this.#session.envelope;
  }

  get tls(): ServerSession['tls'] {
    return this.#session.tls;
  }

  get identity(): string | null {
    return this.#session.identity;
  }

  get peer(): ServerSession['peer'] {
    return this.#session.peer;
  }

  get forwarded(): ServerSession['forwarded'] {
    return this.#session.forwarded;
  }

  get counters(): ServerSession['counters'] {
    return this.#session.counters;
  }

  get protocol(): string {
    return this.#session.protocol;
  }
}

/** No vector needs as many. */
const MOST_CALLS = 5000;

const NOTICES: ReadonlySet<string> = new Set(['chunk', 'aborted', 'reset', 'fault', 'trace', 'unacknowledged', 'closed']);

/** The first vector that a session breaks which sleeps and loses what `change` takes; null if it breaks none. */
function firstBroken(change: Change): string | null {
  class Session extends Sleeper {
    constructor(options: ServerOptions) {
      super(options, change);
    }
  }
  for (const { transcript } of transcripts) {
    try {
      replayTranscript(transcript, { Session });
    } catch (error) {
      return `${transcript.name}: ${error instanceof Error ? error.message : error}`;
    }
  }
  return null;
}

/** A copy in which the value at a path is that of a session that begins. */
function without(value: object, fresh: object | null | undefined, [name, ...rest]: readonly string[]): object {
  const before = (value as Record<string, unknown>)[name!];
  const first = (fresh as Record<string, unknown> | null | undefined)?.[name!];
  const after = rest.length === 0 ? first : typeof before === 'object' && before !== null ? without(before, first as object, rest) : before;
  return { ...value, [name!]: after };
}

/** What a reader of content knows when it begins. */
const READER = { state: 'LINE', ended: false, line: 1, bareCr: 0, bareLf: 0, binary: false, size: 0, left: 0, last: false, cr: false };

/** Every field of a snapshot, as a path; of a message, of what reads it and of a refused chunk, too. */
const FIELDS: readonly (readonly string[])[] = fields();

function fields(): readonly (readonly string[])[] {
  const snapshot = new ServerSession({ hostname: 'mx.example.org', preset: 'sink' }).snapshot();
  const groups = ['facts', 'transaction', 'counts', 'outbox', 'clock'] as const;
  return [
    ...Object.keys(snapshot)
      .filter((name) => !(groups as readonly string[]).includes(name))
      .map((name) => [name]),
    ...groups.flatMap((group) => Object.keys(snapshot[group]).map((name) => [group, name])),
    ...['size', 'block', ...Object.keys(READER).map((name) => `reader ${name}`)].map((name) => [
      'transaction',
      'message',
      ...name.split(' '),
    ]),
    ...['left', 'last', 'reply', 'block'].map((name) => ['facts', 'refusedChunk', name]),
  ];
}

test('a session that sleeps between all that is done to it does what the vectors say', () => {
  expect(firstBroken((snapshot) => snapshot)).toBe(null);
});

/** What loses the value at a path. */
function forgetting(path: readonly string[]): Change {
  const refusedChunk = { left: 0, last: false, reply: { code: 503, lines: ['x'] }, block: 0 };
  return (snapshot, fresh) => {
    // A reader of dots has no such field as one of chunks, and the other way round.
    const reader = snapshot.transaction.message?.reader;
    if (path[2] === 'reader' && (reader === undefined || !(path[3]! in reader))) return snapshot;
    const message = { size: 0, block: 0, reader: READER };
    const begun = { ...fresh, transaction: { ...fresh.transaction, message }, facts: { ...fresh.facts, refusedChunk } };
    return without(snapshot, path.length > 2 ? begun : fresh, path) as Snapshot;
  };
}

/** What shows only where a program is slow to come back from content: a law has such. */
const BY_LAW: readonly string[] = ['clock.busyFor'];

test.each(FIELDS.map((path) => path.join('.')).filter((name) => !BY_LAW.includes(name)))(
  'without %s in its snapshot it does not',
  (name) => {
    expect(firstBroken(forgetting(name.split('.')))).not.toBe(null);
  },
);

test.each(BY_LAW)('without %s in its snapshot it breaks a law', (name) => {
  const change = forgetting(name.split('.'));
  class Session extends ServerSession {
    static override restore(options: ServerOptions, snapshot: Snapshot, now: number): ServerSession {
      return ServerSession.restore(options, change(snapshot, new ServerSession(options).snapshot()), now);
    }
  }
  const law = LAWS.find((one) => one.name.startsWith('12: a session restored'))!;
  expect(() => law.check(Session, 1000)).toThrow();
});
