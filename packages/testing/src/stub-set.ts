import { checkStub, checkStubFile } from './check-stubs.ts';
import { fits } from './matching.ts';
import { type Action, type Facts, type Key, milliseconds, type Pattern, type Stub, type StubFile, type StubReply } from './stub.ts';

/** A stub that is in use, and what has become of it. */
export interface StubRecord {
  readonly stub: Stub<Pattern>;
  readonly from: 'program' | 'preset';
  /** How often it has acted. */
  readonly fired: number;
}

/** What a stub that was registered can be asked, and told. */
export interface StubHandle {
  /** How often it has acted. */
  readonly fired: number;
  /** How often it acts at the most. */
  times(most: number): StubHandle;
  remove(): void;
}

/** What stubs say of an event. */
export interface Verdict {
  /** What is done; null: the usual. A throttle and a greylist are the reply that they give. */
  readonly action: Action | null;
  /** At `connect`: the settings of all that fit, the newest first. */
  readonly settings: readonly Action[];
}

/** Clients that a throttle or a greylist remembers at the most; the oldest are forgotten. */
const MEMORY = 10_000;

class Entry implements StubRecord, StubHandle {
  stub: Stub<Pattern>;
  readonly from: 'program' | 'preset';
  fired = 0;
  /** How often it has fitted. */
  fitted = 0;
  /** Of a throttle, when those came that it let pass; of a greylist, when the first came. */
  readonly memory: Map<string, number[]> = new Map();
  readonly #take: (entry: Entry) => void;

  /** `take` takes it out of use. */
  constructor(stub: Stub<Pattern>, from: 'program' | 'preset', take: (entry: Entry) => void) {
    this.stub = stub;
    this.from = from;
    this.#take = take;
  }

  get usedUp(): boolean {
    return this.fired >= (this.stub.times ?? Number.POSITIVE_INFINITY);
  }

  times(most: number): this {
    this.stub = checkStub({ ...this.stub, times: most });
    return this;
  }

  remove(): void {
    this.#take(this);
  }
}

/**
 * Stubs and their memory: the newest is asked first, those of the program before those of presets, used-up ones never. It has no clock: `now` is
 * given, in milliseconds.
 *
 * @example
 * ```ts
 * import { StubSet } from '@ehlo/testing/stubs';
 * const stubs = new StubSet();
 * stubs.add({ on: 'rcpt', match: { to: 'full@*' }, do: { reply: { code: 452, enhanced: '4.2.2', text: 'Mailbox full' } }, times: 1 });
 * const facts = { stage: 'rcpt', peer: '127.0.0.1', hello: 'a.example', tls: false, identity: null, mechanism: null, from: '', size: null } as const;
 * const event = { ...facts, to: ['Full@example.org'], header: () => [] };
 * [stubs.decide(event, 0).action?.reply?.code, stubs.decide(event, 1).action, stubs.list.map(({ fired }) => fired)]
 * // → [452, null, [1]]
 * ```
 */
export class StubSet {
  /** All that are in use, the newest first, those of the program before those of presets. The list is never changed: an event may take a stub out. */
  #entries: readonly Entry[] = [];

  /** Adds a stub of the program. Throws `SmtpUsageError` `bad-option` if it can be none. */
  add(stub: Stub<Pattern>): StubHandle {
    const entry = new Entry(checkStub(stub), 'program', this.#take);
    this.#entries = [entry, ...this.#entries];
    return entry;
  }

  /** Takes files of stubs in place of those that were: their memory begins anew. Throws `SmtpUsageError` `bad-option`, and changes nothing. */
  preset(...files: readonly StubFile[]): void {
    const stubs = files.flatMap((file) => checkStubFile(file).stubs);
    const preset = stubs.map((stub) => new Entry(stub, 'preset', this.#take)).reverse();
    this.#entries = [...this.#entries.filter(({ from }) => from === 'program'), ...preset];
  }

  /** All that are in use, the newest first. */
  get list(): readonly StubRecord[] {
    return this.#entries;
  }

  /** What is to be done. It counts: ask once for an event. */
  decide(facts: Facts, now: number): Verdict {
    const settings: Action[] = [];
    let found: Action | null = null;
    for (const entry of this.#entries) {
      const isSetting = entry.stub.do.capabilities !== undefined || entry.stub.do.limits !== undefined;
      if ((found !== null && !isSetting) || entry.usedUp || !isDue(entry, facts)) continue;
      const action = acting(entry, facts, now);
      if (action === null) continue;
      entry.fired++;
      if (isSetting) settings.push(action);
      else found = action;
    }
    return { action: found, settings };
  }

  readonly #take = (entry: Entry): void => {
    this.#entries = this.#entries.filter((one) => one !== entry);
  };
}

/** Whether it fits, this time. */
function isDue(entry: Entry, facts: Facts): boolean {
  const { on, match = {} } = entry.stub;
  if (on !== facts.stage || !fits(match, facts)) return false;
  entry.fitted++;
  return (match.nth === undefined || entry.fitted === match.nth) && (match.every === undefined || entry.fitted % match.every === 0);
}

/** What it does; null where its memory says that the client may go on. */
function acting({ stub, memory }: Entry, facts: Facts, now: number): Action | null {
  const { throttle, greylist, ...action } = stub.do;
  if (throttle !== undefined) {
    const { most, within, by = [], reply = facts.stage === 'connect' ? TOO_MANY_CONNECTIONS : TOO_MANY } = throttle;
    const key = keyOf(by, facts);
    const recent = (memory.get(key) ?? []).filter((time) => time > now - milliseconds(within));
    if (recent.length >= most) return { ...action, reply };
    remember(memory, key, [...recent, now]);
    return null;
  }
  if (greylist !== undefined) {
    const { for: wait, by = ['peer', 'from', 'to'], reply = GREYLISTED } = greylist;
    const key = keyOf(by, facts);
    const [first = now] = memory.get(key) ?? [];
    remember(memory, key, [first]);
    return now - first < milliseconds(wait) ? { ...action, reply } : null;
  }
  return action;
}

function keyOf(by: readonly Key[], facts: Facts): string {
  return JSON.stringify(by.map((key) => facts[key]));
}

function remember(memory: Map<string, number[]>, key: string, times: number[]): void {
  memory.delete(key);
  memory.set(key, times);
  if (memory.size > MEMORY) memory.delete(memory.keys().next().value!);
}

const TOO_MANY_CONNECTIONS: StubReply = { code: 421, enhanced: '4.7.0', text: 'Too many connections from your host' };
const TOO_MANY: StubReply = { code: 450, enhanced: '4.7.1', text: 'Too many messages, try again later' };
const GREYLISTED: StubReply = { code: 451, enhanced: '4.7.1', text: 'Greylisted, try again later' };
