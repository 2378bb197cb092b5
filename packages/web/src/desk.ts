import type { EventStream } from './event-stream.ts';
import type { MailContents } from './mail-content.ts';
import type { MailStore } from './mail-store.ts';
import type { QueueSource } from './queue-routes.ts';
import type { SessionLog } from './session-log.ts';
import type { StubDesk } from './stub-desk.ts';
import type { WaitingRoom } from './waiting-room.ts';

/** A mail that is passed on to a real server. */
export interface Released {
  readonly from: string;
  readonly to: readonly string[];
  readonly octets: Uint8Array;
}

/** What became of a recipient of a mail that was passed on. */
export interface ReleaseOutcome {
  readonly recipient: string;
  /** `accepted`, `refused`, `unsent` or `unknown`. */
  readonly status: string;
  /** The server's words, or ours where it had none. */
  readonly reply: string;
}

/** Passes mails on. */
export interface Release {
  /** Where to, for people. */
  readonly to: string;
  send(mail: Released): Promise<readonly ReleaseOutcome[]>;
}

/** What is told of the server to whoever asks. */
export interface ServerFacts {
  /** Where it listens, once it does: `127.0.0.1:2525`. */
  readonly listening: readonly string[];
  readonly keep: number | null;
  /** Where mails may be passed on to; null: nowhere. */
  readonly release: string | null;
  /** Whether a relay's queue is shown. */
  readonly queue: boolean;
}

/** What routes work with. */
export interface Desk {
  readonly store: MailStore;
  readonly contents: MailContents;
  readonly sessions: SessionLog;
  readonly stubs: StubDesk;
  readonly events: EventStream;
  readonly waiting: WaitingRoom;
  /** Of this start, in the paths of images. */
  readonly token: string;
  readonly release: Release | null;
  readonly queue: QueueSource | null;
  readonly facts: () => ServerFacts;
  /** A message as a tree, with all that is known of its fields, its trace and its parts. */
  readonly explain: (octets: Uint8Array) => Promise<object>;
}
