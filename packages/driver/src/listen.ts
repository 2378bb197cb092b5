import type { Handler } from './handler.ts';
import { type ServeOptions, type Server, serveOn } from './serve.ts';
import type { Address, Listener, Transport } from './transport.ts';

/** Where an adapter listens, and how. `Tls` is what the adapter takes for certificates. */
export interface ListenOptions<Tls> {
  /** IP address or host name to listen on. Default 127.0.0.1. */
  readonly host?: string;
  /** TCP port; 0 takes any that is free. */
  readonly port?: number;
  /** Path of a Unix socket, in place of host and port. One that nobody listens on is replaced. */
  readonly path?: string;
  /** Mode of the Unix socket. Default: by the umask. */
  readonly mode?: number;
  /** Certificates: STARTTLS is possible, or with `implicitTls` every connection begins with a handshake. */
  readonly tls?: Tls;
  /** TLS from the first octet (RFC 8314 3.3), as on port 465. */
  readonly implicitTls?: boolean;
  /** Milliseconds that a client may take for the handshake of `implicitTls`. Default 60000. */
  readonly handshakeTimeout?: number;
  /** Connections that the kernel may hold before they are accepted. Default 511. */
  readonly backlog?: number;
}

/** What the `serve` of an adapter takes. */
export interface ListenAndServeOptions<Tls> extends ServeOptions, ListenOptions<Tls> {
  /** Where `tls` is given STARTTLS is offered, unless this says otherwise. */
  readonly starttls?: 'off' | 'offered' | 'required';
}

/** Makes the `serve` of an adapter from its `listen`. It rejects as that does, and with `SmtpUsageError` if the options are wrong. */
export async function listenAndServe<Tls>(
  listen: (options: ListenOptions<Tls>) => Promise<Listener>,
  options: ListenAndServeOptions<Tls>,
  handler: Handler,
): Promise<Server> {
  const { host, port, path, mode, backlog, tls, implicitTls, handshakeTimeout, ...rest } = options;
  const { tlsTimeout } = rest.limits ?? {};
  const listener = await listen({ ...(tlsTimeout === undefined ? {} : { handshakeTimeout: tlsTimeout }), ...options });
  try {
    return serveOn(listener, { starttls: tls === undefined ? 'off' : 'offered', ...rest }, handler);
  } catch (error) {
    await listener.close();
    throw error;
  }
}

/**
 * What all listeners have in common: connections wait until there is somebody to accept them, and with implicit TLS they make their
 * handshake first. Throws `TypeError` if there is no certificate for that.
 */
export class Entrance {
  /** Connections that nobody has asked for yet. */
  readonly #waiting: Transport[] = [];
  /** Connections within their handshake: nobody knows of them yet. */
  readonly #shaking: Set<Transport> = new Set();
  readonly #implicitTls: boolean;
  readonly #handshakeTimeout: number;
  #connected: ((transport: Transport) => void) | null = null;

  constructor({ tls, implicitTls = false, handshakeTimeout = 60_000 }: ListenOptions<unknown>) {
    if (implicitTls && tls === undefined) throw new TypeError('implicitTls needs a certificate: give tls: { key, cert }');
    this.#implicitTls = implicitTls;
    this.#handshakeTimeout = handshakeTimeout;
  }

  /** A new connection. */
  admit(transport: Transport): void {
    if (this.#connected === null) this.#waiting.push(transport);
    else if (this.#implicitTls) void this.#shakeHands(transport, this.#connected);
    else this.#connected(transport);
  }

  /** The listener whose connections come by here. `close` takes no more of them. */
  listener(address: Address, close: () => Promise<void>): Listener {
    return {
      address,
      accept: (connected) => {
        this.#connected = connected;
        for (const transport of this.#waiting.splice(0)) this.admit(transport);
      },
      close: () => {
        for (const transport of [...this.#waiting.splice(0), ...this.#shaking]) transport.abort();
        return close();
      },
    };
  }

  async #shakeHands(transport: Transport, connected: (transport: Transport) => void): Promise<void> {
    const timer = setTimeout(() => transport.abort(), this.#handshakeTimeout);
    this.#shaking.add(transport);
    const tls = await transport.secure!().catch(() => null);
    clearTimeout(timer);
    this.#shaking.delete(transport);
    if (tls === null) return transport.abort();
    transport.tls = tls;
    connected(transport);
  }
}
