// test-vectors/states.json is what the client's engine does: each row that is taken, the phase that follows, what guards read and effects change.
import { AUTH, CHUNKING, CLIENT_TABLE, TRANSACTION_TABLE } from '@ehlo/engine';
import { octets } from '@ehlo/grammar';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ClientAct, clientActs } from '../src/client-space/acts.ts';
import { CLIENT_SETUPS } from '../src/client-space/setups.ts';
import { type ClientSetup, Run } from '../src/client-space/walk.ts';
import { replayClientTranscript } from '../src/vectors/index.ts';
import { type Facts, type List, look } from './states/client-facts.ts';
import { Tally } from './states/tally.ts';
import { clientTranscripts, read } from './vectors.ts';

interface States {
  readonly phases: { readonly [name: string]: string };
  readonly guards: { readonly [name: string]: { readonly reads: readonly string[] } };
  readonly effects: {
    readonly [name: string]: {
      readonly says: string | null;
      readonly tells: readonly string[];
      readonly changes: readonly string[];
      readonly sometimes: readonly string[];
    };
  };
  readonly rows: readonly Row<string>[];
  /** What changes outside of effects. */
  readonly reading?: readonly { readonly what: string; readonly changes: readonly string[] }[];
}

interface Row<Call> {
  readonly on: string;
  readonly from: readonly string[];
  readonly guards?: readonly Call[];
  readonly effects?: readonly Call[];
  readonly to?: string;
  readonly close?: string;
  readonly misuse?: string;
}

type Call = (core: Facts, transaction?: Facts) => unknown;

const states = read('states.json') as { readonly client: States; readonly transaction: States };

/** What is read by guards, and told by effects, by the name of the function. */
const seen = { reads: new Map<string, Set<string>>(), tells: new Map<string, Set<string>>() };
const changes = new Tally();
/** Rows that were taken. */
const taken = new Set<Row<string>>();

function note(into: Map<string, Set<string>>, name: string, facts: Iterable<string>): void {
  into.set(name, new Set([...(into.get(name) ?? []), ...facts]));
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

/** The phase that the row which is taken leads its transaction to; the end of a session leads each to its own. */
const predicted: { to: string | undefined; ends: boolean } = { to: undefined, ends: false };
const followed = new WeakSet<Facts>();

/** Holds each phase that a transaction enters against what is predicted. */
function follow(transaction: Facts): void {
  if (followed.has(transaction)) return;
  followed.add(transaction);
  let { phase } = transaction;
  Object.defineProperty(transaction, 'phase', {
    get: () => phase,
    set(to: unknown) {
      expect(to, 'the phase of the transaction').toBe(predicted.ends ? 'over' : predicted.to);
      phase = to;
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
    const outside = look(core, among);
    const told = (states.client.reading ?? []).flatMap((one) => one.changes);
    expect(
      outside.filter((fact) => !told.includes(fact)),
      `ahead of ${name}`,
    ).toEqual([]);
    changes.add('outside', outside);
    for (const one of among) follow(one);
    const ends = predicted.ends;
    predicted.ends = name === 'settleRest';
    const [events, said] = [core.events as Facts[], (core.output as List).length];
    const from = events.length;
    const result = call(core, transaction);
    predicted.ends = ends;
    const found = look(core, among);
    if (words.guards[name] !== undefined) {
      expect(found, `${name} changes`).toEqual([]);
      truths.set(name, result);
      const reads = new Set<string>();
      const telling = (fact: string): unknown => FACTS.has(fact) && reads.add(fact);
      call(watched(core, telling), transaction === undefined || transaction === null ? transaction : watched(transaction, telling));
      note(seen.reads, name, reads);
    } else {
      const { changes: sure, sometimes } = words.effects[name]!;
      expect(
        found.filter((fact) => ![...sure, ...sometimes].includes(fact)),
        `${name} changes`,
      ).toEqual([]);
      expect(
        sure.filter((fact) => !found.includes(fact)),
        `${name} does not change`,
      ).toEqual([]);
      changes.add(name, found);
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

/** The phase that is predicted of the session. */
let phase = 'connect';

/** Has all rows of both tables watched from now on. */
function watch(): void {
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
      const { guards, effects, ...rest } = row;
      const names = (calls?: readonly Call[]): string[] | undefined => calls?.map(({ name }) => name);
      expect(mine).toEqual({ ...rest, on, guards: names(guards), effects: names(effects) });
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
      const { to, misuse } = row;
      // A row that throws is not taken: it is looked at.
      if (misuse !== undefined)
        Object.defineProperty(row, 'misuse', {
          get(): string {
            taken.add(mine);
            return misuse;
          },
        });
      Object.defineProperty(row, 'to', {
        get(): string | undefined {
          const could = words.rows.filter((one) => one.on === on && one.from.includes(at));
          const fits = could.find(({ guards = [] }) => guards.every((name) => truths.get(name) === true));
          expect(fits, 'the row that was predicted').toBe(mine);
          if (isSession && mine.to !== undefined) phase = mine.to;
          if (!isSession) predicted.to = mine.to;
          taken.add(mine);
          return to;
        },
      });
    }
  }
}

/** What a server may say that gets a session on, by what is due; a refusal, too. */
const FITTING: { readonly [due: string]: readonly string[] } = {
  GREETING: ['220 mx.example', '220 mx.example', '220 mx.example', '554 no'],
  EHLO: ['250 and what is offered', '250 and what is offered', '250 and what is offered', '500 what'],
  LHLO: ['250 and what is offered', '250 and what is offered', '250 and what is offered', '550 no'],
  STARTTLS: ['220 mx.example', '220 mx.example', '450 later'],
  AUTH: ['235 ok', '334 Z28gb24=', '334 Z28gb24=', '550 no'],
  RCPT: ['250 ok', '250 ok', '452 4.5.3 too many', '550 no'],
  DATA: ['354 go on', '354 go on', '354 go on', '450 later'],
};
const DONE = ['250 ok', '250 ok', '250 ok', '550 no'];

/** Something is done to a session: what gets it on, or anything at all; which, by a number. */
interface Choice {
  readonly fitting: boolean;
  readonly which: number;
}

/** A random server, and a random program, with a session between them. */
function converse({ options, offered, stalls }: ClientSetup, choices: readonly Choice[]): void {
  phase = 'connect';
  const run = new Run({ options: { ...options, features: [AUTH, CHUNKING] }, offered });
  const acts = clientActs(offered, stalls === true);
  const calls = acts.filter(({ name, code }) => code === undefined && !/^(250-|no reply|25$|lost|time|end of)/.test(name));
  for (const { fitting, which } of choices) {
    const due = run.at.session.phase === 'connect' ? 'GREETING' : run.due[0];
    // Where nothing is due the program is to do something; now and then it does so meanwhile.
    const names = due === undefined || which % 5 === 0 ? null : (FITTING[due] ?? DONE);
    const among = !fitting ? acts : names === null ? calls : names.map((name) => acts.find((one) => one.name === name)!);
    run.does(among[which % among.length] as ClientAct);
  }
}

const { options: chunking, offered: chunks } = CLIENT_SETUPS.chunks!;

/** What is rare: a recipient, or a message, is refused of which the program has been told already. By names of acts, else what the server says. */
const RARE: readonly { readonly setup: ClientSetup; readonly acts: readonly string[] }[] = [
  { setup: CLIENT_SETUPS.pipelined!, acts: ['send to two', '250 ok', '250 ok', 'abort', '452 4.5.3 too many'] },
  { setup: { options: chunking, offered: chunks }, acts: ['send', '250 ok', '250 ok', '55', 'write', 'abort', '0 no\r\n'] },
];

const choice: fc.Arbitrary<Choice> = fc.record({
  fitting: fc.constantFrom(...Array<boolean>(15).fill(true), false),
  which: fc.nat({ max: 10_000 }),
});

test('what is predicted from states.json is what happens, in every transcript, and these take every row', () => {
  watch();
  for (const transcript of clientTranscripts) {
    phase = 'connect';
    replayClientTranscript(transcript, 'lines');
  }
  const rows = [...states.client.rows, ...states.transaction.rows];
  expect(rows.filter((row) => !taken.has(row))).toEqual([]);
});

function said(text: string): ClientAct {
  return { name: text, run: ({ session }) => session.receive(octets(text)) === undefined };
}

test.each(RARE)('and in what is rare: $acts', ({ setup: { options, offered }, acts: names }) => {
  phase = 'connect';
  const run = new Run({ options: { ...options, features: [AUTH, CHUNKING] }, offered });
  const acts = clientActs(offered, true);
  for (const name of ['220 mx.example', '250 and what is offered', ...names]) run.does(acts.find((act) => act.name === name) ?? said(name));
});

test('and where a message is taken of which a chunk is missing, and everybody is told already', () => {
  const { steps, ...rest } = clientTranscripts.find(({ name }) => name === 'client-bdat-refused-before-the-last')!;
  phase = 'connect';
  replayClientTranscript({ ...rest, steps: steps.map((step) => ('in' in step && step.in === '503 no\r\n' ? { in: '250 ok\r\n' } : step)) });
});

test('and in random dialogues', () => {
  fc.assert(fc.property(fc.constantFrom(...Object.values(CLIENT_SETUPS)), fc.array(choice, { minLength: 10, maxLength: 60 }), converse), {
    numRuns: 600,
    seed: 20_260_101,
  });
});

test.each(['client', 'transaction'] as const)('each guard of %s reads what is said, each effect changes and tells what is said', (name) => {
  const { guards, effects } = states[name];
  const sorted = (all: Iterable<string> | undefined): string[] => [...(all ?? [])].sort();
  for (const [guard, { reads }] of Object.entries(guards)) expect([guard, sorted(seen.reads.get(guard))]).toEqual([guard, sorted(reads)]);
  const all = Object.entries(effects);
  for (const [effect, { tells }] of all) expect([effect, sorted(seen.tells.get(effect))]).toEqual([effect, sorted(tells)]);
  const never = all.map(([effect, { changes: sure, sometimes }]) => [effect, changes.never(effect, [...sure, ...sometimes])] as const);
  expect(never.filter(([, missing]) => missing.length > 0)).toEqual([]);
  const always = all.map(([effect, { sometimes }]) => [effect, changes.always(effect, sometimes)] as const);
  expect(always.filter(([, sure]) => sure.length > 0)).toEqual([]);
  const { reading = [] } = states[name];
  expect(
    changes.never(
      'outside',
      reading.flatMap((one) => one.changes),
    ),
  ).toEqual([]);
});
