import { type IncomingMessage, request } from 'node:http';
import type { ControlStatus } from '@ehlo/relay/control';
import { EXIT } from './exit-codes.ts';

/** Why a relay was not asked, or has not answered; the message says what to do. */
export class QueueError extends Error {
  readonly exit: number;

  constructor(message: string, exit: number = EXIT.unavailable) {
    super(message);
    this.exit = exit;
  }
}

/** Names and values of a query; of a name that stands there more than once, each. */
export type Query = readonly (readonly [name: string, value: string])[];

/** Milliseconds without an octet after which a relay counts as stuck: a queue that is searched may be slow. */
const STILL_MS = 120_000;

/** Asks a relay, by the socket of its `control`. */
export class QueueClient {
  readonly #socket: string;

  constructor(socket: string) {
    this.#socket = socket;
  }

  async status(): Promise<ControlStatus> {
    for await (const status of this.lines<ControlStatus>('GET', 'status', [])) return status;
    throw new QueueError(`${this.#socket}: what listens there is no relay`);
  }

  /** The answer, a JSON value in each line, read as it is taken. */
  async *lines<T>(method: 'GET' | 'POST', what: string, query: Query): AsyncGenerator<T, void, void> {
    let rest = '';
    const decoder = new TextDecoder();
    for await (const bytes of this.octets(method, what, query)) {
      rest += decoder.decode(bytes, { stream: true });
      const lines = rest.split('\n');
      rest = lines.pop()!;
      for (const line of lines) yield this.#value<T>(line);
    }
  }

  /** The answer as it comes. */
  async *octets(method: 'GET' | 'POST', what: string, query: Query): AsyncGenerator<Uint8Array, void, void> {
    const names = new URLSearchParams(query.map(([name, value]): [string, string] => [name, value])).toString();
    const answer = await this.#ask(method, `/v1/${what}${names === '' ? '' : `?${names}`}`);
    if (answer.statusCode !== 200) throw await this.#refusal(answer);
    try {
      yield* answer as AsyncIterable<Uint8Array>;
    } catch {
      throw new QueueError(`the relay has broken off: this is not all of it; its log says why`);
    } finally {
      answer.destroy();
    }
  }

  #ask(method: string, path: string): Promise<IncomingMessage> {
    return new Promise((done, failed) => {
      const asking = request({ socketPath: this.#socket, method, path, agent: false, timeout: STILL_MS }, done);
      asking.on('timeout', () => asking.destroy(new Error(`no answer for ${STILL_MS / 1000} s`)));
      asking.on('error', (error: NodeJS.ErrnoException) => failed(this.#explained(error)));
      asking.end();
    });
  }

  #explained({ code, message }: NodeJS.ErrnoException): QueueError {
    if (code === 'ENOENT' || code === 'ECONNREFUSED')
      return new QueueError(`no relay listens on ${this.#socket}: start it with this socket, or name another with --socket`);
    if (code === 'EACCES' || code === 'EPERM')
      return new QueueError(`${this.#socket} is another user's: ask as the user of the relay`, EXIT.denied);
    return new QueueError(`${this.#socket}: ${message}`);
  }

  async #refusal(answer: IncomingMessage): Promise<QueueError> {
    let text = '';
    for await (const bytes of answer as AsyncIterable<Uint8Array>) text = `${text}${new TextDecoder().decode(bytes)}`.slice(0, 10_000);
    const { error } = this.#value<{ error?: unknown }>(text);
    const said = typeof error === 'string' ? error : `HTTP status ${answer.statusCode}`;
    return new QueueError(said, answer.statusCode === 400 ? USAGE : answer.statusCode === 404 ? EXIT.refused : EXIT.unavailable);
  }

  #value<T>(text: string): T {
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === 'object' && value !== null) return value as T;
    } catch {}
    throw new QueueError(`${this.#socket}: what listens there is no relay`);
  }
}

/** A wrong option. */
const USAGE = 2;
