// Ports that stay open when the rules change: a configuration that is read again makes new servers for the same ports, and no connection is lost.

import {
  type Authentication,
  type Connected,
  type Handler,
  type Listener,
  type ListenOptions,
  type ServeOptions,
  type Server,
  serveOn,
} from '@ehlo/driver';
import { PRESETS } from '@ehlo/engine';
import { parseProxy } from '@ehlo/grammar/proxy';
import type { ListenerConfig, RelayConfig } from '../config/config.ts';
import type { Guest } from './front.ts';
import { inNetworks } from './networks.ts';

/** A certificate that can be replaced. */
export interface RelayTls {
  update(certificate: { readonly cert: string; readonly key: string }): void;
}

/** What the adapter's `listen` is. */
export type Listen<Tls> = (options: ListenOptions<Tls>, name: string) => Promise<Listener>;

/** What is offered beside what every server offers: the queue and the machine of delivery carry each of them out. */
const KEPT = ['BINARYMIME', 'SMTPUTF8', 'DSN', 'DELIVERBY', 'MT-PRIORITY', 'REQUIRETLS', 'LIMITS'] as const;

/** RFC 4865 3: as far ahead as can be said. The queue keeps a message as long as it is told. */
const FOREVER: NonNullable<ServeOptions['futureRelease']> = { seconds: 999_999_999, until: '9999-12-31T23:59:59Z' };

type DoorOptions = ServeOptions<Guest, never> & { readonly sessionData: () => Guest };

/** The options of the server of a listener. */
export function serveOptions(listener: ListenerConfig, { hostname, limits }: RelayConfig, auth: Authentication | null): DoorOptions {
  const { kind, tls, xclient } = listener;
  const isProxy = inNetworks(xclient);
  const extensions = [
    ...PRESETS[kind].extensions,
    ...KEPT,
    ...(kind === 'submission' ? ['FUTURERELEASE'] : []),
    ...(xclient.length > 0 ? ['XCLIENT'] : []),
  ];
  const isAuthenticated = kind === 'submission' && listener.auth && auth !== null;
  return {
    hostname,
    preset: kind,
    extensions,
    limits: { messageSize: limits.messageSize, recipients: limits.recipients },
    connections: limits.connections,
    grace: limits.grace,
    starttls: tls === 'offered' || tls === 'required' ? tls : 'off',
    ...(kind === 'submission' ? { futureRelease: FOREVER } : {}),
    // A listener without TLS was asked for by name.
    ...(isAuthenticated ? { auth: { ...auth, required: true, inClear: tls === 'off' } } : kind === 'submission' ? NO_AUTH : {}),
    trusted: { XCLIENT: ({ address }) => isProxy(address) },
    sessionData: () => ({ leave: null }),
  };
}

/** Preset submission demands a login; where the configuration does not, networks are what counts. */
const NO_AUTH: Pick<ServeOptions, 'auth'> = { auth: { mechanisms: [], required: false } };

/** Where a listener listens, as the adapter takes it. */
export function listenOptions<Tls>({ host, port, path, mode, tls, proxies }: ListenerConfig, certificate: Tls | null): ListenOptions<Tls> {
  const place = path === undefined ? { host, port: port! } : { path, ...(mode === undefined ? {} : { mode: Number.parseInt(mode, 8) }) };
  return {
    ...place,
    ...(certificate === null || tls === 'off' ? {} : { tls: certificate, implicitTls: tls === 'implicit' }),
    ...(proxies.length === 0 ? {} : { proxy: { read: parseProxy, peers: proxies } }),
  };
}

/** What makes another listener of it: with any of these changed it is closed, and opened anew. */
export function placeOf({ host, port, path, mode, tls, proxies }: ListenerConfig): string {
  return JSON.stringify([host, port, path, mode, tls === 'implicit' ? tls : tls !== 'off', proxies]);
}

/** A port, and its servers: the last one takes the connections, and those before it end theirs. */
export class Door {
  readonly place: string;
  readonly listener: Listener;
  readonly #servers: Server[] = [];

  constructor(place: string, listener: Listener) {
    this.place = place;
    this.listener = listener;
  }

  get sessions(): number {
    return this.#servers.reduce((sum, server) => sum + server.connections, 0);
  }

  /** From now on connections go to a server of these options. */
  serve(options: DoorOptions, handler: Handler<Guest>): void {
    const { address, tls, proxied } = this.listener;
    const facade: Listener = {
      address,
      ...(tls === undefined ? {} : { tls }),
      ...(proxied === undefined ? {} : { proxied }),
      accept: (connected: Connected) => this.listener.accept(connected),
      // The port is the door's to close.
      close: async () => {},
    };
    const server = serveOn<Guest>(facade, options, handler);
    const gone = this.#servers.filter(({ connections, lingering }) => connections + lingering === 0);
    for (const one of gone) {
      this.#servers.splice(this.#servers.indexOf(one), 1);
      void one.close();
    }
    this.#servers.push(server);
  }

  async close(now = false): Promise<void> {
    const closing = this.listener.close();
    await Promise.all(this.#servers.map((server) => server.close({ now })));
    await closing;
  }
}
