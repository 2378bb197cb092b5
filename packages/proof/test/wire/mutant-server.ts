// A server of ours in memory, as a connection that checks of the wire are run over: one of its replies is another.
import { type Question, type ServerOptions, ServerSession } from '@ehlo/engine';
import { latin1, octets } from '@ehlo/grammar';
import type { Nothing, Wire } from '../../../conform/src/wire.ts';

/** What becomes of one reply: its octets are given, and those that are sent come back. */
export interface WireMutant {
  readonly name: string;
  readonly changes: (reply: string) => string;
}

const NOTICES: ReadonlySet<string> = new Set(['chunk', 'aborted', 'reset', 'fault', 'trace', 'unacknowledged', 'closed']);
const MAILBOXES: ReadonlySet<string> = new Set(['ann', 'bob', 'postmaster']);

export class MutantWire implements Wire {
  readonly local = '192.0.2.1';
  readonly #session: ServerSession;
  readonly #mutant: WireMutant | null;
  readonly #at: number;
  /** Replies so far. */
  replies = 0;
  #now = 0;
  #out = '';
  #sent = '';

  /** Its reply `at`, from 0, is changed. */
  constructor(options: ServerOptions, at = -1, mutant: WireMutant | null = null) {
    this.#session = new ServerSession(options);
    this.#at = at;
    this.#mutant = mutant;
    this.#settle();
  }

  write(bytes: Uint8Array): Promise<void> {
    this.#session.receive(bytes.slice());
    this.#settle();
    return Promise.resolve();
  }

  read(): Promise<Uint8Array | Nothing> {
    if (this.#sent === '') return Promise.resolve(this.#session.phase === 'closed' ? 'end' : 'silence');
    const bytes = octets(this.#sent);
    this.#sent = '';
    return Promise.resolve(bytes);
  }

  wait(ms: number): Promise<void> {
    this.#now += ms;
    this.#session.tick(this.#now);
    this.#settle();
    return Promise.resolve();
  }

  end(): void {
    this.#session.receiveEnd();
    this.#settle();
  }

  reset(): void {
    this.#session.lost();
  }

  secure(): Promise<void> {
    return Promise.reject(new Error('no TLS in memory'));
  }

  #settle(): void {
    for (let more = true; more; ) {
      more = false;
      for (let event = this.#session.nextEvent(); event !== null; event = this.#session.nextEvent())
        if (!NOTICES.has(event.type)) this.#answer(event as Question);
      const bytes = this.#session.nextOutput();
      if (bytes === null) continue;
      this.#session.written(bytes.length);
      this.#out += latin1(bytes, 0, bytes.length);
      more = true;
    }
    const reply = /(?:[0-9]{3}-.*\r\n)*[0-9]{3}(?: .*)?\r\n/y;
    for (let found = reply.exec(this.#out); found !== null; found = reply.exec(this.#out)) {
      this.#sent += this.replies++ === this.#at ? this.#mutant!.changes(found[0]) : found[0];
      this.#out = this.#out.slice(found[0].length);
      reply.lastIndex = 0;
    }
  }

  #answer(question: Question): void {
    if (question.type === 'rcpt' && !MAILBOXES.has(question.forwardPath.localPart.toLowerCase()))
      this.#session.reject(question, { code: 550, enhanced: '5.1.1', text: 'No such user' });
    else this.#session.accept(question, (question.type === 'auth' ? { identity: 'ann' } : {}) as never);
  }
}
