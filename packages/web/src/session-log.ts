import type { Session } from '@ehlo/driver';
import type { Notice, Phase } from '@ehlo/engine';
import { Follower, type Taken } from './follower.ts';

/** A line of a conversation, or a note about it. */
export interface ConversationLine {
  /** When it was said: milliseconds since 1970. */
  readonly at: number;
  readonly from: 'client' | 'server' | 'note';
  readonly text: string;
  /** The phase behind it. */
  readonly phase: Phase;
  /** The rows of the state machine that gave it. */
  readonly rows: readonly Taken[];
}

/** What is told of a session in a list. */
export interface SessionSummary {
  readonly id: number;
  readonly opened: number;
  /** Null while it is open. */
  readonly closed: number | null;
  readonly cause: string | null;
  readonly peer: string;
  readonly hello: string | null;
  /** The version of TLS, such as `TLSv1.3`; null without. */
  readonly tls: string | null;
  readonly identity: string | null;
  readonly phase: Phase;
  readonly lines: number;
  /** The mails that it has brought. */
  readonly mails: readonly string[];
}

/** A session with all that was said. */
export interface SessionDetail extends SessionSummary {
  readonly conversation: readonly ConversationLine[];
  /** Lines that were left out, for there are too many. */
  readonly cut: number;
}

/** Ours: lines of a session that are kept, octets of a line, and sessions. */
const MOST_LINES = 2000;
const LONGEST_LINE = 2000;
const MOST_SESSIONS = 500;

/** What of a session outlives it. */
type Facts = Pick<Session, 'id' | 'peer' | 'hello' | 'tls' | 'identity'>;

interface Recorded {
  session: Facts;
  readonly opened: number;
  readonly follower: Follower;
  readonly lines: ConversationLine[];
  readonly mails: string[];
  cut: number;
  closed: number | null;
  cause: string | null;
  /** What is told the replies to the message that was stored last: in LMTP one for each recipient. */
  replied: ((reply: string) => void) | null;
}

/** The conversations of a server, the newest, each with the rows of the state machine that it has taken. */
export class SessionLog {
  readonly #sessions: Map<number, Recorded> = new Map();
  readonly #changed: (id: number) => void;

  constructor(changed: (id: number) => void) {
    this.#changed = changed;
  }

  connected(session: Session): void {
    this.#sessions.set(session.id, {
      session,
      opened: Date.now(),
      follower: new Follower(),
      lines: [],
      mails: [],
      cut: 0,
      closed: null,
      cause: null,
      replied: null,
    });
    if (this.#sessions.size > MOST_SESSIONS) this.#forget();
    this.#changed(session.id);
  }

  /** A mail was stored; `replied` is told each reply to it, once it is known. */
  stored(session: Session, mail: string, replied: (reply: string) => void): void {
    const one = this.#sessions.get(session.id);
    if (one === undefined) return;
    one.mails.push(mail);
    one.replied = replied;
    this.#note(one, `stored as ${mail}`);
  }

  noted(session: Session, text: string): void {
    const one = this.#sessions.get(session.id);
    if (one !== undefined) this.#note(one, text);
  }

  notice(session: Session, notice: Notice): void {
    const one = this.#sessions.get(session.id);
    if (one === undefined) return;
    if (notice.type === 'trace') this.#said(one, notice);
    else if (notice.type === 'aborted') this.#note(one, `message not received: ${notice.cause}`);
    else if (notice.type === 'closed') {
      one.follower.closed();
      one.closed = Date.now();
      one.cause = notice.limit === undefined ? notice.cause : `${notice.cause} (${notice.limit})`;
      one.replied = null;
      const { id, peer, hello, tls, identity } = session;
      one.session = { id, peer, hello, tls, identity };
      this.#note(one, `closed: ${one.cause}`);
    }
  }

  /** The newest first. */
  get list(): readonly SessionSummary[] {
    return [...this.#sessions.values()].reverse().map(summary);
  }

  find(id: number): SessionDetail | null {
    const one = this.#sessions.get(id);
    return one === undefined ? null : { ...summary(one), conversation: one.lines, cut: one.cut };
  }

  #said(one: Recorded, { from, line, cause }: Extract<Notice, { readonly type: 'trace' }>): void {
    const { follower, session } = one;
    if (session.tls !== null) follower.secured();
    if (from === 'client') {
      one.replied = null;
      follower.client(line);
      return this.#add(one, { at: Date.now(), from, text: line, phase: follower.phase, rows: [] });
    }
    const final = line[3] !== '-';
    const rows = final ? follower.server(line, typeof cause === 'object' ? cause.rule : null) : [];
    this.#add(one, { at: Date.now(), from, text: line, phase: follower.phase, rows });
    if (!final) return;
    one.replied?.(line);
  }

  #note(one: Recorded, text: string): void {
    this.#add(one, { at: Date.now(), from: 'note', text, phase: one.follower.phase, rows: [] });
  }

  #add(one: Recorded, line: ConversationLine): void {
    if (one.lines.length >= MOST_LINES) one.cut++;
    else one.lines.push({ ...line, text: line.text.slice(0, LONGEST_LINE) });
    this.#changed(one.session.id);
  }

  /** The oldest that is over goes; if none is, the oldest. */
  #forget(): void {
    const [over = this.#sessions.keys().next().value!] = [...this.#sessions].find(([, { closed }]) => closed !== null) ?? [];
    this.#sessions.delete(over);
  }
}

function summary({ session, opened, closed, cause, follower, lines, cut, mails }: Recorded): SessionSummary {
  const { id, peer, hello, tls, identity } = session;
  if (tls !== null) follower.secured();
  return {
    id,
    opened,
    closed,
    cause,
    peer: peer.address,
    hello: hello?.name ?? null,
    tls: tls?.protocol ?? null,
    identity,
    phase: follower.phase,
    lines: lines.length + cut,
    mails,
  };
}
