import type { Dialect } from './dialect.ts';
import type { Parameter } from './parameters.ts';

/** How commands are read. */
export interface CommandDialect extends Dialect {
  /** The parameters of MAIL and RCPT that are in force, by keyword. RFC 5321 2.2: those of the extensions that EHLO offered. */
  readonly parameters: ReadonlyMap<string, Parameter>;
  /** Whether a parameter that is not in force is kept as it came, for who reads logs or judges by itself. Default false: it is refused (RFC 5321 4.1.1.11). */
  readonly keepUnknown?: boolean;
}
