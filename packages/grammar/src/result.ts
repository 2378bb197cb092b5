import type { Deviation } from './deviation.ts';

/** Why a text was not accepted. Stable: programs may switch on it. */
export type FailureCode =
  | 'syntax' // a byte that the rule does not allow, or an early end
  | 'deviation' // a known deviation that the dialect does not tolerate
  | 'unknown-verb'
  | 'unexpected-argument' // an argument on a command that takes none
  | 'unknown-parameter'
  | 'misplaced-parameter' // of MAIL on RCPT, or of RCPT on MAIL
  | 'duplicate-parameter'
  | 'parameter-value'
  | 'smtputf8' // characters beyond ASCII without SMTPUTF8
  | 'base64';

/** A refusal: what was expected, and where. */
export interface Failure {
  readonly ok: false;
  readonly code: FailureCode;
  /** The ABNF rule that failed. */
  readonly rule: string;
  /** Where that rule stands, e.g. `RFC 5321 4.1.2`; `XCLIENT` has no RFC. */
  readonly section: string;
  /**
   * Octets from the start of the text to the byte that cannot continue it, 0 for the first; its length if it ended too early. Texts for people
   * count from 1: `octet ${offset + 1}`.
   */
  readonly offset: number;
  /** One sentence for people. Holds none of the sender's text. */
  readonly message: string;
}

/** A parsed value, with the deviations from the grammar that were met and tolerated. */
export interface Success<T, D extends string = Deviation> {
  readonly ok: true;
  readonly value: T;
  readonly deviations: readonly D[];
}

export type Parsed<T, D extends string = Deviation> = Success<T, D> | Failure;

const NONE: readonly Deviation[] = [];

export function success<T>(value: T, deviations: readonly Deviation[] = NONE): Success<T> {
  return { ok: true, value, deviations };
}

export function failure(code: FailureCode, rule: string, section: string, offset: number, message: string): Failure {
  return { ok: false, code, rule, section: /^[0-9]/.test(section) ? `RFC ${section}` : section, offset, message };
}
