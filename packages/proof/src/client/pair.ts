import type { ClientOptions, Question, Rejection, ServerOptions, ServerSession, TlsInfo } from '@ehlo/engine';
import { ClientSession, ServerSession as Server } from '@ehlo/engine';
import { isQuestion } from '../question.ts';
import { type ClientClass, type Errand, Sender } from './sender.ts';

/** A message that the server has taken. */
export interface Stored {
  readonly reversePath: string;
  readonly recipients: readonly string[];
  readonly content: Uint8Array;
}

export interface PairOptions {
  readonly client: ClientOptions;
  readonly server: ServerOptions;
  readonly errand: Errand;
  /** What the server's application says to a question; absent or null: yes. */
  readonly decide?: (question: Question) => Rejection | null;
  /** What the client is sent in place of the reply to a question, piece by piece; then the connection is lost, or nothing is said any more. */
  readonly spoil?: (question: Question, reply: Uint8Array) => readonly (Uint8Array | 'lost' | 'silent')[];
  /** Milliseconds that octets are on their way. */
  readonly latency?: number;
  /** Where octets are cut on their way. */
  readonly cut?: (bytes: Uint8Array) => readonly Uint8Array[];
  /** Cuts the connection when so many octets have arrived on both sides together; the server's application is not told before they have. */
  readonly lostAfter?: number;
  readonly Client?: ClientClass;
}

interface Delivery {
  readonly at: number;
  readonly to: 'client' | 'server';
  /** Null: the connection is lost. */
  readonly bytes: Uint8Array | null;
}

const TLS: TlsInfo = {
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  servername: 'mx.example.org',
  peerCertificate: { subject: 'mx.example.org', altNames: 'DNS:mx.example.org', fingerprint256: '', authorized: true },
};

/** A client's and a server's session, joined in memory: octets are delayed and cut on their way, and the clock is simulated. */
export class Pair {
  readonly sender: Sender;
  readonly server: ServerSession;
  readonly stored: Stored[] = [];
  /** All octets that each side has sent. */
  readonly wire: { client: Uint8Array[]; server: Uint8Array[] } = { client: [], server: [] };
  now = 0;
  readonly #options: PairOptions;
  #deliveries: Delivery[] = [];
  #chunks: Uint8Array[] = [];
  #message: { readonly envelope: unknown; readonly content: Uint8Array } = { envelope: null, content: new Uint8Array(0) };
  #delivered = 0;
  #silent = false;

  constructor(options: PairOptions) {
    this.#options = options;
    const Client = options.Client ?? ClientSession;
    this.sender = new Sender(new Client(options.client), options.errand);
    this.server = new Server(options.server);
  }

  /** Runs until both sessions are over, or nothing moves any more. Throws if they go on for ever. */
  run(): this {
    for (let steps = 0; steps < 1_000_000; steps++) {
      this.#pump();
      const next = this.#deliveries.shift();
      if (next !== undefined) {
        this.#pass(next.at);
        this.#deliver(next);
        continue;
      }
      const deadline = Math.min(this.sender.session.deadline, this.server.deadline);
      if (deadline === Number.POSITIVE_INFINITY || this.sender.session.phase === 'closed') {
        this.#pump();
        return this;
      }
      this.#pass(deadline);
    }
    throw new Error('the two never come to an end');
  }

  #pass(now: number): void {
    this.now = Math.max(this.now, now);
    this.sender.session.tick(this.now);
    this.server.tick(this.now);
  }

  #pump(): void {
    const { sender, server } = this;
    this.#pass(this.now);
    for (const bytes of sender.pump()) this.#send('server', bytes);
    this.#serve();
    if (sender.session.wants === 'tls' && server.wants === 'tls' && this.#deliveries.length === 0) {
      server.secured(TLS);
      sender.session.secured(TLS);
      this.#pump();
    }
    // The client's side of a connection that is over is closed by it.
    if (sender.session.phase === 'closed') server.receiveEnd();
    if (server.phase === 'closed' && this.#deliveries.length === 0) sender.session.receiveEnd();
  }

  /** Answers what the server asks, and keeps what it takes. */
  #serve(): void {
    const { server } = this;
    for (;;) {
      const event = server.nextEvent();
      if (event === null) {
        const bytes = this.#output();
        if (bytes.length === 0) return;
        this.#send('client', bytes);
      } else if (event.type === 'chunk') this.#chunks.push(event.bytes.slice());
      else if (event.type === 'aborted') this.#chunks = [];
      else if (isQuestion(event)) this.#answer(event);
    }
  }

  /** All that the server says now. */
  #output(): Uint8Array {
    const said: Uint8Array[] = [];
    for (let bytes = this.server.nextOutput(); bytes !== null; bytes = this.server.nextOutput()) {
      said.push(bytes);
      this.server.written(bytes.length);
    }
    return joined(said);
  }

  #answer(question: Question): void {
    const { spoil } = this.#options;
    if (spoil === undefined) return this.#decide(question);
    // What was said before is said as it is: the reply stands alone.
    const before = this.#output();
    if (before.length > 0) this.#send('client', before);
    this.#decide(question);
    for (const bytes of spoil(question, this.#output())) {
      if (bytes === 'lost') this.#deliveries.push({ at: this.now, to: 'client', bytes: null });
      else if (bytes === 'silent') this.#silent = true;
      else this.#send('client', bytes);
    }
  }

  #decide(question: Question): void {
    const rejection = this.#options.decide?.(question) ?? null;
    // In LMTP there is a question for each recipient of one message.
    if (question.type === 'message' && question.envelope !== this.#message.envelope) {
      this.#message = { envelope: question.envelope, content: joined(this.#chunks) };
      this.#chunks = [];
    }
    if (rejection !== null) {
      this.server.reject(question, rejection);
      return;
    }
    if (question.type === 'message') {
      const { reversePath, recipients } = question.envelope;
      const taken = question.recipient === null ? recipients : [question.recipient];
      this.stored.push({
        reversePath: reversePath.address,
        recipients: taken.map(({ forwardPath }) => forwardPath.address),
        content: this.#message.content,
      });
    }
    const answer = question.type === 'auth' ? { identity: 'somebody' } : question.type === 'info' ? { text: 'yes' } : undefined;
    this.server.accept(question, answer as never);
  }

  #send(to: 'client' | 'server', bytes: Uint8Array): void {
    if (to === 'client' && this.#silent) return;
    this.wire[to === 'client' ? 'server' : 'client'].push(bytes);
    for (const piece of this.#options.cut?.(bytes) ?? [bytes]) {
      this.#deliveries.push({ at: this.now + (this.#options.latency ?? 0), to, bytes: piece });
    }
  }

  #deliver({ to, bytes }: Delivery): void {
    if (bytes === null) return this.#lose(to);
    const { lostAfter = Number.POSITIVE_INFINITY } = this.#options;
    const room = lostAfter - this.#delivered;
    const piece = bytes.subarray(0, Math.max(0, room));
    this.#delivered += bytes.length;
    if (to === 'client') this.sender.session.receive(piece);
    else this.server.receive(piece);
    if (room > bytes.length) return;
    this.#lose(to);
  }

  /** What has arrived is read; nothing else goes either way. */
  #lose(to: 'client' | 'server'): void {
    this.#deliveries = [];
    if (to === 'server') this.#serve();
    this.#deliveries = [];
    this.server.lost();
    this.sender.session.lost();
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
