import { checkOptions, kindOf, SmtpUsageError, type TableOf, yesOrNo } from '@ehlo/engine';
import { isInNetwork, type Network, networkOf, octetsOfAddress } from './networks.ts';
import { OTHER_NAMES } from './other-names.ts';
import type { ProxyReader } from './proxied.ts';
import type { Address } from './transport.ts';

/** Proxies that are known, beside clients that come by themselves. */
export interface ProxyOptions {
  /** `parseProxy` of `@ehlo/grammar/proxy`. */
  readonly read: ProxyReader;
  /**
   * Whose connections begin with a header: addresses and networks, such as `192.0.2.1` and `2001:db8::/32`, or a function that says true or
   * false at once. Other connections come without a header and keep their own address. A function that fails refuses the connection.
   * Default: all connections.
   */
  readonly peers?: readonly string[] | ((peer: Address) => boolean);
  /** The only version of the header that is accepted. Default: both. */
  readonly version?: 1 | 2;
}

export const PROXY_OPTIONS: TableOf<ProxyOptions> = { read: 'call', peers: 'any', version: [1, 2] };

/** The reader of the header that a peer's connection begins with; null: it has none. Throws where the program's own function fails. */
export type HeaderOf = (peer: Address) => ProxyReader | null;

/** What the option `proxy` says. Throws `SmtpUsageError` for what it can't say; `byPath`: connections come by a Unix socket. */
export function headerOf(proxy: ProxyReader | ProxyOptions | undefined, byPath: boolean): HeaderOf {
  if (proxy === undefined) return () => null;
  if (typeof proxy === 'function') return () => proxy;
  const { read, peers, version } = checkOptions(PROXY_OPTIONS, proxy, OTHER_NAMES, 'proxy');
  if (read === undefined) bad('proxy has no read: give it parseProxy of @ehlo/grammar/proxy');
  const reader: ProxyReader = version === undefined ? read : (bytes) => read(bytes, version);
  if (peers === undefined) return () => reader;
  if (typeof peers === 'function') return (peer) => (yesOrNo(peers(peer), 'proxy.peers') ? reader : null);
  if (!Array.isArray(peers)) bad(`proxy.peers is ${kindOf(peers)}; it must be a list of addresses and networks, or a function`);
  if (byPath) bad('proxy.peers names addresses, and who comes by a Unix socket has none: leave it out, or give a function');
  const networks = peers.map(peerNetwork);
  return ({ address }) => {
    const octets = octetsOfAddress(address);
    return octets !== null && networks.some((network) => isInNetwork(network, octets)) ? reader : null;
  };
}

function peerNetwork(text: unknown): Network {
  const network = typeof text === 'string' ? networkOf(text) : null;
  if (network === null) bad(`proxy.peers has ${JSON.stringify(text)}, which is no address or network, such as 192.0.2.1 or 192.0.2.0/24`);
  return network;
}

function bad(text: string): never {
  throw new SmtpUsageError('bad-option', text);
}
