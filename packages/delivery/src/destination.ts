import type { Active } from './active.ts';
import type { Alarm } from './context.ts';
import type { Entrance } from './entrances.ts';
import { Heap } from './heap.ts';
import type { Place } from './hosts.ts';
import type { EpochMs, Said } from './job.ts';
import { entryOf } from './maps.ts';
import type { OrderId } from './records.ts';
import type { DomainRoute, RoutedHost } from './route.ts';
import type { TlsDemand } from './tls-demand.ts';
import type { Offer } from './transaction.ts';

/** A host, and what TLS it has to have. */
export interface DemandedHost extends RoutedHost {
  readonly demand: TlsDemand;
  /** One for each address. */
  readonly places: readonly Place[];
}

/** What TLS reports say of a policy. */
export interface PolicyFacts {
  readonly type: 'tlsa' | 'sts' | 'no-policy-found';
  readonly lines: readonly string[];
  readonly mxHosts: readonly string[];
}

/** Where mail of one kind goes by a route. */
export interface Way {
  readonly route: DomainRoute;
  /** All that a session is chosen by. */
  readonly key: string;
  readonly hosts: readonly DemandedHost[];
  /** Hosts that are left out: neither DNSSEC nor a policy proves their identity. */
  readonly left: readonly string[];
  readonly policy: PolicyFacts;
}

/** The hosts of one or more domains, with what waits for them: jobs that may go over the same sessions. */
export class Destination {
  /** The domain by which it came into being. */
  readonly domain: string;
  readonly wish: 'required' | 'default' | 'optional';
  /** As the newest route has it, with the same key. */
  way: Way;
  /** By priority (RFC 6710), then by when they were due; in the end by name, so that it makes no difference which answer came first. */
  readonly waiting: Heap<Active> = new Heap(isBefore);
  /** What waits by its envelope; null: so little waits that it is looked through. */
  #alike: Map<string, Set<Active>> | null = null;
  /** How many sessions there are, and walks that may become one. */
  sessions = 0;
  walks = 0;
  /** Walks that go on when there is room for a session again. */
  readonly halted: Walk[] = [];
  /** Sessions without a transaction, the longest idle first. */
  readonly idle: Session[] = [];
  /** Sessions that there may be. */
  limit: number;
  /** Recipients of one transaction, as the hosts have shown. */
  room: number = Number.POSITIVE_INFINITY;
  /** Walks so far. */
  count = 0;

  constructor(way: Way, domain: string, wish: Destination['wish'], limit: number) {
    this.domain = domain;
    this.wish = wish;
    this.way = way;
    this.limit = limit;
  }

  add(active: Active): void {
    active.queue = this;
    this.waiting.put(active);
    if (this.#alike !== null) index(this.#alike, active);
    else if (this.waiting.size > FEW) {
      this.#alike = new Map();
      for (const one of this.waiting) index(this.#alike, one);
    }
  }

  remove(active: Active): void {
    active.queue = null;
    this.waiting.remove(active);
    const same = this.#alike?.get(active.envelope);
    same?.delete(active);
    if (same?.size === 0) this.#alike?.delete(active.envelope);
    if (this.waiting.size > 0) return;
    this.#alike = null;
    this.halted.length = 0;
  }

  /** It, and those of the same message that wait, too (RFC 5321 4.5.4.1: one copy for all at the same host). */
  alike(active: Active): readonly Active[] {
    if (this.waiting.size === 1) return [active];
    const all = this.#alike?.get(active.envelope) ?? [...this.waiting].filter(({ envelope }) => envelope === active.envelope);
    return [...all].sort((a, b) => (a === active || (b !== active && a.id < b.id) ? -1 : 1));
  }

  get isUnused(): boolean {
    return this.waiting.size === 0 && this.sessions === 0 && this.walks === 0;
  }
}

/** Ours: so many are looked through. */
const FEW = 16;

function index(alike: Map<string, Set<Active>>, active: Active): void {
  entryOf(alike, active.envelope, () => new Set<Active>()).add(active);
}

function isBefore(a: Active, b: Active): boolean {
  const urgent = (b.message.priority ?? 0) - (a.message.priority ?? 0);
  if (urgent !== 0) return urgent < 0;
  return a.due === b.due ? a.id < b.id : a.due < b.due;
}

/** One way through the addresses of a destination, from the best on. */
export interface Walk {
  readonly list: readonly { readonly host: DemandedHost; readonly place: Place }[];
  /** Whether every address of every host is in it. */
  readonly isWhole: boolean;
  at: number;
  /** What was met on the way. */
  readonly troubles: Trouble[];
}

export interface Trouble {
  readonly stage: string;
  readonly permanent: boolean;
  readonly said: Said & { readonly host: string };
}

export interface Session extends Offer {
  readonly id: OrderId;
  readonly destination: Destination;
  readonly host: DemandedHost;
  readonly place: Place;
  readonly entrance: Entrance<Destination>;
  /** When its connection was begun. */
  readonly began: EpochMs;
  /** What they say of `limitsOf`. */
  readonly limits: readonly number[];
  readonly opened: EpochMs;
  messages: number;
  /** A transaction had a final outcome, or the session stayed open after one: how it ends later says nothing of the host. */
  isProven: boolean;
  /** Of recipients so far (RFC 9422 4.3); null: the server does not limit them. */
  readonly domains: Set<string> | null;
  /** It has ended, and its transaction is not answered yet. */
  isGone: boolean;
  /** When it has been idle for too long. */
  readonly alarm: Alarm;
}
