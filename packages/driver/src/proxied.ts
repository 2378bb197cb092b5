import { atOnce, type TlsInfo } from '@ehlo/engine';
import type { Address, ProxyFacts, Sink, Transport } from './transport.ts';

export type { ProxyFacts } from './transport.ts';

/**
 * Reads a PROXY header from what has arrived; null while more octets are needed, of which there must be a bounded number. It is
 * `parseProxy` of `@ehlo/grammar/proxy`, given as a value so that it is bundled only where it is used.
 */
export type ProxyReader = (
  bytes: Uint8Array,
  version?: 1 | 2 | null,
) => ProxyHeader | { readonly ok: false; readonly message: string } | null;

interface ProxyHeader {
  readonly ok: true;
  readonly value: { readonly header: ProxyFacts; readonly length: number };
}

/** Reads the header; the connection is then one of the client. Rejects if there is none. The connection waits, nothing is read. */
export function readHeader(transport: Transport, read: ProxyReader): Promise<ProxiedTransport> {
  return new Promise((resolve, reject) => {
    const proxied = new ProxiedTransport(transport);
    let seen: Uint8Array = new Uint8Array(0);
    const ended = (): void => reject(new Error('the connection ended before its PROXY header'));
    proxied.start({
      data(bytes) {
        seen = joined(seen, bytes);
        try {
          const parsed = atOnce(read(seen), 'proxy.read');
          if (parsed === null) return;
          if (!parsed.ok) return reject(new Error(`no PROXY header: ${parsed.message}`));
          proxied.arrived(parsed.value.header, new Uint8Array(seen.subarray(parsed.value.length)));
          resolve(proxied);
        } catch (error) {
          reject(error);
        }
      },
      end: ended,
      lost: ended,
      drained() {},
    });
  });
}

/** A connection that came by a proxy: its addresses are those that the proxy tells, its first octets those after the header. */
export class ProxiedTransport implements Transport {
  peer: Address;
  local: Address;
  proxy: ProxyFacts | undefined = undefined;
  tls: TlsInfo | undefined;
  readonly #transport: Transport;
  #sink: Sink | null = null;
  /** Octets after the header: the next reader gets them. */
  #head: Uint8Array = new Uint8Array(0);
  /** What has ended before there was a listener. */
  #missed: 'end' | 'lost' | null = null;

  constructor(transport: Transport) {
    this.#transport = transport;
    this.peer = transport.peer;
    this.local = transport.local;
    this.tls = transport.tls;
  }

  get secure(): Transport['secure'] {
    const { secure } = this.#transport;
    if (secure === undefined) return undefined;
    // As long as there is no sink, the octets after the header belong to the handshake (implicit TLS).
    return (head) => secure.call(this.#transport, head === undefined ? undefined : joined(head, this.#takeHead()));
  }

  arrived(header: ProxyFacts, head: Uint8Array): void {
    this.proxy = header;
    this.peer = header.source ?? this.peer;
    this.local = header.destination ?? this.local;
    this.#head = head;
    this.#sink = null;
    this.#transport.pause();
  }

  start(sink: Sink): void {
    const first = this.#sink === null && this.proxy === undefined;
    this.#sink = sink;
    if (first) {
      return this.#transport.start({
        data: (bytes) => {
          if (this.#sink === null) this.#head = joined(this.#head, bytes);
          else this.#sink.data(bytes);
        },
        end: () => {
          if (this.#sink === null) this.#missed ??= 'end';
          else this.#sink.end();
        },
        lost: (cause) => {
          if (this.#sink === null) this.#missed = 'lost';
          else this.#sink.lost(cause);
        },
        drained: () => this.#sink?.drained(),
      });
    }
    this.#transport.resume();
    const head = this.#takeHead();
    const missed = this.#missed;
    if (head.length > 0) sink.data(head);
    if (missed !== null) queueMicrotask(() => sink[missed]());
  }

  write(bytes: Uint8Array): boolean {
    return this.#transport.write(bytes);
  }

  get unwritten(): number {
    return this.#transport.unwritten;
  }

  pause(): void {
    this.#transport.pause();
  }

  resume(): void {
    this.#transport.resume();
  }

  close(): void {
    this.#transport.close();
  }

  abort(): void {
    this.#transport.abort();
  }

  #takeHead(): Uint8Array {
    const head = this.#head;
    this.#head = new Uint8Array(0);
    return head;
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
