import type { Protocol } from './check.ts';
import type { Dial } from './wire.ts';

/** Whom to examine, and what of theirs may be used. */
export interface Target {
  /** Opens a connection; with TLS from its start where `tls` is `implicit`. */
  readonly dial: Dial;
  readonly protocol: Protocol;
  /** `starttls`: every session but those that are about it goes on by TLS. */
  readonly tls: 'none' | 'starttls' | 'implicit';
  /** The name of this side in EHLO; without it the address of the connection as a literal. */
  readonly hostname?: string;
  /** The sender, without brackets; without it <>. */
  readonly from?: string;
  /** Addresses that take mail, without brackets: messages are completed to these alone. Without them `<Postmaster>` is asked for at RCPT, and reset. */
  readonly to: readonly string[];
  readonly user?: { readonly name: string; readonly password: string };
  /** How long an answer is waited for, in milliseconds. */
  readonly patience: number;
  /** Run what takes minutes, too, and wait as long as RFC 5321 4.5.3.2 gives a server: silence is a violation then. */
  readonly slow: boolean;
  /** Keywords of EHLO that are known beside the registered ones, e.g. of extensions that `defineExtension` makes. */
  readonly extensions: readonly string[];
}

/** RFC 5321 4.5.3.2.6: the longest that a client waits, for the reply to the end of a message. */
const LONG_MS = 600_000;

/** How long an answer of this target is waited for, in milliseconds. */
export function patienceOf({ slow, patience }: Target): number {
  return slow ? Math.max(patience, LONG_MS) : patience;
}
