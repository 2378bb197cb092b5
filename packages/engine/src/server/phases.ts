// Groups of phases that the rows of the table share.
import type { Phase } from './row.ts';

/** No transaction is open. */
export const BEFORE_MAIL: readonly Phase[] = ['greeted', 'ready'];
/** MAIL was accepted, and no content has been sent. */
export const IN_TRANSACTION: readonly Phase[] = ['mail', 'rcpt'];
/** All commands are answered according to their rows. */
export const COMMANDS: readonly Phase[] = [...BEFORE_MAIL, ...IN_TRANSACTION, 'chunks'];
/** Lines are commands; in `refused` only QUIT is accepted. */
export const LINES: readonly Phase[] = ['refused', ...COMMANDS];
