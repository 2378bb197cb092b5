// What `ehlo relay` gives to a relay: the adapter of this runtime, users, queues, and the way out.

import { X509Certificate } from 'node:crypto';
import {
  ConfigError,
  localName,
  MemoryQueue,
  type OpenQueue,
  type QueueConfig,
  type RelayConfig,
  type RelayLog,
  type RelayRuntime,
  type RouteConfig,
  readNamed,
  readSecret,
  wallClock,
} from '@ehlo/relay';
import {
  command,
  httpPost,
  lmtpSocket,
  maildir,
  type OpenTransport,
  type OutboundAuth,
  type OutboundOptions,
  outbound,
} from '@ehlo/relay/outbound';
import { login, plain, SHA512, scram } from '@ehlo/sasl';
import { connect, listen, ServerTls } from '#adapter';
import { messageOf } from './error-message.ts';
import { Maildir } from './maildir.ts';
import { signModule } from './sign-module.ts';
import { usersOf } from './users.ts';

/** What a relay may be given beside. */
export interface RelayRuntimeOptions {
  /** Sockets that listen already, by the names of listeners. Node alone. */
  readonly sockets?: ReadonlyMap<string, number>;
  /** Signs each transaction, in place of the module that `delivery.sign` names. */
  readonly sign?: OutboundOptions['sign'];
}

/**
 * Everything that `ehlo relay` gives to a relay, for programs that run one by themselves: the sockets and the TLS of this runtime, users, the queue that a
 * configuration names, logins, and what its routes deliver to.
 *
 * @example
 * ```ts
 * import { readConfig, startRelay } from '@ehlo/relay';
 * import { relayLog, relayRuntime } from 'ehlo/relay';
 * const config = readConfig({
 *   hostname: 'mx.example.org',
 *   postmaster: 'ann@example.org',
 *   listeners: [{ kind: 'mx', host: '127.0.0.1', port: 0 }],
 *   domains: ['example.org'],
 *   recipients: ['ann@example.org'],
 *   routes: [{ to: 'maildir', domains: ['example.org'], folder: '/var/mail/{local}' }],
 *   queue: { kind: 'memory' },
 *   log: { level: 'error' },
 * });
 * const relay = await startRelay(config, relayRuntime(relayLog(config.log, console.log)));
 * await relay.close();
 * ```
 */
export function relayRuntime(log: RelayLog, { sockets = new Map(), sign }: RelayRuntimeOptions = {}): RelayRuntime<ServerTls> {
  return {
    listen: (options, name) => {
      const fd = sockets.get(name);
      return listen(fd === undefined ? options : { ...options, fd });
    },
    isInherited: (name) => sockets.has(name),
    tls: (certificate) => new ServerTls(certificate),
    users: usersOf,
    queue: (config) => openQueue(config, log),
    outbound: async (config, lookUp) => {
      const { hostname, delivery } = config;
      const auth = await credentialsOf(config);
      const signing = sign ?? (delivery.sign === undefined ? undefined : await signModule(delivery.sign));
      return outbound({
        connect,
        hostname,
        ...(delivery.ca === undefined ? {} : { ca: await authorities(delivery.ca) }),
        ...(signing === undefined ? {} : { sign: signing }),
        names: Object.fromEntries(delivery.sources.map(({ address, hostname: name }) => [address, name])),
        auth: ({ host, port }) => auth.get(keyOf(host, port)) ?? null,
        ...(delivery.sts ? { sts: { lookUp } } : {}),
        local: await transportsOf(config),
        failed: (error, what) => log('error', 'failed', { what, error: messageOf(error) }),
      });
    },
    log,
  };
}

async function openQueue(config: QueueConfig, log: RelayLog): Promise<OpenQueue> {
  const failed = (error: unknown): void => log('error', 'failed', { what: 'queue', error: messageOf(error) });
  switch (config.kind) {
    case 'spool': {
      const { openSpool } = await import('@ehlo/relay/spool');
      const queue = await openSpool(config.folder, { failed });
      return { queue, policies: queue.policies };
    }
    case 'postgres': {
      const { openPostgres } = await import('@ehlo/relay/postgres');
      const { url, password, schema, connections, lease } = config;
      // Asked for with each connection: it may be another one by then.
      const secret = password === undefined ? {} : { password: () => readSecret('queue.password', password) };
      const queue = await openPostgres({ url, schema, connections, lease, failed, ...secret });
      return { queue, policies: queue.policies, lease };
    }
    case 'memory':
      log('warn', 'memory-queue', { text: 'mail waits in memory, and is lost when this process ends: for trials' });
      return { queue: new MemoryQueue(wallClock) };
  }
}

/** Before a certificate in PEM. */
const CERTIFICATE = /^(?=-----BEGIN (?:TRUSTED )?CERTIFICATE-----\r?$)/m;

/** Without a certificate in it everybody would be a stranger. */
async function authorities(file: string): Promise<string> {
  const pem = await readNamed('delivery.ca', file);
  const wrong = (text: string): ConfigError => new ConfigError([{ path: 'delivery.ca', text: `delivery.ca: ${text}` }]);
  const blocks = pem.split(CERTIFICATE).filter((block) => block.startsWith('-----'));
  if (blocks.length === 0) throw wrong(`there is no certificate in ${file}; it must be in PEM`);
  for (const [i, block] of blocks.entries()) {
    try {
      new X509Certificate(block);
    } catch {
      throw wrong(`certificate ${i + 1} in ${file} can not be read`);
    }
  }
  return pem;
}

/** Who logs in where, by host and port. */
async function credentialsOf({ routes }: RelayConfig): Promise<ReadonlyMap<string, OutboundAuth>> {
  const all = new Map<string, OutboundAuth>();
  for (const [i, route] of routes.entries()) {
    if (route.to !== 'host' || route.user === undefined || route.password === undefined) continue;
    const password = await readSecret(`routes.${i}.password`, route.password);
    const auth: OutboundAuth = {
      mechanisms: [scram(SHA512), scram(), plain(), login()],
      user: route.user,
      password,
      // A host of this machine needs no TLS, and no other is asked for a password without (`routes` says so).
      ...(route.tls === 'name' ? {} : { credentials: 'cleartext' as const }),
    };
    for (const host of route.hosts) all.set(keyOf(host, route.port), auth);
  }
  return all;
}

/** What this host delivers by itself, by the names that routes have there. */
async function transportsOf({ routes }: RelayConfig): Promise<{ readonly [name: string]: OpenTransport }> {
  const all: { [name: string]: OpenTransport } = {};
  for (const [i, route] of routes.entries()) {
    const transport = await transportOf(route, `routes.${i}`);
    if (transport !== null) all[localName(route, i)] = transport;
  }
  return all;
}

async function transportOf(route: RouteConfig, path: string): Promise<OpenTransport | null> {
  switch (route.to) {
    case 'lmtp':
      return route.path === undefined ? null : lmtpSocket({ path: route.path });
    case 'maildir':
      return maildir({ path: route.folder, open: (folder) => Maildir.open(folder) });
    case 'http': {
      const { url, timeout, authorization } = route;
      const headers = authorization === undefined ? {} : { authorization: await readSecret(`${path}.authorization`, authorization) };
      return httpPost({ url, timeout, headers });
    }
    case 'command': {
      const [program, ...rest] = route.command as [string, ...string[]];
      return command({ argv: [program, ...rest], timeout: route.timeout });
    }
    default:
      return null;
  }
}

function keyOf(host: string, port: number): string {
  return `${host.toLowerCase()} ${port}`;
}
