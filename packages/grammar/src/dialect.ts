import { type Deviation, STRICT } from './deviation.ts';
import type { Parameter } from './parameters.ts';

/** How addresses and answers are read. */
export interface Dialect {
  /** The deviations that are taken. */
  readonly tolerate: ReadonlySet<Deviation>;
  /** Whether addresses may hold characters beyond ASCII (RFC 6531); MAIL then has to say SMTPUTF8. */
  readonly utf8: boolean;
}

/** How commands are read. */
export interface CommandDialect extends Dialect {
  /** The parameters of MAIL and RCPT that are in force, by keyword. RFC 5321 2.2: those of the extensions that EHLO offered. */
  readonly parameters: ReadonlyMap<string, Parameter>;
  /** Whether a parameter that is not in force is kept as it came, for who reads logs or judges by itself. Default false: it is refused (RFC 5321 4.1.1.11). */
  readonly keepUnknown?: boolean;
}

/** What RFC 5321 asks a receiver to take. */
export const ADDRESSES: Dialect = { tolerate: STRICT, utf8: true };

/** The letter of the grammar: no deviation, not even those that RFC 5321 asks receivers to tolerate. */
export const LETTER_ADDRESSES: Dialect = { tolerate: new Set(), utf8: true };
