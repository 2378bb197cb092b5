// What is known of hosts: soft, one for each relay, and nothing is lost with it but time.

import type { EpochMs, Said } from './job.ts';
import { put } from './maps.ts';
import type { DeliverySettings } from './settings.ts';
import { shortSaid } from './short-reply.ts';

/** What is known of a place. */
export interface HostState {
  /** Not to be connected to before. */
  dead: EpochMs;
  /** When the connection was begun that has failed last; 0: there is none. */
  triedAt: EpochMs;
  /** Failures in a row. */
  failures: number;
  /** Nothing but the clear is tried before. */
  brokenTls: EpochMs;
  /** The failure that was counted last; absent: it never has failed. */
  met?: Said;
}

const UNKNOWN: HostState = { dead: 0, triedAt: 0, failures: 0, brokenTls: 0 };

/** Ours: failures in a row after which a family of addresses is tried after the other, and for how long. */
const FAMILY_FAILURES = 5;
const FAMILY_PAUSE = 10 * 60_000;

/** What a state is of: at one address there may be several servers, each at a port. */
export interface Place {
  readonly address: string;
  readonly key: string;
}

/** The places of a host. */
export function placesOf({ addresses, port }: { readonly addresses: readonly string[]; readonly port: number }): readonly Place[] {
  return addresses.map((address) => ({ address, key: `${address} ${port}` }));
}

/** States of places (RFC 5321 4.5.4.1: "a list of hosts it cannot reach"), kept apart from those of messages. */
export class HostBook {
  readonly #hosts = new Map<string, HostState>();
  readonly #families = { ipv4: { failures: 0, until: 0 }, ipv6: { failures: 0, until: 0 } };
  readonly #most: number;

  /** `most`: hosts that are remembered; the one that was met first is forgotten. */
  constructor(most = 100_000) {
    this.#most = most;
  }

  /** What is known of a place. */
  known(place: string): Readonly<HostState> {
    return this.#hosts.get(place) ?? UNKNOWN;
  }

  /**
   * A connection that was begun at this time has failed. The pause doubles each time; connections that were begun before a failure was known
   * fail for the same reason, and count once. `isReached`: the connection was made, but ended by the host before anything was done; that says nothing of the address family.
   */
  failed(place: string, began: EpochMs, met: Said, { first, most }: DeliverySettings['dead'], isReached = false): void {
    const state = this.#state(place);
    state.triedAt = Math.max(state.triedAt, began);
    if (began <= (state.met?.at ?? -1)) return;
    state.met = shortSaid(met);
    state.dead = met.at + Math.min(first * 2 ** state.failures, most);
    state.failures = Math.min(state.failures + 1, 30);
    const family = this.#families[familyOf(place)];
    if (!isReached && ++family.failures >= FAMILY_FAILURES) family.until = met.at + FAMILY_PAUSE;
  }

  /** A session whose connection was begun at this time works. A failure that was met after that time still counts. */
  reached(place: string, began: EpochMs): void {
    const state = this.#hosts.get(place);
    if (state !== undefined && began > (state.met?.at ?? -1)) state.dead = state.failures = 0;
    const family = this.#families[familyOf(place)];
    family.failures = family.until = 0;
  }

  /** RFC 7435 3: TLS that was offered has failed, and it is not required. */
  tlsFailed(place: string, until: EpochMs): void {
    this.#state(place).brokenTls = until;
  }

  /** An operator says that it is reachable again. */
  forget(place: string): void {
    this.#hosts.delete(place);
  }

  /** The places; those of a family that fails come after the others. */
  inOrder(places: readonly Place[], now: EpochMs): readonly Place[] {
    const { ipv4, ipv6 } = this.#families;
    if (now >= ipv4.until && now >= ipv6.until) return places;
    const late = ({ address }: Place): boolean => now < this.#families[familyOf(address)].until;
    return [...places.filter((one) => !late(one)), ...places.filter(late)];
  }

  #state(place: string): HostState {
    return this.#hosts.get(place) ?? put(this.#hosts, place, { ...UNKNOWN }, this.#most);
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}
