// What a configuration allows to which clients: as sentences, and as attempts.

import type { ListenerConfig, RelayConfig } from '../config/config.ts';
import type { RelayTls } from '../front/doors.ts';
import type { FrontMeans } from '../front/front.ts';
import { Guests } from '../front/guests.ts';
import { Memory } from '../front/holding.ts';
import { inNetworks } from '../front/networks.ts';
import type { Policy } from '../front/policy.ts';
import { load, type RelayRuntime } from '../runtime.ts';
import { Stage } from './conversation.ts';
import { sentencesOf } from './sentences.ts';
import { tricksOf } from './tricks.ts';

/** A way to relay that was tried. */
export interface Attempt {
  readonly listener: string;
  /** The address that the client had. */
  readonly client: string;
  /** What was tried. */
  readonly name: string;
  readonly rcpt: string;
  /** What RCPT, or a command before it, was answered; empty: the connection was closed. */
  readonly reply: string;
  /** It would have been passed on. */
  readonly taken: boolean;
}

/** What came of it. */
export interface RelayCheck {
  readonly sentences: readonly string[];
  readonly attempts: readonly Attempt[];
  /** What is open, and not by a name: each a sentence. */
  readonly open: readonly string[];
}

/** Addresses all over the world, and this machine: none of them may relay but those that are named. */
const STRANGERS = [
  '192.0.2.77',
  '198.51.100.77',
  '203.0.113.77',
  '1.1.1.1',
  '8.8.8.8',
  '45.33.32.156',
  '91.198.174.192',
  '130.89.1.1',
  '151.101.1.1',
  '185.15.59.224',
  '2001:db8::77',
  '2606:4700::1111',
  '2a00:1450::77',
];
const HERE = ['127.0.0.1', '::1'];
/** The address of this host, for addresses that have it. */
const LOCAL = '192.0.2.25';

/**
 * Reads all files of a configuration, lists what it allows to which clients, and tries to relay mail as an unknown client, against its own front and
 * without a network. Opens neither a port nor the queue. Throws as `startRelay` does.
 */
export async function checkRelay<Tls extends RelayTls>(config: RelayConfig, runtime: RelayRuntime<Tls>): Promise<RelayCheck> {
  const { policy, auth } = await load(config, runtime);
  const means: FrontMeans = {
    queue: { put: async () => Promise.reject(new Error('nothing is sent')) },
    memory: new Memory(0),
    scratch: async () => Promise.reject(new Error('nothing is sent')),
    log: () => {},
    now: () => 0,
    newId: () => 'none',
    arrived: () => {},
    policy: () => policy,
    guests: new Guests(() => 0),
    lookUp: async () => ({ status: 'failed', security: 'indeterminate', ttl: 0 }),
  };
  const attempts: Attempt[] = [];
  for (const listener of config.listeners.filter(({ openRelay }) => !openRelay)) {
    const stage = new Stage(listener, config, auth, means, LOCAL);
    attempts.push(...(await tryAll(stage, listener, config, policy)));
    await stage.close();
  }
  const open = attempts
    .filter(({ taken }) => taken)
    .map(
      ({ listener, client, name, rcpt, reply }) =>
        `${listener} passes mail on for ${client || 'who comes by its socket'}, who is nobody to it: ${name}, RCPT TO:${rcpt} was answered ${reply}`,
    );
  const trusted = STRANGERS.filter((address) => policy.isTrusted({ address, isClient: true, identity: null }));
  const wide =
    trusted.length > STRANGERS.length / 2
      ? ['relayFrom has most of the world: that is an open relay, which only openRelay of a listener makes']
      : [];
  return { sentences: sentencesOf(policy), attempts, open: [...open, ...wide] };
}

async function tryAll(
  stage: Stage,
  listener: ListenerConfig,
  { hostname, domains, relayFrom }: RelayConfig,
  policy: Policy,
): Promise<readonly Attempt[]> {
  const isUnix = listener.path !== undefined;
  const nobody = (address: string): boolean => !policy.isTrusted({ address, isClient: true, identity: null });
  const isProxy = inNetworks([...listener.proxies, ...listener.xclient]);
  const strangers = STRANGERS.filter((address) => nobody(address) && !isProxy(address));
  const clients = isUnix
    ? ['']
    : [
        ...strangers.slice(0, 1),
        ...strangers.filter((one) => one.includes(':')).slice(0, 1),
        ...HERE.filter((one) => nobody(one) && !isProxy(one)),
      ];
  const trusted = relayFrom[0]?.split('/')[0] ?? '127.0.0.1';
  const hello = listener.kind === 'lmtp' ? 'LHLO' : 'EHLO';
  const attempts: Attempt[] = [];
  for (const us of [...domains, hostname].filter((one) => !one.startsWith('['))) {
    for (const { name, before = [], between = [], mail = '<a@stranger.example>', rcpt } of tricksOf({ us, local: LOCAL, trusted })) {
      for (const client of clients) {
        const lines = [...before, `${hello} client.example`, ...between, `MAIL FROM:${mail}`, `RCPT TO:${rcpt}`];
        const reply =
          (await stage.say(
            client,
            lines.map((line) => line.replace(/^EHLO/, hello)),
          )) ?? '';
        attempts.push({ listener: listener.name!, client, name, rcpt, reply, taken: reply.startsWith('25') });
      }
    }
  }
  return attempts;
}
