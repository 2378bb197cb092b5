import type { Address, Listener, Transport } from '@ehlo/driver';
import { parseProxy } from '@ehlo/grammar/proxy';
import { type ListenOptions, listen } from '#adapter';
import { limitsOf, listensInClear, type ServeCommandOptions } from './serve-options.ts';

/** A listener of `ehlo serve`. */
export interface Open {
  readonly listener: Listener;
  /** TLS from the first octet. */
  readonly tls: boolean;
  /** A Unix socket. */
  readonly unix: boolean;
}

/** The port where neither a port nor a Unix socket is named. */
const PORT = 2525;

/** The listeners that the options name: a port, one for implicit TLS, a Unix socket. Leaves none open where one fails. */
export async function listenOn(
  options: ServeCommandOptions,
  tls: ListenOptions,
  stray: (reason: string) => void,
): Promise<readonly Open[]> {
  const { host, port, tlsPort, unix, unixMode, proxy } = options;
  const { tlsTimeout } = limitsOf(options);
  const common: ListenOptions = {
    ...tls,
    // Implicit TLS and a proxy's header come before the session, which has this limit for STARTTLS.
    ...(tlsTimeout === undefined ? {} : { handshakeTimeout: tlsTimeout }),
    stray: (peer, reason) => stray(`${peer.address === '' ? 'a Unix socket' : peer.address}: ${reason}`),
    ...(proxy === undefined ? {} : { proxy: (bytes) => parseProxy(bytes, VERSIONS[proxy]) }),
  };
  const wanted: readonly { readonly option: string; readonly listen: ListenOptions }[] = [
    ...(listensInClear(options) ? [{ option: '--port', listen: { host, port: port ?? PORT } }] : []),
    ...(tlsPort === undefined ? [] : [{ option: '--tls-port', listen: { host, port: tlsPort, implicitTls: true } }]),
    ...(unix === undefined ? [] : [{ option: '--unix', listen: { path: unix, ...(unixMode === undefined ? {} : { mode: unixMode }) } }]),
  ];
  const open: Open[] = [];
  for (const { option, listen: where } of wanted) {
    try {
      open.push({ listener: await listen({ ...common, ...where }), tls: where.implicitTls === true, unix: where.path !== undefined });
    } catch (error) {
      await Promise.all(open.map(({ listener }) => listener.close()));
      // For who explains it.
      throw Object.assign(error as Error, { option });
    }
  }
  return open;
}

const VERSIONS: { readonly [name in NonNullable<ServeCommandOptions['proxy']>]: 1 | 2 | null } = { v1: 1, v2: 2, any: null };

/** Several listeners as one: their sessions are counted, shown and drained together. The peers that came by a Unix socket are noted. */
export function together(open: readonly Open[], byUnix: WeakSet<Address>): Listener {
  return {
    address: open[0]!.listener.address,
    accept(connected) {
      for (const { listener, unix } of open) {
        const noted = (transport: Transport): void => {
          if (unix) byUnix.add(transport.peer);
          connected(transport);
        };
        // With what the server wants to be told of connections that are no sessions yet.
        listener.accept(Object.assign(noted, connected));
      }
    },
    close: async () => void (await Promise.all(open.map(({ listener }) => listener.close()))),
  };
}
