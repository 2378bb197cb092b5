import { type KeptAnswer, keptFor, shortened } from './answer.ts';
import type { Context } from './context.ts';
import type { DnsAnswer, PolicyAnswer } from './fact.ts';
import { placesOf } from './hosts.ts';
import { put } from './maps.ts';
import type { Rr } from './records.ts';
import { type Answers, type DomainRoute, routeOf } from './route.ts';
import { type KeptPolicy, parseStsPolicy } from './sts.ts';

/** Ours: answers and routes that are kept. */
const MOST = 50_000;

/** What is known, and asked, of the records of one type at a name. */
interface Lookup {
  readonly rr: Rr;
  readonly name: string;
  /** The last answer, however old. */
  kept: KeptAnswer | null;
  /** The questions that wait for the answer; null: no query is open. */
  waiting: Question[] | null;
}

/** Null: no query yet. */
type Name = { [rr in Rr]: Lookup | null };

/** What is known of a domain. */
interface Domain {
  readonly name: string;
  route: DomainRoute | null;
  /** Null: no query. */
  question: Question | null;
}

/** A question for a route, with the answers so far. */
interface Question {
  readonly domain: Domain;
  /** What it has asked, and the answers in the same order; null: it is waited for. A look-up stays its own, also when its name is forgotten meanwhile. */
  readonly asked: Lookup[];
  readonly answers: (KeptAnswer | null)[];
  /** Answers that it waits for. */
  open: number;
  policy: KeptPolicy | null | undefined;
  readonly tell: ((route: DomainRoute) => void)[];
}

/** Finds routes by look-ups, of which none is asked twice at once, and keeps what may be kept. */
export class Resolver {
  readonly #context: Context;
  readonly #names = new Map<string, Name>();
  readonly #domains = new Map<string, Domain>();
  /** Who waits for the policy of a domain. */
  readonly #policies = new Map<string, Question[]>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** The route of a domain, now or when its answers are there. */
  find(domain: string, then: (route: DomainRoute) => void): void {
    const known = this.#domains.get(domain) ?? put(this.#domains, domain, { name: domain, route: null, question: null }, MOST);
    const { route, question } = known;
    if (route !== null && this.#context.now < route.until) then(route);
    else if (question !== null) question.tell.push(then);
    else {
      known.question = { domain: known, asked: [], answers: [], open: 0, policy: undefined, tell: [then] };
      this.#evaluate(known.question);
    }
  }

  /** Domains whose last route, as old as it may be, has a host. */
  domainsOf(host: string): readonly string[] {
    const all = [...this.#domains.values()];
    return all.filter(({ route }) => route?.hosts.some((one) => one.host === host)).map(({ name }) => name);
  }

  /** An operator says that the hosts of a domain are reachable again: what is known of them is forgotten. */
  revive(domain: string): void {
    for (const host of this.#domains.get(domain)?.route?.hosts ?? []) for (const { key } of placesOf(host)) this.#context.hosts.forget(key);
  }

  /** That, and the route of the domain and the answers that it is made of: the next question looks all of it up again; one that is open keeps the answers that it has. */
  forget(domain: string): void {
    this.revive(domain);
    const { settings, policies, now } = this.#context;
    // Which answers those are the route itself says: what it reads holds no longer.
    routeOf(domain, settings, { dns: (rr, name) => this.#expire(rr, name), policy: () => policies.at(domain, now) }, now);
    const known = this.#domains.get(domain);
    if (known !== undefined) known.route = null;
  }

  #expire(rr: Rr, name: string): KeptAnswer | null {
    const lookup = this.#names.get(name)?.[rr];
    if (!lookup?.kept) return null;
    lookup.kept = { answer: lookup.kept.answer, until: Number.NEGATIVE_INFINITY };
    return lookup.kept;
  }

  #evaluate(question: Question): void {
    const answers: Answers = {
      dns: (rr, name) => this.#dns(question, rr, name),
      policy: (domain, id) => this.#policy(question, domain, id),
    };
    const { domain } = question;
    const route = routeOf(domain.name, this.#context.settings, answers, this.#context.now);
    if (route === null || domain.question !== question) return;
    domain.question = null;
    domain.route = route;
    for (const then of question.tell) then(route);
  }

  #dns(question: Question, rr: Rr, name: string): KeptAnswer | null {
    const place = placeIn(question.asked, rr, name);
    if (place >= 0) return question.answers[place]!;
    const lookup = this.#lookupOf(rr, name);
    const { kept } = lookup;
    const isKept = kept !== null && this.#context.now < kept.until;
    question.asked.push(lookup);
    question.answers.push(isKept ? kept : null);
    if (isKept) return kept;
    question.open++;
    if (lookup.waiting !== null) lookup.waiting.push(question);
    else {
      lookup.waiting = [question];
      this.#context.orders.ask({ type: 'lookup', name, rr }, DNS, (answer) => this.#answered(lookup, answer));
    }
    return null;
  }

  #lookupOf(rr: Rr, name: string): Lookup {
    const known =
      this.#names.get(name) ?? put(this.#names, name, { MX: null, A: null, AAAA: null, CNAME: null, TXT: null, TLSA: null }, MOST);
    known[rr] ??= { rr, name, kept: null, waiting: null };
    return known[rr];
  }

  #answered(lookup: Lookup, answer: DnsAnswer): void {
    const { settings, now } = this.#context;
    const waiting = lookup.waiting ?? [];
    const kept = { answer: shortened(answer, settings), until: now + keptFor(answer, settings) };
    lookup.kept = kept;
    lookup.waiting = null;
    for (const { asked, answers } of waiting) answers[asked.indexOf(lookup)] = kept;
    this.#tell(waiting, !leadsOn(lookup.rr, answer));
  }

  #policy(question: Question, domain: string, id: string | null): KeptPolicy | null | undefined {
    if (question.policy !== undefined) return question.policy;
    if (id === null || !this.#context.policies.wants(domain, id, this.#context.now)) {
      question.policy = this.#context.policies.at(domain, this.#context.now);
      return question.policy;
    }
    const others = this.#policies.get(domain);
    if (others?.includes(question)) return undefined;
    question.open++;
    if (others !== undefined) others.push(question);
    else {
      this.#policies.set(domain, [question]);
      this.#context.orders.ask({ type: 'policy', domain }, POLICY, (answer) => {
        this.#learn(domain, id, answer);
        const waiting = this.#policies.get(domain) ?? [];
        this.#policies.delete(domain);
        for (const one of waiting) one.policy = this.#context.policies.at(domain, this.#context.now);
        this.#tell(waiting, false);
      });
    }
    return undefined;
  }

  /** RFC 8461 3.3: what can't be fetched or read changes nothing; a policy that is kept still counts. */
  #learn(domain: string, id: string, { text, problem }: PolicyAnswer): void {
    const policy = text === null ? null : parseStsPolicy(text);
    if (policy !== null) {
      this.#context.policies.set(domain, { id, policy, fetched: this.#context.now });
      return;
    }
    this.#context.policies.failed(domain, this.#context.now);
    const result = text === null ? (problem ?? 'sts-policy-fetch-error') : 'sts-policy-invalid';
    this.#context.ledger.add({ at: this.#context.now, domain, type: 'sts', lines: [], mxHosts: [], host: '', address: '', result });
  }

  /** Continues the questions that waited; patient ones only at their last answer. */
  #tell(waiting: readonly Question[], isPatient: boolean): void {
    for (const question of waiting) {
      question.open--;
      if (!isPatient || question.open === 0) this.#evaluate(question);
    }
  }
}

const DNS = ['dns'] as const;
const POLICY = ['policy'] as const;

/**
 * Whether an answer leads to look-ups or fetches that can begin before the others are there: MX records to addresses, and so does their absence; an alias to
 * what it leads to; a signed address to TLSA records; a record of MTA-STS to its policy.
 */
function leadsOn(rr: Rr, { status, alias, security }: DnsAnswer): boolean {
  return rr === 'MX' || (status === 'found' && (rr === 'TXT' || alias !== undefined || security === 'secure'));
}

/** The place of a look-up among those of a question; -1: it is not there. */
function placeIn(asked: readonly Lookup[], rr: Rr, name: string): number {
  for (let place = 0; place < asked.length; place++) if (asked[place]!.rr === rr && asked[place]!.name === name) return place;
  return -1;
}
