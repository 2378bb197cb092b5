// test-vectors/states.json is what the client's engine does: each row that is taken, the phase that follows, what guards read and effects change.
import { CLIENT_TABLE, TRANSACTION_TABLE } from '@ehlo/engine';
import { expect, test } from 'vitest';
import { replayClientTranscript } from '../src/vectors/index.ts';
import { clientTranscripts, read } from './vectors.ts';

interface States {
  readonly phases: { readonly [name: string]: string };
  readonly guards: { readonly [name: string]: { readonly reads: readonly string[] } };
  readonly effects: {
    readonly [name: string]: { readonly says: string | null; readonly tells: readonly string[]; readonly changes: readonly string[] };
  };
  readonly rows: readonly Row<string>[];
}

interface Row<Call> {
  readonly on: string;
  readonly from: readonly string[];
  readonly guards?: readonly Call[];
  readonly effects?: readonly Call[];
  readonly to?: string;
}

type Call = (core: Facts, transaction?: Facts) => unknown;
type Facts = { readonly [name: string]: unknown };
type List = readonly unknown[];

const states = read('states.json') as { readonly client: States; readonly transaction: States };

/** What is read by guards, what effects change and tell, by the name of the function. */
const seen = { reads: new Map<string, Set<string>>(), changes: new Map<string, Set<string>>(), tells: new Map<string, Set<string>>() };

function note(into: Map<string, Set<string>>, name: string, facts: Iterable<string>): void {
  into.set(name, new Set([...(into.get(name) ?? []), ...facts]));
}

/** The facts that guards can read and effects can change, and of each a value that changes with it. */
function factsOf(core: Facts, transactions: readonly Facts[]): ReadonlyMap<string, unknown> {
  const { exchange, body, due } = core as { exchange: Facts | null; body: Facts | null; due: List };
  const whole = [
    'tls',
    'capabilities',
    'authenticated',
    'redactor',
    'quitting',
    'leaving',
    'closing',
    'half',
    'mails',
    'command',
    'flight',
  ];
  const each = ['phase', 'asked', 'pending', 'open', 'untold', 'ends', 'refusal'];
  return new Map<string, unknown>([
    ...whole.map((name) => [name, core[name]] as const),
    ['exchange', exchange && [exchange.response, exchange.challenges]],
    ['body', body && [body.writer, body.ended, body.end, body.done]],
    ['due', [due.length, due[0]]],
    ['domains', (core.domains as Set<string>).size],
    ['transactions', (core.transactions as List).length],
    ...each.map((name) => [name, transactions.map((one) => one[name])] as const),
    ['accepted', transactions.map((one) => (one.accepted as List).length)],
  ]);
}

function changed(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>): string[] {
  const flat = (value: unknown): List => (Array.isArray(value) ? value : [value]);
  return [...before.keys()].filter((name) => {
    const [was, is] = [flat(before.get(name)), flat(after.get(name))];
    return was.length !== is.length || was.some((one, i) => one !== is[i]);
  });
}

/** One that tells which of its members are read. */
function watched<T extends object>(target: T, told: (name: string) => void): T {
  return new Proxy(target, {
    get(_, name, receiver): unknown {
      told(String(name));
      const value = Reflect.get(target, name, receiver) as unknown;
      return name === 'transactions' ? (value as object[]).map((one) => watched(one, told)) : value;
    },
  });
}

const FACTS: ReadonlySet<string> = new Set([
  ...[
    'options',
    'limits',
    'tls',
    'capabilities',
    'authenticated',
    'exchange',
    'quitting',
    'half',
    'mails',
    'transactions',
    'due',
    'flight',
  ],
  ...['reply', 'answered', 'phase', 'plan', 'asking', 'asked', 'pending', 'open', 'accepted', 'untold', 'ends', 'refusal'],
]);

/** Holds what a guard or an effect does against its words. */
function judged(words: States, call: Call, truths: Map<string, unknown>): Call {
  const { name } = call;
  return (core, transaction) => {
    const among = [
      ...new Set([...(core.transactions as Facts[]), ...(transaction === undefined || transaction === null ? [] : [transaction])]),
    ];
    const before = factsOf(core, among);
    const [events, said] = [core.events as Facts[], (core.output as List).length];
    const from = events.length;
    const result = call(core, transaction);
    const changes = changed(before, factsOf(core, among));
    if (words.guards[name] !== undefined) {
      expect(changes, `${name} changes`).toEqual([]);
      truths.set(name, result);
      const reads = new Set<string>();
      const telling = (fact: string): unknown => FACTS.has(fact) && reads.add(fact);
      call(watched(core, telling), transaction === undefined || transaction === null ? transaction : watched(transaction, telling));
      note(seen.reads, name, reads);
    } else {
      note(seen.changes, name, changes);
      // What the option trace shows of a line belongs to the line.
      const tells = events.slice(from).map(({ type }) => String(type));
      note(
        seen.tells,
        name,
        tells.filter((type) => type !== 'trace'),
      );
      expect((core.output as List).length > said, `${name} says something`).toBe(words.effects[name]!.says !== null);
    }
    return result;
  };
}

let isWalked = false;

/** Replays every transcript once, and holds what happens against what is predicted. */
function walk(): void {
  if (isWalked) return;
  isWalked = true;
  let phase = 'connect';
  for (const [table, words, isSession] of [
    [CLIENT_TABLE, states.client, true],
    [TRANSACTION_TABLE, states.transaction, false],
  ] as const) {
    const triggers = Object.entries(table) as unknown as [string, readonly Row<Call>[]][];
    const all = triggers.flatMap(([on, rows]) => rows.map((row) => ({ on, row })));
    expect(words.rows.map(({ on }) => on)).toEqual(all.map(({ on }) => on));
    // What was found of the guards since the rows of a trigger began to be looked at.
    const truths = new Map<string, unknown>();
    let at = '';
    for (const [i, { on, row }] of all.entries()) {
      const mine = words.rows[i]!;
      const names = ({ guards = [], effects = [] }: Row<Call>): List => [guards.map(({ name }) => name), effects.map(({ name }) => name)];
      expect([mine.guards ?? [], mine.effects ?? []]).toEqual(names(row));
      const first = words.rows.findIndex((one) => one.on === on) === i;
      const changeable = row as { -readonly [name in keyof Row<Call>]: Row<Call>[name] };
      if (row.guards !== undefined) changeable.guards = row.guards.map((call) => judged(words, call, truths));
      if (row.effects !== undefined) changeable.effects = row.effects.map((call) => judged(words, call, truths));
      Object.defineProperty(row.from, 'includes', {
        value(phase_: string): boolean {
          if (first) truths.clear();
          at = phase_;
          if (isSession) expect(at, 'the phase that was predicted').toBe(phase);
          return mine.from.indexOf(phase_) >= 0;
        },
      });
      const { to } = row;
      Object.defineProperty(row, 'to', {
        get(): string | undefined {
          const could = words.rows.filter((one) => one.on === on && one.from.includes(at));
          const predicted = could.find(({ guards = [] }) => guards.every((name) => truths.get(name) === true));
          expect(predicted, 'the row that was predicted').toBe(mine);
          if (isSession && mine.to !== undefined) phase = mine.to;
          return to;
        },
      });
    }
  }
  for (const transcript of clientTranscripts) {
    phase = 'connect';
    replayClientTranscript(transcript, 'lines');
  }
}

test('what is predicted from states.json is what happens, in every transcript', walk);

test.each(['client', 'transaction'] as const)('each guard of %s reads what is said, each effect changes and tells what is said', (name) => {
  walk();
  const { guards, effects } = states[name];
  const sorted = (all: Iterable<string> | undefined): string[] => [...(all ?? [])].sort();
  for (const [guard, { reads }] of Object.entries(guards)) expect([guard, sorted(seen.reads.get(guard))]).toEqual([guard, sorted(reads)]);
  for (const [effect, { changes, tells }] of Object.entries(effects))
    expect([effect, sorted(seen.changes.get(effect)), sorted(seen.tells.get(effect))]).toEqual([effect, sorted(changes), sorted(tells)]);
});
