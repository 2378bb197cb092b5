// The server's tables, each of their parts changed in turn: rows, guards, effects, replies, phases, questions, causes and timers.
import { type EngineReply, GUARDS, type Guard, LMTP_REPLIES, type Phase, REPLIES, type Row, TABLE } from '@ehlo/engine';
import { type Step, stepsOf } from '../../../engine/src/server/program.ts';
import { TIMERS } from '../../../engine/src/server/table.ts';
import { swapped, type TableMutant, without } from './mutant.ts';
import { put } from './put.ts';

type Mutable<T> = { -readonly [name in keyof T]: T[name] };

const PHASES = Object.keys(TIMERS) as readonly Phase[];

/** Every mutant of the server's tables. */
export function serverMutants(): readonly TableMutant[] {
  return [...TABLE.flatMap(ofRow), ...budget(), ...Object.keys(GUARDS).flatMap(ofRule), ...PHASES.flatMap(ofTimer), ...ofReplies()];
}

function ofRow(row: Row): readonly TableMutant[] {
  const { on, from, when = [], effect, reply, refuse, asks, to, cause } = row;
  const step = stepFor(row);
  const called = `${on} in ${from.join(', ')}${when.length === 0 ? '' : ` if ${when.join(', ')}`}`;
  const at = from.map((phase) => `${phase} ${on}`);
  const mutant = (kind: TableMutant['kind'], change: string, plant: TableMutant['plant']): TableMutant => ({
    kind,
    name: `${called}: ${change}`,
    at,
    plant,
  });
  const field = (kind: TableMutant['kind'], change: string, values: { readonly [name in keyof Row]?: Row[name] | null }): TableMutant =>
    mutant(kind, change, () => put(row as Mutable<Row>, values));
  const siblings = TABLE.filter((other) => other.on === on && other !== row).map(stepFor);
  const effects = new Map(
    siblings.filter(({ row }) => row.effect !== effect && refuse === undefined).map((other) => [other.row.effect, other.effect]),
  );
  return [
    ...from.map((phase) => mutant('row', `not in ${phase}`, () => withdrawn(phase, step))),
    ...(['guards', 'checks', 'when'] as const).flatMap((list) => ofList(step, list, mutant)),
    ...(effect === undefined || refuse !== undefined
      ? []
      : [mutant('effect', `without ${effect}`, () => put(step as Mutable<Step>, { effect: () => ({}) }))]),
    ...[...effects].map(([name, call]) =>
      mutant('effect', `${name ?? 'nothing'} for ${effect ?? 'nothing'}`, () => put(step, { effect: call ?? (() => ({})) })),
    ),
    // Where somebody is asked, the answer has the reply.
    ...(reply === undefined || asks !== undefined || on === 'accepted'
      ? []
      : [
          field('reply', `without ${reply}`, { reply: null }),
          field('reply', `${reply === 'noop' ? 'reset' : 'noop'} for ${reply}`, { reply: reply === 'noop' ? 'reset' : 'noop' }),
        ]),
    ...(refuse === undefined
      ? []
      : [
          field('reply', `${other(refuse)} for ${refuse}`, { refuse: other(refuse) }),
          field('row', `taken where it is refused`, { refuse: null }),
        ]),
    ...(asks === undefined ? [] : [field('question', `without ${asks}`, { asks: null })]),
    ...(to === undefined || (from.length === 1 && to === from[0]) ? [] : [field('phase', `stays for ${to}`, { to: null })]),
    ...PHASES.filter((phase) => phase !== to && refuse === undefined && !(to === undefined && from.length === 1 && phase === from[0])).map(
      (phase) => field('phase', `${phase} for ${to ?? 'stays'}`, { to: phase, cause: cause ?? 'quit' }),
    ),
    ...(cause === undefined
      ? []
      : [field('cause', `${cause === 'lost' ? 'ended' : 'lost'} for ${cause}`, { cause: cause === 'lost' ? 'ended' : 'lost' })]),
  ];
}

function other(reply: NonNullable<Row['refuse']>): NonNullable<Row['refuse']> {
  return reply === 'mailFirst' ? 'nestedMail' : 'mailFirst';
}

/** Each of the guards of a row dropped, and each two neighbours in the other order. That of the budget, which every verb has, is dropped from all. */
function ofList(
  step: Step,
  list: 'guards' | 'checks' | 'when',
  mutant: (kind: TableMutant['kind'], change: string, plant: TableMutant['plant']) => TableMutant,
): readonly TableMutant[] {
  const names: readonly string[] = step.row[list] ?? [];
  const planted = (change: <T>(all: readonly T[]) => readonly T[]): (() => void) =>
    put(
      step,
      list === 'when' ? { when: change(step.when) } : list === 'guards' ? { guards: change(step.guards) } : { checks: change(step.checks) },
    );
  return names.flatMap((name, i) => [
    ...(name === BUDGET ? [] : [mutant('guard', `without ${name}`, () => planted((all) => without(all, i)))]),
    ...(list === 'when' || i + 1 === names.length || name === BUDGET
      ? []
      : [mutant('guard', `${names[i + 1]} in front of ${name}`, () => planted((all) => swapped(all, i)))]),
  ]);
}

const BUDGET: Guard = 'room-for-commands';

/** The guard that every verb has: dropped from one verb at a time. */
function budget(): readonly TableMutant[] {
  return [...new Set(TABLE.filter(({ guards = [] }) => guards[0] === BUDGET).map(({ on }) => on))].map((on) => ({
    kind: 'guard',
    name: `${on}: without ${BUDGET}`,
    at: PHASES.map((phase) => `${phase} ${on}`),
    plant: () => {
      const undo = TABLE.filter((row) => row.on === on).map((row) => put(stepFor(row), { guards: stepFor(row).guards.slice(1) }));
      return () => undo.forEach((one) => void one());
    },
  }));
}

function ofRule(name: string): readonly TableMutant[] {
  const rule = GUARDS[name as Guard];
  const { reply, fault, closes } = rule;
  const mutant = (kind: TableMutant['kind'], change: string, values: Parameters<typeof put<typeof rule>>[1]): TableMutant => ({
    kind,
    name: `guard ${name}: ${change}`,
    at: null,
    plant: () => put(rule, values),
  });
  return [
    mutant('reply', `${reply === 'badArgument' ? 'nestedMail' : 'badArgument'} for ${reply}`, {
      reply: reply === 'badArgument' ? 'nestedMail' : 'badArgument',
    }),
    mutant('guard', `fault ${fault === 'unknown-verb' ? 'syntax' : 'unknown-verb'} for ${fault}`, { fault: 'unknown-verb' }),
    closes === undefined ? mutant('phase', 'closes', { closes: 'faults' }) : mutant('phase', 'does not close', { closes: null }),
  ];
}

function ofTimer(phase: Phase): readonly TableMutant[] {
  const timer = TIMERS[phase];
  const mutant = (change: string, value: (typeof TIMERS)[Phase]): TableMutant => ({
    kind: 'timer',
    name: `timer of ${phase}: ${change}`,
    at: null,
    plant: () => {
      const undo = put(TIMERS as Mutable<typeof TIMERS>, { [phase]: value ?? undefined });
      Object.assign(TIMERS, { [phase]: value });
      return undo;
    },
  });
  if (timer === null) return [mutant('tlsTimeout for none', 'tlsTimeout')];
  return [mutant(`none for ${timer}`, null), mutant(`another for ${timer}`, timer === 'tlsTimeout' ? 'commandTimeout' : 'tlsTimeout')];
}

function ofReplies(): readonly TableMutant[] {
  const all = [
    ...Object.values(REPLIES).map((reply) => ['', reply] as const),
    ...Object.values(LMTP_REPLIES).map((reply) => ['LMTP, ', reply] as const),
  ];
  return all.flatMap(([where, reply]) => {
    const { rule, code, enhanced, lines } = reply;
    const mutant = (change: string, values: { readonly [name in keyof EngineReply]?: EngineReply[name] | null }): TableMutant => ({
      kind: 'reply',
      name: `reply ${where}${rule}: ${change}`,
      at: null,
      plant: () => put(reply as Mutable<EngineReply>, values),
    });
    return [
      mutant(`code ${code + 5}`, { code: code + 5 }),
      enhanced === undefined
        ? mutant(`an enhanced code`, { enhanced: `${String(code)[0]}.9.9` })
        : mutant(`without its enhanced code`, { enhanced: null }),
      mutant('another text', { lines: [`${lines[0]} `.trimStart().concat('indeed')] }),
    ];
  });
}

function stepFor(row: Row): Step {
  return stepsOf(row.from[0]!)
    .get(row.on)!
    .find((step) => step.row === row)!;
}

/** The row is no longer in this phase. */
function withdrawn(phase: Phase, step: Step): () => void {
  const steps = stepsOf(phase) as Map<Row['on'], readonly Step[]>;
  const before = steps.get(step.row.on)!;
  const after = before.filter((one) => one !== step);
  if (after.length === 0) steps.delete(step.row.on);
  else steps.set(step.row.on, after);
  return () => void steps.set(step.row.on, before);
}
