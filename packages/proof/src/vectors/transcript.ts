import type {
  Answer,
  AuthOptions,
  BareLineEnds,
  EarlyTalkers,
  FutureReleaseOptions,
  Limits,
  MtPriorityOptions,
  Peer,
  Preset,
  QuestionType,
  Rejection,
  StartTls,
  TlsInfo,
  TrustedVerb,
  Wants,
} from '@ehlo/engine';
import type { Deviation } from '@ehlo/grammar';
import type { OwnExtension } from './own-extension.ts';

/** A string whose characters are octets (U+0000 to U+00FF), a number of times. */
export interface Repeated {
  readonly repeat: string;
  readonly times: number;
}

/** Octets: a string, one character an octet, or parts to be joined. */
export type Octets = string | readonly (string | Repeated)[];

/** A value of JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** An event as the transcript expects it: what stands here must be there. */
export type EventPattern = { readonly type: string; readonly [name: string]: Json };

/** What is known of TLS; of data that binds to the connection, the names. */
export type TlsFacts = Pick<TlsInfo, 'protocol' | 'cipher' | 'servername'> & { readonly bindings?: readonly string[] };

/** What reaches the session. `stale` says that the answer comes too late: nothing is asked any more. */
export type InputStep =
  | { readonly in: Octets }
  | { readonly end: true }
  | { readonly lost: true }
  | { readonly accept: Answer & { readonly identity?: string }; readonly stale?: true }
  | { readonly reject: Rejection; readonly stale?: true }
  | { readonly challenge: Octets; readonly stale?: true }
  | { readonly discard: Rejection; readonly stale?: true }
  | { readonly secured: TlsFacts }
  | { readonly shutdown: Rejection | Record<string, never> }
  | { readonly stall: boolean }
  | { readonly tick: number };

/** What a step that must be seen is there for. */
export interface Citation {
  /** Ids of requirements and behaviours: this step fails where one of them is broken. */
  readonly shows?: readonly string[];
}

/** What must be seen of the session. */
export type OutcomeStep = Citation & Outcome;

type Outcome =
  | { readonly out: Octets; readonly together?: true }
  | { readonly event: EventPattern }
  | { readonly chunk: Octets; readonly discard?: Rejection }
  | { readonly unsayable: { readonly accept: Answer } | { readonly reject: Rejection } }
  | { readonly state: { readonly [name: string]: Json } }
  | { readonly wants: Wants }
  | { readonly deadline: number | null };

export type Step = InputStep | OutcomeStep;

/** The options of a server session, as JSON. */
export interface TranscriptOptions {
  readonly hostname: string;
  readonly preset?: Preset;
  readonly ask?: readonly QuestionType[];
  readonly peer?: Peer;
  readonly starttls?: StartTls;
  readonly tls?: TlsFacts;
  readonly auth?: AuthOptions;
  readonly extensions?: readonly (string | OwnExtension)[];
  readonly futureRelease?: FutureReleaseOptions;
  readonly mtPriority?: MtPriorityOptions;
  readonly trust?: readonly TrustedVerb[];
  readonly limits?: Partial<Limits>;
  readonly smallLimits?: Partial<Limits>;
  readonly tolerate?: readonly Deviation[];
  readonly bareLineEnds?: BareLineEnds;
  readonly earlyTalkers?: EarlyTalkers;
  readonly trace?: boolean;
}

/** One conversation, from the connection to its end or to where it stops being of interest. */
export interface Transcript {
  readonly name: string;
  /** Why this must be so, in a sentence. */
  readonly why: string;
  readonly role: 'server';
  readonly options: TranscriptOptions;
  readonly steps: readonly Step[];
}

/** Whether a step says what must be seen, and not what is done. */
export function isOutcome(step: Step): step is OutcomeStep {
  return Object.keys(step).some((name) => OUTCOMES.has(name));
}

const OUTCOMES: ReadonlySet<string> = new Set(['out', 'event', 'chunk', 'unsayable', 'state', 'wants', 'deadline']);

/** A file of transcripts. */
export interface TranscriptFile {
  readonly transcripts: readonly Transcript[];
}

/** The ids that the steps of a transcript show, each with the numbers of those steps, from 1. */
export function citations(transcript: { readonly steps: readonly object[] }): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>();
  for (const [i, step] of transcript.steps.entries())
    for (const id of (step as Citation).shows ?? []) found.set(id, [...(found.get(id) ?? []), i + 1]);
  return found;
}

/** The octets that are meant, as a string of one character an octet. */
export function joined(octets: Octets): string {
  if (typeof octets === 'string') return octets;
  return octets.map((part) => (typeof part === 'string' ? part : part.repeat.repeat(part.times))).join('');
}
