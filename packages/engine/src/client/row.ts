import type { UsageCode } from '../error.ts';
import type { ClientCore } from './core.ts';
import type { ClientPhase, TransactionPhase } from './phases.ts';
import type { Transaction } from './transaction.ts';

/** What moves a session: calls of the program, replies by what they answer, and `next`: what it does by itself when nothing else is left. */
export type ClientTrigger =
  | 'greeting'
  | 'greeting refused'
  | 'hello'
  | 'hello refused'
  | 'next'
  | 'starttls'
  | 'STARTTLS'
  | 'STARTTLS refused'
  | 'secured'
  | 'authenticate'
  | 'AUTH challenge'
  | 'respond'
  | 'cancel'
  | 'AUTH'
  | 'AUTH refused'
  | 'command'
  | 'RSET'
  | 'RSET refused'
  | 'answer'
  | 'send'
  | 'transaction-over'
  | 'QUIT'
  | 'close';

/** What moves a transaction: replies by what they answer, calls of the program, and `say`: there may be room for a command. */
export type TransactionTrigger =
  | 'say'
  | 'RSET'
  | 'RSET refused'
  | 'MAIL'
  | 'MAIL refused'
  | 'RCPT'
  | 'RCPT refused'
  | 'DATA'
  | 'DATA refused'
  | 'BDAT'
  | 'BDAT refused'
  | 'END'
  | 'END refused'
  | 'early refused'
  | 'end'
  | 'handed'
  | 'abort';

/** Why a row ends the session. */
export type ClosingCause = 'quit' | 'refused' | 'aborted';

/**
 * A row of a table: in one of these phases, where all guards hold, what moves it has these effects and leads to that phase. The first that fits
 * is taken. Guards and effects are functions, known by their names; guards change nothing.
 */
export interface TableRow<Phase extends string, About extends readonly unknown[]> {
  readonly from: readonly Phase[];
  readonly guards?: readonly ((core: ClientCore, ...about: About) => boolean)[];
  readonly effects?: readonly ((core: ClientCore, ...about: About) => void)[];
  /** Absent: it stays. */
  readonly to?: Phase;
  /** The effects are followed by the end of the session, for this cause. */
  readonly close?: ClosingCause;
  /** The code of the error that is thrown when the program calls this now. */
  readonly misuse?: UsageCode;
}

export type ClientRow = TableRow<ClientPhase, readonly []>;
export type TransactionRow = TableRow<TransactionPhase, readonly [transaction: Transaction]>;

/** Rows by what moves them, in order. */
export type Rows<Trigger extends string, Row> = { readonly [on in Trigger]?: readonly Row[] };
