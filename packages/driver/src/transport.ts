import type { TlsInfo } from '@ehlo/engine';

/** What a proxy says of the connection that it brings (PROXY protocol of HAProxy). */
export interface ProxyFacts {
  /** The proxy speaks for itself: a health check. */
  readonly local: boolean;
  /** Null if the proxy does not give it: then the ends of the connection count. */
  readonly source: Address | null;
  readonly destination: Address | null;
  /** Of version 2: what else it tells, e.g. of TLS between the client and it. */
  readonly tlvs: readonly { readonly type: number; readonly value: Uint8Array }[];
}

/** An end of a connection. */
export interface Address {
  /** IP address, or the path of a Unix socket; empty if unknown. */
  readonly address: string;
  /** TCP port; 0 where there is none. */
  readonly port: number;
}

/** The callbacks of a transport. At most one call of `end` and of `lost`, and none after `lost`. After `close` only `drained` and `lost`; after `abort` none. */
export interface Sink {
  /** Octets have arrived. The transport does not touch them again: the content that a handler reads may be a view of them. */
  data(bytes: Uint8Array): void;
  /** The peer has ended its side; writing is still possible. */
  end(): void;
  /** The connection is gone: lost, or ended by both sides after `close`. */
  lost(cause?: unknown): void;
  /** After a `write` that returned false or left something `unwritten`: all output was accepted, and more may be written. */
  drained(): void;
}

/** How long a connection that is closed may wait for the peer to end its side before the driver aborts it, in milliseconds. */
export const LINGER_MS = 5000;
/** How many octets a transport that is closed reads and drops meanwhile, before it aborts by itself. */
export const LINGER_OCTETS = 1_048_576;

/** A connection, as the driver needs it. An adapter binds it to a runtime's sockets; it holds no rule of SMTP. */
export interface Transport {
  readonly peer: Address;
  readonly local: Address;
  /** Set where the connection is secure from its start (implicit TLS). */
  tls?: TlsInfo | undefined;
  /** Set if the connection came through a proxy that announced it. */
  readonly proxy?: ProxyFacts | undefined;
  /** Starts to read into the sink. */
  start(sink: Sink): void;
  /** Accepts all octets, and neither changes nor transfers them: other connections may write the same array. Returns false if no more should be written before `drained`. */
  write(bytes: Uint8Array): boolean;
  /**
   * Octets that were given to `write` and that the operating system has not accepted yet; after the connection has ended, those that it never
   * accepted. A write may count as a whole. The session uses it to know which of its replies have left.
   */
  readonly unwritten: number;
  /** Stops reading, so that the peer is slowed down by the connection itself. */
  pause(): void;
  resume(): void;
  /**
   * Starts TLS on this side. Absent: STARTTLS is not offered, or not begun. Octets that were read in clear go to the sink, and the handshake
   * fails. But with `head` (implicit TLS, where nothing in clear came before), they belong to the handshake, after those of `head`. Reads
   * nothing beyond the handshake until `resume` (or `start`, if that was not called yet). Rejects if the handshake fails or is aborted.
   */
  secure?: ((head?: Uint8Array) => Promise<TlsInfo>) | undefined;
  /**
   * Ends gracefully: what was written goes out, then this side is ended, and what the peer still sends is read and dropped, up to
   * `LINGER_OCTETS`, so that the last reply is not lost to a reset. When nothing is left of the connection `lost` tells it; the driver
   * aborts what is not gone after `LINGER_MS`.
   */
  close(): void;
  /** Ends at once. */
  abort(): void;
}

/** Ends a connection that no session moves, not yet or not any more: what its transport throws then ends nothing else. */
export function cutOff(transport: Transport): void {
  try {
    transport.abort();
  } catch {
    // There is nothing to report it to.
  }
}

/** Who takes the connections of a listener. */
export interface Connected {
  (transport: Transport): void;
  /**
   * Reserves a place for a connection that is within its handshake: so those count, too. Call the result to give the place back, before the
   * connection is handed over or when it has failed; null: there is no place left.
   */
  readonly reserve?: () => (() => void) | null;
  /** The handshake of implicit TLS has failed: no session exists yet to which it could be reported. */
  readonly tlsFailed?: (error: unknown, peer: Address) => void;
}

/** Where connections come from. */
export interface Listener {
  readonly address: Address;
  /** Whether its connections have TLS from the start, can begin it, or never have it. Absent: it is not known before there is one. */
  readonly tls?: 'implicit' | 'possible' | 'none';
  /** Whether a proxy brings its connections. */
  readonly proxied?: boolean;
  /** Each connection, as it comes. Called once. */
  accept(connected: Connected): void;
  /** Takes no more connections; those that are open stay. */
  close(): Promise<void>;
}
