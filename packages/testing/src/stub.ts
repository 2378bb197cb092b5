/** Where a stub may act: what the client does, and `connect`, when it comes. `tls` is STARTTLS, or the handshake that a connection begins with. */
export type Stage = 'connect' | 'hello' | 'tls' | 'auth' | 'mail' | 'rcpt' | 'data' | 'chunk' | 'message' | 'quit';

/** Milliseconds, or a number with its unit: `250 ms`, `2 s`, `5 min`, `1 h`, `1 day`. */
export type Duration = number | string;

/** What a text has to be, without regard to case: `*` stands for any characters, `?` for one. In a program also an expression or a function. */
export type Pattern = string | RegExp | ((text: string) => boolean);

/** What a stub matches: all that is given has to fit. */
export interface Match<P = string> {
  /** A recipient: at `rcpt` this one, from `data` on any that was accepted. */
  readonly to?: P;
  /** The sender: empty for `<>`. */
  readonly from?: P;
  /** The user: at `auth` who the client claims to be, later who it is. */
  readonly identity?: P;
  /** The mechanism of AUTH. */
  readonly mechanism?: P;
  /** IP address of the client. */
  readonly peer?: P;
  /** What the client said in EHLO or HELO. */
  readonly hello?: P;
  /** Whether the session has TLS. */
  readonly tls?: boolean;
  /** Fields of the header, by name; one of them has to fit. */
  readonly header?: { readonly [name: string]: P };
  /** Octets: at `mail` what the client announces, at `chunk` those of the chunk, at `message` those of the message. */
  readonly size?: { readonly least?: number; readonly most?: number };
  /** Only the n-th time that all of the above fits, from 1. */
  readonly nth?: number;
  /** Only every n-th time. */
  readonly every?: number;
}

/** A reply: without `text`, one without text; a list is one of many lines. Or the octets as they are, with CRLF and all. */
export interface StubReply {
  readonly code?: number;
  readonly enhanced?: string;
  readonly text?: string | readonly string[];
  /** In place of the above: what no server should say. The session goes on as if it were accepted, where it begins with 2 or 3, else refused. */
  readonly raw?: string;
  /** In pieces of so many octets, with a pause between. */
  readonly split?: { readonly every: number; readonly pause?: Duration };
}

/** Octets: at `data` and `chunk` of content that has come, elsewhere of the reply that has been said. Content that is shorter is as good as whole. */
export interface After {
  readonly after: number;
}

/** What counts a client as the same. */
export type Key = 'peer' | 'hello' | 'identity' | 'from' | 'to';

/** What a stub does. One thing, and `delay` before it if need be; `capabilities` and `limits` are settings, and go with each other. */
export interface Action {
  readonly reply?: StubReply;
  /** Before what is said or done; alone, before the usual answer. */
  readonly delay?: Duration;
  /** Nothing more is said, and the connection stays. */
  readonly stall?: true | After;
  /** The connection is closed without a word. */
  readonly drop?: true | After;
  /** The connection is reset (RST), where the runtime can; with TLS it is closed. */
  readonly reset?: true | After;
  /** The server ends its side, and reads on. */
  readonly halfClose?: true | After;
  /** `refuse` STARTTLS by 454; `break` the handshake; or show a certificate that is wrong. */
  readonly tls?: 'refuse' | 'break' | 'expired' | 'wrong-name' | 'unknown-issuer';
  /** The usual answer, whatever older stubs say. */
  readonly pass?: true;
  /** Beyond so many within a time; fewer go on to older stubs. Default reply: 450, and 421 at `connect`. */
  readonly throttle?: { readonly most: number; readonly within: Duration; readonly by?: readonly Key[]; readonly reply?: StubReply };
  /** Until so much time is over since the first try of the same; then for ever to older stubs. By default the same peer, sender and recipient, and 451. */
  readonly greylist?: { readonly for: Duration; readonly by?: readonly Key[]; readonly reply?: StubReply };
  /** Setting: extensions that EHLO does not have, and lines that it has too. */
  readonly capabilities?: { readonly remove?: readonly string[]; readonly add?: readonly string[] };
  /** Setting: numbers for the limits of the session, small ones too. */
  readonly limits?: { readonly [name: string]: number };
}

/** A stub, as data. */
export interface Stub<P = string> {
  readonly on: Stage;
  readonly match?: Match<P>;
  readonly do: Action;
  /** How often it acts at the most. Default: without end. */
  readonly times?: number;
  /** What it is there for, in a line. */
  readonly about?: string;
}

/** A file of stubs. The last is the newest, and asked first. */
export interface StubFile {
  readonly $schema?: string;
  readonly about?: string;
  /** Where it is known from that servers are so. */
  readonly source?: string;
  readonly stubs: readonly Stub[];
}

/** What is known when a stub is looked for. */
export interface Facts {
  readonly stage: Stage;
  readonly peer: string;
  readonly hello: string | null;
  readonly tls: boolean;
  readonly identity: string | null;
  readonly mechanism: string | null;
  /** Null before MAIL, empty for `<>`. */
  readonly from: string | null;
  readonly to: readonly string[];
  readonly size: number | null;
  /** The values of a field of the header, unfolded and decoded. */
  header(name: string): readonly string[];
}

/** Of a client that has said nothing. */
export const NOBODY: Omit<Facts, 'stage' | 'peer'> = {
  hello: null,
  tls: false,
  identity: null,
  mechanism: null,
  from: null,
  to: [],
  size: null,
  header: () => [],
};

type Known = Exclude<keyof Match, 'nth' | 'every'>;

const SESSION: readonly Known[] = ['peer', 'hello', 'tls', 'identity'];
const TRANSACTION: readonly Known[] = [...SESSION, 'from', 'to'];

/** What can be matched at each stage: it is known there. */
export const KNOWN: { readonly [stage in Stage]: readonly Known[] } = {
  connect: ['peer'],
  hello: SESSION,
  tls: ['peer', 'hello'],
  auth: [...SESSION, 'mechanism'],
  mail: [...SESSION, 'from', 'size'],
  rcpt: TRANSACTION,
  data: TRANSACTION,
  chunk: [...TRANSACTION, 'size'],
  message: [...TRANSACTION, 'size', 'header'],
  quit: SESSION,
};

export const STAGES: readonly Stage[] = Object.keys(KNOWN) as Stage[];

const MILLISECONDS: { readonly [unit: string]: number } = {
  ms: 1,
  s: 1000,
  sec: 1000,
  second: 1000,
  seconds: 1000,
  min: 60_000,
  minute: 60_000,
  minutes: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  hours: 3_600_000,
  day: 86_400_000,
  days: 86_400_000,
};

/**
 * A time in milliseconds. Throws `TypeError` for what is none.
 *
 * @example
 * ```ts
 * import { milliseconds } from '@ehlo/testing/stubs';
 * [milliseconds('5 min'), milliseconds('1.5s'), milliseconds(250)]
 * // → [300000, 1500, 250]
 * ```
 */
export function milliseconds(duration: Duration): number {
  const [, number, unit = ''] = /^([0-9]{1,9}(?:\.[0-9]{1,3})?) ?([a-z]+)$/.exec(String(duration)) ?? [];
  const value = typeof duration === 'number' ? duration : Number(number) * (MILLISECONDS[unit] ?? Number.NaN);
  if (!Number.isFinite(value) || value < 0)
    throw new TypeError(`${JSON.stringify(duration)} is no time: give milliseconds, or a number and its unit, such as '5 min' or '250 ms'`);
  return value;
}
