// The client's two tables, each of their parts changed in turn: rows, guards, effects, phases, causes and misuses.
import { CLIENT_TABLE, type ClientRow, TRANSACTION_TABLE, type TransactionRow } from '@ehlo/engine';
import { type TableMutant, without } from './mutant.ts';
import { put } from './put.ts';

type AnyRow = ClientRow | TransactionRow;

/** A row, and what moves a session or a transaction by it. */
export interface NamedRow {
  readonly table: 'session' | 'transaction';
  readonly name: string;
  readonly row: AnyRow;
}

/** Every row of both tables. */
export const CLIENT_ROWS: readonly NamedRow[] = [...named('session', CLIENT_TABLE), ...named('transaction', TRANSACTION_TABLE)];

const PHASES: { readonly [table in NamedRow['table']]: readonly string[] } = {
  session: [...new Set([...CLIENT_ROWS.flatMap(({ table, row }) => (table === 'session' ? row.from : [])), 'closed'])],
  transaction: [...new Set([...CLIENT_ROWS.flatMap(({ table, row }) => (table === 'transaction' ? row.from : [])), 'over'])],
};

/** A transaction that has nothing to say goes over from there at once, by a row of its own. */
const GOES_OVER: readonly string[] = ['mail', 'envelope'];

/** Every mutant of the client's tables. */
export function clientMutants(): readonly TableMutant[] {
  return CLIENT_ROWS.flatMap(ofRow);
}

function named(table: NamedRow['table'], rows: { readonly [on: string]: readonly AnyRow[] }): readonly NamedRow[] {
  return Object.entries(rows).flatMap(([on, list]) =>
    list.map((row) => ({ table, name: `${table}, ${on} in ${row.from.join(', ')}${conditions(row)}`, row })),
  );
}

function conditions({ guards = [] }: AnyRow): string {
  return guards.length === 0 ? '' : ` if ${guards.map(({ name }) => name).join(', ')}`;
}

function ofRow({ table, name, row }: NamedRow): readonly TableMutant[] {
  const { from, guards = [], effects = [], to, close, misuse } = row;
  const mutant = (kind: TableMutant['kind'], change: string, values: { readonly [name: string]: unknown }): TableMutant => ({
    kind,
    name: `${name}: ${change}`,
    at: [name],
    plant: () => put<object>(row, values),
  });
  return [
    ...from.map((phase) => mutant('row', `not in ${phase}`, { from: from.filter((one) => one !== phase) })),
    ...guards.map((guard, i) => mutant('guard', `without ${guard.name}`, { guards: without<unknown>(guards, i) })),
    ...effects.map((effect, i) => mutant('effect', `without ${effect.name}`, { effects: without<unknown>(effects, i) })),
    ...(to === undefined ? [] : [mutant('phase', `stays for ${to}`, { to: null })]),
    ...(misuse !== undefined || close !== undefined
      ? []
      : PHASES[table]
          .filter((phase) => phase !== to && !stays(row, phase) && !(to === 'over' && GOES_OVER.includes(phase)))
          .map((phase) => mutant('phase', `${phase} for ${to ?? 'stays'}`, { to: phase }))),
    ...(close === undefined ? [] : [mutant('cause', `does not close`, { close: null })]),
    ...(['quit', 'refused', 'aborted'] as const)
      .filter((cause) => cause !== close && misuse === undefined && !name.startsWith('session, close '))
      .map((cause) => mutant('cause', `${cause} for ${close ?? 'no end'}`, { close: cause })),
    ...(misuse === undefined
      ? []
      : [
          mutant('cause', `no misuse`, { misuse: null }),
          mutant('cause', `another misuse`, { misuse: misuse === 'not-offered' ? 'unprotected' : 'not-offered' }),
        ]),
  ];
}

/** The phase is the one in which the row stays. */
function stays({ from, to }: AnyRow, phase: string): boolean {
  return to === undefined && from.length === 1 && phase === from[0];
}
