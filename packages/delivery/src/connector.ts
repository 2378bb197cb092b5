// Connections: the way through the addresses of a destination, one after the other (RFC 5321 5.1: never two in a race).

import type { Context } from './context.ts';
import type { Destination, Trouble, Walk } from './destination.ts';
import { type Entrance, Entrances } from './entrances.ts';
import type { Failed, Opened } from './fact.ts';
import type { EpochMs } from './job.ts';
import type { OpenOrder } from './order.ts';
import type { TlsDemand } from './tls-demand.ts';
import { isBroken, resultOf, troubleOf, walkOf } from './walk.ts';
import type { Written } from './written.ts';

/** What is done with what was opened. */
export interface Arrivals {
  opened(opening: Opening, fact: Opened): void;
  /** Every address of the walk was tried. */
  exhausted(destination: Destination, walk: Walk): void;
  /** Something may be begun there. */
  pump(destination: Destination): void;
}

/** How an `open` is answered. */
const OPENED = ['opened', 'failed'] as const;

/** One try for an address, until it is answered. */
export interface Opening {
  readonly destination: Destination;
  readonly walk: Walk;
  readonly entrance: Entrance<Destination>;
  readonly demand: TlsDemand;
  readonly began: EpochMs;
}

export class Connector {
  readonly #context: Context;
  readonly #arrivals: Arrivals;
  readonly #entrances: Entrances<Destination>;

  constructor(context: Context, arrivals: Arrivals) {
    this.#context = context;
    this.#arrivals = arrivals;
    this.#entrances = new Entrances(context.settings);
  }

  /** Begins a walk. `full`: the limit of sessions is reached; a time: no connection may be opened before it. */
  begin(destination: Destination): 'begun' | 'full' | EpochMs {
    const walk = this.#halted(destination) ?? walkOf(destination, this.#context);
    if (typeof walk === 'number') return walk;
    destination.walks++;
    if (this.#open(destination, walk)) return 'begun';
    this.#halt(destination, walk);
    return 'full';
  }

  /** A session has ended: others may have waited for that. */
  ended(entrance: Entrance<Destination>): void {
    this.#entrances.give(entrance, (destination) => this.#arrivals.pump(destination));
  }

  #open(destination: Destination, walk: Walk): boolean {
    const { orders, hosts, now } = this.#context;
    const { host, place } = walk.list[walk.at]!;
    const { address } = place;
    const entrance = this.#entrances.take(host.host, destination);
    if (entrance === null) return false;
    const isClear = host.demand.mode === 'opportunistic' && now < hosts.known(place.key).brokenTls;
    const demand: TlsDemand = isClear ? { ...host.demand, mode: 'clear', because: 'broken-before' } : host.demand;
    const opening = { destination, walk, entrance, demand, began: now };
    const target = { host: host.host, address, port: host.port, protocol: host.protocol };
    const order: Written<Omit<OpenOrder, 'id'>> = { type: 'open', target, tls: demand };
    if (entrance.source !== '') order.source = entrance.source;
    orders.ask(order, OPENED, (fact) => (fact.type === 'opened' ? this.#opened(opening, fact) : this.#failed(opening, fact)));
    destination.waiting.first?.step(now, 'connects', { host: host.host, address, tls: demand.mode, because: demand.because });
    return true;
  }

  #opened(opening: Opening, fact: Opened): void {
    const { destination, walk, demand } = opening;
    const { host } = walk.list[walk.at]!;
    this.#count(opening, fact);
    if (isBroken(fact, demand)) {
      this.#context.orders.say({ type: 'close', session: fact.to });
      this.#next(opening, troubleOf({ stage: 'tls' }, host.host, this.#context));
      return;
    }
    destination.walks--;
    this.#arrivals.opened(opening, fact);
  }

  #failed(opening: Opening, fact: Failed): void {
    const { walk, demand, began } = opening;
    const { hosts, settings, now } = this.#context;
    const { host, place } = walk.list[walk.at]!;
    const trouble = troubleOf(fact, host.host, this.#context);
    this.#count(opening, fact);
    if (fact.stage === 'tls' && demand.mode === 'opportunistic' && settings.brokenTls > 0) {
      // RFC 7435 3: what nothing demands is done without.
      hosts.tlsFailed(place.key, now + settings.brokenTls);
      this.#next(opening, trouble, true);
      return;
    }
    // TLS that is demanded by one policy says nothing of the host for another.
    if (fact.stage !== 'tls' && fact.stage !== 'auth') hosts.failed(place.key, began, trouble.said, settings.dead);
    this.#next(opening, trouble);
  }

  /** The next address, or the same once more; with none left the walk has failed. */
  #next({ destination, walk, entrance }: Opening, trouble: Trouble, isSame = false): void {
    const { host, status } = trouble.said;
    if (!isSame) {
      walk.troubles.push(trouble);
      walk.at++;
    }
    this.ended(entrance);
    const { first } = destination.waiting;
    first?.step(this.#context.now, 'not-reached', { host, stage: trouble.stage, status });
    const isExhausted = walk.at >= walk.list.length;
    if (first !== undefined && !isExhausted && this.#open(destination, walk)) return;
    if (first !== undefined && !isExhausted) this.#halt(destination, walk);
    else destination.walks--;
    if (first !== undefined && isExhausted) this.#arrivals.exhausted(destination, walk);
    else this.#arrivals.pump(destination);
  }

  /** A walk that goes on; null: there is none, or its next place is not to be connected to any more. */
  #halted(destination: Destination): Walk | null {
    const walk = destination.halted.pop();
    if (walk === undefined) return null;
    return this.#context.hosts.known(walk.list[walk.at]!.place.key).dead > this.#context.now ? null : walk;
  }

  /** Others have the room that it needs. One that has met something goes on from there: else its first host could be tried without end. */
  #halt(destination: Destination, walk: Walk): void {
    destination.walks--;
    if (walk.troubles.length > 0 && destination.waiting.size > 0) destination.halted.push(walk);
  }

  /** RFC 8460: what is counted of each session; mail that asks for no TLS, and the reports themselves, are not. */
  #count({ destination, walk, demand }: Opening, fact: Opened | Failed): void {
    const result = resultOf(fact, demand);
    if (result === 'not-counted' || demand.mode === 'clear' || destination.wish === 'optional') return;
    const { host, place } = walk.list[walk.at]!;
    const { domain, way } = destination;
    const { type, lines, mxHosts } = way.policy;
    this.#context.ledger.add({ at: this.#context.now, domain, type, lines, mxHosts, host: host.host, address: place.address, result });
  }
}
