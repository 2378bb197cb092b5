import type { CommandDialect } from './command-dialect.ts';
import { ADDRESSES, LETTER_ADDRESSES } from './dialect.ts';
import { byKeyword, PARAMETERS } from './parameters.ts';

const parameters: CommandDialect['parameters'] = /* @__PURE__ */ byKeyword(PARAMETERS);

/** What RFC 5321 asks a receiver to take, with every extension in force. */
export const DIALECT: CommandDialect = { ...ADDRESSES, parameters };

/** The letter of the grammar with every extension in force: no deviation, not even those that RFC 5321 asks receivers to tolerate. */
export const LETTER: CommandDialect = { ...LETTER_ADDRESSES, parameters };
