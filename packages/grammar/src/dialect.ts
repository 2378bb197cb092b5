import { type Deviation, STRICT } from './deviation.ts';

/** How addresses and answers are read. */
export interface Dialect {
  /** The deviations that are taken. */
  readonly tolerate: ReadonlySet<Deviation>;
  /** Whether addresses may hold characters beyond ASCII (RFC 6531); MAIL then has to say SMTPUTF8. */
  readonly utf8: boolean;
}

/** What RFC 5321 asks a receiver to take. */
export const ADDRESSES: Dialect = { tolerate: STRICT, utf8: true };

/** The letter of the grammar: no deviation, not even those that RFC 5321 asks receivers to tolerate. */
export const LETTER_ADDRESSES: Dialect = { tolerate: new Set(), utf8: true };
