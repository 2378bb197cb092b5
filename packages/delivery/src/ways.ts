// Where mail of one kind goes by a route: to which of its hosts, and what TLS each has to have.

import type { Active } from './active.ts';
import { demandOf, tlsWish } from './demand.ts';
import type { DemandedHost, Destination, Way } from './destination.ts';
import { placesOf } from './hosts.ts';
import { put } from './maps.ts';
import type { DomainRoute } from './route.ts';
import type { DeliverySettings } from './settings.ts';
import { policyFacts } from './walk.ts';

/** Ours: ways that are kept. */
const MOST = 50_000;

export class Ways {
  readonly #settings: DeliverySettings;
  readonly #kept: { readonly [wish in Destination['wish']]: Map<string, Way> } = {
    required: new Map(),
    default: new Map(),
    optional: new Map(),
  };

  constructor(settings: DeliverySettings) {
    this.#settings = settings;
  }

  /** The hosts of a job's route that its mail may go to, but those that were left for others. */
  of({ route, message, skipped: left }: Active, skipped: ReadonlySet<string> = left): Way {
    const wish = tlsWish(message);
    if (skipped.size > 0) return this.#newWay(route!, wish, skipped);
    // As long as the route is the same, so is this.
    const kept = this.#kept[wish];
    const known = kept.get(route!.domain);
    if (known?.route === route) return known;
    return put(kept, route!.domain, this.#newWay(route!, wish, skipped), MOST);
  }

  #newWay(route: DomainRoute, wish: Destination['wish'], skipped: ReadonlySet<string>): Way {
    const hosts: DemandedHost[] = [];
    const left: string[] = [];
    for (const host of route.hosts) {
      const demand = demandOf(host, route, wish, this.#settings);
      if (demand === null && host.dane.state !== 'failed') left.push(host.host);
      if (demand !== null && !skipped.has(host.host)) hosts.push({ ...host, demand, places: placesOf(host) });
    }
    return { route, key: [wish, ...hosts.map(keyOf)].join(' '), hosts, left, policy: policyFacts(route) };
  }
}

/** All that a session is chosen by. */
function keyOf({ preference, host, port, protocol, demand }: DemandedHost): string {
  const { mode, names, tlsa, testing, requireTls } = demand;
  const records = tlsa.map(({ usage, selector, matching, data }) => `${usage}.${selector}.${matching}.${data}`);
  return [preference, host, port, protocol, mode, testing, requireTls, names.join(), records.join()].join('/');
}
