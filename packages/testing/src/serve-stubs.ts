import {
  type Address,
  type Handler,
  type Listener,
  type PresentedClaim,
  reject,
  type ServeOptions,
  type Session,
  type Stored,
  serveOn,
  type Transport,
} from '@ehlo/driver';
import type { TlsInfo } from '@ehlo/engine';
import { PRESETS } from '@ehlo/engine';
import type { TestClock } from './clock.ts';
import { type CertificateKind, Conversation } from './conversation.ts';
import { type Action, NOBODY } from './stub.ts';
import type { StubSet } from './stub-set.ts';
import { type Cut, Wire } from './wire.ts';

/** What a server with stubs stands on. */
export interface Stubbed {
  readonly stubs: StubSet;
  readonly clock: TestClock;
  /** Has the handshakes that begin from now on show this one. Absent: there is one, and stubs can't change it. */
  readonly certificate?: ((kind: CertificateKind) => void) | undefined;
  /** Connections at a time; one more is told 421. Default: any number. */
  readonly connections?: number;
  /** TLS comes first (RFC 8314 3.3); the listener does not do it. */
  readonly implicitTls?: boolean;
  /** A connection has come: who is asked behind the stubs. Its transcript grows as it is spoken. */
  readonly handler: (transcript: readonly string[]) => Handler;
  /** A connection could not be served, for what a stub says of it is impossible. */
  readonly failed?: (error: unknown) => void;
}

/** A server whose connections have a session each, for stubs change what it offers and how much it takes. */
export class StubServer {
  readonly address: Address;
  readonly #listener: Listener;
  readonly #wires: Set<Wire> = new Set();
  #count = 0;
  #handshakes: Promise<unknown> = Promise.resolve();

  constructor(listener: Listener, options: ServeOptions, stubbed: Stubbed) {
    this.#listener = listener;
    this.address = listener.address;
    listener.accept((transport) => {
      void this.#serve(transport, options, stubbed).catch((error: unknown) => {
        transport.abort();
        stubbed.failed?.(error);
      });
    });
  }

  /** Connections that are there. */
  get connections(): number {
    return this.#wires.size;
  }

  /** Takes no more connections, and cuts off those that are there. */
  async close(): Promise<void> {
    const closed = this.#listener.close();
    for (const wire of [...this.#wires]) wire.destroy();
    await closed;
  }

  async #serve(transport: Transport, options: ServeOptions, stubbed: Stubbed): Promise<void> {
    const { stubs, clock, implicitTls = false, handler, connections = Number.POSITIVE_INFINITY } = stubbed;
    const { peer } = transport;
    const { action, settings } = stubs.decide({ ...NOBODY, stage: 'connect', peer: peer.address }, clock.now());
    let conversation: Conversation | null = null;
    const wire: Wire = new Wire(
      transport,
      clock,
      () => this.#wires.delete(wire),
      (inner, head) => this.#secure(inner, head, wire, conversation, stubbed),
    );
    this.#wires.add(wire);
    const added = settings.flatMap(({ capabilities }) => capabilities?.add ?? []);
    const transcript: string[] = [];
    const inner = numbered(handler(transcript), ++this.#count, options.trace === true);
    const greeting = this.#wires.size > connections ? CROWDED : action;
    conversation = new Conversation(stubs, clock, wire, inner, greeting, added, transcript);
    if (implicitTls) {
      const tls = await wire.secure?.(new Uint8Array(0)).catch(() => null);
      if (tls == null) return;
      wire.tls = tls;
    }
    const once: Listener = {
      ...this.#listener,
      address: this.address,
      tls: implicitTls ? 'implicit' : 'possible',
      accept: (accept) => accept(wire),
      close: async () => {},
    };
    // Replies are known by what is told of them.
    const traced = { ...withAuth(withSettings(options, settings), conversation), trace: true };
    serveOn(once, traced, conversation.handler, undefined, wire.clock);
  }

  /** A handshake, with the certificate that stubs want. */
  async #secure(
    inner: Transport,
    head: Uint8Array | undefined,
    wire: Wire,
    conversation: Conversation | null,
    { certificate }: Stubbed,
  ): Promise<TlsInfo> {
    const kind = conversation?.handshake(head !== undefined) ?? 'good';
    if (kind === 'break' || !isCertificate(kind)) {
      if (kind === 'break') wire.breakTls();
      else wire.cut(kind, false);
      throw new Error('a stub has broken the handshake');
    }
    if (certificate === undefined) return await inner.secure!(head);
    // A certificate is shown to whoever begins next: one after the other, as long as it takes to begin.
    const begun = this.#handshakes.then(async () => {
      certificate(kind);
      const secured = inner.secure!(head);
      secured.catch(() => {});
      for (let turn = 0; turn < TURNS; turn++) await Promise.resolve();
      certificate('good');
      return { secured };
    });
    this.#handshakes = begun.catch(() => {});
    return await (await begun).secured;
  }
}

function isCertificate(kind: CertificateKind | Cut): kind is CertificateKind {
  return kind === 'good' || kind === 'expired' || kind === 'wrong-name' || kind === 'unknown-issuer';
}

/** A handler that knows sessions by their number among all of this server, and hears of lines only where it wants to: each session is the first of a server of its own. */
function numbered(handler: Handler, id: number, traces: boolean): Handler {
  let view: Session | null = null;
  const seen = (session: Session): Session => {
    view ??= new Proxy(session, {
      get: (target, name) => {
        const value: unknown = name === 'id' ? id : Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
      set: (target, name, value) => Reflect.set(target, name, value, target),
    });
    return view;
  };
  const methods = Object.entries(handler as { readonly [name: string]: ((...given: unknown[]) => unknown) | undefined }).map(
    ([name, method]) => [
      name,
      (...given: unknown[]) => {
        if (name === 'notice' && !traces && (given[0] as { readonly type: string }).type === 'trace') return;
        return method?.apply(
          handler,
          given.map((one) => (isSession(one) ? seen(one) : one)),
        );
      },
    ],
  );
  return Object.fromEntries(methods) as Handler;
}

function isSession(value: unknown): value is Session {
  return typeof value === 'object' && value !== null && 'counters' in value && 'shutdown' in value;
}

const CROWDED: Action = { reply: { code: 421, enhanced: '4.3.2', text: 'Too many connections, closing transmission channel' } };

/** Within so many turns a transport has begun its handshake. */
const TURNS = 8;

/** What is nothing without another (RFC 3030 3, RFC 6531 3.1). */
const NEEDS: { readonly [keyword: string]: string } = { BINARYMIME: 'CHUNKING', SMTPUTF8: '8BITMIME' };

/** The options of a session, as the settings of stubs change them; the newest has the last word. */
function withSettings(options: ServeOptions, settings: readonly Action[]): ServeOptions {
  if (settings.length === 0) return options;
  const removed = settings.flatMap(({ capabilities }) => capabilities?.remove ?? []).map((name) => name.toUpperCase());
  const isRemoved = (keyword: string): boolean => removed.includes(keyword) || removed.includes(NEEDS[keyword] ?? '');
  const smallLimits = Object.assign({}, options.smallLimits, ...[...settings].reverse().map(({ limits = {} }) => limits)) as NonNullable<
    ServeOptions['smallLimits']
  >;
  const { limits = {}, auth, extensions = PRESETS[options.preset ?? 'sink'].extensions, ...others } = options;
  const kept = Object.fromEntries(Object.entries(limits).filter(([name]) => !(name in smallLimits)));
  return {
    ...others,
    ...(auth === undefined || removed.includes('AUTH') ? {} : { auth }),
    ...(removed.includes('STARTTLS') ? { starttls: 'off' as const } : {}),
    limits: kept,
    smallLimits,
    extensions: extensions.filter((extension) => !isRemoved(typeof extension === 'string' ? extension : extension.keyword)),
  };
}

/** Stubs judge who shows who it is, before whoever does that. */
function withAuth(options: ServeOptions, conversation: Conversation): ServeOptions {
  const { auth } = options;
  if (auth === undefined || !('verify' in auth || 'lookup' in auth)) return options;
  const { verify, lookup } = auth;
  /** Stubs were asked of a password that is still to be looked up. */
  let asked = false;
  const judged = {
    ...auth,
    verify: async (claim: PresentedClaim, session: Session) => {
      const identity = claim.type === 'anonymous' ? 'anonymous' : claim.type === 'external' ? (claim.authzid ?? '') : claim.user;
      const said = conversation.claim(identity, claim.mechanism, session);
      asked = said === null;
      if (said !== null) return said || reject(535, '5.7.8', 'refused by a stub');
      return verify?.(claim, session);
    },
    ...(lookup === undefined
      ? {}
      : {
          // SCRAM and CRAM-MD5 show no password: nobody is found where a stub refuses.
          lookup: async (user: string, session: Session): Promise<Stored | null | undefined> => {
            const refused = !asked && conversation.claim(user, '', session) === false;
            asked = false;
            return refused ? null : await lookup(user, session);
          },
        }),
  };
  return { ...options, auth: judged };
}
