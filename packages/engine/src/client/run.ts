import type { Reply } from '@ehlo/grammar';
import { SmtpUsageError } from '../error.ts';
import type { ClientCore } from './core.ts';
import type { ClientCause, ClientFaultCode } from './events.ts';
import type { ClientFeature } from './features.ts';
import type { ClientTrigger, TableRow, TransactionTrigger } from './row.ts';
import { SESSION_ROWS } from './table.ts';
import type { Transaction } from './transaction.ts';
import { TRANSACTION_ROWS } from './transaction-table.ts';

/** Takes the row of the session's table that fits; returns false if none does. */
export function fire(core: ClientCore, on: ClientTrigger): boolean {
  return take(core, null, rowFor(core, null, on));
}

/** Takes the row of a transaction's table that fits; returns false if none does. One that is over is the session's no longer. */
export function fireTransaction(core: ClientCore, transaction: Transaction, on: TransactionTrigger): boolean {
  if (!take(core, transaction, rowFor(core, transaction, on))) return false;
  const place = transaction.phase === 'over' ? core.transactions.indexOf(transaction) : -1;
  if (place >= 0) {
    const active = transaction === core.active;
    core.transactions.splice(place, 1);
    if (active) core.body = null;
    if (active) fire(core, 'transaction-over');
  }
  return true;
}

/** Does everything that needs no call of the program, and queues the commands that may be sent. */
export function advance(core: ClientCore): void {
  while (fire(core, 'next') || (core.phase === 'transaction' && fireTransaction(core, core.active!, 'say')));
}

/** Whether the table and its guards let the program do something now. */
export function may(core: ClientCore, on: ClientTrigger): boolean {
  const row = rowFor(core, null, on);
  return row !== undefined && row.misuse === undefined;
}

/** Throws `SmtpUsageError` unless the program may do something now. */
export function demand(core: ClientCore, on: ClientTrigger): void {
  const row = rowFor(core, null, on);
  if (row !== undefined && row.misuse === undefined) return;
  const misuse = row?.misuse ?? 'not-ready';
  throw new SmtpUsageError(misuse, `can't ${on} in phase ${core.phase}${misuse === 'not-ready' ? '' : `: ${misuse}`}`);
}

/** Ends the session. Outcomes that are not decided are reported now. */
export function close(core: ClientCore, cause: ClientCause, reply: Reply | null = null, limit: string | null = null): void {
  if (core.phase === 'closed') return;
  core.closing = { cause, stage: core.stage, reply, limit };
  fire(core, 'close');
  core.settle();
}

/** The session ends as it was to end, if it was; else for this reason. */
export function over(core: ClientCore, cause: ClientCause, reply: Reply | null = null, limit: string | null = null): void {
  const { phase, transactions, leaving } = core;
  if (phase === 'quit' && transactions.length === 0) close(core, leaving?.cause ?? 'quit', leaving?.reply);
  else close(core, cause, reply, limit);
}

/** The peer broke the protocol. The session ends, because later replies can no longer be matched to commands. */
export function fault(core: ClientCore, code: ClientFaultCode, line: string): void {
  core.events.push({ type: 'fault', code, line });
  close(core, 'fault');
}

/** Carries a row out. */
function take(core: ClientCore, transaction: Transaction | null, row: Row | undefined): boolean {
  if (row === undefined) return false;
  const { effects, to, close } = row;
  if (effects !== undefined) for (const effect of effects) effect(core, transaction as never);
  if (to !== undefined) (transaction ?? core).phase = to as never;
  if (close !== undefined) over(core, close, close === 'refused' ? core.reply : null);
  return true;
}

/** The row of a session, or of a transaction, for what moves it: the first for its phase whose guards hold. Those of features come first. */
function rowFor(core: ClientCore, transaction: Transaction | null, on: string): Row | undefined {
  const features: readonly Tables[] = core.options.features ?? NONE;
  for (const feature of features) {
    const row = fitting(feature, core, transaction, on);
    if (row !== undefined) return row;
  }
  return fitting(BASIC, core, transaction, on);
}

function fitting(tables: Omit<Tables, 'name'>, core: ClientCore, transaction: Transaction | null, on: string): Row | undefined {
  const rows = (transaction === null ? tables.client : tables.transaction)?.[on];
  const { phase } = transaction ?? core;
  if (rows !== undefined) for (const row of rows) if (row.from.includes(phase) && holds(row, core, transaction)) return row;
  return undefined;
}

function holds({ guards }: Row, core: ClientCore, transaction: Transaction | null): boolean {
  if (guards !== undefined) for (const guard of guards) if (!guard(core, transaction as never)) return false;
  return true;
}

/** A row of either table: guards and effects of a session get no transaction. */
type Row = TableRow<string, readonly [transaction: never]>;

/** The tables, and what a feature adds to them. */
interface Tables extends ClientFeature {
  readonly client?: { readonly [on: string]: readonly Row[] };
  readonly transaction?: { readonly [on: string]: readonly Row[] };
}

const NONE: readonly never[] = [];
const BASIC: Omit<Tables, 'name'> = { client: SESSION_ROWS, transaction: TRANSACTION_ROWS };
