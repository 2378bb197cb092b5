import { Active } from './active.ts';
import { Chance } from './chance.ts';
import { applyChange, isAcceptance, isOver } from './change.ts';
import { type Alarm, alarm, type Context, setAlarm } from './context.ts';
import { tlsWish } from './demand.ts';
import type { Fact, OperatorWish } from './fact.ts';
import { Heap } from './heap.ts';
import { Held } from './held.ts';
import { HostBook } from './hosts.ts';
import type { BegunAttempt, EpochMs, Job, JobChange, JobId, Said } from './job.ts';
import { nameKey } from './names.ts';
import type { Order } from './order.ts';
import { Orders } from './orders.ts';
import { type Decision, failed, unknown } from './outcome.ts';
import { Reporter } from './reporter.ts';
import { Resolver } from './resolver.ts';
import { saidStep } from './rest.ts';
import type { DomainRoute } from './route.ts';
import type { DeliverySettings } from './settings.ts';
import { alike, changeFor, type Settlement } from './settler.ts';
import type { Step } from './step.ts';
import { PolicyBook } from './sts.ts';
import { TlsLedger } from './tls-ledger.ts';
import { Traffic } from './traffic.ts';

/** What outlives a machine, or is shared: each may be lost at the price of time. */
export interface DispatcherParts {
  readonly hosts?: HostBook;
  /** Policies that were fetched; keep them (RFC 8461 3.3). */
  readonly policies?: PolicyBook;
}

/**
 * Delivers jobs (RFC 5321 5 and 6): jobs, facts and the time go in, orders come out. It does nothing itself and keeps nothing that a crash
 * may not take. `random` is asked once.
 *
 * Give it jobs by `add`, tell it the time by `tick` before every fact and after every `deadline`, take orders until there are none, carry
 * them out in any order, and `tell` it what came of them.
 *
 * @example
 * ```ts
 * import { Dispatcher, deliverySettings, newJob } from '@ehlo/delivery';
 * const dispatcher = new Dispatcher(deliverySettings({ hostname: 'mx.example.org', sts: false }), () => 0);
 * dispatcher.tick(0);
 * const message = { id: 'm', reversePath: 'ann@example.org', arrived: 0, size: 0 };
 * dispatcher.add(newJob('j', message, 'example.net', [{ address: 'joe@example.net' }]));
 * dispatcher.nextOrder()
 * // → { type: 'lookup', name: 'example.net', rr: 'MX', id: 1 }
 * ```
 */
export class Dispatcher {
  readonly #context: Context;
  readonly #resolver: Resolver;
  readonly #traffic: Traffic;
  readonly #reporter: Reporter;
  readonly #held = new Map<JobId, Held>();

  constructor(
    settings: DeliverySettings,
    random: () => number,
    { hosts = new HostBook(), policies = new PolicyBook() }: DispatcherParts = {},
  ) {
    this.#context = {
      settings,
      orders: new Orders(),
      hosts,
      policies,
      ledger: new TlsLedger(),
      chance: new Chance(random),
      alarms: new Heap((a, b) => a.at < b.at),
      now: 0,
    };
    this.#resolver = new Resolver(this.#context);
    this.#reporter = new Reporter(this.#context);
    this.#traffic = new Traffic(this.#context, (active, settlement) => this.#settle(active, settlement));
  }

  /** Takes a job, new or from the queue: the same. False: the machine has it already. A job that is held is dropped at once. */
  add(job: Job): boolean {
    if (this.#held.has(job.id)) return false;
    const held = new Held(job);
    this.#held.set(job.id, held);
    if (job.held === true || isOver(job)) this.#drop(held);
    else if (job.due > this.#context.now) this.#sleep(held, job.due);
    else setAlarm(this.#context, held, job.due);
    return true;
  }

  /** The time, by the wall clock. Going back is ignored. */
  tick(at: EpochMs): void {
    this.#context.now = Math.max(this.#context.now, at);
  }

  /** Takes a fact: the answer to an order, or an event. False: no order waits for it: it is late, a repetition, or about a job that is not here. */
  tell(fact: Fact): boolean {
    switch (fact.type) {
      case 'lost':
        return this.#lost(fact.job);
      case 'back':
        return this.#back(fact.name);
      case 'operator':
        return this.#operator(fact);
      case 'closed':
        return this.#traffic.closed(fact.to);
      default:
        return this.#context.orders.answer(fact);
    }
  }

  /** What is to be done next; null: nothing until `deadline` or the next fact. */
  nextOrder(): Order | null {
    const { orders, alarms } = this.#context;
    for (;;) {
      const order = orders.next();
      if (order !== null) return order;
      if (this.#reporter.due <= this.#context.now) this.#reporter.report();
      else if (alarms.first !== undefined && alarms.first.at <= this.#context.now) this.#ring(alarms.shift()!);
      else return null;
    }
  }

  /** When the next timer runs out; infinite where there is none. */
  get deadline(): EpochMs {
    return Math.min(this.#context.alarms.first?.at ?? Number.POSITIVE_INFINITY, this.#reporter.due);
  }

  /** Jobs that the machine has. */
  get size(): number {
    return this.#held.size;
  }

  /** Comparisons of times so far: the work of finding what is next. */
  get steps(): number {
    return this.#context.alarms.steps;
  }

  /** The facts and rules that led to where a recipient stands, oldest first: of the try that is under way, else what is known of the last. */
  why(job: JobId, recipient: number): readonly Step[] {
    const held = this.#held.get(job);
    const one = held?.job.recipients[recipient];
    if (held === undefined || one === undefined) return [];
    const { active } = held;
    const last = one.last === undefined ? [] : [saidStep(one.last, recipient)];
    if (active === null) return [...last, { at: held.at, what: 'waits', detail: { until: held.at, tries: held.job.tries ?? 0 } }];
    const own = active.steps.filter((step) => step.recipient === undefined || step.recipient === recipient);
    return [...last, ...own.slice(0, 1), ...(active.route?.steps ?? []), ...own.slice(1)].sort((a, b) => a.at - b.at);
  }

  #ring(due: Held | Alarm): void {
    if (due instanceof Held) {
      due.wake();
      this.#begin(due);
    } else due.ring();
  }

  /** A try begins. With a wish it is the last thing of it: what is committed does not give the job back. */
  #begin(held: Held, wish: Active['wish'] = null): void {
    const { now, settings } = this.#context;
    const { begun, message, due } = held.job;
    const active = new Active(held.job, now);
    active.wish = wish;
    held.active = active;
    active.step(now, 'added', { due, tries: active.tries });
    if (begun !== undefined) this.#unknown(active, begun);
    // RFC 5321 6.3: it goes round in circles.
    else if ((message.hops ?? 0) > settings.mostHops) this.#end(active, '5.4.6', 'loop');
    // A damaged message is not sent to any recipient.
    else if (message.damaged) this.#end(active, '5.3.0', 'damaged');
    // RFC 2852 4.1.3: "no further delivery attempts may be made".
    else if (message.by?.mode === 'R' && now >= message.by.until) this.#end(active, '5.4.7', 'expired');
    else if (!this.#expand(active)) this.#route(active);
  }

  /** The previous holder of the job may have sent the end of the message, and recorded no outcome (RFC 1047). */
  #unknown(active: Active, { recipients, at }: BegunAttempt): void {
    const said: Said = { at: this.#context.now, status: '4.4.2', category: 'unknown' };
    const due = recipients.filter((index) => active.left.includes(index));
    this.#settle(active, { decisions: due.map((index) => unknown(index, said, this.#context)), counts: true, began: at });
  }

  /** RFC 5321 3.9: replaces a recipient (an alias or a list) by its addresses. */
  #expand(active: Active): boolean {
    const { settings, now } = this.#context;
    let found: NonNullable<Settlement['expansions']> = [];
    for (const index of active.left) {
      const { address, itself } = active.job.recipients[index]!;
      const expansion = itself ? null : settings.expand(address);
      if (expansion !== null) found = [...found, { index, expansion }];
    }
    if (found.length === 0) return false;
    const isLoop = (active.message.expansions ?? 0) >= settings.mostExpansions;
    const [status, category] = isLoop ? ['5.4.6', 'loop'] : ['5.2.4', 'list-problem'];
    // RFC 3463 3.3: an alias without addresses can't be expanded; its sender is told.
    const vain = isLoop ? found : found.filter(({ expansion: { to } }) => to.length === 0);
    const decisions = vain.map(({ index }) => failed(index, { at: now, status, category }));
    this.#settle(active, { decisions, expansions: found.filter((one) => !vain.includes(one)), counts: vain.length > 0 });
    return true;
  }

  #route(active: Active): void {
    const { now } = this.#context;
    // RFC 2852 4.1.3: under mode N the sender is told when the time has come, though it be taken now; and it is tried.
    if (active.owesDelay(now)) return this.#settle(active, { decisions: [], due: now });
    active.stage = 'routing';
    this.#resolver.find(active.job.domain, (route) => {
      // It was lost, or an operator had a wish, while the answers were waited for.
      if (active.stage === 'routing' && !active.isOver) this.#routed(active, route);
    });
  }

  #routed(active: Active, route: DomainRoute): void {
    active.route = route;
    const { problem } = route;
    if (problem === null || (route.hosts.length > 0 && tlsWish(active.message) === 'optional')) this.#traffic.enter(active);
    else this.#end(active, problem.status, problem.category, problem.permanent ? 'failed' : 'due');
  }

  /** A try ends alike for all of them, before a host is asked. */
  #end(active: Active, status: string, category: string, state: 'failed' | 'due' = 'failed'): void {
    this.#settle(active, alike(active, { at: this.#context.now, status, category }, state));
  }

  #settle(active: Active, settlement: Settlement): void {
    const change = changeFor(active, settlement, this.#context);
    const { now } = this.#context;
    const goesOn = active.left.length > 0 && (settlement.due ?? now) <= now;
    active.stage = 'settling';
    active.isGivenBack = change.release;
    for (const { index, state, last } of change.recipients) {
      if (state !== 'due') active.step(now, 'final', { state, status: last?.status ?? '2.0.0' }, index);
    }
    for (const { content, job } of change.put) if (content !== 'same') active.step(now, 'notice', { job: job.id });
    if (change.due !== null) active.step(now, goesOn ? 'again-at-once' : 'later', { due: change.due, tries: change.tries });
    this.#commit(active, change, goesOn);
  }

  /** `goesOn`: with what is left of the try, at once. */
  #commit(active: Active, change: JobChange, goesOn: boolean): void {
    this.#context.orders.ask({ type: 'settle', job: active.id, change }, ['settled'], ({ result }) => {
      if (result === 'lost') active.isLost = true;
      // A dispatcher that has lost the job records only acceptances.
      if (result === 'failed' && (!active.isLost || change.recipients.some(isAcceptance))) {
        const again = alarm(() => this.#commit(active, change, goesOn));
        setAlarm(this.#context, again, this.#context.now + this.#context.settings.commit);
      } else this.#settled(active, change, goesOn);
    });
  }

  #settled(active: Active, change: JobChange, goesOn: boolean): void {
    if (active.isOver) return;
    const held = this.#held.get(active.id)!;
    const { wish } = active;
    active.job = applyChange(active.job, change);
    held.job = active.job;
    if (active.isLost || change.due === null || change.release) this.#drop(held);
    else if (wish !== null) {
      active.wish = null;
      this.#obey(held, wish);
    } else if (goesOn) this.#again(active);
    else this.#sleep(held, change.due);
  }

  /** What is left of a try goes on. */
  #again(active: Active): void {
    if (active.route === null) this.#route(active);
    else this.#traffic.enter(active);
  }

  #sleep(held: Held, until: EpochMs): void {
    held.sleep(until);
    setAlarm(this.#context, held, until);
  }

  #drop(held: Held): void {
    this.#context.alarms.remove(held);
    held.active = null;
    this.#held.delete(held.id);
    this.#context.orders.say({ type: 'drop', job: held.id });
  }

  /** Another has the job: what is under way comes to its end, nothing new begins. */
  #lost(job: JobId): boolean {
    const held = this.#held.get(job);
    if (held === undefined) return false;
    const { active } = held;
    if (active !== null) active.isLost = true;
    if (active === null || !active.isUnderWay) {
      active?.queue?.remove(active);
      this.#drop(held);
    }
    return true;
  }

  /** RFC 1985: what waits for a host, or a domain, is due. It costs a look at every job that is here. */
  #back(name: string): boolean {
    const { now } = this.#context;
    const host = nameKey(name);
    const domains = new Set([host, ...this.#resolver.domainsOf(host)]);
    for (const domain of domains) this.#resolver.revive(domain);
    let found = false;
    for (const held of this.#held.values()) {
      if (!domains.has(held.domain)) continue;
      found = true;
      if (held.active === null) setAlarm(this.#context, held, Math.min(held.at, Math.max(now, held.job.message.release ?? 0)));
    }
    return found;
  }

  #operator({ job, what }: OperatorWish): boolean {
    const held = this.#held.get(job);
    if (held === undefined) return false;
    // First the outcome of the previous holder's attempt is recorded (RFC 1047).
    if (held.active === null && held.job.begun !== undefined && what !== 'retry' && what !== 'release') {
      this.#context.alarms.remove(held);
      held.wake();
      this.#begin(held, what);
    }
    const { active } = held;
    // What the commit under way gives back is the queue's to see to.
    if (active?.isGivenBack === true) return false;
    // Nothing is held here: a release only takes back a wish that waits.
    if (active?.isUnderWay) active.wish = what === 'release' ? null : what;
    else if (what !== 'release') this.#obey(held, what);
    return true;
  }

  #obey(held: Held, what: NonNullable<Active['wish']>): void {
    const { now, alarms } = this.#context;
    const before = held.active;
    before?.queue?.remove(before);
    if (what === 'retry') {
      // An operator who asks for a retry knows more of the host than its state does.
      this.#resolver.forget(held.job.domain);
      this.#sleep(held, Math.max(now, held.job.message.release ?? 0));
      return;
    }
    alarms.remove(held);
    const active = new Active(held.job, now);
    held.active = active;
    active.step(now, 'operator', { what });
    if (what === 'hold') {
      this.#settle(active, { decisions: [], due: held.job.due, held: true });
      return;
    }
    const said: Said = { at: now, status: '5.7.0', category: 'operator' };
    const bounced = alike(active, said, 'failed');
    const deleted = (one: Decision): Decision => ({ ...one, state: 'deleted', told: [] });
    this.#settle(active, what === 'bounce' ? bounced : { ...bounced, decisions: bounced.decisions.map(deleted) });
  }
}
