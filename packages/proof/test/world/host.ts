import { PRESETS, type Question, type ServerOptions, ServerSession } from '@ehlo/engine';
import { type Action, type Facts, type Stage, type Stub, StubSet, type Verdict } from '@ehlo/testing/stubs';
import { NOBODY } from '../../../testing/src/stub.ts';
import { isQuestion } from '../../src/index.ts';
import { LINE_FAULTS, type LineFault } from './faults.ts';

/** What becomes of a host: everything that it is told. */
export interface Mailbox {
  /** The host has taken the message, whether its client gets to know or not. */
  stored(content: string, recipients: readonly string[]): void;
}

/** What a host shows of TLS. */
export interface HostTls {
  /** A name of its certificate. */
  readonly name: string;
  /** SHA-256 of its key, as a TLSA record 3 1 1 has it. */
  readonly key: string;
}

/** What a host leaves to chance: what its stubs do, and whether the fault of its line shows. */
export interface HostChance {
  decide(facts: Facts, now: number): Verdict;
  /** Whether the fault of its line shows this time. */
  fails(): boolean;
}

/** Stubs with their memory, and a line that fails once in so many times. */
export class CountedChance implements HostChance {
  readonly #stubs: StubSet = new StubSet();
  readonly #every: number;
  #count = 0;

  constructor(stubs: readonly Stub[], fault: LineFault | null) {
    for (const stub of stubs) this.#stubs.add(stub);
    this.#every = fault === null ? 1 : LINE_FAULTS[fault];
  }

  decide(facts: Facts, now: number): Verdict {
    return this.#stubs.decide(facts, now);
  }

  fails(): boolean {
    return this.#count++ % this.#every === 0;
  }
}

/** Which question is which stage of stubs. */
const STAGES: { readonly [type: string]: Stage } = {
  connect: 'connect',
  hello: 'hello',
  starttls: 'tls',
  mail: 'mail',
  rcpt: 'rcpt',
  data: 'data',
  message: 'message',
};

/** A server of the world: our own engine, with the stubs of its faults. */
export class Host {
  readonly name: string;
  readonly fault: LineFault | null;
  readonly tls: HostTls | null;
  readonly #chance: HostChance;
  readonly #mailbox: Mailbox;
  readonly #ask: readonly ('connect' | 'hello' | 'starttls' | 'mail' | 'rcpt' | 'data' | 'message')[];
  #options: ServerOptions | null = null;

  constructor(
    name: string,
    stubs: readonly Stub[],
    fault: LineFault | null,
    tls: HostTls | null,
    mailbox: Mailbox,
    chance: HostChance = new CountedChance(stubs, fault),
  ) {
    this.name = name;
    this.fault = fault;
    this.tls = tls;
    this.#mailbox = mailbox;
    this.#chance = chance;
    const asked = new Set<string>(['message', ...stubs.map(({ on }) => (on === 'tls' ? 'starttls' : on))]);
    this.#ask = (['connect', 'hello', 'starttls', 'mail', 'rcpt', 'data', 'message'] as const).filter((type) => asked.has(type));
  }

  /** Whether the fault of its line shows this time. */
  fails(fault: LineFault): boolean {
    return this.fault === fault && this.#chance.fails();
  }

  session(peer: string, now: number): HostSession {
    const { settings, action } = this.#chance.decide({ ...NOBODY, stage: 'connect', peer }, now);
    this.#options ??= this.#optionsOf(settings);
    const session = new ServerSession(this.#options, { peer: { address: peer, port: 25 } });
    return new HostSession(session, this.#chance, this.#mailbox, peer, action);
  }

  /** Settings of stubs are the same for every connection here: a policy is made of them once. */
  #optionsOf(settings: readonly Action[]): ServerOptions {
    const removed = new Set(settings.flatMap(({ capabilities }) => capabilities?.remove ?? []));
    if (this.tls === null) removed.add('STARTTLS');
    return {
      hostname: this.name,
      preset: 'sink',
      ask: this.#ask,
      extensions: PRESETS.sink.extensions.filter((keyword) => !removed.has(keyword)),
      starttls: removed.has('STARTTLS') ? 'off' : 'offered',
      smallLimits: Object.assign({}, ...settings.map(({ limits = {} }) => limits)) as object,
    };
  }
}

/** One connection of a host: its session, and what its program says. */
export class HostSession {
  readonly session: ServerSession;
  readonly #chance: HostChance;
  readonly #mailbox: Mailbox;
  readonly #peer: string;
  readonly #welcome: Action | null;
  #content = '';

  constructor(session: ServerSession, chance: HostChance, mailbox: Mailbox, peer: string, welcome: Action | null) {
    this.session = session;
    this.#chance = chance;
    this.#mailbox = mailbox;
    this.#peer = peer;
    this.#welcome = welcome;
  }

  /** All that can be done now; the octets that it says. */
  pump(now: number): Uint8Array[] {
    const { session } = this;
    const said: Uint8Array[] = [];
    for (;;) {
      const event = session.nextEvent();
      if (event === null) {
        const bytes = session.nextOutput();
        if (bytes === null) return said;
        said.push(bytes);
        session.written(bytes.length);
      } else if (event.type === 'chunk') this.#content += new TextDecoder().decode(event.bytes);
      else if (event.type === 'aborted') this.#content = '';
      else if (isQuestion(event)) this.#answer(event, now);
    }
  }

  #answer(question: Question, now: number): void {
    const { session } = this;
    const stage = STAGES[question.type];
    const action =
      stage === undefined ? null : stage === 'connect' ? this.#welcome : this.#chance.decide(this.#facts(stage, question), now).action;
    const { code = 250, enhanced, text = '' } = action?.reply ?? {};
    if (question.type === 'message') {
      if (code < 400)
        this.#mailbox.stored(
          this.#content,
          question.envelope.recipients.map(({ forwardPath }) => forwardPath.address),
        );
      this.#content = '';
    }
    const said = { code, text: String(text), ...(enhanced === undefined ? {} : { enhanced }) };
    if (code >= 400) session.reject(question, said);
    else session.accept(question as Extract<Question, { type: 'mail' }>);
  }

  #facts(stage: Stage, question: Question): Facts {
    const { envelope, hello, tls } = this.session;
    const from = question.type === 'mail' ? question.reversePath.address : (envelope?.reversePath.address ?? null);
    const to =
      question.type === 'rcpt'
        ? [question.forwardPath]
        : question.type === 'message'
          ? question.envelope.recipients.map((one) => one.forwardPath)
          : [];
    return {
      ...NOBODY,
      stage,
      peer: this.#peer,
      hello: hello?.name ?? null,
      tls: tls !== null,
      from,
      to: to.map(({ address }) => address),
    };
  }
}
