import type { Session } from '@ehlo/driver';
import { checkOptions, type Notice, SmtpUsageError, type TableOf } from '@ehlo/engine';
import { StubSet } from '@ehlo/testing';
import type { Desk, Release } from './desk.ts';
import { EventStream } from './event-stream.ts';
import { MailContents } from './mail-content.ts';
import { idOf, MailStore } from './mail-store.ts';
import type { QueueSource } from './queue-routes.ts';
import { SessionLog } from './session-log.ts';
import { StubDesk } from './stub-desk.ts';
import { WaitingRoom } from './waiting-room.ts';
import { listenHttp, newToken } from './web-server.ts';

/** What a page is made of. */
export interface WebOptions {
  /** The mail directory that the server stores to; its folders are there. */
  readonly maildir: string;
  /** IP address or host name to listen on; one that others can reach needs `user`. Default: 127.0.0.1. */
  readonly host?: string;
  /** TCP port; 0: any that is free. Default: 8025. */
  readonly port?: number;
  /** A name by which the page is reached, beside `localhost` and addresses. */
  readonly name?: string;
  /** The one user. Default: whoever reaches it. */
  readonly user?: { readonly name: string; readonly password: string };
  /** Mails that are kept, the newest; files beyond are removed, those of earlier runs too. Default: none is removed, the newest 10000 are shown. */
  readonly keep?: number;
  /** Milliseconds after which a mail is removed. Default: never. */
  readonly maxAge?: number;
  /** The stubs of the server. Default: it has none, and those that are made here do nothing. */
  readonly stubs?: StubSet;
  /** Passes mails on to a real server. Default: that is refused. */
  readonly release?: Release;
  /** A relay's queue, which the page shows. Default: none. */
  readonly queue?: QueueSource;
  /** A message as a tree: what is told of its fields, its trace and its parts. */
  readonly explain: (octets: Uint8Array) => Promise<object>;
  /** Told of what went wrong while a request was answered. */
  readonly failed?: (error: unknown) => void;
}

const OPTIONS: TableOf<WebOptions> = {
  maildir: 'text',
  host: 'text',
  port: [0, 65_535],
  name: 'text',
  user: { name: 'text', password: 'text' },
  keep: [1, Number.MAX_SAFE_INTEGER],
  maxAge: 'number',
  stubs: 'any',
  release: 'object',
  queue: 'object',
  explain: 'call',
  failed: 'call',
};

/** What the page is told of a mail that was stored. */
export interface StoredFacts {
  readonly file: string;
  readonly reversePath: string;
  readonly forwardPaths: readonly string[];
}

/** How often it is looked for mails that are too old. */
const LOOK_MS = 60_000;

/**
 * A page, and an API behind it, for a mail server of this program: the server tells it of sessions and mails, by the methods that `ehlo serve` tells
 * its printers by.
 */
export class Web {
  /** `http://127.0.0.1:8025/` */
  readonly url: string;
  readonly port: number;
  /** Lines of the conversation are wanted. */
  readonly conversation = true as const;
  readonly #desk: Desk;
  readonly #listening: string[];
  readonly #close: () => Promise<void>;
  /** Mails are taken in one after the other, as they came. */
  #adding: Promise<unknown> = Promise.resolve();

  constructor(desk: Desk, listening: string[], url: string, port: number, close: () => Promise<void>) {
    this.#desk = desk;
    this.#listening = listening;
    this.url = url;
    this.port = port;
    this.#close = close;
  }

  listening(host: string, port: number, tls: boolean): void {
    const where = host.includes('/') ? host : host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    this.#listening.push(tls ? `${where} (TLS)` : where);
  }

  connected(session: Session): void {
    this.#desk.sessions.connected(session);
    this.#desk.stubs.look();
  }

  /** A deviation from the grammar that was accepted in a command. */
  deviation(session: Session, name: string): void {
    this.#desk.sessions.noted(session, `note: ${name}`);
  }

  notice(session: Session, notice: Notice): void {
    this.#desk.sessions.notice(session, notice);
    this.#desk.stubs.look();
  }

  /** A mail is safe on disk. */
  message(session: Session, { file, reversePath, forwardPaths }: StoredFacts): void {
    const { store, sessions } = this.#desk;
    const id = idOf(file);
    const bare = (path: string): string => path.replace(/^<|>$/g, '');
    const facts = { session: session.id, reversePath: bare(reversePath), forwardPaths: forwardPaths.slice(0, 1000).map(bare) };
    let outcome: string | null = null;
    sessions.stored(session, id, (reply) => {
      outcome = outcome === null ? reply : `${outcome}\n${reply}`;
      store.concluded(id, outcome);
    });
    this.#adding = this.#adding.then(async () => {
      const mail = await store.add(file, facts);
      if (mail !== null && outcome !== null) store.concluded(id, outcome);
    });
  }

  close(): Promise<void> {
    return this.#close();
  }
}

/**
 * Opens a page over a mail directory. Rejects with Node's error where it can't listen, and with `SmtpUsageError` `bad-option` where an option is none, or
 * others could reach it without a password.
 */
export async function openWeb(given: WebOptions): Promise<Web> {
  const options = checkOptions(OPTIONS, given);
  const { maildir, host = '127.0.0.1', port = 8025, name, user, keep, maxAge, release = null, queue = null, explain } = options;
  if (!isLoopback(host) && user === undefined)
    throw new SmtpUsageError('bad-option', `the page would be open to whoever reaches ${host}: a user and a password are needed`);
  const events = new EventStream();
  const waiting = new WaitingRoom();
  const sessions = new SessionLog((id) => events.sessionChanged(id));
  const stubs = new StubDesk(options.stubs ?? new StubSet(), () => events.stubsChanged());
  const store = await MailStore.open(maildir, defined({ keep, maxAge }), {
    added: (mail) => {
      events.mail(mail);
      waiting.came(mail);
    },
    changed: () => events.mailsChanged(),
  });
  const listening: string[] = [];
  const desk: Desk = {
    store,
    contents: new MailContents(store),
    sessions,
    stubs,
    events,
    waiting,
    token: newToken(),
    release,
    queue,
    facts: () => ({ listening, keep: keep ?? null, release: release?.to ?? null, queue: queue !== null }),
    explain,
  };
  const failed = options.failed ?? ((error) => process.emitWarning(error instanceof Error ? error : String(error)));
  const http = await listenHttp(desk, { host, port, failed, ...defined({ name, user }) });
  const look = setInterval(() => void store.trim(), LOOK_MS);
  look.unref();
  const { address, port: bound } = http.address;
  const url = `http://${address.includes(':') ? `[${address}]` : address}:${bound}/`;
  return new Web(desk, listening, url, bound, async () => {
    clearInterval(look);
    await http.close();
  });
}

/** Whether only programs of this machine can reach it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.[0-9]{1,3}){3}$/.test(host);
}

/** Without what is not there: an option that is undefined is another than one that was left out. */
function defined<T extends object>(options: T): { [name in keyof T]: NonNullable<T[name]> } | Record<string, never> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [name in keyof T]: NonNullable<T[name]>;
  };
}
