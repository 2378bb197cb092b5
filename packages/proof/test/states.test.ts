// test-vectors/states.json is what the engine does: from it alone, and the truth of the guards, each row, code, phase and change is predicted.
import { type Phase, PRESETS, type Row, ServerSession, TABLE } from '@ehlo/engine';
import { octets, parseCommand, type Reply } from '@ehlo/grammar';
import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { CONDITIONS, GUARD_CALLS } from '../../engine/src/server/guards.ts';
import { Machine } from '../../engine/src/server/machine.ts';
import { ownVerbOf, parseOwnCommand } from '../../engine/src/server/own-verb.ts';
import { type JsonSchema, replayTranscript, violations } from '../src/vectors/index.ts';
import { extensionOf } from '../src/vectors/own-extension.ts';
import { scenario, sizes, talk } from './laws/scripts.ts';
import { read, transcripts } from './vectors.ts';

type Codes = { readonly code: number; readonly enhanced?: string };

interface Guarded {
  readonly what: string;
  readonly reads: readonly string[];
  readonly refuses?: { readonly reply: string; readonly fault: string; readonly closes?: string };
}

interface States {
  readonly phases: { readonly [name: string]: string };
  readonly guards: { readonly [name: string]: Guarded };
  readonly effects: {
    readonly [name: string]: { readonly what: string; readonly says: string | null; readonly changes: readonly string[] };
  };
  readonly closing: readonly string[];
  readonly bare: { readonly phases: readonly string[]; readonly verbs: readonly string[] };
  readonly replies: { readonly [name: string]: Codes & { readonly lmtp?: Codes } };
  readonly rows: readonly Row[];
}

const { server } = read('states.json') as { readonly server: States };

/** What a trigger brings. */
interface Given {
  readonly verb?: string | null;
  readonly code?: string;
  readonly reply?: Reply;
  readonly size?: number;
  readonly question?: { readonly type: string };
}

/** A row that is being taken: what has been said in it, and whether it led to another at once. */
interface Frame {
  readonly said: string[];
  nested: boolean;
}

const { take, carryOut } = Machine.prototype;

/** Holds every row that a session takes against the prediction; collects what guards read and effects change. */
class Watch {
  readonly read: Map<string, Set<string>> = new Map();
  readonly changed: Map<string, Set<string>> = new Map();
  readonly #frames: Frame[] = [];

  constructor() {
    const watch = this;
    vi.spyOn(Machine.prototype, 'take').mockImplementation(function (this: Machine, on, given = {}) {
      watch.#predictRefusal(this, on, given);
      watch.#next = watch.#rowFor(this, on, given);
      return take.call(this, on, given);
    });
    vi.spyOn(Machine.prototype, 'carryOut').mockImplementation(function (this: Machine, step, given) {
      const row = server.rows[TABLE.indexOf(step.row)]!;
      if (watch.#next !== null) expect(row, 'the row that is taken').toBe(watch.#next);
      watch.#next = null;
      watch.#follow(this, row, given, () => carryOut.call(this, step, given));
    });
  }

  #next: Row | null = null;

  /** The first row of the trigger whose conditions hold. */
  #rowFor(machine: Machine, on: string, given: object): Row {
    const rows = server.rows.filter((row) => row.on === on && row.from.includes(machine.phase));
    return rows.find(({ when = [] }) => when.every((name) => this.#isTrue(machine, name, given)))!;
  }

  /** The code by which a command is refused follows from its row. */
  #predictRefusal(machine: Machine, on: string, given: object): void {
    const { verb = null, code, reply } = given as Given;
    if ((on !== 'fault' && on !== 'chunk-refused') || verb === null || code === 'line-too-long' || code === 'bare-lf-line') return;
    const { guards = [], refuse, checks = [] } = server.rows.find((row) => row.on === verb && row.from.includes(machine.phase))!;
    const failing = guards.find((name) => !this.#isTrue(machine, name, null));
    const { input } = machine;
    const own = ownVerbOf(machine);
    const parsed = own === null ? parseCommand(input.bytes, machine.dialect, input.from, input.to) : parseOwnCommand(machine, own);
    const command = parsed.ok ? parsed.value : null;
    const by =
      failing ?? (refuse === undefined && command !== null ? checks.find((name) => !this.#isTrue(machine, name, command)) : undefined);
    if (by !== undefined) {
      const { refuses } = server.guards[by]!;
      expect([code, reply!.code, reply!.enhanced], `${verb} without ${by}`).toEqual([
        refuses!.fault,
        ...this.#codes(machine, refuses!.reply),
      ]);
    } else if (refuse !== undefined)
      expect([reply!.code, reply!.enhanced], `${verb} in ${machine.phase}`).toEqual(this.#codes(machine, refuse));
    else expect(parsed, `${verb} is refused, and nothing says why`).toMatchObject({ ok: false, code });
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

  #follow(machine: Machine, row: Row, given: object, act: () => void): void {
    const { phase } = machine;
    const before = known(machine);
    const expected = this.#saying(machine, row, given as Given);
    const frame: Frame = { said: [], nested: false };
    if (this.#frames.length > 0) this.#frames.at(-1)!.nested = true;
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
    const at = `${row.on} in ${phase}`;
    if (expected === null) expect(frame.said, at).toEqual([]);
    else
      expect(
        frame.said.filter((said) => !expected.includes(said)),
        `${at}: ${expected}`,
      ).toEqual([]);
    const conclusive = machine.policy.protocol === 'lmtp' && /verdict|refusedChunk/.test(server.effects[row.effect ?? '']?.says ?? '');
    if (expected !== null && !conclusive) expect(frame.said.length, at).toBe(1);
    if (frame.nested) return;
    expect(machine.phase, at).toBe(row.to ?? phase);
    this.#judge(row, before, known(machine), at);
  }

  /** Nothing has changed but what the effect says. */
  #judge(row: Row, before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>, at: string): void {
    const { effect = '', to } = row as { readonly effect?: string; readonly to?: string };
    const all = server.effects[effect]?.changes ?? [];
    // What changes a transaction whole changes each of its facts.
    const whole = (name: string, names: readonly string[]): string =>
      name.startsWith('transaction.') && names.includes('transaction') ? 'transaction' : name;
    const changes = [...after.keys()]
      .filter((name) => before.get(name) !== after.get(name))
      .map((name) => whole(name, to === 'closed' ? [...all, ...server.closing] : all));
    const allowed = all;
    expect(
      changes.filter((name) => !allowed.includes(name) && !(to === 'closed' && server.closing.includes(name))),
      at,
    ).toEqual([]);
    const seen = this.changed.get(effect) ?? new Set<string>();
    for (const name of changes) if (allowed.includes(name)) seen.add(name);
    this.changed.set(effect, seen);
  }

  /** Codes that may be said; null: nothing is. */
  #saying(machine: Machine, { effect, reply: name }: Row, given: Given): readonly string[] | null {
    const { facts, transaction } = machine;
    const says = effect === undefined ? (name === undefined ? null : 'row') : server.effects[effect]!.says;
    const row = name === undefined ? null : this.#codes(machine, name);
    const gift = given.reply === undefined ? null : ([given.reply.code, given.reply.enhanced] as const);
    const of = (reply: Reply | undefined) => (reply === undefined ? null : ([reply.code, reply.enhanced] as const));
    const one = {
      row: [gift ?? row],
      given: [row ?? gift],
      program: [gift, ...['rcptAscii', 'rcptMovedAscii', 'vrfyAscii', 'vrfyRefusedAscii'].map((one) => this.#codes(machine, one))],
      verdict: [of(transaction.verdict?.reply) ?? row],
      refusedChunk: [of(facts.refusedChunk?.reply)],
      greeting: [gift ?? of(facts.greeting ?? undefined)],
      lost: [
        row ??
          (given.code === 'too-large' && Number.isFinite(given.size)
            ? gift
            : this.#codes(machine, given.size === Number.POSITIVE_INFINITY ? 'bdatLost' : 'draining')),
      ],
      content: [[421, '4.3.2']],
      challenge: [[334, undefined]],
    }[says ?? ''];
    const verb = given.verb ?? (given.question?.type === 'hello' ? 'EHLO' : '');
    const isBare =
      server.bare.phases.includes(machine.phase) ||
      (server.bare.verbs.includes(verb) && (verb !== 'LHLO' || machine.policy.protocol === 'lmtp'));
    return one?.map((codes) => `${codes![0]} ${isBare ? '' : enhancedOf(machine, codes![1] as string | undefined)}`) ?? null;
  }

  #codes({ policy }: Machine, name: string): readonly [number, string | undefined] {
    const { lmtp, ...smtp } = server.replies[name]!;
    const { code, enhanced } = policy.protocol === 'lmtp' ? (lmtp ?? smtp) : smtp;
    return [code, enhanced];
  }
}

function enhancedOf({ policy }: Machine, enhanced: string | undefined): string {
  return policy.extensions.has('ENHANCEDSTATUSCODES') ? (enhanced ?? '') : '';
}

/** Code and enhanced code of a reply as it is sent. */
function codesOf(wire: Uint8Array, { policy }: Machine): string {
  const line = String.fromCharCode(...wire.subarray(0, 40));
  const [, code, enhanced = ''] = /^([0-9]{3})[ -](?:([245]\.[0-9]{1,3}\.[0-9]{1,3}) )?/.exec(line)!;
  return `${code} ${policy.extensions.has('ENHANCEDSTATUSCODES') ? enhanced : ''}`;
}

/** All that a session knows, by name. */
function known({ facts, transaction, counts }: Machine): ReadonlyMap<string, unknown> {
  const all = { facts, transaction, counts: { ...counts, domains: counts.domains.size } };
  return new Map(
    Object.entries(all).flatMap(([group, values]) => Object.entries(values).map(([name, value]) => [`${group}.${name}`, value] as const)),
  );
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

/** A proxy that tells of its client, and then begins anew. */
function proxied(last: string): void {
  const hop = extensionOf({ keyword: 'XHOP', spec: 'ours', words: [], parameters: [], verbs: [] });
  const extensions = [...PRESETS.sink.extensions, hop];
  const session = new ServerSession({
    hostname: 'mx.example.org',
    preset: 'sink',
    extensions,
    starttls: 'offered',
    trust: ['XCLIENT', 'XFORWARD'],
  });
  for (const line of ['EHLO c.example', 'XFORWARD NAME=a.example', last]) {
    session.receive(octets(`${line}\r\n`));
    while (session.nextEvent() !== null);
  }
  if (session.wants === 'tls') session.secured({ protocol: 'TLSv1.3', cipher: '', servername: '' });
}

afterEach(() => vi.restoreAllMocks());

test('states.json keeps to its schema', () => {
  expect(violations(read('states.json') as never, read('schema/states.schema.json') as JsonSchema)).toEqual([]);
});

test('states.json has the rows of the engine, and words for all that they name', () => {
  expect(server.rows).toEqual(JSON.parse(JSON.stringify(TABLE)));
  const names = (lists: readonly (readonly string[])[]): string[] => [...new Set(lists.flat())].sort();
  const guards = names(server.rows.flatMap(({ guards = [], checks = [], when = [] }) => [guards, checks, when]));
  expect(Object.keys(server.guards).sort()).toEqual(guards);
  expect(Object.keys(server.effects).sort()).toEqual(names(server.rows.map(({ effect }) => (effect === undefined ? [] : [effect]))));
  expect(Object.keys(server.phases).sort()).toEqual(names([['closed' satisfies Phase], ...server.rows.map(({ from }) => from)]));
});

test('in random dialogues and in the vectors every row, code, phase and change is as states.json says', () => {
  const watch = new Watch();
  for (const { transcript } of transcripts) replayTranscript(transcript);
  for (const last of ['STARTTLS', 'XCLIENT NAME=d.example']) proxied(last);
  fc.assert(
    fc.property(scenario, sizes, (value, cuts) => void talk(ServerSession, value, cuts)),
    { numRuns: 150, seed: 20_260_101 },
  );
  const unread = Object.entries(server.guards).map(([name, { reads }]) => [
    name,
    [...reads].sort(),
    [...(watch.read.get(name) ?? [])].sort(),
  ]);
  expect(unread.filter(([, said, read]) => JSON.stringify(said) !== JSON.stringify(read))).toEqual([]);
  const unchanged = Object.entries(server.effects).map(([name, { changes }]) => [
    name,
    changes.filter((change) => !watch.changed.get(name)?.has(change)),
  ]);
  expect(unchanged.filter(([, missing]) => missing!.length > 0)).toEqual([]);
});
