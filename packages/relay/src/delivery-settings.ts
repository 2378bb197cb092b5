// What the dispatcher is told, by the configuration.

import { type DeliverySettings, deliverySettings, type Route } from '@ehlo/delivery';
import type { RelayConfig, RouteConfig } from './config/config.ts';
import { type Directory, domainKey } from './front/directory.ts';

/** The settings of a dispatcher. */
export function settingsOf({ hostname, names, routes, delivery }: RelayConfig, directory: Directory): DeliverySettings {
  const {
    preset,
    sources,
    sessions,
    sessionsPerHost,
    sessionsPerDomain,
    expiry,
    noticeExpiry,
    delayed,
    pauses,
    allow,
    ca: _ca,
    sign: _sign,
    ...rest
  } = delivery;
  const isAddress = (name: string): boolean => /^[0-9.]+$|:/.test(name);
  return deliverySettings({
    hostname,
    preset,
    names: names.filter((name) => !isAddress(name)),
    addresses: names.filter(isAddress),
    routes: routes.map((route, i) => routeOf(route, localName(route, i))),
    expand: directory.expand,
    sources: sources.map(({ address }) => address),
    sessions: { first: 2, most: sessionsPerDomain, host: sessionsPerHost, source: sessions, total: sessions },
    ...rest,
    // What is left out is the preset's.
    ...given({ expiry, noticeExpiry, delayed, pauses, allow }),
  });
}

/** What the transport of this host is called that a route stands for. */
export function localName({ to }: RouteConfig, place: number): string {
  return `${to}-${place}`;
}

function routeOf(route: RouteConfig, name: string): Route {
  // `.example.org` stands for all below it, `*` for all; the rest is as jobs have it.
  const domains = route.domains.map((domain) => (domain === '*' ? domain : domain.replace(/[^.].*/s, domainKey)));
  switch (route.to) {
    case 'mx':
      return { domains, hosts: [] };
    case 'host':
      return { domains, hosts: route.hosts.map((host) => ({ host, port: route.port, tls: route.tls })) };
    case 'lmtp':
      if (route.path !== undefined) return { domains, hosts: [{ host: name, protocol: 'local' }] };
      return { domains, hosts: [{ host: route.host, port: route.port, protocol: 'lmtp', tls: 'clear' }] };
    default:
      return { domains, hosts: [{ host: name, protocol: 'local' }] };
  }
}

/** Those that are there. */
function given<T extends object>(values: T): { [name in keyof T]?: NonNullable<T[name]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [name in keyof T]?: NonNullable<T[name]>;
  };
}
