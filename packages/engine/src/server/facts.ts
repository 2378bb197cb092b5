import type { Reply } from '@ehlo/grammar';
import type { Forwarded, Peer, TlsInfo } from '../facts.ts';
import type { ChunkReader } from './chunk-reader.ts';
import type { DotReader } from './dot-reader.ts';
import type { Envelope, Hello, Question, Recipient } from './events.ts';
import type { Policy } from './options.ts';
import type { Phase } from './row.ts';

/** Octets that come in blocks: a timer restarts at each block, not at each octet. */
export interface Progress {
  /** Octets read since the timer was set. */
  block: number;
}

/** A message that is being received. */
export interface Message extends Progress {
  readonly reader: DotReader | ChunkReader;
  /** Octets of content so far, those of a refused message too. */
  size: number;
}

/** A chunk that was refused: its octets are read and dropped, and then comes the reply (RFC 3030 2). */
export interface RefusedChunk extends Progress {
  left: number;
  readonly last: boolean;
  readonly reply: Reply;
}

/** A reply, and how long it is held back, in milliseconds. */
export interface Decision {
  readonly reply: Reply;
  readonly delay: number;
}

/** A transaction: it begins at MAIL (`forwarded` may come before), and is dropped as one value. */
export interface Transaction {
  readonly envelope: (Envelope & { readonly recipients: Recipient[] }) | null;
  /** Of XFORWARD, which comes before MAIL. */
  readonly forwarded: Forwarded | null;
  /** An RCPT was refused before any was accepted. It stays true when a later one is accepted: only the phase `mail` looks at it. */
  readonly onlyRefused: boolean;
  readonly message: Message | null;
  /** The final reply, once it is known that the message is refused: from then on its octets are only drained. */
  readonly verdict: Decision | null;
  /** Recipients that the message that has arrived was decided on for (LMTP). */
  readonly decided: number;
}

/**
 * What a session knows. A fact is replaced, not changed: by `#apply` of the machine, by the end of the session, and (`redact`) while a line is
 * read. Changed in place are only `refusedChunk.left` and `block`, and of the transaction the list of recipients and the `size`, `block` and
 * reader of the message.
 */
export interface Facts {
  readonly peer: Peer;
  /** XCLIENT was accepted: from then on the peer may be the client itself, which is not trusted. */
  readonly proxied: boolean;
  /** The connection was refused by 554: only QUIT is left. */
  readonly turnedAway: boolean;
  readonly tls: TlsInfo | null;
  readonly hello: Hello | null;
  /** What extensions of the program's own have offered, when EHLO was answered. */
  readonly own: readonly OwnOffer[];
  /** A MAIL was accepted since the connection, its TLS or XCLIENT began: so the peer speaks SMTP. */
  readonly speaksSmtp: boolean;
  readonly identity: string | null;
  /** The greeting that the answer to `connect` holds back. */
  readonly greeting: Reply | null;
  /** The AUTH exchange, and the steps of it that were challenged. */
  readonly exchange: { readonly mechanism: string; readonly step: number } | null;
  readonly refusedChunk: RefusedChunk | null;
  /** An AUTH was the last verb that was understood: what follows it may be a credential, and is not shown. */
  readonly redact: boolean;
}

/** What an extension of the program's own offers to this client: its keyword, and the words after it. */
export interface OwnOffer {
  readonly keyword: string;
  readonly words: readonly string[];
}

export const NO_OWN: readonly OwnOffer[] = [];

/** No transaction. */
export const NO_TRANSACTION: Transaction = {
  envelope: null,
  forwarded: null,
  onlyRefused: false,
  message: null,
  verdict: null,
  decided: 0,
};

/** What a session knows when it begins. */
export function firstFacts(peer: Peer, tls: TlsInfo | null): Facts {
  return {
    peer,
    proxied: false,
    turnedAway: false,
    tls,
    hello: null,
    own: NO_OWN,
    speaksSmtp: false,
    identity: null,
    greeting: null,
    exchange: null,
    refusedChunk: null,
    redact: false,
  };
}

/** What is counted in a session; each count has a limit. */
export interface Counts {
  /** MAIL commands. */
  transactions: number;
  faults: number;
  /** Commands since a message was accepted, but those that have a limit of their own. */
  idleCommands: number;
  /** Recipients that were refused since then. */
  refusedRecipients: number;
  /** Chunks that were hardly worth a command. */
  smallChunks: number;
  /** Domains of the recipients, in small letters. */
  readonly domains: Set<string>;
}

/** The counts of a session that begins. */
export function nothingCounted(): Counts {
  return { transactions: 0, faults: 0, idleCommands: 0, refusedRecipients: 0, smallChunks: 0, domains: new Set() };
}

/** What guards and effects see of a session. */
export interface View {
  readonly policy: Policy;
  readonly phase: Phase;
  readonly facts: Facts;
  readonly transaction: Transaction;
  readonly counts: Readonly<Counts>;
  /** The question that waits for its answer. */
  readonly question: Question | null;
  /** Octets that were received, and not read. */
  readonly input: { readonly empty: boolean };
}

/** Whether a message is being received that is wanted and not refused. A complete message ends in `message`, whatever the decision. */
export function isReceiving({ phase, transaction: { message, verdict }, question }: View): boolean {
  return message !== null && verdict === null && phase !== 'message' && question?.type !== 'data';
}
