import type { ClientLimitName } from './limits.ts';
import type { Transaction } from './transaction.ts';

/** What a reply answers. */
export type Asked =
  | 'GREETING'
  | 'EHLO'
  | 'HELO'
  | 'LHLO'
  | 'STARTTLS'
  | 'AUTH'
  | 'RSET'
  | 'MAIL'
  | 'RCPT'
  | 'DATA'
  | 'BDAT'
  | 'END' // of the message
  | 'COMMAND' // of the program
  | 'QUIT';

/** A reply that is due. */
export interface Due {
  readonly to: Asked;
  readonly transaction: Transaction | null;
  /** The recipient, for RCPT. */
  readonly index: number;
  /** Octets of the command. */
  readonly size: number;
  /** Whether its text may contain UTF-8: the command had SMTPUTF8 (RFC 6531 3.7.4). */
  readonly utf8: boolean;
  /** Whether its command has been handed out: a reply that comes before that does not answer it. */
  live: boolean;
}

/** Octets that go out together, and the reply that is due once they have. With those that END answers the server may have accepted the message. */
export interface Part {
  readonly bytes: Uint8Array;
  readonly due: Due | null;
}

/** The timeout of each reply; `commandTimeout` if it is not listed here. */
export const TIMERS: { readonly [to in Asked]?: ClientLimitName } = {
  GREETING: 'greetingTimeout',
  EHLO: 'helloTimeout',
  HELO: 'helloTimeout',
  LHLO: 'helloTimeout',
  AUTH: 'authTimeout',
  RSET: 'mailTimeout',
  MAIL: 'mailTimeout',
  RCPT: 'rcptTimeout',
  DATA: 'dataTimeout',
  BDAT: 'blockTimeout',
  END: 'messageTimeout',
  QUIT: 'quitTimeout',
};
