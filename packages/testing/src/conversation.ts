import { Body, type Decision, type Decisions, type Handler, type IncomingMessage, type Refusal, type Session } from '@ehlo/driver';
import { type DataQuestion, type HelloQuestion, type Notice, type Rejection, showText } from '@ehlo/engine';
import type { TestClock } from './clock.ts';
import { CUTS, contentCut, directiveOf, PLAIN, refusal, WORDS } from './directive.ts';
import { headerOf } from './mail-parts.ts';
import { accepts, linesOf, octetsOf, withLines } from './reply-octets.ts';
import { type Action, type Facts, NOBODY, type Stage } from './stub.ts';
import type { StubSet } from './stub-set.ts';
import type { Cut, Directive, Wire } from './wire.ts';

/** The certificate that a handshake shows. */
export type CertificateKind = 'good' | 'expired' | 'wrong-name' | 'unknown-issuer';

/**
 * One connection with stubs: a handler that asks them first, then another handler. What a stub says goes past the session: that is only told
 * whether it accepts, and the octets of its reply are changed on the wire.
 */
export class Conversation {
  /** `C:` and `S:` with the lines of both, as they were on the wire, and what became of the connection in brackets. */
  readonly #transcript: string[];
  readonly handler: Handler;
  readonly #stubs: StubSet;
  readonly #clock: TestClock;
  readonly #inner: Handler;
  readonly #wire: Wire;
  readonly #peer: string;
  /** What the greeting is to be. */
  readonly #greeting: Action | null;
  /** Lines that EHLO has too. */
  readonly #added: readonly string[];
  /** What STARTTLS was answered by. */
  #handshake: Action | null = null;
  /** Of the reply that comes next. */
  #directive: Directive | null = null;
  /** Replies of the session so far. */
  #replies = 0;
  /** Lines of the reply that is being told. */
  #lines: string[] = [];
  /** Octets of content after which the connection is spoiled. */
  #contentCut: { readonly kind: Cut; readonly after: number } | null = null;
  /** Octets of content of this message. */
  #content = 0;
  /** Octets that the chunks of this message announced so far. */
  #chunks = 0;
  /** A chunk is refused: the message that arrives, and its first chunk. */
  #refusedChunk: Refusal | null = null;
  #refuseBody: (refusal: Refusal) => void = () => {};

  constructor(
    stubs: StubSet,
    clock: TestClock,
    wire: Wire,
    inner: Handler,
    greeting: Action | null,
    added: readonly string[],
    transcript: string[],
  ) {
    this.#transcript = transcript;
    this.#stubs = stubs;
    this.#clock = clock;
    this.#wire = wire;
    this.#inner = inner;
    this.#peer = wire.peer.address;
    this.#greeting = greeting;
    this.#added = added;
    this.handler = {
      ...inner,
      connect: (question, session) => this.#answer(this.#greeting, 'connect', () => inner.connect?.(question, session)),
      hello: (question, session) => this.#hello(question, session, () => inner.hello?.(question, session)),
      starttls: (question, session) => {
        this.#handshake = this.#decide('tls', session);
        return this.#answer(this.#handshake, 'tls', () => inner.starttls?.(question, session));
      },
      mail: (question, session) =>
        this.#ask('mail', session, { from: question.reversePath.address, size: question.parameters.size ?? null }, () =>
          inner.mail?.(question, session),
        ),
      rcpt: (question, session) =>
        this.#ask('rcpt', session, { to: [question.forwardPath.address] }, () => inner.rcpt?.(question, session)),
      data: (question, session) => this.#data(question, session),
      message: (message, session) => this.#message(message, session),
      notice: (notice, session) => this.#notice(notice, session),
    };
  }

  /** What stubs say of a client that shows who it is: null, whoever judges may go on; else whether it is to be taken for that. */
  claim(identity: string, mechanism: string, session: Session): boolean | null {
    const action = this.#decide('auth', session, { identity, mechanism });
    const decision = this.#answer(action, 'auth', () => undefined);
    return action?.reply === undefined ? null : decision === true;
  }

  /** What a handshake that begins now is to be; `first`: before anything else. */
  handshake(first: boolean): CertificateKind | 'break' | Cut {
    if (first) this.#handshake = this.#stubs.decide({ ...NOBODY, stage: 'tls', peer: this.#peer }, this.#clock.now()).action;
    const action = this.#handshake;
    this.#handshake = null;
    const { tls = 'good' } = action ?? {};
    const cut = first ? CUTS.find((name) => action?.[name] !== undefined) : undefined;
    return cut ?? (tls === 'refuse' ? 'drop' : tls);
  }

  #hello({ name, verb }: HelloQuestion, session: Session, usual: () => unknown): Decided {
    const decision = this.#answer(this.#decide('hello', session, { hello: name }), 'hello', usual);
    if (this.#added.length === 0 || verb === 'HELO') return decision;
    const directive = this.#directive ?? PLAIN;
    const { instead } = directive;
    this.#directive = { ...directive, instead: (reply) => withLines(instead === null ? reply : instead(reply), this.#added) };
    return decision;
  }

  #data(question: DataQuestion, session: Session): Decided {
    this.#content = 0;
    const action = this.#decide('data', session);
    if (question.verb === 'BDAT' && this.#refusedChunk !== null) return this.#refusedChunk;
    this.#contentCut ??= contentCut(action, 0);
    return this.#answer(action, 'data', () => this.#inner.data?.(question, session));
  }

  /** The message is read whole before stubs and the handler see it: its header and its size are matched. */
  async #message(message: IncomingMessage, session: Session): Promise<Decisions> {
    const refused = new Promise<Refusal>((resolve) => {
      this.#refuseBody = resolve;
    });
    const whole = await Promise.race([this.#read(message.body), refused]);
    if (!(whole instanceof Uint8Array)) return whole;
    if (this.#contentCut !== null) return await this.#spoil(this.#contentCut.kind, true);
    const action = this.#decide('message', session, { size: whole.length, header: headerOf(whole) });
    if (action?.reply !== undefined && !accepts(action.reply)) return this.#answer(action, 'message', () => true) as Decision;
    const body = new Body(() => {});
    body.push(whole);
    body.end();
    const decision = this.#inner.message === undefined ? true : await this.#inner.message(copyOf(message, body), session);
    // Whoever refuses what a stub would accept has the last word.
    if (isRefusing(decision)) return decision;
    this.#answer(action, 'message', () => true);
    return decision;
  }

  async #read(body: Body): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for await (const bytes of body) {
      parts.push(bytes.slice());
      this.#content += bytes.length;
      if (this.#contentCut !== null && this.#content >= this.#contentCut.after) await this.#spoil(this.#contentCut.kind, false);
    }
    this.#transcript.push(`C: [${this.#content} octets]`);
    const whole = new Uint8Array(this.#content);
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  /** Spoils the connection while content comes, or behind it: what becomes of the message is never said. */
  #spoil(kind: Cut, reading: boolean): Promise<never> {
    this.#contentCut = null;
    this.#transcript.push(`[${WORDS[kind]} after ${this.#content} octets of content]`);
    this.#wire.cut(kind, reading);
    return new Promise(() => {});
  }

  /** Asks the stubs, then whoever is asked without them. */
  #ask(stage: Stage, session: Session, more: Partial<Facts>, usual: () => unknown): Decided {
    return this.#answer(this.#decide(stage, session, more), stage, usual);
  }

  #decide(stage: Stage, session: Session, more: Partial<Facts> = {}): Action | null {
    const { envelope, hello, tls, identity } = session;
    const facts: Facts = {
      ...NOBODY,
      stage,
      peer: this.#peer,
      hello: hello?.name ?? null,
      tls: tls !== null,
      identity,
      from: envelope?.reversePath.address ?? null,
      to: envelope?.recipients.map(({ forwardPath }) => forwardPath.address) ?? [],
      ...more,
    };
    return this.#stubs.decide(facts, this.#clock.now()).action;
  }

  /** What the session is told, and what becomes of its reply. */
  #answer(action: Action | null, stage: Stage, usual: () => unknown): Decided {
    if (action === null || action.pass === true) return orYes(usual());
    const { reply, tls } = action;
    this.#directive = directiveOf(action, stage);
    if (tls === 'refuse') return refusal({ code: 454, enhanced: '4.7.0', text: 'TLS not available due to temporary reason' }, stage);
    if (reply === undefined) return orYes(usual());
    return accepts(reply) ? true : refusal(reply, stage);
  }

  #notice(notice: Notice, session: Session): void {
    if (notice.type !== 'trace') return this.#inner.notice?.(notice, session);
    if (notice.from === 'client') {
      this.#command(notice.line, session);
      this.#transcript.push(`C: ${notice.line}`);
      return this.#inner.notice?.(notice, session);
    }
    this.#lines.push(notice.line);
    if (notice.line[3] === '-') return;
    const lines = this.#lines.splice(0);
    const index = this.#replies++;
    // A challenge of AUTH is on the way to its reply.
    const said = this.#directive === null || notice.line.startsWith('334') ? lines : this.#direct(index, lines);
    for (const line of said) {
      this.#transcript.push(line.startsWith('[') ? line : `S: ${line}`);
      if (!line.startsWith('[')) this.#inner.notice?.({ ...notice, line }, session);
    }
  }

  /** Has the wire do what is to be done to this reply; what will be said of it, in lines. */
  #direct(index: number, lines: readonly string[]): readonly string[] {
    const directive = this.#directive!;
    this.#directive = null;
    this.#wire.direct(index, directive);
    const { instead, cut } = directive;
    const changed = instead === null ? lines : linesOf(instead(octetsOf(lines))).map((line) => showText(line));
    if (cut === null) return changed;
    return [...(cut.after === 0 ? [] : [showText(changed.join('\r\n').slice(0, cut.after))]), `[${WORDS[cut.kind]}]`];
  }

  /** QUIT and chunks ask nobody: they are known by their lines. */
  #command(line: string, session: Session): void {
    if (/^QUIT\s*$/i.test(line)) {
      const action = this.#decide('quit', session);
      if (action !== null && action.pass !== true) this.#directive = directiveOf(action, 'quit');
      return;
    }
    const [, size] = /^BDAT ([0-9]+)(?: LAST)?\s*$/i.exec(line) ?? [];
    if (size === undefined || session.envelope === null) {
      if (/^(?:MAIL|RSET|EHLO|HELO)/i.test(line)) this.#forget();
      return;
    }
    const before = this.#chunks;
    this.#chunks += Number(size);
    const action = this.#decide('chunk', session, { size: Number(size) });
    if (action === null || action.pass === true) return;
    this.#directive = directiveOf(action, 'chunk');
    this.#contentCut ??= contentCut(action, before);
    if (action.reply === undefined || accepts(action.reply)) return;
    this.#refusedChunk = refusal(action.reply, 'chunk');
    this.#refuseBody(this.#refusedChunk);
  }

  #forget(): void {
    this.#contentCut = null;
    this.#refusedChunk = null;
    this.#chunks = 0;
  }
}

type Decided = Decision | Promise<Decision | boolean>;

/** What a handler says that has the method, else yes. */
function orYes(decision: unknown): Decided {
  return (decision ?? true) as Decided;
}

function isRefusing(decision: Decisions): boolean {
  return Array.isArray(decision) || ((decision as Partial<Rejection>).code !== undefined && (decision as Rejection).code >= 400);
}

/** A message whose body was read before. */
function copyOf(message: IncomingMessage, body: Body): IncomingMessage {
  const { envelope } = message;
  return {
    envelope,
    body,
    get size() {
      return message.size;
    },
    get deviations() {
      return message.deviations;
    },
    get told() {
      return message.told;
    },
  };
}
