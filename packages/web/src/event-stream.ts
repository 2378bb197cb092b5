import type { ServerResponse } from 'node:http';
import { Refused } from './answer.ts';
import type { MailSummary } from './mail-record.ts';

/** Ours: who listens at a time, octets that one may leave unread, and how long nothing is said. */
const MOST_LISTENERS = 32;
const MOST_UNREAD = 262_144;
const SILENCE_MS = 15_000;

/** Changes within that time are told together. */
const TOGETHER_MS = 50;

/** What has changed since it was told last. */
interface Changes {
  mails: boolean;
  stubs: boolean;
  readonly sessions: Set<number>;
}

/** Tells whoever listens what happens (server-sent events): `mail` for each that comes, and `change` for all else, together. */
export class EventStream {
  readonly #listeners: Set<ServerResponse> = new Set();
  readonly #pulse: ReturnType<typeof setInterval>;
  #changes: Changes = { mails: false, stubs: false, sessions: new Set() };
  #telling: ReturnType<typeof setTimeout> | null = null;
  #count = 0;

  constructor() {
    this.#pulse = setInterval(() => this.#write(': still here\n\n'), SILENCE_MS);
    this.#pulse.unref();
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** Begins to tell a client. Throws where there are too many. */
  open(response: ServerResponse, headers: { readonly [name: string]: string }): void {
    if (this.#listeners.size >= MOST_LISTENERS) throw new Refused(503, `${MOST_LISTENERS} listen already`);
    response.writeHead(200, { ...headers, 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' });
    response.write('retry: 1000\n\n');
    this.#listeners.add(response);
    response.on('close', () => this.#listeners.delete(response));
  }

  mail(mail: MailSummary): void {
    this.#write(`id: ${++this.#count}\nevent: mail\ndata: ${JSON.stringify(mail)}\n\n`);
  }

  mailsChanged(): void {
    this.#changes.mails = true;
    this.#soon();
  }

  stubsChanged(): void {
    this.#changes.stubs = true;
    this.#soon();
  }

  sessionChanged(id: number): void {
    this.#changes.sessions.add(id);
    this.#soon();
  }

  close(): void {
    clearInterval(this.#pulse);
    if (this.#telling !== null) clearTimeout(this.#telling);
    for (const response of this.#listeners) response.destroy();
  }

  #soon(): void {
    if (this.#telling !== null || this.#listeners.size === 0) return;
    this.#telling = setTimeout(() => {
      this.#telling = null;
      const { mails, stubs, sessions } = this.#changes;
      this.#changes = { mails: false, stubs: false, sessions: new Set() };
      // What only some are told of by number would be more than all.
      const data = { mails, stubs, sessions: [...sessions].slice(-100) };
      this.#write(`id: ${++this.#count}\nevent: change\ndata: ${JSON.stringify(data)}\n\n`);
    }, TOGETHER_MS);
  }

  #write(text: string): void {
    for (const response of this.#listeners) {
      // Who does not read is let go: it connects again, and asks what it has missed.
      if (response.writableLength > MOST_UNREAD) response.destroy();
      else response.write(text);
    }
  }
}
