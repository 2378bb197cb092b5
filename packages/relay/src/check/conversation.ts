// A client of a listener over no network: the same entrance, engine and front as behind a port.

import { Entrance, type Listener, type Sink, serveOn, type Transport } from '@ehlo/driver';
import { encodeUtf8, latin1 } from '@ehlo/grammar';
import type { ListenerConfig, RelayConfig } from '../config/config.ts';
import { listenOptions, serveOptions } from '../front/doors.ts';
import { type FrontMeans, frontOf } from '../front/front.ts';
import { inNetworks } from '../front/networks.ts';

/** What is known of TLS where there is none but the rules. */
const TLS = { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', servername: '' } as const;

/** A place to connect to. */
export class Stage {
  readonly #listener: ListenerConfig;
  readonly #entrance: Entrance;
  readonly #server: { close(options: { readonly now: boolean }): Promise<void> };
  readonly #local: string;

  constructor(listener: ListenerConfig, config: RelayConfig, auth: Parameters<typeof serveOptions>[2], means: FrontMeans, local: string) {
    this.#listener = listener;
    this.#local = local;
    this.#entrance = new Entrance(listenOptions(listener, listener.tls === 'off' ? null : {}));
    const open: Listener = this.#entrance.listener({ address: local, port: listener.port ?? 0 }, async () => {});
    this.#server = serveOn(open, { ...serveOptions(listener, config, auth), grace: 0 }, frontOf(listener, means, means.policy().isUser));
  }

  /** Says lines from an address, one after the other, and gives the reply to the last; null: the connection was closed before. */
  async say(from: string, lines: readonly string[]): Promise<string | null> {
    const client = new Client(
      { address: from, port: 40_000 },
      { address: this.#local, port: this.#listener.port ?? 0 },
      this.#listener.tls ?? 'off',
    );
    this.#entrance.admit(client);
    // A PROXY header comes before the greeting, and is answered only where none is read.
    const header = lines[0]?.startsWith('PROXY ') === true ? 1 : 0;
    if (header === 1) client.type(lines[0]!);
    let reply = await client.reply();
    if (header === 1 && reply !== null && !inNetworks(this.#listener.proxies)(from)) reply = await client.reply();
    for (const line of lines.slice(header)) {
      if (reply === null) break;
      client.type(line);
      reply = await client.reply();
    }
    client.gone();
    return reply;
  }

  close(): Promise<void> {
    return this.#server.close({ now: true });
  }
}

/** The client's end. */
class Client implements Transport {
  readonly peer: Transport['peer'];
  readonly local: Transport['local'];
  readonly unwritten = 0;
  readonly tls: Transport['tls'];
  #sink: Sink | null = null;
  #text = '';
  #over = false;
  #wake: () => void = () => {};
  #typed: Uint8Array[] = [];

  constructor(peer: Transport['peer'], local: Transport['local'], tls: NonNullable<ListenerConfig['tls']>) {
    this.peer = peer;
    this.local = local;
    // As it is when the handshake is done: what is said before is not what is looked at.
    this.tls = tls === 'required' ? TLS : undefined;
    this.secure = tls === 'off' || tls === 'required' ? undefined : async () => TLS;
  }

  readonly secure: Transport['secure'];

  start(sink: Sink): void {
    this.#sink = sink;
    for (const octets of this.#typed.splice(0)) sink.data(octets);
  }

  type(line: string): void {
    const octets = encodeUtf8(`${line}\r\n`);
    if (this.#sink === null) this.#typed.push(octets);
    else this.#sink.data(octets);
  }

  gone(): void {
    this.#sink?.lost();
  }

  /** The next whole reply, without its line end; null: there is none any more. */
  async reply(): Promise<string | null> {
    for (;;) {
      const found = /^(?:[0-9]{3}-.*\r\n)*[0-9]{3} .*\r\n/.exec(this.#text)?.[0];
      if (found !== undefined) {
        this.#text = this.#text.slice(found.length);
        return found.trimEnd().split('\r\n').at(-1)!;
      }
      if (this.#over) return null;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  write(bytes: Uint8Array): boolean {
    this.#text += latin1(bytes, 0, bytes.length);
    this.#wake();
    return true;
  }

  close(): void {
    this.abort();
  }

  abort(): void {
    this.#over = true;
    this.#wake();
    // The connection is gone when this side has closed it.
    queueMicrotask(() => this.#sink?.lost());
  }

  pause(): void {}
  resume(): void {}
}
