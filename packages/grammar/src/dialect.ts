import { type Deviation, STRICT } from './deviation.ts';

/** How a parser reads: which deviations it takes, and which extensions are in force. */
export interface Dialect {
  readonly tolerate: ReadonlySet<Deviation>;
  /** Keywords of the extensions whose parameters are known, in capitals; `null` knows every one of the registry. */
  readonly extensions: ReadonlySet<string> | null;
  /** Whether addresses may hold characters beyond ASCII (RFC 6531); MAIL then has to say SMTPUTF8. */
  readonly utf8: boolean;
}

/** What RFC 5321 asks a receiver to take, with every extension known. */
export const DIALECT: Dialect = { tolerate: STRICT, extensions: null, utf8: true };

/** The letter of the grammar: no deviation, not even those that RFC 5321 asks receivers to tolerate. */
export const LETTER: Dialect = { tolerate: new Set(), extensions: null, utf8: true };
