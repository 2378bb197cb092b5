// What the way out is given.

import type { OpenOrder, Target, Transaction } from '@ehlo/delivery';
import type { Means } from '../runner/index.ts';
import type { Connect, ConnectTo, OutboundAuth } from './connect.ts';
import type { StsOptions } from './fetch-policy.ts';

export interface OutboundOptions {
  /** `connect` of the adapter: `@ehlo/node`, `@ehlo/deno`, `@ehlo/bun`. */
  readonly connect: Connect;
  /** What this host calls itself in EHLO. */
  readonly hostname: string;
  /** What it calls itself where it connects from one of `sources` (`DeliverySettings`), by their addresses. Default: `hostname`. */
  readonly names?: { readonly [source: string]: string };
  /** Authorities that are trusted, in PEM, in place of those that the runtime comes with. */
  readonly ca?: NonNullable<ConnectTo['tls']>['ca'];
  /** How to authenticate with a host; null: not at all. Credentials go under verified TLS alone, unless `credentials` says less. */
  readonly auth?: (target: Target) => OutboundAuth | null;
  /** Ports with TLS from the first octet. Default: 465 (RFC 8314 7.3). */
  readonly implicitTls?: readonly number[];
  /**
   * Octets to put in front of a message, such as its DKIM-Signature, with CRLF at the end of each line; null for none. Called before anything of the
   * transaction leaves. `content` may be read to its end, as often as needed. Where it fails, nothing leaves, and the message is tried again later.
   */
  readonly sign?: (transaction: Transaction, content: AsyncIterable<Uint8Array>) => Promise<Uint8Array | null> | Uint8Array | null;
  /** What the client does beside: `limits` (RFC 5321 4.5.3.2), `connectTimeout`, `tolerate`, `pipelining`, `replies`, `newlines`, `toAscii`. */
  readonly client?: Pick<ConnectTo, 'limits' | 'connectTimeout' | 'tolerate' | 'pipelining' | 'replies' | 'newlines' | 'toAscii'>;
  /** How policies of MTA-STS are fetched. Absent: none are; give `sts: false` in the delivery settings, too. */
  readonly sts?: StsOptions;
  /** Transports of this host by the names that routes call them: `{ protocol: 'local', host: 'archive' }`. */
  readonly local?: { readonly [name: string]: OpenTransport };
  /** What went wrong in `sign`, in a transport of this host, or in reading a message. */
  readonly failed?: (error: unknown, what: string) => void;
}

/** A transport of this host: begins a session with it, as `open` of a runner's means does. */
export type OpenTransport = (order: OpenOrder, options: OutboundOptions, signal: AbortSignal) => ReturnType<Means['open']>;
