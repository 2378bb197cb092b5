import type { EpochMs } from './job.ts';

/** Ours: steps that are kept of one try, and of one route. */
export const MOST_STEPS = 200;

/** A fact or a rule that led to what is ordered next; `@ehlo/delivery/words` says each in plain words, with its section. */
export interface Step {
  readonly at: EpochMs;
  readonly what: StepName;
  /** Names and numbers of the sentence. */
  readonly detail: { readonly [name: string]: string | number };
  /** The recipient's place in the job, where it is about one. */
  readonly recipient?: number;
}

export type StepName =
  // targets
  | 'static-route'
  | 'literal'
  | 'alias'
  | 'mx'
  | 'implicit-mx'
  | 'null-mx'
  | 'null-mx-ignored'
  | 'mx-is-address'
  | 'mx-is-alias'
  | 'self'
  | 'cut'
  | 'addresses-cut'
  | 'no-address'
  | 'refused-address'
  | 'dns-failed'
  | 'problem'
  // policy
  | 'dane'
  | 'sts'
  | 'sts-cached'
  | 'sts-skips'
  // tries
  | 'added'
  | 'waits'
  | 'held'
  | 'unsettled'
  | 'connects'
  | 'not-reached'
  | 'host-dead'
  | 'begins'
  | 'fits-not'
  | 'moves-on'
  | 'said'
  | 'met'
  | 'again-at-once'
  | 'later'
  | 'final'
  | 'notice'
  | 'operator';
