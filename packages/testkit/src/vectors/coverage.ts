import { type Phase, TABLE } from '@ehlo/engine';
import { octets, parseVerb, type Verb } from '@ehlo/grammar';
import type { Move, ReplayLog } from './replay.ts';
import { type Json, joined, type Transcript } from './transcript.ts';

/** A command that was given in a phase, and what became of it. */
export interface Attempt {
  readonly phase: Phase;
  readonly verb: Verb;
  /** The fault by which it was refused; null if it was let through. */
  readonly fault: { readonly code: string; readonly reply: { readonly code: number; readonly lines: readonly string[] } } | null;
  /** Whether it was carried out: neither refused by the session nor by the application. */
  readonly done: boolean;
}

/** What a replayed transcript shows. */
export interface Coverage {
  readonly attempts: readonly Attempt[];
  /** Edges of the engine's table that were walked, as `phase on`. */
  readonly edges: ReadonlySet<string>;
  /** All that makes this transcript worth having. */
  readonly features: ReadonlySet<string>;
}

/** All edges of the engine's table, as `phase on`. */
export const EDGES: readonly string[] = TABLE.flatMap(({ from, on }) => from.map((phase) => `${phase} ${on}`));

/** Reads from a log of `{ chunking: 'lines' }` what was walked and shown. */
export function coverage(transcript: Transcript, { moves, events, output }: ReplayLog): Coverage {
  const attempts = moves.flatMap((move, i) => attempt(move, moves.slice(i + 1), fragment(moves, i)));
  const edges = new Set([...moves.flatMap(happenings(moves)), ...attempts.flatMap(walked)]);
  const features = new Set<string>([...transcript.spec, ...edges]);
  const secure = transcript.options.tls === undefined ? '' : ' under TLS';
  for (const { phase, verb, fault } of attempts) features.add(`${verb} in ${phase}${secure}: ${fault === null ? 'taken' : saying(fault)}`);
  for (const { from, on, phases, events: caused } of moves) {
    features.add(`${on} in ${from} leads to ${phases.at(-1)}`);
    for (const { type, cause, limit, code } of caused) {
      if (type === 'closed') features.add(`closed in ${from}: ${cause} ${limit ?? ''}`);
      if (type === 'fault') features.add(`${code} in ${from}`);
    }
  }
  for (const name of Object.keys(transcript.options.limits ?? {})) features.add(`limit ${name}`);
  for (const event of events) for (const feature of eventFeatures(event)) features.add(feature);
  for (const [reply] of output.matchAll(/^[2-5][0-9]{2}(?:[ -][245]\.[0-9]+\.[0-9]+)?/gm)) features.add(`reply ${reply}`);
  for (const feature of stepFeatures(transcript)) features.add(feature);
  return { attempts, edges, features };
}

/** What is said of a fault, without the place in the line. */
function saying({ code, reply }: NonNullable<Attempt['fault']>): string {
  return `${code} ${reply?.code} ${reply?.lines[0]?.replace(/, at octet .*/, '')}`;
}

/** Phases in which lines are commands. */
const COMMAND_PHASES: readonly Phase[] = ['refused', 'greeted', 'ready', 'mail', 'rcpt'];

/** What came of the line before its last part, where the transcript gives it in parts. */
function fragment(moves: readonly Move[], i: number): string {
  let text = '';
  for (let k = i - 1; k >= 0 && moves[k]!.on === 'line' && !moves[k]!.line.endsWith('\n'); k--) text = moves[k]!.line + text;
  return text;
}

function attempt(move: Move, later: readonly Move[], before: string): readonly Attempt[] {
  if (move.on !== 'line' || !move.line.endsWith('\n') || !COMMAND_PHASES.includes(move.from)) return [];
  const verb = parseVerb(octets(before + move.line));
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

/** The edges that no verb makes. */
function happenings(moves: readonly Move[]): (move: Move, i: number) => readonly string[] {
  return ({ from, on, line, phases, events }, i) => {
    const to = phases.at(-1);
    const types = new Set(events.map(({ type }) => type));
    const given = on === 'line' && COMMAND_PHASES.includes(from) ? parseVerb(octets(line)) : null;
    const edges: string[] = [];
    if (types.has('closed') && given !== 'QUIT') edges.push(`${from} close`);
    if (from === 'connect' && phases.includes('greeted')) edges.push('connect greet');
    if (from === 'connect' && phases.includes('refused')) edges.push('connect turn-away');
    if (from === 'data' && to === 'message') edges.push('data end-of-data');
    if (from === 'data' && to === 'ready' && refusedBefore(moves, i)) edges.push('data transaction-over');
    if (from === 'message' && phases.includes('ready')) edges.push('message transaction-over');
    if (from === 'auth' && phases.includes('ready')) edges.push('auth auth-over');
    if (from === 'tls' && on === 'secured') edges.push('tls secured');
    return edges;
  };
}

/** Whether the message whose end came in move `i` had been given up. */
function refusedBefore(moves: readonly Move[], i: number): boolean {
  let begin = i;
  while (begin > 0 && moves[begin]!.from === 'data') begin--;
  return moves.slice(begin, i + 1).some(({ events }) => events.some(({ type }) => type === 'aborted'));
}

/** Who answered what, and how; what time ran out on; and the line ends that are none, with what is to be done about them. */
function stepFeatures({ steps, options }: Transcript): readonly string[] {
  const bare = options.bareLineEnds ?? options.preset ?? 'mx';
  const text = steps.map((step) => ('in' in step ? joined(step.in) : '')).join('');
  const features = Array.from(text.matchAll(/[\r\n.\0 ]{3,}/g), ([run]) => `line end ${JSON.stringify(run)} (${bare})`);
  let asked = '';
  for (const step of steps) {
    if ('event' in step) asked = step.event.type;
    const [kind, value] = Object.entries(step)[0]!;
    if (!['accept', 'reject', 'challenge', 'discard', 'tick'].includes(kind)) continue;
    const code = typeof value === 'object' && 'code' in value ? ` ${value.code}` : '';
    features.push(`${kind}${code} after ${asked}${'stale' in step ? ', too late' : ''}`);
  }
  return features;
}

function eventFeatures(event: { readonly type: string; readonly [name: string]: Json }): readonly string[] {
  const { type, code, cause, limit, verb, deviations, line } = event;
  const shown = code === 'unknown-verb' || code === 'wrong-protocol' ? line : undefined;
  const names = Array.isArray(deviations)
    ? deviations.map((found: Json) => (typeof found === 'string' ? found : (found as { name: string }).name))
    : [];
  return [
    [type, code, cause, limit, verb, shown].filter((part) => typeof part === 'string').join(' '),
    ...names.map((name) => `deviation ${name}`),
  ];
}
