// The adapter's `connect`, as far as sessions outward need it.

import type { ConnectOptions } from '@ehlo/driver';
import type { Client, ClientAuth } from '@ehlo/driver/programs';
import type { Protection } from '@ehlo/engine';

/** What a server has shown in the handshake, and what the runtime makes of it. */
export interface Shown {
  readonly chain: readonly Uint8Array[];
  readonly fault: string | null;
}

/** What is asked of `connect`. */
export interface ConnectTo extends ConnectOptions<never> {
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
  readonly localAddress?: string;
  readonly implicitTls?: boolean;
  readonly connectTimeout?: number;
  readonly tls?: {
    readonly ca?: string | Buffer | (string | Buffer)[];
    readonly servername?: string;
    readonly verify?: (shown: Shown) => boolean;
  };
}

/** `connect` of `@ehlo/node`, `@ehlo/deno` or `@ehlo/bun`. */
export type Connect = (options: ConnectTo) => Promise<Client>;

/** How to authenticate with a host, and the least protection of the credentials. Default: `verified`. */
export interface OutboundAuth extends ClientAuth {
  readonly credentials?: Protection;
}
