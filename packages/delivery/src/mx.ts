// The hosts of a domain in their order (RFC 5321 5.1).

import { octetsOf } from './address-class.ts';
import { isAmong, nameKey } from './names.ts';
import type { Mx } from './records.ts';
import type { DeliverySettings, Route } from './settings.ts';

/** A host of a domain, before its addresses are known. */
export interface MxHost {
  readonly preference: number;
  /** In small letters. */
  readonly host: string;
}

/** What an MX list says. */
export interface MxList {
  /** The best first; those of one preference in the order in which they came. */
  readonly hosts: readonly MxHost[];
  /** RFC 7505: `0 .` alone. */
  readonly isNull: boolean;
  /** What was odd: an exchange that is none, or an address. */
  readonly odd: readonly ('null-mx-ignored' | 'mx-is-address')[];
}

/**
 * Sorts an MX list. RFC 7505 3: `.` says that the domain takes no mail, if it stands alone; beside others it is nothing. RFC 5321 5.1: an
 * exchange is a name, so an address in its place is left out, and told.
 *
 * @example
 * ```ts
 * import { readMx } from '@ehlo/delivery';
 * readMx([{ preference: 20, exchange: 'B.example' }, { preference: 10, exchange: 'a.example' }]).hosts.map(({ host }) => host)
 * // → ['a.example', 'b.example']
 * ```
 */
export function readMx(records: readonly Mx[]): MxList {
  const odd: MxList['odd'][number][] = [];
  const hosts: MxHost[] = [];
  for (const { preference, exchange } of records) {
    const host = nameKey(exchange);
    if (host === '') odd.push('null-mx-ignored');
    else if (octetsOf(host) !== null) odd.push('mx-is-address');
    else hosts.push({ preference, host });
  }
  const isNull = records.length > 0 && records.every(({ exchange }) => exchange === '' || exchange === '.');
  return { hosts: hosts.length < 2 ? hosts : inOrder(hosts), isNull, odd: isNull ? [] : odd };
}

/** Each once, the best first. */
function inOrder(hosts: readonly MxHost[]): readonly MxHost[] {
  const distinct = new Map(hosts.map((one) => [`${one.preference} ${one.host}`, one]));
  return [...distinct.values()].sort((a, b) => a.preference - b.preference);
}

/** Whether a name is one by which this host may stand in an MX list. */
export function isOwnName(name: string, { hostname, names }: DeliverySettings): boolean {
  const host = nameKey(name);
  return nameKey(hostname) === host || names.some((one) => nameKey(one) === host);
}

/**
 * Leaves out this host and all that are not better (RFC 5321 5.1: "MUST discard"), so that mail does not come back.
 *
 * @example
 * ```ts
 * import { withoutSelf } from '@ehlo/delivery';
 * withoutSelf([{ preference: 5, host: 'a' }, { preference: 10, host: 'me' }, { preference: 10, host: 'b' }], ({ host }) => host === 'me')
 * // → [{ preference: 5, host: 'a' }]
 * ```
 */
export function withoutSelf<T extends MxHost>(hosts: readonly T[], isSelf: (host: T) => boolean): readonly T[] {
  let own = Number.POSITIVE_INFINITY;
  for (const host of hosts) if (host.preference < own && isSelf(host)) own = host.preference;
  return own === Number.POSITIVE_INFINITY ? hosts : hosts.filter(({ preference }) => preference < own);
}

/**
 * The order in which one walk tries hosts: by preference, and at random among equals (RFC 5321 5.1: "MUST randomize"). `chance` is a number for each
 * host, another for each walk.
 *
 * @example
 * ```ts
 * import { shuffleTies } from '@ehlo/delivery';
 * const hosts = [{ preference: 10, host: 'a' }, { preference: 10, host: 'b' }, { preference: 5, host: 'c' }];
 * shuffleTies(hosts, ({ host }) => (host === 'a' ? 0.9 : 0.1)).map(({ host }) => host)
 * // → ['c', 'b', 'a']
 * ```
 */
export function shuffleTies<T extends MxHost>(hosts: readonly T[], chance: (host: T) => number): readonly T[] {
  if (hosts.length < 2) return hosts;
  const drawn = hosts.map((host) => ({ host, number: chance(host) }));
  return drawn.sort((a, b) => a.host.preference - b.host.preference || a.number - b.number).map(({ host }) => host);
}

/** The static route of a domain, if there is one with hosts. */
export function staticRoute(domain: string, { routes }: DeliverySettings): Route | null {
  const found = routes.find(({ domains }) => isAmong(domain, domains));
  return found === undefined || found.hosts.length === 0 ? null : found;
}
