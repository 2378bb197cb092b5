// Destinations, connections and transactions: what goes where, over how many sessions, in which order.

import type { Active } from './active.ts';
import { hasRoomFor, type Part, partsFor, transactionOf } from './batch.ts';
import { type Arrivals, Connector, type Opening } from './connector.ts';
import { alarm, type Context, setAlarm } from './context.ts';
import { tlsWish } from './demand.ts';
import { Destination, type Session, type Walk, type Way } from './destination.ts';
import type { Opened, Outcomes } from './fact.ts';
import type { EpochMs, Said } from './job.ts';
import { type Decision, decide, due, failed } from './outcome.ts';
import type { OrderId } from './records.ts';
import { saidStep } from './rest.ts';
import { byTime } from './retry.ts';
import { expiryOf } from './settings.ts';
import { alike, type Settlement } from './settler.ts';
import { limitsOf, misfitOf, misfitOfRecipient, mostOctets } from './transaction.ts';
import { worst } from './walk.ts';
import { Ways } from './ways.ts';

/** Who commits what was decided of a job. */
export type Settle = (active: Active, settlement: Settlement) => void;

export class Traffic implements Arrivals {
  readonly #context: Context;
  readonly #settle: Settle;
  readonly #destinations = new Map<string, Destination>();
  readonly #sessions = new Map<OrderId, Session>();
  readonly #connector: Connector;
  readonly #ways: Ways;

  constructor(context: Context, settle: Settle) {
    this.#context = context;
    this.#settle = settle;
    this.#ways = new Ways(context.settings);
    this.#connector = new Connector(context, this);
  }

  /** A job that has its route, and something to be sent. */
  enter(active: Active): void {
    const way = this.#ways.of(active);
    for (const host of way.left) active.step(this.#context.now, 'sts-skips', { host });
    if (way.hosts.length === 0) {
      this.#noHost(active, way);
      return;
    }
    const { first } = this.#context.settings.sessions;
    const known = this.#destinations.get(way.key);
    const destination = known ?? new Destination(way, active.job.domain, tlsWish(active.message), first);
    if (known === undefined) this.#destinations.set(way.key, destination);
    destination.way = way;
    active.stage = 'ready';
    destination.add(active);
    this.pump(destination);
  }

  /** A session has ended; of one with a transaction the outcomes come first. */
  closed(id: OrderId): boolean {
    const session = this.#sessions.get(id);
    if (session === undefined) return false;
    if (session.destination.idle.includes(session)) this.#drop(session);
    else session.isGone = true;
    return true;
  }

  /** RFC 5321 5.1: no host is left that may be tried. */
  #noHost(active: Active, { left, policy }: Way): void {
    const { now, ledger } = this.#context;
    // RFC 8460 4.3: a host that the policy does not name is a failure of it, though no session was begun.
    for (const host of policy.type === 'sts' ? left : [])
      ledger.add({ at: now, domain: active.job.domain, ...policy, host, address: '', result: 'validation-failure' });
    // RFC 8689 4.2.1: "MUST NOT transmit", 5.7.10. RFC 8461 5: what a policy forbids is for later.
    const isRequired = tlsWish(active.message) === 'required';
    const said: Said = { at: now, status: isRequired ? '5.7.10' : '4.7.5', category: 'tls' };
    const decisions = active.left.map((index) => {
      const { said: met, orElse } = active.parting.get(index) ?? { said, orElse: isRequired ? 'failed' : 'due' };
      return withoutHost(active, index, met, orElse);
    });
    this.#settle(active, { decisions, counts: true });
  }

  /** Gives work to what is idle, and opens what may be opened. */
  pump(destination: Destination): void {
    const { waiting, idle } = destination;
    while (waiting.size > 0 && idle.length > 0) this.#feed(idle[0]!);
    while (waiting.size > destination.walks && destination.sessions + destination.walks < destination.limit) {
      const begun = this.#connector.begin(destination);
      if (typeof begun === 'number' && destination.sessions === 0 && destination.walks === 0) this.#postpone(destination, begun);
      if (begun !== 'begun') break;
    }
    if (destination.isUnused && this.#destinations.get(destination.way.key) === destination) this.#destinations.delete(destination.way.key);
  }

  opened({ destination, walk, entrance, began }: Opening, { to: id, extensions }: Opened): void {
    const { now: opened } = this.#context;
    const { host, place } = walk.list[walk.at]!;
    const limits = limitsOf(extensions);
    const session: Session = {
      id,
      destination,
      host,
      place,
      entrance,
      began,
      extensions,
      limits,
      most: mostOctets(extensions),
      opened,
      messages: 0,
      isProven: false,
      domains: limits[2] === Number.POSITIVE_INFINITY ? null : new Set(),
      isGone: false,
      alarm: alarm(() => this.#close(session)),
    };
    this.#sessions.set(id, session);
    destination.sessions++;
    this.#rest(session);
    this.pump(destination);
  }

  /** RFC 5321 4.5.4.1: a host that is known to be unreachable is not tried; it is no try of the message. */
  #postpone(destination: Destination, until: EpochMs): void {
    const { now, hosts, settings } = this.#context;
    const places = destination.way.hosts.flatMap(({ places: all }) => all.map(({ key }) => hosts.known(key)));
    const { triedAt: tried, met } = places.reduce((a, b) => (b.triedAt > a.triedAt ? b : a));
    for (const active of [...destination.waiting]) {
      destination.remove(active);
      active.step(now, 'host-dead', { until });
      // A connection for another job counts for this one, too, if it was begun since its try began, or since it has expired: what was dead then
      // this one would not have tried either.
      const isTry = tried >= active.started;
      if (isTry || tried >= expiryOf(settings, active.message)) this.#settle(active, alike(active, met!, isTry ? 'due' : 'expired'));
      else {
        // Recipients that were not tried yet get this as the reason.
        const decisions = active.left.flatMap((index) => (active.job.recipients[index]!.last ? [] : due(index, met!, 'now')));
        this.#settle(active, { decisions, due: byTime(active.message, until, now) });
      }
    }
  }

  exhausted(destination: Destination, walk: Walk): void {
    this.#slow(destination);
    if (destination.sessions > 0 || destination.walks > 0) return;
    const { stage, permanent, said: met } = worst(walk);
    // RFC 8689 4.2.1: a sender that requires TLS is told if there is none.
    const isUnsafe = destination.wish === 'required' && stage === 'tls';
    const said: Said = isUnsafe ? { ...met, status: '5.7.10' } : met;
    for (const active of [...destination.waiting]) {
      destination.remove(active);
      // RFC 5321 5.1: another host may have said that it takes a recipient later.
      const decisions = active.left.map((index) => {
        const parting = active.parting.get(index);
        if (parting?.orElse === 'due') return due(index, parting.said, 'later');
        return withoutHost(active, index, said, permanent || isUnsafe ? 'failed' : 'due');
      });
      this.#settle(active, { decisions, counts: true });
    }
    this.pump(destination);
  }

  /** Begins the next transaction of a session that is idle, or leaves it so. */
  #feed(session: Session): void {
    const { destination, extensions, limits } = session;
    const { now, settings } = this.#context;
    const { messages, age } = settings.session;
    // RFC 9422 4.1: what a session is good for.
    if (session.messages >= Math.min(messages, limits[0]!) || now - session.opened >= age) {
      this.#close(session);
      return;
    }
    for (let active = destination.waiting.first; active !== undefined; active = destination.waiting.first) {
      // RFC 9422 4.3. Each job is asked, also one after a job that this host can't take.
      if (!hasRoomFor(session, active.job.domain)) {
        this.#close(session);
        return;
      }
      const misfit = misfitOf(active.message, session, destination.wish, now);
      const parts = misfit === null ? partsFor(active, session, settings) : [];
      if (parts.length > 0) {
        this.#send(session, parts);
        return;
      }
      destination.remove(active);
      const { host } = session.host;
      const parting = new Map<number, { said: Said; orElse: 'failed' }>();
      for (const index of active.left) {
        const { status, category } = misfit ?? misfitOfRecipient(active.job.recipients[index]!, extensions)!;
        parting.set(index, { said: { at: now, status, category, host }, orElse: 'failed' });
        active.step(now, 'fits-not', { host, category }, index);
      }
      if (misfit?.category === 'deliver-by') this.#settle(active, alike(active, parting.values().next().value!.said, 'failed'));
      else this.#moveOn(active, host, parting);
      // What follows from that may have given the session work, or ended it.
      if (!destination.idle.includes(session)) return;
    }
  }

  /** RFC 5321 5.1: to the other hosts of the list. */
  #moveOn(active: Active, host: string, parting: Active['parting']): void {
    active.skipped = new Set([...active.skipped, host]);
    active.parting = new Map([...active.parting, ...parting]);
    active.step(this.#context.now, 'moves-on', { host });
    this.enter(active);
  }

  #send(session: Session, parts: readonly Part[]): void {
    const { orders, alarms, now } = this.#context;
    const { destination, extensions } = session;
    alarms.remove(session.alarm);
    take(destination.idle, session);
    const begins = parts.map((part) => {
      const { active, indexes } = part;
      destination.remove(active);
      const attempt = ++active.attempt;
      active.stage = 'sending';
      active.step(now, 'begins', { host: session.host.host, attempt, recipients: indexes.length });
      const begin = orders.ask({ type: 'begin', job: active.id, attempt, recipients: indexes }, ['begun'], ({ result }) => {
        part.begun = result;
        if (result === 'lost') active.isLost = true;
      });
      return { job: active.id, begin };
    });
    const transaction = transactionOf(parts, extensions, now);
    orders.ask({ type: 'send', session: session.id, parts: begins, transaction }, ['outcomes'], (fact) =>
      this.#outcomes(session, parts, fact),
    );
  }

  #outcomes(session: Session, parts: readonly Part[], { outcomes, open }: Outcomes): void {
    const { destination, host, place, extensions } = session;
    const { now, hosts, settings } = this.#context;
    session.messages++;
    const accepted = outcomes.filter(({ status }) => status === 'accepted').length;
    if (accepted > 0) destination.limit = Math.min(destination.limit + 1, settings.sessions.most);
    let at = 0;
    let isSlow = false;
    let isVain = true;
    const all = parts.map((part): readonly [Part, readonly Decision[]] => {
      const { active, indexes } = part;
      const where = { now, host: host.host, protocol: host.protocol, extensions, message: active.message, settings };
      const decisions = indexes.map((index) => this.#judge(active, host.host, decide(index, outcomes[at++] ?? LOST, where), accepted));
      if (decisions.some(({ next }) => next === 'now') && accepted > 0) destination.room = accepted;
      isSlow ||= decisions.some(({ slow }) => slow);
      isVain &&= decisions.every(({ state, said: { category } }) => state === 'due' && category !== 'again');
      return [part, decisions];
    });
    const isOpen = open && !session.isGone;
    if (isSlow || (!isOpen && accepted === 0)) this.#slow(destination);
    // What the queue could not write down was not sent: that is no fault of the host.
    const isKept = parts.some(({ begun }) => begun === 'failed' || begun === 'lost');
    // RFC 5321 4.5.4.1: a host that ends a session without a final outcome of its first transaction is not connected to again at once.
    if (!session.isProven) {
      session.isProven = !isVain || isKept || isOpen;
      // Its reply is about one message: the senders of others see only the status.
      const { reply: _, ...met } = all[0]![1][0]!.said;
      if (session.isProven) hosts.reached(place.key, session.began);
      else hosts.failed(place.key, session.began, met, settings.dead, true);
    }
    for (const [{ active, begun }, decisions] of all) {
      // What the server has said counts, whichever of the two is known first.
      const said = isKept ? decisions.filter(({ state, said: { reply } }) => state !== 'due' || reply !== undefined) : decisions;
      const due = now + (begun === 'failed' ? settings.commit : 0);
      this.#settle(active, said.length < decisions.length ? { decisions: said, due } : { decisions });
    }
    if (!isOpen) this.#drop(session);
    else {
      this.#rest(session);
      this.pump(destination);
    }
  }

  /** A decision with what is left to be tried: another host if there is one, at once if that does any good. */
  #judge(active: Active, host: string, decision: Decision, accepted: number): Decision {
    const { index, said, next, orElse } = decision;
    const { what, detail } = saidStep(said, index, host);
    active.step(this.#context.now, what, detail, index);
    // RFC 5321 4.5.3.1.10: the rest at once, if some were taken; else there is no end to it.
    if (next === 'now') return accepted > 0 ? decision : { ...decision, next: 'later' };
    if (next !== 'host') return decision;
    const skipped = new Set([...active.skipped, host]);
    const hasOther = this.#ways.of(active, skipped).hosts.length > 0;
    if (!hasOther) return orElse === 'failed' ? withoutHost(active, index, said, orElse) : { ...decision, next: 'later' };
    active.skipped = skipped;
    active.parting = new Map([...active.parting, [index, { said, orElse }]]);
    return decision;
  }

  /** Idle, until it is given something or has been for too long. */
  #rest(session: Session): void {
    session.destination.idle.push(session);
    setAlarm(this.#context, session.alarm, this.#context.now + this.#context.settings.session.idle);
  }

  #close(session: Session): void {
    this.#context.orders.say({ type: 'close', session: session.id });
    this.#drop(session);
  }

  #drop(session: Session): void {
    const { destination, entrance } = session;
    if (!this.#sessions.delete(session.id)) return;
    this.#context.alarms.remove(session.alarm);
    destination.sessions--;
    take(destination.idle, session);
    this.#connector.ended(entrance);
    this.pump(destination);
  }

  #slow(destination: Destination): void {
    destination.limit = Math.max(1, Math.floor(destination.limit / 2));
  }
}

/** What becomes of a recipient where no host is left: it fails only if every host of the route is known (RFC 5321 5.1). */
function withoutHost({ route, message }: Active, index: number, said: Said, orElse: 'failed' | 'due'): Decision {
  const isAsked = tlsWish(message) === 'optional' || route!.hosts.every(({ dane }) => dane.state !== 'failed');
  return orElse === 'failed' && route!.isWhole && isAsked ? failed(index, said) : due(index, said, 'later');
}

/** Takes one out of a list. */
function take<T>(list: T[], one: T): void {
  const at = list.indexOf(one);
  if (at >= 0) list.splice(at, 1);
}

/** An outcome that was not told. */
const LOST = { status: 'unsent', stage: 'mail', cause: 'lost', reply: null } as const;
