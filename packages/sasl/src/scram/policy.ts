import type { ScramHash } from './hash.ts';

/** What a mechanism of SCRAM was set up with. */
export interface ScramPolicy {
  readonly hash: ScramHash;
  readonly bound: boolean;
  readonly iterations: number;
  readonly accepted: readonly [least: number, most: number];
}
