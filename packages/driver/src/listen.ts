import { checkOptions, type Extension, kindOf, SmtpUsageError, type StartTls, type TableOf } from '@ehlo/engine';
import { Failures } from './failures.ts';
import type { Handler } from './handler.ts';
import { notify, once, reasonOf, toConsole, type Warn } from './notify.ts';
import { OTHER_NAMES } from './other-names.ts';
import { type ProxyReader, readHeader } from './proxied.ts';
import { type HeaderOf, headerOf, type ProxyOptions } from './proxies.ts';
import { Server } from './serve.ts';
import { CONNECTIONS, checkServe, SERVE_OPTIONS, type ServeOptions, type SessionDataOf } from './serve-options.ts';
import { timer } from './timer.ts';
import { type Address, type Connected, cutOff, type Listener, type Transport } from './transport.ts';

/** Where an adapter listens, and how. `Tls` is what the adapter takes for certificates. */
export interface ListenOptions<Tls> {
  /** IP address or host name to listen on. `'::'` is all of them. Default: 127.0.0.1. */
  readonly host?: string;
  /** TCP port to listen on; 0 takes any that is free. Default: 0. */
  readonly port?: number;
  /** Path of a Unix socket, instead of host and port. A socket file without a listening process is replaced. */
  readonly path?: string;
  /** Mode of the Unix socket, such as 0o660. Default: by the umask. */
  readonly mode?: number;
  /**
   * Certificates: STARTTLS is possible, or with `implicitTls` every connection begins with a handshake. A `ServerTls` in their place can be
   * given new ones later.
   */
  readonly tls?: Tls;
  /** TLS from the first octet, as on port 465. Default: false; RFC 8314 3.3. */
  readonly implicitTls?: boolean;
  /** How long a proxy's header and the handshake of `implicitTls` may take. Milliseconds; default: `limits.tlsTimeout`, or 60000. */
  readonly handshakeTimeout?: number;
  /**
   * Every connection begins with the header of a proxy, which says whose it is; without one it is closed. Give `parseProxy`; or, where
   * others come by themselves, `{ read: parseProxy, peers: ['10.0.0.0/8'] }`.
   */
  readonly proxy?: ProxyReader | ProxyOptions;
  /** Told of each connection that ends before its session can begin: no header, or a handshake that fails. */
  readonly stray?: (peer: Address, reason: string) => void;
  /**
   * Connections at a time, those within a proxy's header or a handshake too, until they are gone. As many more are told 421, and beyond
   * that, or where that cannot be told, they are closed. Default: 10000.
   */
  readonly connections?: number;
  /** Connections that the kernel may hold before they are accepted. Default: 511. */
  readonly backlog?: number;
}

/** The options of `listen`: every name, and what it may be. Those of `tls` are the adapter's. */
const LISTEN_OPTIONS: TableOf<ListenOptions<unknown>> = {
  host: 'text',
  port: [0, 65_535],
  path: 'text',
  mode: [0, 0o7777],
  tls: 'object',
  implicitTls: 'switch',
  handshakeTimeout: [1],
  proxy: 'any',
  stray: 'call',
  connections: [1],
  backlog: [0, 0x7fff_ffff],
};

/** What the `serve` of an adapter takes. */
export interface ListenAndServeOptions<Tls, Data = unknown, X extends Extension = Extension>
  extends ServeOptions<Data, X>,
    ListenOptions<Tls> {
  /**
   * Connections at a time, those within a proxy's header or a handshake too, until they are gone. As many more are told 421, and beyond
   * that, or where that cannot be told, they are closed. Default: 10000.
   */
  readonly connections?: number;
  /**
   * STARTTLS: not at all, offered, required before mail is taken, or taken and not listed by EHLO, as for clients that try without asking.
   * Default: `'offered'` where `tls` is given, else `'off'`; RFC 3207.
   */
  readonly starttls?: StartTls;
}

/** The options of `listenAndServe`: every name, and what it may be. */
export const LISTEN_AND_SERVE: TableOf<ListenAndServeOptions<unknown>> = { ...SERVE_OPTIONS, ...LISTEN_OPTIONS };

/**
 * Makes the `serve` of an adapter from its `listen`. It rejects as that does, and with `SmtpUsageError` if the options are wrong. `warn`
 * is told, once, of a handler that fails and has no method `error`, or whose `error` fails; default: the console.
 */
export async function listenAndServe<Tls, Data = undefined, X extends Extension = never>(
  listen: (options: ListenOptions<Tls>) => Promise<Listener>,
  options: ListenAndServeOptions<Tls, Data, X> & SessionDataOf<Data>,
  handler: Handler<NoInfer<Data>, NoInfer<X>>,
  warn: Warn = toConsole,
): Promise<Server> {
  const given = checkOptions(LISTEN_AND_SERVE, options, OTHER_NAMES) as ListenAndServeOptions<Tls, Data, X>;
  const { host: _host, port: _port, path: _path, mode: _mode, backlog: _backlog, tls, implicitTls: _implicitTls, ...others } = given;
  const { proxy: _proxy, stray, handshakeTimeout: _handshakeTimeout, ...rest } = others;
  const { tlsTimeout } = { ...rest.limits, ...rest.smallLimits };
  const failures = new Failures(handler, warn);
  const serving: ServeOptions = { starttls: tls === undefined ? 'off' : 'offered', ...rest };
  // What is wrong is told before anybody can connect.
  checkServe(serving, handler);
  const listener = await listen({
    ...(tlsTimeout === undefined ? {} : { handshakeTimeout: tlsTimeout }),
    ...chosen(given),
    stray: (peer, reason) =>
      notify(
        () => stray?.(peer, reason),
        (error) => failures.tell(error, 'stray', null),
      ),
  });
  try {
    return new Server(listener, serving, handler, failures);
  } catch (error) {
    await listener.close();
    throw error;
  }
}

/** Those of the options that a listener has. */
function chosen<Tls>(options: ListenOptions<Tls>): ListenOptions<Tls> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(LISTEN_OPTIONS, name)));
}

/**
 * The part that all listeners share: it queues connections until the server accepts them, and first reads the proxy header and does the handshake
 * of implicit TLS, if these are configured. Throws `SmtpUsageError` if implicit TLS has no certificate.
 */
export class Entrance {
  /** Connections that are not accepted yet. */
  readonly #waiting: Transport[] = [];
  /** What ends each connection whose session has not begun: no other part knows of them yet. */
  readonly #entering: Set<(reason: string) => void> = new Set();
  readonly #options: ListenOptions<unknown>;
  readonly #headerOf: HeaderOf;
  #connected: Connected | null = null;
  readonly #warn: (error: unknown, what: string) => void;

  /** `warn` is told, once, of a `stray` that fails; default: the console. */
  constructor(given: ListenOptions<unknown>, warn: Warn = toConsole) {
    const options = checkOptions(LISTEN_OPTIONS, given, OTHER_NAMES);
    if (options.implicitTls === true && options.tls === undefined) {
      throw new SmtpUsageError('missing-tls', 'implicitTls needs a certificate: give tls: { key, cert }');
    }
    const { path, proxy, port, host, mode } = options;
    if (path !== undefined && (port ?? host) !== undefined)
      throw new SmtpUsageError(
        'bad-option',
        `path is in place of host and port: leave out ${port === undefined ? 'host' : 'port'}, or path`,
      );
    if (mode !== undefined && path === undefined) throw new SmtpUsageError('bad-option', 'mode is that of a Unix socket: give its path');
    if (proxy !== undefined && typeof proxy !== 'function' && (typeof proxy !== 'object' || proxy === null))
      throw new SmtpUsageError('bad-option', `proxy is ${kindOf(proxy)}; it must be parseProxy, or { read: parseProxy, peers }`);
    this.#headerOf = headerOf(proxy, path !== undefined);
    this.#options = options;
    this.#warn = once(warn);
  }

  /** A new connection. */
  admit(transport: Transport): void {
    const { implicitTls = false, connections = CONNECTIONS } = this.#options;
    const connected = this.#connected;
    if (connected === null) return void this.#waiting.push(transport);
    let header: ProxyReader | null;
    try {
      header = this.#headerOf(transport.peer);
    } catch (error) {
      return this.#turnAway(transport, error);
    }
    if (!implicitTls && header === null) return connected(transport);
    const leave = this.#entering.size < connections ? (connected.reserve ?? NO_COUNT)() : null;
    if (leave === null) this.#turnAway(transport, new Error('too many connections'));
    else void this.#enter(transport, header, connected, leave);
  }

  #turnAway(transport: Transport, reason: unknown): void {
    cutOff(transport);
    this.#stray(transport.peer, reasonOf(reason));
  }

  /** The listener whose connections come by here. `close` takes no more of them. */
  listener(address: Address, close: () => Promise<void>): Listener {
    const { tls, implicitTls = false, proxy } = this.#options;
    return {
      address,
      tls: implicitTls ? 'implicit' : tls === undefined ? 'none' : 'possible',
      proxied: proxy !== undefined,
      accept: (connected) => {
        this.#connected = connected;
        for (const transport of this.#waiting.splice(0)) this.admit(transport);
      },
      close: () => {
        for (const transport of this.#waiting.splice(0)) cutOff(transport);
        for (const giveUp of this.#entering) giveUp('the server is closing');
        return close();
      },
    };
  }

  async #enter(transport: Transport, header: ProxyReader | null, connected: Connected, leave: () => void): Promise<void> {
    const { handshakeTimeout = HANDSHAKE_MS } = this.#options;
    let giveUp: (reason: string) => void = () => {};
    const givenUp = new Promise<never>((_, reject) => {
      giveUp = (reason) => reject(new Error(reason));
    });
    const late = timer(() => giveUp('no PROXY header or TLS handshake in time'), handshakeTimeout);
    this.#entering.add(giveUp);
    let securing: Transport | null = null;
    const begun = this.#begin(transport, header, (made) => {
      securing = made;
    });
    try {
      const arrived = await Promise.race([begun, givenUp]);
      // Its place has just become free, and can't have been taken.
      leave();
      connected(arrived);
    } catch (error) {
      tellOf(securing, error, connected);
      this.#turnAway(transport, error);
    } finally {
      clearTimeout(late);
      this.#entering.delete(giveUp);
      leave();
    }
  }

  #stray(peer: Address, reason: string): void {
    notify(
      () => this.#options.stray?.(peer, reason),
      (error) => this.#warn(error, 'the function stray has failed'),
    );
  }

  /** All that comes before the session. */
  async #begin(transport: Transport, header: ProxyReader | null, securing: (transport: Transport) => void): Promise<Transport> {
    const arrived: Transport = header === null ? transport : await readHeader(transport, header);
    if (this.#options.implicitTls === true) {
      securing(arrived);
      arrived.tls = await arrived.secure!(NOTHING);
    }
    return arrived;
  }
}

/** A handshake that failed: not a header that did not come. */
function tellOf(securing: Transport | null, error: unknown, connected: Connected): void {
  if (securing !== null) connected.tlsFailed?.(error, securing.peer);
}

/** Of a server that counts nothing ahead. */
const NO_COUNT = (): (() => void) => () => {};

/** Milliseconds that a proxy's header and a handshake may take, if nothing is said. */
const HANDSHAKE_MS = 60_000;

const NOTHING: Uint8Array = new Uint8Array(0);
