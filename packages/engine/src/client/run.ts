import type { Reply } from '@ehlo/grammar';
import { SmtpUsageError } from '../error.ts';
import type { ClientCore } from './core.ts';
import type { ClientCause, ClientFaultCode } from './events.ts';
import type { ClientFeature } from './features.ts';
import type { ClientRow, ClientTrigger, Rows, TransactionRow, TransactionTrigger } from './row.ts';
import { SESSION_ROWS } from './table.ts';
import type { Transaction } from './transaction.ts';
import { TRANSACTION_ROWS } from './transaction-table.ts';

/** What a feature adds to the tables; its rows come first. */
interface FeatureRows extends ClientFeature {
  readonly client?: Rows<ClientTrigger, ClientRow>;
  readonly transaction?: Rows<TransactionTrigger, TransactionRow>;
}

/** Takes the row of the session's table that fits; returns false if none does. */
export function fire(core: ClientCore, on: ClientTrigger): boolean {
  const row = sessionRow(core, on);
  if (row === undefined) return false;
  const { effects, to, close } = row;
  if (effects !== undefined) for (const effect of effects) effect(core);
  if (to !== undefined) core.phase = to;
  if (close !== undefined) over(core, close, close === 'refused' ? core.reply : null);
  return true;
}

/** Takes the row of a transaction's table that fits; returns false if none does. One that is over is the session's no longer. */
export function fireTransaction(core: ClientCore, transaction: Transaction, on: TransactionTrigger): boolean {
  let row: TransactionRow | undefined;
  for (const feature of features(core)) row ??= fitting(feature.transaction?.[on], transaction.phase, core, transaction);
  row ??= fitting(TRANSACTION_ROWS[on], transaction.phase, core, transaction);
  if (row === undefined) return false;
  const { effects, to, close } = row;
  if (effects !== undefined) for (const effect of effects) effect(core, transaction);
  if (to !== undefined) transaction.phase = to;
  if (close !== undefined) over(core, close, close === 'refused' ? core.reply : null);
  else if (to === 'over') {
    const active = transaction === core.active;
    core.transactions.splice(core.transactions.indexOf(transaction), 1);
    if (active) core.body = null;
    if (active) fire(core, 'transaction-over');
  }
  return true;
}

/** Does by itself all that can be done now, and says what may be said. */
export function advance(core: ClientCore): void {
  while (fire(core, 'next') || (core.phase === 'transaction' && fireTransaction(core, core.active!, 'say')));
}

/** Whether the table and its guards let the program do something now. */
export function may(core: ClientCore, on: ClientTrigger): boolean {
  const row = sessionRow(core, on);
  return row !== undefined && row.misuse === undefined;
}

/** Throws `SmtpUsageError` unless the program may do something now. */
export function demand(core: ClientCore, on: ClientTrigger): void {
  const row = sessionRow(core, on);
  if (row !== undefined && row.misuse === undefined) return;
  const misuse = row?.misuse ?? 'not-ready';
  throw new SmtpUsageError(misuse, `can't ${on} in phase ${core.phase}${misuse === 'not-ready' ? '' : `: ${misuse}`}`);
}

/** Ends the session. What is not decided is told now. */
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

/** A line or call of the peer's that breaks the protocol ends the session: nobody knows any more what a later reply would answer. */
export function fault(core: ClientCore, code: ClientFaultCode, line: string): void {
  core.events.push({ type: 'fault', code, line });
  close(core, 'fault');
}

function sessionRow(core: ClientCore, on: ClientTrigger): ClientRow | undefined {
  let row: ClientRow | undefined;
  for (const feature of features(core)) row ??= fitting(feature.client?.[on], core.phase, core, null);
  return row ?? fitting(SESSION_ROWS[on], core.phase, core, null);
}

/** Of the rows of a trigger the first for a phase whose guards hold. */
function fitting<Row extends AnyRow>(
  rows: readonly Row[] | undefined,
  phase: string,
  core: ClientCore,
  transaction: Transaction | null,
): Row | undefined {
  if (rows === undefined) return undefined;
  for (const row of rows) if (row.from.includes(phase) && holds(row, core, transaction)) return row;
  return undefined;
}

function holds({ guards }: AnyRow, core: ClientCore, transaction: Transaction | null): boolean {
  if (guards !== undefined) for (const guard of guards) if (!guard(core, transaction as never)) return false;
  return true;
}

/** Of either table: a session's guards are not told of a transaction. */
interface AnyRow {
  readonly from: readonly string[];
  readonly guards?: readonly ((core: ClientCore, transaction: never) => boolean)[];
}

function features({ options }: ClientCore): readonly FeatureRows[] {
  return options.features ?? NONE;
}

const NONE: readonly never[] = [];
