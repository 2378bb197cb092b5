import { AUTH_ROWS } from './auth.ts';
import { CHUNKING_ROWS } from './chunking.ts';
import type { ClientRow, ClientTrigger, Rows, TransactionRow, TransactionTrigger } from './row.ts';
import { SESSION_ROWS } from './table.ts';
import { TRANSACTION_ROWS } from './transaction-table.ts';

/** All rows of the table of a client's session, by what moves it: those that the feature AUTH brings, too. */
export const CLIENT_TABLE: Rows<ClientTrigger, ClientRow> = joined(SESSION_ROWS, AUTH_ROWS);

/** All rows of the table of a client's mail transaction, by what moves it: those that the feature CHUNKING brings, too. */
export const TRANSACTION_TABLE: Rows<TransactionTrigger, TransactionRow> = joined(TRANSACTION_ROWS, CHUNKING_ROWS);

/** Those of a feature are tried first. */
function joined<Trigger extends string, Row>(rows: Rows<Trigger, Row>, feature: Rows<Trigger, Row>): Rows<Trigger, Row> {
  const all: { [on in Trigger]?: readonly Row[] } = {};
  for (const on of Object.keys({ ...rows, ...feature }) as Trigger[]) all[on] = [...(feature[on] ?? []), ...(rows[on] ?? [])];
  return all;
}
