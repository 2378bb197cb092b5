import type { ConnectionFacts, ServerOptions, ServerSession } from '@ehlo/engine';
import type { Alarms } from './alarms.ts';
import type { Authenticator } from './authentication.ts';
import type { Failures } from './failures.ts';
import type { Handler, Session } from './handler.ts';
import type { Turns } from './turns.ts';

/** Gives the session that is driven in place of a new one, which has these options and facts: the same, watched or recorded. */
export type Around = (session: ServerSession, options: ServerOptions, facts: ConnectionFacts) => ServerSession;

/** What the connections of a server share, and the callbacks for their end. */
export interface Host {
  readonly handler: Handler;
  /** Null where AUTH is the handler's, or not offered. */
  readonly authenticator: Authenticator | null;
  readonly failures: Failures;
  readonly alarms: Alarms;
  readonly turns: Turns;
  readonly around: Around;
  /** The session is over. */
  closed(session: Session): void;
  /** The connection has ended completely. */
  disconnected(session: Session): void;
}
