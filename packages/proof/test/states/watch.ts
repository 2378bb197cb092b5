// Holds every row that a server session takes against test-vectors/states.json: which row it is, what is said, the phase that follows, what changes.
import { type Row, TABLE } from '@ehlo/engine';
import { parseCommand, parseVerb, type Reply } from '@ehlo/grammar';
import { expect, vi } from 'vitest';
import * as command from '../../../engine/src/server/command.ts';
import { CONDITIONS, GUARD_CALLS } from '../../../engine/src/server/guards.ts';
import { Machine } from '../../../engine/src/server/machine.ts';
import { ownVerbOf, parseOwnCommand } from '../../../engine/src/server/own-verb.ts';
import { type Given, Said } from './said.ts';
import { type Codes, server } from './server.ts';
import { Tally } from './tally.ts';

/** All that a session knows, by name; each fact as a text, so that what is changed in its place is seen. */
type Known = ReadonlyMap<string, string>;

/** A row that is being taken: what it began with, and what has been said in it. */
interface Frame {
  readonly row: Row;
  readonly phase: string;
  readonly before: Known;
  readonly expected: readonly string[] | null;
  readonly said: string[];
  readonly lmtp: boolean;
  judged: boolean;
}

const { take, carryOut } = Machine.prototype;

export class Watch {
  readonly read: Map<string, Set<string>> = new Map();
  readonly changed: Tally = new Tally();
  readonly #said: Said = new Said();
  readonly #frames: Frame[] = [];
  /** What a session knew when it was looked at last. */
  readonly #last = new WeakMap<Machine, Known>();
  /** The row that was predicted. */
  #next: Row | null = null;
  #readsLine = false;

  constructor() {
    const watch = this;
    const { readCommand } = command;
    vi.spyOn(Machine.prototype, 'take').mockImplementation(function (this: Machine, on, given = {}) {
      if (on === 'fault' || on === 'chunk-refused') watch.#predictRefusal(this, on, given as Given);
      if (on === 'bad-response') watch.#said.fault = watch.#said.faultCodes(this, on, (given as Given).code!);
      watch.#next = watch.#rowFor(this, on, given);
      return take.call(this, on, given);
    });
    vi.spyOn(Machine.prototype, 'carryOut').mockImplementation(function (this: Machine, step, given) {
      const row = server.rows[TABLE.indexOf(step.row)]!;
      if (watch.#next !== null) expect(row, 'the row that is taken').toBe(watch.#next);
      watch.#next = null;
      watch.#follow(this, row, given, () => carryOut.call(this, step, given));
    });
    vi.spyOn(command, 'readCommand').mockImplementation((machine) => {
      watch.#look(machine);
      watch.#readsLine = true;
      const done = readCommand(machine);
      if (watch.#readsLine) watch.#look(machine);
      watch.#readsLine = false;
      return done;
    });
  }

  /** The first row of the trigger whose conditions hold. */
  #rowFor(machine: Machine, on: string, given: object): Row {
    const rows = server.rows.filter((row) => row.on === on && row.from.includes(machine.phase));
    return rows.find(({ when = [] }) => when.every((name) => this.#isTrue(machine, name, given)))!;
  }

  /** The code by which a command is refused follows from its row. */
  #predictRefusal(machine: Machine, on: string, given: Given): void {
    const { verb = null, code } = given;
    const { reply } = given as { readonly reply: Reply };
    const said = this.#said;
    const rowOf = (name: string): Row => server.rows.find((row) => row.on === name && row.from.includes(machine.phase))!;
    const expected = (codes: Codes, why: string): void => {
      expect([reply.code, reply.enhanced], why).toEqual(codes);
      said.fault = codes;
    };
    if (code === 'line-too-long' || code === 'bare-lf-line') return expected(said.faultCodes(machine, on, code), code);
    if (verb === null) return expected(said.codes(machine, rowOf('unknown').refuse!), 'unknown');
    const { guards = [], refuse, checks = [] } = rowOf(verb);
    const failing = guards.find((name) => !this.#isTrue(machine, name, null));
    const { input } = machine;
    const own = ownVerbOf(machine);
    const parsed = own === null ? parseCommand(input.bytes, machine.dialect, input.from, input.to) : parseOwnCommand(machine, own);
    const read = parsed.ok ? parsed.value : null;
    const by = failing ?? (refuse === undefined && read !== null ? checks.find((name) => !this.#isTrue(machine, name, read)) : undefined);
    if (by !== undefined) {
      const { refuses } = server.guards[by]!;
      expect(code, `${verb} without ${by}`).toBe(refuses!.fault);
      return expected(said.codes(machine, refuses!.reply), `${verb} without ${by}`);
    }
    if (refuse !== undefined) return expected(said.codes(machine, refuse), `${verb} in ${machine.phase}`);
    expect(parsed, `${verb} is refused, and nothing says why`).toMatchObject({ ok: false, code });
    if (!parsed.ok) expected(said.faultCodes(machine, on, parsed.code, parsed.rule), `${verb} can not be read: ${parsed.code}`);
  }

  #isTrue(machine: Machine, name: string, given: object | null): boolean {
    const reads = this.read.get(name) ?? new Set<string>();
    this.read.set(name, reads);
    const view = recording(machine, reads);
    const call = (name in GUARD_CALLS ? GUARD_CALLS[name as never] : CONDITIONS[name as never]) as (
      at: object,
      given: object | null,
    ) => boolean;
    const gift = given === null ? null : new Proxy(given, { get: (of, key) => noted(reads, 'given', Reflect.get(of, key)) });
    return call(view, gift);
  }

  /** Between two rows nothing changes but by reading, as is said of it. */
  #look(machine: Machine): Known {
    const now = known(machine);
    const before = this.#last.get(machine);
    this.#last.set(machine, now);
    if (before === undefined) return now;
    const { bytes, from, to } = machine.input;
    const verb = ownVerbOf(machine) === null ? (parseVerb(bytes, from, to) ?? 'unknown') : 'extension';
    const changes = differences(before, now);
    const fits = server.reading.filter(({ on, except, from: phases }) => {
      if (phases !== undefined) return !this.#readsLine && phases.includes(machine.phase);
      return this.#readsLine && (on?.includes(verb) ?? !except!.includes(verb));
    });
    expect(
      changes.filter((name) => !fits.some((one) => one.changes.includes(name))),
      `ahead of a row, in ${machine.phase}`,
    ).toEqual([]);
    for (const { what, changes: all } of fits)
      this.changed.add(
        what,
        changes.filter((name) => all.includes(name)),
      );
    return now;
  }

  #follow(machine: Machine, row: Row, given: object, act: () => void): void {
    const outer = this.#frames.at(-1);
    if (outer !== undefined) this.#judge(machine, outer);
    const before = this.#look(machine);
    this.#readsLine = false;
    const frame: Frame = {
      row,
      phase: machine.phase,
      before,
      expected: this.#wording(machine, row, given as Given),
      said: [],
      lmtp: machine.policy.protocol === 'lmtp',
      judged: false,
    };
    this.#frames.push(frame);
    const { outbox } = machine;
    const { push, holdBack } = outbox;
    const noting = (call: (wire: Uint8Array) => void) => (wire: Uint8Array) => {
      this.#frames.at(-1)!.said.push(codesOf(wire, machine));
      call.call(outbox, wire);
    };
    if (this.#frames.length === 1) Object.assign(outbox, { push: noting(push), holdBack: noting(holdBack) });
    try {
      act();
    } finally {
      this.#frames.pop();
      if (this.#frames.length === 0) for (const name of ['push', 'holdBack']) delete (outbox as unknown as Record<string, unknown>)[name];
    }
    this.#judge(machine, frame);
  }

  /** A row is done, or leads to another at once: what was said in it, the phase that follows, what has changed. */
  #judge(machine: Machine, frame: Frame): void {
    if (frame.judged) return;
    frame.judged = true;
    const { row, phase, before, expected, said, lmtp } = frame;
    const { effect = '', to } = row as { readonly effect?: string; readonly to?: string };
    const at = `${row.on} in ${phase}`;
    const { says = null, changes = [], sometimes = [] } = server.effects[effect] ?? {};
    const isConclusion = lmtp && /verdict|refusedChunk/.test(says ?? '');
    const times = expected === null ? 0 : isConclusion ? said.length : 1;
    expect(said, at).toEqual(Array(times).fill(expected?.[0]));
    expect(machine.phase, at).toBe(to ?? phase);
    const now = known(machine);
    this.#last.set(machine, now);
    const closing = to === 'closed' ? server.closing : [];
    const found = differences(before, now).map((name) => whole(name, [...changes, ...sometimes, ...closing]));
    expect(
      found.filter((name) => ![...changes, ...sometimes, ...closing].includes(name)),
      at,
    ).toEqual([]);
    expect(
      changes.filter((name) => !found.includes(name)),
      `${at} does not change`,
    ).toEqual([]);
    this.changed.add(
      effect,
      found.filter((name) => [...changes, ...sometimes].includes(name)),
    );
  }

  /** Code and enhanced code that are said; null: nothing is. */
  #wording(machine: Machine, row: Row, given: Given): readonly string[] | null {
    const codes = this.#said.of(machine, row, given);
    if (codes === null) return null;
    const verb = given.verb ?? (given.question?.type === 'hello' ? 'EHLO' : '');
    const isBare =
      server.bare.phases.includes(machine.phase) ||
      (server.bare.verbs.includes(verb) && (verb !== 'LHLO' || machine.policy.protocol === 'lmtp'));
    return [`${codes[0]} ${isBare || !machine.policy.extensions.has('ENHANCEDSTATUSCODES') ? '' : (codes[1] ?? '')}`];
  }
}

/** Code and enhanced code of a reply as it is sent. */
function codesOf(wire: Uint8Array, { policy }: Machine): string {
  const line = String.fromCharCode(...wire.subarray(0, 40));
  const [, code, enhanced = ''] = /^([0-9]{3})[ -](?:([245]\.[0-9]{1,3}\.[0-9]{1,3}) )?/.exec(line)!;
  return `${code} ${policy.extensions.has('ENHANCEDSTATUSCODES') ? enhanced : ''}`;
}

function known({ facts, transaction, counts }: Machine): Known {
  const named = Object.entries({ facts, transaction, counts }).flatMap(([group, values]) =>
    Object.entries(values).map(([name, value]) => [`${group}.${name}`, JSON.stringify(value, plainly)] as const),
  );
  return new Map(named);
}

/** Octets are views of what came: their number is enough. */
function plainly(_: string, value: unknown): unknown {
  if (value instanceof Set) return [...value];
  return value instanceof Uint8Array ? value.length : value;
}

function differences(before: Known, after: Known): string[] {
  return [...after.keys()].filter((name) => before.get(name) !== after.get(name));
}

/** What changes a transaction whole changes each of its facts. */
function whole(name: string, names: readonly string[]): string {
  return name.startsWith('transaction.') && names.includes('transaction') ? 'transaction' : name;
}

function noted(reads: Set<string>, name: string, value: unknown): unknown {
  reads.add(name);
  return value;
}

/** A view that writes down what is read of it. */
function recording(machine: Machine, reads: Set<string>): object {
  const group = (name: 'facts' | 'transaction' | 'counts'): object =>
    new Proxy(machine[name], { get: (of, key) => noted(reads, `${name}.${String(key)}`, Reflect.get(of, key)) });
  const groups = { facts: group('facts'), transaction: group('transaction'), counts: group('counts') };
  return new Proxy(machine, {
    get: (of, key) => {
      if (key in groups) return groups[key as keyof typeof groups];
      reads.add(String(key));
      const value: unknown = Reflect.get(of, key, of);
      return value;
    },
  });
}
