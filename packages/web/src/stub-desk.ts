import { checkStubFile, type Pattern, type Stub, type StubHandle, type StubRecord, type StubSet } from '@ehlo/testing';
import { Refused } from './answer.ts';

/** A stub, as the API tells it. */
export interface StubSummary {
  readonly id: number;
  readonly from: 'program' | 'preset';
  readonly fired: number;
  readonly stub: Stub;
}

/** Ours: stubs that may be made by the API. */
const MOST = 200;

/** The stubs of a server by numbers: listed, made, taken back. */
export class StubDesk {
  readonly #set: StubSet;
  readonly #ids: WeakMap<Stub<Pattern>, number> = new WeakMap();
  readonly #handles: Map<number, StubHandle> = new Map();
  readonly #changed: () => void;
  #count = 0;
  #seen = '';

  constructor(set: StubSet, changed: () => void) {
    this.#set = set;
    this.#changed = changed;
    this.look();
  }

  /** The newest first. */
  get list(): readonly StubSummary[] {
    return this.#set.list.map((record) => ({ id: this.#idOf(record), from: record.from, fired: record.fired, stub: shown(record.stub) }));
  }

  /** Tells of it if a stub has acted, or there are others. */
  look(): void {
    const seen = this.#set.list.map((record) => `${this.#idOf(record)}:${record.fired}`).join();
    if (seen === this.#seen) return;
    this.#seen = seen;
    this.#changed();
  }

  /** Makes a stub of what was parsed as JSON. Throws `Refused` with what is wrong with it. */
  add(given: unknown): StubSummary {
    if (this.#handles.size >= MOST) throw new Refused(409, `there are ${MOST} stubs already`);
    const stub = checked(given);
    const handle = this.#set.add(stub);
    const [record] = this.#set.list;
    const id = this.#idOf(record!);
    this.#handles.set(id, handle);
    this.look();
    return { id, from: 'program', fired: 0, stub: shown(record!.stub) };
  }

  /** Takes back a stub that was made here. Throws `Refused` if it was not. */
  remove(id: number): void {
    const handle = this.#handles.get(id);
    if (handle === undefined) {
      const known = this.list.some((one) => one.id === id);
      throw known ? new Refused(409, 'a stub of a file or a preset stays') : new Refused(404, 'there is no such stub');
    }
    handle.remove();
    this.#handles.delete(id);
    this.look();
  }

  #idOf({ stub }: StubRecord): number {
    const known = this.#ids.get(stub);
    if (known !== undefined) return known;
    this.#ids.set(stub, ++this.#count);
    return this.#count;
  }
}

/** The check of a file: what only a program can give is refused. */
function checked(given: unknown): Stub {
  try {
    return checkStubFile({ stubs: [given] } as never).stubs[0]!;
  } catch (error) {
    throw new Refused(400, (error as Error).message.replace(/stubs\.0\.?/g, ''));
  }
}

/** As JSON has it: expressions and functions of a program are told as texts. */
function shown(stub: Stub<Pattern>): Stub {
  return JSON.parse(
    JSON.stringify(stub, (_, value: unknown) => (value instanceof RegExp || typeof value === 'function' ? String(value) : value)),
  );
}
