// Hosts as tables: what comes of a session with a host follows from what is left to chance, so every course of one is run once by the engines, and
// kept. A walk through a table asks the same chance in the same order as the engines do, and costs a thousandth.
import type { OpenOrder, Outcomes, Transaction } from '@ehlo/delivery';
import { type Action, type Facts, type Stage, type Stub, StubSet, type Verdict } from '@ehlo/testing/stubs';
import { NOBODY } from '../../../testing/src/stub.ts';
import { LINE_FAULTS, type LineFault } from './faults.ts';
import { Host, type HostChance, type HostTls } from './host.ts';
import { connectTo, isDead, judgeTls, type Refusal, starttlsOf } from './line.ts';
import { WorldTime } from './world-time.ts';

/** What a course depends on: what a stub does, whether the line fails, whether the content comes to its end. */
type Question =
  | { readonly type: 'stub'; readonly stage: Stage; readonly from: boolean; readonly to: readonly number[] }
  | { readonly type: 'line' }
  | { readonly type: 'content' };

/** A place in a course: what is asked there, or where it ends. */
interface Node<End> {
  readonly question: Question | null;
  readonly next: Map<string, Node<End>>;
  readonly end: End | null;
}

interface OpenEnd {
  readonly refusal: Refusal | null;
  readonly secured: boolean;
  readonly extensions: { readonly [keyword: string]: readonly string[] };
  readonly ms: number;
  /** Transactions, by the number of their recipients. */
  readonly sends: readonly Node<SendEnd>[];
}

interface SendEnd extends Omit<Outcomes, 'type' | 'to'> {
  /** Recipients of each copy that was taken. */
  readonly stored: readonly (readonly number[])[];
  readonly ms: number;
}

/** Recipients that a transaction of a table may have. */
const MOST = 3;
/** When every host is there. */
const ALIVE = 4 * 3_600_000;
const PEER = '198.51.100.1';
/** Who fits what stubs ask of a sender. */
const SENDER = 's7@d0.example';

/** All courses of sessions with hosts of a kind. */
export class HostTable {
  readonly fault: LineFault | null;
  readonly tls: HostTls | null;
  readonly #opens: { readonly [starttls: string]: Node<OpenEnd> };

  private constructor(fault: LineFault | null, tls: HostTls | null, opens: { readonly [starttls: string]: Node<OpenEnd> }) {
    this.fault = fault;
    this.tls = tls;
    this.#opens = opens;
  }

  static async of(stubs: readonly Stub[], fault: LineFault | null, hasTls: boolean): Promise<HostTable> {
    const tls = hasTls ? { name: 'host.example', key: '' } : null;
    const course = new Course(stubs, fault, tls);
    const opens: { [starttls: string]: Node<OpenEnd> } = {};
    for (const mode of ['clear', 'opportunistic', 'encrypt'] as const)
      opens[starttlsOf(orderOf(mode))] = await course.explore([], (path) => course.open(orderOf(mode), path));
    return new HostTable(fault, tls, opens);
  }

  open(
    order: OpenOrder,
    chance: HostChance,
    tls: HostTls | null,
    now: number,
    peer: string,
  ): TableSession | { readonly refusal: Refusal; readonly ms: number } {
    if (isDead(this, now)) return { refusal: { stage: 'connect' }, ms: 50 };
    const { refusal, secured, extensions, ms, sends } = walk(
      this.#opens[starttlsOf(order)]!,
      chance,
      { peer, from: null, tls: false },
      [],
      now,
      WHOLE,
    );
    if (refusal !== null) return { refusal, ms };
    const judged = judgeTls(order, secured ? tls : null);
    if ('stage' in judged) return { refusal: judged, ms };
    return new TableSession(sends, chance, { extensions, tls: judged.tls, verified: judged.verified }, ms, peer);
  }
}

/** A session that waits for transactions. */
export class TableSession {
  readonly opened: { readonly extensions: OpenEnd['extensions']; readonly tls: boolean; readonly verified: boolean };
  readonly ms: number;
  readonly #sends: readonly Node<SendEnd>[];
  readonly #chance: HostChance;
  readonly #peer: string;

  constructor(sends: readonly Node<SendEnd>[], chance: HostChance, opened: TableSession['opened'], ms: number, peer: string) {
    this.#sends = sends;
    this.#chance = chance;
    this.opened = opened;
    this.ms = ms;
    this.#peer = peer;
  }

  /** `content` is asked when the content has to come to its end: whether it does. */
  send({ reversePath, recipients }: Pick<Transaction, 'reversePath' | 'recipients'>, now: number, content: () => boolean): SendEnd {
    const facts = { peer: this.#peer, from: reversePath, tls: this.opened.tls };
    return walk(this.#sends[recipients.length - 1]!, this.#chance, facts, recipients, now, content);
  }
}

/** What is known of who has the session. */
type Client = Pick<Facts, 'peer' | 'from' | 'tls'>;

function factsOf(stage: Stage, { peer, from, tls }: Client, to: readonly string[]): Facts {
  const { hello, identity, mechanism, size, header } = NOBODY;
  return { stage, peer, hello, tls, identity, mechanism, from, to, size, header };
}

function walk<End>(
  root: Node<End>,
  chance: HostChance,
  client: Client,
  recipients: readonly { readonly address: string }[],
  now: number,
  content: () => boolean,
): End {
  let node = root;
  while (node.question !== null) {
    const { question } = node;
    let answer: string;
    if (question.type === 'line') answer = String(chance.fails());
    else if (question.type === 'content') answer = String(content());
    else {
      const to = question.to.map((index) => recipients[index]!.address);
      answer = keyOf(chance.decide(factsOf(question.stage, client, to), now).action);
    }
    const next = node.next.get(answer);
    if (next === undefined) throw new Error(`the table has no ${answer} for ${JSON.stringify(question)}`);
    node = next;
  }
  return node.end!;
}

function keyOf(action: Action | null): string {
  const reply = action?.reply;
  if (reply === undefined) return action === null ? 'usual' : 'none';
  let key = KEYS.get(reply);
  if (key === undefined) {
    key = JSON.stringify(reply);
    KEYS.set(reply, key);
  }
  return key;
}

/** Of the replies of stubs, which are few. */
const KEYS = new WeakMap<object, string>();
const WHOLE = (): boolean => true;

function orderOf(mode: 'clear' | 'opportunistic' | 'encrypt'): OpenOrder {
  const tls = { mode, names: [], tlsa: [], least: null, requireTls: false, testing: false, because: 'no-policy' } as const;
  return { type: 'open', id: 1, target: { host: 'host.example', address: '192.0.2.1', port: 25, protocol: 'smtp' }, tls };
}

/** Thrown where a course needs an answer that it was not given. */
class Unanswered extends Error {
  readonly question: Question;

  constructor(question: Question) {
    super('unanswered');
    this.question = question;
  }
}

type Answer = Action | null | boolean;

/** Chance that gives the answers of a path, one after the other. */
class Path implements HostChance {
  readonly #answers: readonly Answer[];
  readonly #settings: readonly Action[];
  /** Answers that were asked for so far. */
  asked = 0;
  unanswered: Unanswered | null = null;

  constructor(answers: readonly Answer[], settings: readonly Action[]) {
    this.#answers = answers;
    this.#settings = settings;
  }

  decide({ stage, from, to }: Facts): Verdict {
    const indexes = to.map((address) => Number(/^r(\d)@/.exec(address)![1]));
    return {
      action: this.next({ type: 'stub', stage, from: from !== null, to: indexes }) as Action | null,
      settings: stage === 'connect' ? this.#settings : [],
    };
  }

  fails(): boolean {
    return this.next({ type: 'line' }) as boolean;
  }

  next(question: Question): Answer {
    if (this.unanswered !== null) throw this.unanswered;
    const answer = this.#answers[this.asked];
    if (answer === undefined) {
      this.unanswered = new Unanswered(question);
      throw this.unanswered;
    }
    this.asked++;
    return answer;
  }
}

/** Runs sessions of one kind of host by the engines, with given answers. */
class Course {
  readonly #stubs: readonly Stub[];
  readonly #fault: LineFault | null;
  readonly #tls: HostTls | null;
  readonly #settings: readonly Action[];

  constructor(stubs: readonly Stub[], fault: LineFault | null, tls: HostTls | null) {
    this.#stubs = stubs;
    this.#fault = fault;
    this.#tls = tls;
    this.#settings = stubs
      .map(({ do: action }) => action)
      .filter(({ capabilities, limits }) => capabilities !== undefined || limits !== undefined);
  }

  /** Every course that begins with `before`. */
  async explore<End>(before: readonly Answer[], run: (answers: readonly Answer[]) => Promise<End>): Promise<Node<End>> {
    try {
      return { question: null, next: new Map(), end: await run(before) };
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      const answers = this.#answersTo(error.question);
      // What has one answer is not asked, and nothing is counted by it.
      if (answers.length === 1) return this.explore([...before, answers[0]!], run);
      const next = new Map<string, Node<End>>();
      for (const answer of answers)
        next.set(typeof answer === 'boolean' ? String(answer) : keyOf(answer), await this.explore([...before, answer], run));
      return { question: error.question, next, end: null };
    }
  }

  async open(order: OpenOrder, answers: readonly Answer[]): Promise<OpenEnd> {
    const { result, ms, path } = await this.#run(answers, (host, time, pause) => connectTo(host, order, PEER, time, pause));
    if (!('opened' in result)) return { refusal: result, secured: false, extensions: {}, ms, sends: [] };
    const { extensions, tls: secured } = result.opened;
    const sends: Node<SendEnd>[] = [];
    const own = answers.slice(0, path.asked);
    for (let count = 1; count <= MOST; count++) sends.push(await this.explore(own, (whole) => this.#send(order, count, whole)));
    return { refusal: null, secured, extensions, ms, sends };
  }

  async #send(order: OpenOrder, count: number, answers: readonly Answer[]): Promise<SendEnd> {
    let began = 0;
    const stored: (readonly number[])[] = [];
    const recipients = Array.from({ length: count }, (_, index) => ({
      job: 'j',
      index,
      address: `r${index}@host.example`,
      parameters: {},
    }));
    const { result, until } = await this.#run(
      answers,
      async (host, time, pause, path) => {
        const session = await connectTo(host, order, PEER, time, pause);
        if (!('opened' in session)) throw new Error('a session that was open is not');
        began = time.now();
        const content = async function* (): AsyncGenerator<Uint8Array> {
          yield new TextEncoder().encode('X: y\r\n\r\nhello\r\n');
          if (path.next({ type: 'content' }) === false) throw new Error('it breaks off');
        };
        return await session.send({ reversePath: SENDER, parameters: {}, recipients, convert: false }, content());
      },
      (addresses) => stored.push(addresses.map((address) => Number(/^r(\d)@/.exec(address)![1]))),
    );
    return { ...result, stored, ms: until - began };
  }

  async #run<T>(
    answers: readonly Answer[],
    call: (host: Host, time: WorldTime, pause: (ms: number) => Promise<void>, path: Path) => Promise<T>,
    take: (recipients: readonly string[]) => void = () => {},
  ): Promise<{ readonly result: T; readonly ms: number; readonly until: number; readonly path: Path }> {
    const time = new WorldTime();
    const path = new Path(answers, this.#settings);
    const host = new Host('host.example', this.#stubs, this.#fault, this.#tls, { stored: (_, recipients) => take(recipients) }, path);
    const pause = (ms: number): Promise<void> => new Promise((resolve) => time.in(ms, resolve));
    let until: number | null = null;
    const begin = async (): Promise<T> => {
      await pause(ALIVE);
      return call(host, time, pause, path);
    };
    const running = begin().finally(() => {
      until = time.now();
    });
    running.catch(() => {});
    await time.run(() => until !== null);
    // What is unanswered may have been swallowed on its way.
    if (path.unanswered !== null) throw path.unanswered;
    return { result: await running, ms: until! - ALIVE, until: until!, path };
  }

  #answersTo(question: Question): readonly Answer[] {
    if (question.type === 'line') return LINE_FAULTS[this.#fault!] === 1 ? [true] : [false, true];
    if (question.type === 'content') return [true, false];
    const { stage, from, to } = question;
    const facts: Facts = { ...NOBODY, stage, peer: PEER, from: from ? SENDER : null, to: to.map((index) => `r${index}@host.example`) };
    const found = new Map<string, Action | null>([['usual', null]]);
    for (const stub of this.#stubs) {
      const set = new StubSet();
      set.add(stub);
      // As often as the rarest of them needs.
      for (let i = 0; i < 10; i++) {
        const { action } = set.decide(facts, 0);
        found.set(keyOf(action), action);
      }
    }
    return [...found.values()];
  }
}
