// The table with the calls that its names stand for, found by phase and trigger.
import type { Verb } from '@ehlo/grammar';
import type { Change, TriggerData } from './change.ts';
import { DIALOGUE_EFFECTS } from './effects.ts';
import type { View } from './facts.ts';
import { CONDITIONS, GUARD_CALLS } from './guards.ts';
import { MESSAGE_EFFECTS } from './message-effects.ts';
import type { Effect, Guard, Phase, Row, Trigger } from './row.ts';
import { TABLE } from './table.ts';

/** A guard and its call, of a command or of none. */
export interface GuardCall {
  readonly name: Guard;
  readonly holds: (at: View, command: never) => boolean;
}

/** A row, ready to be taken. */
export interface Step {
  readonly row: Row;
  /** Counts as an idle command: it does not advance a message, and has no limit of its own. */
  readonly idle: boolean;
  readonly guards: readonly GuardCall[];
  readonly checks: readonly GuardCall[];
  readonly when: readonly ((at: View, given: TriggerData) => boolean)[];
  /** The data of the trigger has the type that the effect needs; the table guarantees it. */
  readonly effect: ((at: View, given: object, row: Row) => Change) | null;
}

/** The steps of a phase. */
export type Steps = ReadonlyMap<Verb | Trigger, readonly Step[]>;

const EFFECTS: { readonly [name in Effect]: unknown } = { ...DIALOGUE_EFFECTS, ...MESSAGE_EFFECTS };

/** Verbs that do not count as idle: recipients and chunks have limits of their own, and QUIT ends the session. */
const HAVE_LIMITS: ReadonlySet<Row['on']> = new Set(['RCPT', 'BDAT', 'QUIT']);

const PROGRAM: ReadonlyMap<Phase, Steps> = compiled();

const NONE: Steps = new Map();

/** The steps that can be taken in a phase. */
export function stepsOf(phase: Phase): Steps {
  return PROGRAM.get(phase) ?? NONE;
}

function compiled(): ReadonlyMap<Phase, Steps> {
  const phases = new Map<Phase, Map<Verb | Trigger, Step[]>>();
  for (const row of TABLE) {
    const step = stepOf(row);
    for (const phase of row.from) {
      const steps = phases.get(phase) ?? new Map<Verb | Trigger, Step[]>();
      steps.set(row.on, [...(steps.get(row.on) ?? []), step]);
      phases.set(phase, steps);
    }
  }
  return phases;
}

function stepOf(row: Row): Step {
  const { guards = [], checks = [], when = [], effect } = row;
  const call = (name: Guard): GuardCall => ({ name, holds: GUARD_CALLS[name] });
  return {
    row,
    idle: !HAVE_LIMITS.has(row.on),
    guards: guards.map(call),
    checks: checks.map(call),
    when: when.map((name) => CONDITIONS[name]),
    effect: effect === undefined ? null : (EFFECTS[effect] as Step['effect']),
  };
}
