import type { Octets, Protocol } from '../check.ts';

/** What a client speaks. */
export type ClientProtocol = Exclude<Protocol, 'submission'>;

/** A check of a client, as `test-vectors/wire/client/*.json` has them; the schema is `test-vectors/schema/wire-client.schema.json`. */
export interface ClientCheck {
  readonly id: string;
  readonly title: string;
  /** The protocols that it is for; without it both. There EHLO of a rule or of the script is LHLO in LMTP. */
  readonly for?: readonly ClientProtocol[];
  /** `starttls`: it is about STARTTLS itself; `auth`: about AUTH. `clear`: the connection is not encrypted. */
  readonly about?: 'starttls' | 'auth' | 'clear';
  readonly task?: Partial<Task>;
  /** Keywords that EHLO lists. */
  readonly offer?: readonly string[];
  /** Keywords that it lists under TLS, where these are others. */
  readonly secure?: readonly string[];
  readonly script?: readonly Act[];
  readonly rules: readonly Rule[];
}

/** The message that the client is given to send. */
export interface Task {
  readonly from: string;
  readonly to: readonly string[];
  /** With CRLF line ends. */
  readonly content: Octets;
}

/** What the examiner does otherwise than a server that takes everything. */
export interface Act {
  /** `connect`; a verb; `content`: the end of a message, in LMTP once for each recipient that was accepted; `response`: a line within AUTH. */
  readonly on: string;
  /** Only the time with this number, from 1. */
  readonly nth?: number;
  /** What is said in place of the usual reply; empty: nothing. */
  readonly say?: Octets;
  /** `octets`: each octet is a write of its own; `half`: the middle of the line is. */
  readonly cut?: 'octets' | 'half';
  /** So many milliseconds pass before it is said. */
  readonly wait?: number;
  readonly then?: 'close' | 'reset';
}

/** What must hold of what the client does. */
export interface Rule {
  /** The client must do this, once what stands in `after` has come. */
  readonly must?: string;
  /** The client must not do this, once what stands in `after` has come. */
  readonly never?: string;
  /** Each line of the client's with this verb fits `text`; without `text` there is one. */
  readonly each?: string;
  /** A regular expression, letters of either case. */
  readonly text?: string;
  /** The content that arrives, with its dots unstuffed, holds these octets. */
  readonly content?: Octets;
  /** What holds of every octet that the client sends. */
  readonly wire?: WireRule;
  /** What whoever started the client is told. `partial`: a failure, for not all have the message; what the exit code of a command means then is not known. */
  readonly exit?: 'success' | 'failure' | 'partial';
  /** Letters are as they stand in `text`. */
  readonly exact?: true;
  /** How often at the least, for `must`; without it once. */
  readonly least?: number;
  /** How often at the most, for `must` and `never`: more than this often is too often. */
  readonly most?: number;
  /** `VERB`: that was sent. `VERB=5`: it was answered by a code that begins so. `connect=220`, `content=4`, `tls`. */
  readonly after?: string;
  /** Where this has come the rule holds, whatever else there was. */
  readonly unless?: string;
  readonly shows: readonly string[];
  /** What it means that it does not hold; without it a violation. */
  readonly else?: { readonly verdict: 'permitted' | 'inconclusive'; readonly section?: string; readonly because: string };
}

/** `crlf`: no CR and no LF stands alone. `command-line`: 512 octets at the most. `text-line`: 1000. `ascii`: no octet beyond ASCII; `ascii-commands`: in commands. `waits`: no command before the reply to the one before. `greeting`: nothing before the greeting. */
export type WireRule = 'crlf' | 'command-line' | 'text-line' | 'ascii' | 'ascii-commands' | 'waits' | 'greeting';
