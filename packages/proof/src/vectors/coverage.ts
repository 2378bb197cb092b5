import { type Phase, TABLE } from '@ehlo/engine';
import { octets, parseVerb, type Verb } from '@ehlo/grammar';
import type { Move, ReplayLog } from './replay.ts';
import { citations, type Json, joined, type Transcript } from './transcript.ts';

/** A command that was given in a phase, and what became of it. */
export interface Attempt {
  readonly phase: Phase;
  /** `extension`: one that the program has defined. */
  readonly verb: Verb | 'extension';
  /** The fault by which it was refused; null if it was let through. */
  readonly fault: { readonly code: string; readonly reply: { readonly code: number; readonly lines: readonly string[] } } | null;
  /** Whether it was carried out: neither refused by the session nor by the application. */
  readonly done: boolean;
}

/** What a replayed transcript shows. */
export interface Coverage {
  readonly attempts: readonly Attempt[];
  /** Edges of the verbs in the engine's table that were walked, as `phase verb`. */
  readonly edges: ReadonlySet<string>;
  /** All that makes this transcript worth having. */
  readonly features: ReadonlySet<string>;
}

/** All edges of verbs in the engine's table, as `phase verb`. */
export const EDGES: readonly string[] = TABLE.filter(({ guards }) => guards !== undefined).flatMap(({ from, on }) =>
  from.map((phase) => `${phase} ${on}`),
);

/** Reads from a log of `{ chunking: 'lines' }` what was walked and shown. */
export function coverage(transcript: Transcript, { moves, events, output }: ReplayLog): Coverage {
  const own = ownVerbs(transcript);
  const attempts = moves.flatMap((move, i) => attempt(move, moves.slice(i + 1), fragment(moves, i), own));
  const edges = new Set(attempts.flatMap(walked));
  const features = new Set<string>([...citations(transcript).keys(), ...edges]);
  const lmtp = transcript.options.preset === 'lmtp' ? ' of LMTP' : '';
  const secure = `${transcript.options.tls === undefined ? '' : ' under TLS'}${lmtp}`;
  for (const { phase, verb, fault } of attempts) features.add(`${verb} in ${phase}${secure}: ${fault === null ? 'taken' : saying(fault)}`);
  for (const { from, on, phases, events: caused } of moves) {
    features.add(`${on} in ${from} leads to ${phases.at(-1)}${lmtp}`);
    for (const { type, cause, limit, code } of caused) {
      if (type === 'closed') features.add(`closed in ${from}: ${cause} ${limit ?? ''}`);
      if (type === 'fault') features.add(`${code} in ${from}`);
      if (type === 'aborted') features.add(`aborted in ${from}: ${cause}`);
      if (type === 'unacknowledged') features.add(`unacknowledged in ${from} by ${on}`);
    }
  }
  for (const name of Object.keys(transcript.options.limits ?? {})) features.add(`limit ${name}`);
  for (const event of events) for (const feature of eventFeatures(event)) features.add(feature + lmtp);
  for (const [reply] of output.matchAll(/^[2-5][0-9]{2}(?:[ -][245]\.[0-9]+\.[0-9]+)?/gm)) features.add(`reply ${reply}`);
  for (const feature of stepFeatures(transcript)) features.add(feature);
  return { attempts, edges, features };
}

/** Verbs that the program has defined. */
function ownVerbs({ options: { extensions = [] } }: Transcript): ReadonlySet<string> {
  return new Set(extensions.flatMap((one) => (typeof one === 'string' ? [] : one.verbs.map(({ verb }) => verb))));
}

/** What is said of a fault, without the place in the line. */
function saying({ code, reply }: NonNullable<Attempt['fault']>): string {
  return `${code} ${reply?.code} ${reply?.lines[0]?.replace(/, at octet .*/, '')}`;
}

/** Phases in which lines are commands. */
const COMMAND_PHASES: readonly Phase[] = ['refused', 'greeted', 'ready', 'mail', 'rcpt', 'chunks'];

/** What came of the line before its last part, where the transcript gives it in parts. */
function fragment(moves: readonly Move[], i: number): string {
  let text = '';
  for (let k = i - 1; k >= 0 && isPart(moves[k]!); k--) text = moves[k]!.line + text;
  return text;
}

function isPart({ from, on, line }: Move): boolean {
  return on === 'line' && COMMAND_PHASES.includes(from) && !line.endsWith('\n');
}

function attempt(move: Move, later: readonly Move[], before: string, own: ReadonlySet<string>): readonly Attempt[] {
  if (move.on !== 'line' || !move.line.endsWith('\n') || !COMMAND_PHASES.includes(move.from)) return [];
  const line = before + move.line;
  const verb = own.has(line.split(/[ \r\n]/, 1)[0]!) ? 'extension' : parseVerb(octets(line));
  if (verb === null) return [];
  const fault = move.events.find(({ type }) => type === 'fault') as unknown as Attempt['fault'] | undefined;
  if (fault?.code === 'line-too-long' || fault?.code === 'bare-lf-line') return [];
  const next = later.findIndex(({ on }) => on === 'line');
  const answers = later.slice(0, next < 0 ? later.length : next);
  const row = TABLE.find(({ from, on }) => on === verb && from.includes(move.from));
  const reached = [move, ...answers].some(({ phases }) => row?.to === undefined || phases.includes(row.to));
  return [
    { phase: move.from, verb, fault: fault ?? null, done: fault === undefined && reached && !answers.some(({ on }) => on === 'reject') },
  ];
}

/** The edge of a command: a row that refuses is walked by a refusal, any other by a command that is carried out. */
function walked({ phase, verb, fault, done }: Attempt): readonly string[] {
  const row = TABLE.find(({ from, on }) => on === verb && from.includes(phase));
  return row !== undefined && (row.refuse === undefined ? done : fault !== null && fault.code !== 'tls-required')
    ? [`${phase} ${verb}`]
    : [];
}

/** Who answered what, and how; what time ran out on; and the line ends that are none, with what is to be done about them. */
function stepFeatures({ steps, options }: Transcript): readonly string[] {
  const bare = options.bareLineEnds ?? options.preset ?? 'mx';
  const text = steps.map((step) => ('in' in step ? joined(step.in) : '')).join('');
  const features = Array.from(text.matchAll(/[\r\n.\0 ]{3,}/g), ([run]) => `line end ${JSON.stringify(run)} (${bare})`);
  let asked = '';
  for (const step of steps) {
    if ('event' in step) asked = step.event.type;
    if ('chunk' in step && step.discard !== undefined) features.push(`discard behind ${joined(step.chunk).length} octets (${bare})`);
    if ('deadline' in step) features.push(`deadline ${step.deadline} after ${asked}`);
    if ('state' in step) for (const [name, value] of Object.entries(step.state)) features.push(`state ${name} ${keys(value)}`);
    const [kind, value] = Object.entries(step)[0]!;
    if (!['accept', 'reject', 'challenge', 'discard', 'tick'].includes(kind)) continue;
    const code = typeof value === 'object' && 'code' in value ? ` ${value.code}` : '';
    const held = typeof value === 'object' && 'delay' in value ? ', held back' : '';
    features.push(`${kind}${code} after ${asked}${'stale' in step ? ', too late' : held}`);
  }
  return features;
}

/** A word, or what a value is made of. */
function keys(value: Json): string {
  if (typeof value === 'string') return /^\w+$/.test(value) ? value : '';
  if (typeof value !== 'object') return '';
  const parts = Object.entries(value ?? {}) as [string, Json][];
  return parts.map(([name, part]) => (Array.isArray(part) && part.length === 0 ? `no ${name}` : name)).join(' ');
}

function eventFeatures(event: { readonly type: string; readonly [name: string]: Json }): readonly string[] {
  const { type, code, cause, limit, verb, deviations, line, offset, parameters } = event;
  const shown =
    code === 'unknown-verb' || code === 'wrong-protocol' ? line : PARAMETER.has(String(code)) ? wordAt(line, offset) : undefined;
  const names = Array.isArray(deviations)
    ? deviations.map((found: Json) => (typeof found === 'string' ? found : (found as { name: string }).name))
    : [];
  return [
    [type, code, cause, limit, verb, shown].filter((part) => typeof part === 'string').join(' '),
    ...names.map((name) => `deviation ${name}`),
    ...Object.entries(parameters ?? {}).map(([name, value]) => `${type} with ${name} ${keys(value)}`),
  ];
}

/** Faults whose place is the name of a parameter. */
const PARAMETER: ReadonlySet<string> = new Set(['unknown-parameter', 'misplaced-parameter', 'duplicate-parameter']);

function wordAt(line: Json | undefined, offset: Json | undefined): string | undefined {
  return /^[\w-]+/.exec(String(line).slice(Number(offset)))?.[0].toUpperCase();
}
