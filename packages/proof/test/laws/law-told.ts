// Law 13: what is accepted is told to the client, or the program hears that it was not (RFC 1047).
import type { MessageQuestion, Question, RcptQuestion, Rejection, ServerEvent, ServerOptions, ServerSession } from '@ehlo/engine';
import { latin1, octets } from '@ehlo/grammar';
import fc from 'fast-check';
import type { SessionClass } from '../../src/laws/record.ts';
import { isQuestion } from '../../src/question.ts';
import { holds, type Law, property, same } from './law.ts';
import { cut, sizes } from './scripts.ts';

/** How the client sends one message, and what is decided on it: for each of its recipients in turn. */
interface Mail {
  readonly by: 'DATA' | 'BDAT' | 'BDAT 0 LAST';
  readonly recipients: number;
  readonly decisions: readonly ('accept' | 'reject' | 'delay' | 'late' | 'never')[];
}

/** Something that happens when so many octets have come from the client. */
type Turn =
  | { readonly do: 'take'; readonly octets: number }
  | { readonly do: 'tick'; readonly milliseconds: number }
  | { readonly do: 'hibernate' | 'shutdown' | 'lost' | 'end' };

interface Course {
  readonly preset: 'sink' | 'lmtp';
  readonly mails: readonly Mail[];
  readonly sizes: readonly number[];
  readonly limits: NonNullable<ServerOptions['limits']>;
  /** Octets that the transport takes by itself, again and again, in turn; and how many may wait in it before it is given no more. */
  readonly takes: readonly number[];
  readonly room: number;
  readonly turns: readonly (readonly [after: number, Turn])[];
  readonly quits: boolean;
}

const mail: fc.Arbitrary<Mail> = fc.record({
  by: fc.constantFrom('DATA', 'BDAT', 'BDAT 0 LAST'),
  recipients: fc.integer({ min: 1, max: 3 }),
  decisions: fc.array(fc.constantFrom('accept', 'accept', 'accept', 'accept', 'reject', 'delay', 'late', 'never'), {
    minLength: 1,
    maxLength: 3,
  }),
});

const turn: fc.Arbitrary<Turn> = fc.oneof(
  fc.record({ do: fc.constant('take' as const), octets: fc.constantFrom(1, 7, 40, 1000) }),
  fc.record({ do: fc.constant('tick' as const), milliseconds: fc.constantFrom(1, 50, 1000, 1000, 5000, 300_000) }),
  fc.record({ do: fc.constantFrom('hibernate' as const, 'hibernate' as const, 'shutdown' as const, 'lost' as const, 'end' as const) }),
);

const course: fc.Arbitrary<Course> = fc.record({
  preset: fc.constantFrom('sink', 'lmtp'),
  mails: fc.array(mail, { minLength: 1, maxLength: 3 }),
  sizes,
  limits: fc.record({
    output: fc.constantFrom(512, 65_536),
    flushTimeout: fc.constantFrom(1000, 1000, 1000, 300_000),
    messageAnswer: fc.constantFrom(100, 540_000),
    faultDelay: fc.constantFrom(0, 50),
  }),
  takes: fc.array(fc.constantFrom(0, 0, 0, 1, 50, 10_000), { minLength: 1, maxLength: 4 }),
  room: fc.constantFrom(0, 0, 50, 10_000),
  turns: fc.array(fc.tuple(fc.nat({ max: 600 }), turn), { maxLength: 8 }),
  quits: fc.boolean(),
});

function wireOf({ preset, mails, quits }: Course): string {
  const parts = mails.map(({ by, recipients }, i) => {
    const envelope = `MAIL FROM:<${i}@x.example>\r\n${'RCPT TO:<r@y.example>\r\n'.repeat(recipients)}`;
    if (by === 'DATA') return `${envelope}DATA\r\nText\r\n.\r\n`;
    return `${envelope}${by === 'BDAT' ? 'BDAT 4 LAST\r\nText' : 'BDAT 4\r\nTextBDAT 0 LAST\r\n'}`;
  });
  return `${preset === 'lmtp' ? 'LHLO' : 'EHLO'} c.example\r\n${parts.join('')}${quits ? 'QUIT\r\n' : ''}`;
}

/** A driver over a transport that takes as little as it likes, and a program that keeps account. */
class Account {
  /** Names of the acceptances that the session has taken, and of those that it has told as lost. */
  readonly accepted: string[] = [];
  readonly lost: string[] = [];
  /** What the transport has taken. */
  taken = '';
  closed = false;
  session: ServerSession;
  now = 0;
  readonly #Session: SessionClass;
  readonly #options: ServerOptions;
  readonly #course: Course;
  #waiting = '';
  #open: Question | null = null;
  #takes = 0;

  constructor(Session: SessionClass, course: Course) {
    this.#Session = Session;
    this.#course = course;
    this.#options = { hostname: 'mx.example.org', preset: course.preset, ask: ['rcpt', 'message'], limits: course.limits };
    this.session = new Session(this.#options);
    this.pull();
  }

  /** Takes events and output; the transport takes what it likes of that. */
  pull(): void {
    for (;;) {
      for (let event = this.session.nextEvent(); event !== null; event = this.session.nextEvent()) this.#hear(event);
      const { takes, room } = this.#course;
      const { wants } = this.session;
      const bytes = this.#waiting.length <= room || wants === 'close' ? this.session.nextOutput() : null;
      if (bytes !== null) this.#waiting += latin1(bytes, 0, bytes.length);
      const took = this.take(takes[this.#takes++ % takes.length]!);
      if (wants === 'abort') this.lose();
      if (!took && bytes === null) return;
    }
  }

  /** False if nothing was there to take. */
  take(most: number): boolean {
    const part = this.#waiting.slice(0, most);
    this.taken += part;
    this.#waiting = this.#waiting.slice(part.length);
    this.session.written(part.length);
    return part.length > 0;
  }

  /** The connection is gone: what the transport holds is never taken. */
  lose(): void {
    this.#waiting = '';
    this.session.lost();
  }

  do(turn: Turn): void {
    if (turn.do === 'take') this.take(turn.octets);
    else if (turn.do === 'tick') {
      this.now += turn.milliseconds;
      this.session.tick(this.now);
    } else if (turn.do === 'hibernate') this.#hibernate();
    else if (turn.do === 'shutdown') this.session.shutdown();
    else if (turn.do === 'end') this.session.receiveEnd();
    else this.lose();
    this.pull();
    if (turn.do === 'tick') this.#answerLate();
  }

  #hibernate(): void {
    this.session = this.#Session.restore(this.#options, this.session.snapshot(), this.now);
    this.#open = null;
  }

  #hear(event: ServerEvent): void {
    holds(!this.closed, `${event.type} after closed`);
    if (event.type === 'closed') this.closed = true;
    else if (event.type === 'unacknowledged') {
      const { recipients } = event.envelope;
      const index = event.recipient === null ? 0 : recipients.indexOf(event.recipient);
      this.lost.push(`${event.envelope.reversePath.localPart} ${index}`);
    } else if (isQuestion(event)) this.#answer(event);
  }

  #answer(question: Question): void {
    if (question.type !== 'message') return void this.session.accept(question as RcptQuestion);
    const decision = this.#decisionOn(question);
    if (decision === 'reject') this.session.reject(question, NO);
    else if (decision === 'late' || decision === 'never') this.#open = question;
    else this.#accept(question, decision === 'delay' ? 60 : 0);
  }

  /** The program comes back, perhaps too late: the answer says so. */
  #answerLate(): void {
    const open = this.#open;
    if (open?.type !== 'message' || this.#decisionOn(open) === 'never') return;
    this.#open = null;
    this.#accept(open, 0);
    this.pull();
  }

  #accept(question: MessageQuestion, delay: number): void {
    const name = this.#nameOf(question);
    if (this.session.accept(question, { text: `<${name}>`, delay })) this.accepted.push(name);
  }

  #nameOf({ envelope, recipient }: MessageQuestion): string {
    return `${envelope.reversePath.localPart} ${recipient === null ? 0 : envelope.recipients.indexOf(recipient)}`;
  }

  #decisionOn(question: MessageQuestion): Mail['decisions'][number] {
    const [message, recipient] = this.#nameOf(question).split(' ').map(Number);
    const { decisions } = this.#course.mails[message!]!;
    return decisions[recipient! % decisions.length]!;
  }
}

const NO: Rejection = { code: 550, text: 'no' };

const told: Law = property('13: an acceptance is told to the client whole, or as unacknowledged, once', course, (Session, given) => {
  const account = new Account(Session, given);
  const turns = [...given.turns].sort(([a], [b]) => a - b);
  let at = 0;
  for (const bytes of cut(wireOf(given), given.sizes)) {
    for (; turns[0] !== undefined && turns[0][0] <= at; turns.shift()) account.do(turns[0][1]);
    account.session.receive(bytes);
    account.pull();
    at += bytes.length;
  }
  for (const [, turn] of turns) account.do(turn);
  if (!given.quits) account.session.receiveEnd();
  account.pull();
  account.lose();
  account.pull();
  const { accepted, lost, taken, closed } = account;
  holds(closed, 'closed was not told');
  const known = [...taken.matchAll(/^250 2\.6\.0 <(\d+ \d)>\r\n/gm)].map(([, name]) => name!);
  // Each once, in order: the client knows of the first, and not of those that were lost.
  same([...known, ...lost], accepted, 'acceptances');
});

const HEAD = 'EHLO c.example\r\nMAIL FROM:<0@x.example>\r\nRCPT TO:<r@y.example>\r\nRCPT TO:<r@y.example>\r\n';

const everywhere: Law = {
  name: '13: … wherever the transport stops to take',
  check(Session) {
    for (const preset of ['sink', 'lmtp'] as const)
      for (const message of ['DATA\r\nText\r\n.\r\n', 'BDAT 4 LAST\r\nText'])
        for (const quits of [false, true]) {
          const wire = `${preset === 'lmtp' ? HEAD.replace('EHLO', 'LHLO') : HEAD}${message}${quits ? 'QUIT\r\n' : ''}`;
          for (let stop = 0; !stopsAt(Session, preset, wire, quits, stop); stop++);
        }
  },
};

/** Carries out a session whose transport takes so many octets and no more; true if those were all. */
function stopsAt(Session: SessionClass, preset: Course['preset'], wire: string, quits: boolean, stop: number): boolean {
  const mails: readonly Mail[] = [{ by: 'DATA', recipients: 2, decisions: ['accept'] }];
  const account = new Account(Session, { preset, mails, sizes: [], limits: {}, takes: [0], room: 1e9, turns: [], quits });
  account.session.receive(octets(wire));
  account.pull();
  account.take(stop);
  account.pull();
  // A session that is over waits for the acceptances that are on their way, and for nothing else.
  const known = [...account.taken.matchAll(/^250 2\.6\.0 .*\r\n/gm)].length;
  same(account.closed, quits && known === account.accepted.length, 'closings');
  account.lose();
  account.pull();
  same([account.closed, account.lost.length], [true, account.accepted.length - known], `acceptances when ${stop} octets were taken`);
  return account.taken.length < stop;
}

export const TOLD_LAWS: readonly Law[] = [told, everywhere];
