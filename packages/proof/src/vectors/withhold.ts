import { ServerSession } from '@ehlo/engine';
import { encodeBase64, octets } from '@ehlo/grammar';
import { isQuestion } from '../question.ts';
import { apply } from './apply.ts';
import { type Done, type Recording, WITHHELD_OCTETS } from './recorder.ts';
import type { InputStep } from './transcript.ts';

/**
 * What was done to a session, with something else in the place of what its conversation log withholds: the responses of AUTH, and what may be
 * one. The log itself says where they are: the octets are read once more, line by line, and a line that is shown with a mark is rewritten.
 */
export function withhold({ options, facts, done }: Recording): readonly Done[] {
  return new Reader(new ServerSession({ ...options, trace: true }, facts), done).run();
}

/** A line of the stream of input, and what stands in its place. */
interface Rewritten {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

class Reader {
  readonly #session: ServerSession;
  readonly #done: readonly Done[];
  readonly #stream: string;
  /** How much of the stream has come, and how much of that was read. */
  #come = 0;
  #read = 0;
  #question: Parameters<ServerSession['reject']>[0] | null = null;
  /** Lines of the log since the last line was read. */
  #shown: string[] = [];
  readonly #rewritten: Rewritten[] = [];

  constructor(session: ServerSession, done: readonly Done[]) {
    this.#session = session;
    this.#done = done;
    this.#stream = done.map((step) => ('in' in step ? (step.in as string) : '')).join('');
  }

  run(): readonly Done[] {
    let now = 0;
    this.#pull();
    for (const step of this.#done) {
      if ('tick' in step) now += step.tick;
      this.#session.tick(now);
      if ('in' in step) this.#come += step.in.length;
      else apply(this.#session, step as InputStep, () => this.#question!);
      this.#pull();
      this.#lines();
    }
    return this.#rewrite();
  }

  /** Reads the lines that are there, one at a time: the log says of which it speaks. */
  #lines(): void {
    const session = this.#session;
    while (this.#read < this.#come && (session.reads || session.wants === 'tls')) {
      const whole = this.#stream.indexOf('\n', this.#read) + 1;
      const isWhole = whole > 0 && whole <= this.#come;
      // A chunk ends where it says, at a line end or not.
      if (!isWhole && !CONTENT.has(session.phase)) return;
      const end = isWhole ? whole : this.#come;
      const line = this.#stream.slice(this.#read, end);
      this.#shown = [];
      session.receive(octets(line));
      this.#pull();
      const shown = this.#shown.find((text) => text.endsWith(MARK));
      const text = shown === undefined ? line : withoutSecret(line, shown.slice(0, -MARK.length));
      if (text !== line) this.#rewritten.push({ from: this.#read, to: end, text });
      this.#read = end;
    }
  }

  #pull(): void {
    const session = this.#session;
    for (let more = true; more; ) {
      more = false;
      for (let event = session.nextEvent(); event !== null; event = session.nextEvent()) {
        if (event.type === 'trace' && event.from === 'client') this.#shown.push(event.line);
        if (isQuestion(event)) this.#question = event;
      }
      const bytes = session.nextOutput();
      if (bytes === null) continue;
      session.written(bytes.length);
      more = true;
    }
  }

  /** A line that was rewritten comes with the block that ends it. */
  #rewrite(): readonly Done[] {
    let at = 0;
    const steps = this.#done.map((step) => {
      if (!('in' in step)) return step;
      const [from, to] = [at, at + step.in.length];
      at = to;
      let text = '';
      let next = from;
      for (const line of this.#rewritten) {
        if (line.to <= from || line.from >= to) continue;
        text += this.#stream.slice(next, Math.max(next, line.from)) + (line.to <= to ? line.text : '');
        next = Math.min(line.to, to);
      }
      return { in: text + this.#stream.slice(next, to) };
    });
    return steps.filter((step) => !('in' in step && step.in === ''));
  }
}

/** The mark with which a log ends a line of which it does not show the rest. */
const MARK = '***';

/** Phases in which octets are content. */
const CONTENT: ReadonlySet<string> = new Set(['data', 'chunk', 'drain']);

/** RFC 4422 3.1: octets of the name of a mechanism, at the most. */
const MECHANISM = 20;

/** What stands for a response: base64, as what it stands for. */
const RESPONSE = encodeBase64(octets(WITHHELD_OCTETS));

/** A line with something else behind what is shown of it, which reads alike: no response stays none, and no base64 stays none. */
function withoutSecret(line: string, shown: string): string {
  const ends = /\r?\n$/.exec(line)?.[0] ?? '';
  const whole = line.slice(0, line.length - ends.length);
  const found = shown === '' ? 0 : whole.lastIndexOf(shown);
  const begin = found >= 0 ? found + shown.length : (/auth\s*/i.exec(whole)?.[0].length ?? 0);
  const head = whole.slice(0, begin);
  const rest = whole.slice(begin);
  // A word that names no mechanism that is known: what is there may be a response, whose mechanism was left out.
  const [, named = '', behind] = shown === 'AUTH ' ? (/^([\w-]+)( .*)?$/.exec(rest) ?? []) : [];
  if (named === '') return head + standIn(rest) + ends;
  return `${head}${named.length > MECHANISM ? 'X'.repeat(MECHANISM + 1) : 'X-WITHHELD'}${behind === undefined ? '' : ` ${standIn(behind.slice(1))}`}${ends}`;
}

function standIn(text: string): string {
  const bare = text.trim();
  if (bare === '' || bare === '=' || bare === '*') return text;
  // What is too long has to stay so; how long it was is no secret then.
  if (text.length > LONG) return '*'.repeat(text.length);
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(bare) ? RESPONSE : MARK;
}

/** RFC 5321 4.5.3.1.4: longer lines may be refused for that. */
const LONG = 500;
