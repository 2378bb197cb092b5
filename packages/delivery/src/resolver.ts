import type { Context } from './context.ts';
import type { DnsAnswer, PolicyAnswer } from './fact.ts';
import { placesOf } from './hosts.ts';
import type { EpochMs } from './job.ts';
import { entryOf, put } from './maps.ts';
import type { Rr } from './records.ts';
import { type Answers, type DomainRoute, keptFor, routeOf } from './route.ts';
import { type KeptPolicy, parseStsPolicy } from './sts.ts';

/** Ours: answers and routes that are kept. */
const MOST = 50_000;

/** Somebody's question for a route, with the answers that there are. */
interface Question {
  readonly domain: string;
  /** By what was asked; null: it is waited for. */
  readonly answers: Map<string, DnsAnswer | null>;
  /** Answers that it waits for. */
  open: number;
  policy: KeptPolicy | null | undefined;
  readonly tell: ((route: DomainRoute) => void)[];
}

/** Finds routes by look-ups, of which none is asked twice at once, and keeps what may be kept. */
export class Resolver {
  readonly #context: Context;
  readonly #kept = new Map<string, { readonly answer: DnsAnswer; readonly until: EpochMs }>();
  readonly #routes = new Map<string, DomainRoute>();
  readonly #questions = new Map<string, Question>();
  /** Who waits for an answer, by what was asked. */
  readonly #asked = new Map<string, Question[]>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** The route of a domain, now or when its answers are there. */
  find(domain: string, then: (route: DomainRoute) => void): void {
    const known = this.#routes.get(domain);
    if (known !== undefined && this.#context.now < known.until) {
      then(known);
      return;
    }
    const question = this.#questions.get(domain);
    if (question !== undefined) {
      question.tell.push(then);
      return;
    }
    const asked: Question = { domain, answers: new Map(), open: 0, policy: undefined, tell: [then] };
    this.#questions.set(domain, asked);
    this.#evaluate(asked);
  }

  /** Domains whose last route, as old as it may be, has a host. */
  domainsOf(host: string): readonly string[] {
    return [...this.#routes.values()].filter(({ hosts }) => hosts.some((one) => one.host === host)).map(({ domain }) => domain);
  }

  /** Forgets the route of a domain, and what is known of its hosts: the next question looks both up again. */
  forget(domain: string): void {
    const hosts = this.#routes.get(domain)?.hosts ?? [];
    this.#routes.delete(domain);
    for (const place of hosts.flatMap(placesOf)) this.#context.hosts.forget(place);
  }

  #evaluate(question: Question): void {
    const answers: Answers = {
      dns: (rr, name) => this.#dns(question, rr, name),
      policy: (domain, id) => this.#policy(question, domain, id),
    };
    const route = routeOf(question.domain, this.#context.settings, answers, this.#context.now);
    if (route === null || this.#questions.get(question.domain) !== question) return;
    this.#questions.delete(question.domain);
    put(this.#routes, question.domain, route, MOST);
    for (const then of question.tell) then(route);
  }

  #dns(question: Question, rr: Rr, name: string): DnsAnswer | null {
    const key = `${rr} ${name}`;
    const own = question.answers.get(key);
    if (own !== undefined) return own;
    const kept = this.#kept.get(key);
    if (kept !== undefined && this.#context.now < kept.until) {
      question.answers.set(key, kept.answer);
      return kept.answer;
    }
    if (this.#isFirst(key, question)) {
      this.#context.orders.ask({ type: 'lookup', name, rr }, ['dns'], (answer) => {
        const time = keptFor(answer, this.#context.settings);
        if (time > 0) put(this.#kept, key, { answer, until: this.#context.now + time }, MOST);
        // Without MX records the addresses of the domain are looked up. Any other answer of "nothing there" leads to few look-ups: it waits for the last
        // answer of the question.
        this.#tell(key, answer.status !== 'found' && rr !== 'MX', (waiting) => waiting.answers.set(key, answer));
      });
    }
    return null;
  }

  #policy(question: Question, domain: string, id: string | null): KeptPolicy | null | undefined {
    if (question.policy !== undefined) return question.policy;
    if (id === null || !this.#context.policies.wants(domain, id, this.#context.now)) {
      question.policy = this.#context.policies.at(domain, this.#context.now);
      return question.policy;
    }
    const key = `policy ${domain}`;
    if (this.#isFirst(key, question)) {
      this.#context.orders.ask({ type: 'policy', domain }, ['policy'], (answer) => {
        this.#learn(domain, id, answer);
        this.#tell(key, false, (waiting) => {
          waiting.policy = this.#context.policies.at(domain, this.#context.now);
        });
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

  #isFirst(key: string, question: Question): boolean {
    if (question.answers.has(key)) return false;
    question.answers.set(key, null);
    question.open++;
    return entryOf(this.#asked, key, () => []).push(question) === 1;
  }

  #tell(key: string, isLast: boolean, tell: (question: Question) => void): void {
    const waiting = this.#asked.get(key) ?? [];
    this.#asked.delete(key);
    for (const question of waiting) {
      question.open--;
      tell(question);
      if (!isLast || question.open === 0) this.#evaluate(question);
    }
  }
}
