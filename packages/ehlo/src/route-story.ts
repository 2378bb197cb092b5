// What a relay would do with one recipient: the machine of @ehlo/delivery, driven through simulated days.
import {
  applyChange,
  type DeliverySettings,
  Dispatcher,
  type DomainRoute,
  demandOf,
  type EpochMs,
  type Fact,
  isOver,
  type Job,
  type Message,
  type Notice,
  newJob,
  type Order,
  parseStsPolicy,
  type Recipient,
  type RoutedHost,
  routeOf,
  type Step,
  type StepName,
  type TlsDemand,
  tlsWish,
} from '@ehlo/delivery';
import type { LookupAnswer, LookupQuestion } from './dns-file.ts';
import type { ServerScript } from './server-says.ts';

/** What is asked. */
export interface RouteQuestion {
  readonly address: string;
  /** In small letters, with A-labels. */
  readonly domain: string;
  readonly message: Omit<Message, 'id' | 'arrived'>;
  readonly settings: DeliverySettings;
  /** When the message comes. */
  readonly at: EpochMs;
  readonly lookUp: (question: LookupQuestion) => Promise<LookupAnswer>;
  /** The MTA-STS policy of the domain; null: it can't be had. */
  readonly policy: string | null;
  readonly script: ServerScript;
}

/** What came of it. */
export interface RouteStory {
  readonly lookups: readonly { readonly question: LookupQuestion; readonly answer: LookupAnswer }[];
  readonly route: DomainRoute;
  /** The best first; `demand` is null where the message may not go. */
  readonly hosts: readonly { readonly host: RoutedHost; readonly demand: TlsDemand | null }[];
  /** A policy was asked for, and there was none to be given. */
  readonly lacksPolicy: boolean;
  readonly tries: readonly RouteTry[];
  readonly notices: readonly Notice[];
  readonly end: { readonly at: EpochMs; readonly recipient: Recipient };
}

export interface RouteTry {
  readonly at: EpochMs;
  /** What is found out of the domain is left out: it is `route.steps`. */
  readonly steps: readonly Step[];
}

/** Of targets and policies: they are told of the route. */
const WAY: ReadonlySet<StepName> = new Set<StepName>([
  'static-route',
  'literal',
  'alias',
  'mx',
  'implicit-mx',
  'null-mx',
  'null-mx-ignored',
  'mx-is-address',
  'mx-is-alias',
  'self',
  'cut',
  'addresses-cut',
  'no-address',
  'refused-address',
  'dns-failed',
  'problem',
  'dane',
  'sts',
  'sts-cached',
]);

/** Drives the machine from the first look-up to the final state of the recipient. Names say for all that time what they say now. */
export async function tellRoute(question: RouteQuestion): Promise<RouteStory> {
  const world = new RouteWorld(question);
  await world.run();
  return world.story();
}

class RouteWorld {
  readonly #question: RouteQuestion;
  readonly #dispatcher: Dispatcher;
  readonly #answers = new Map<string, { readonly question: LookupQuestion; readonly answer: LookupAnswer }>();
  readonly #tries: RouteTry[] = [];
  readonly #notices: Notice[] = [];
  readonly #hosts = new Map<number, string>();
  #job: Job;
  #isHeld = true;
  #lacksPolicy = false;
  #now: EpochMs;

  constructor(question: RouteQuestion) {
    const { settings, message, address, domain, at } = question;
    this.#question = question;
    this.#now = at;
    this.#dispatcher = new Dispatcher(settings, () => 0);
    this.#job = newJob('route', { ...message, id: 'message', arrived: at }, domain, [{ address }]);
  }

  async run(): Promise<void> {
    this.#dispatcher.tick(this.#now);
    this.#dispatcher.add(this.#job);
    while (!isOver(this.#job)) {
      for (let order = this.#dispatcher.nextOrder(); order !== null; order = this.#dispatcher.nextOrder()) {
        const fact = await this.#carryOut(order);
        if (fact !== null) this.#dispatcher.tell(fact);
      }
      this.#now = Math.min(this.#dispatcher.deadline, this.#isHeld ? Number.POSITIVE_INFINITY : this.#job.due);
      this.#dispatcher.tick(this.#now);
      if (this.#isHeld || this.#job.due > this.#now) continue;
      this.#isHeld = true;
      this.#dispatcher.add(this.#job);
    }
  }

  story(): RouteStory {
    const { domain, settings, message, at, policy } = this.#question;
    const parsed = policy === null ? null : parseStsPolicy(policy);
    const answers = {
      dns: (rr: LookupQuestion['rr'], name: string) => {
        const found = this.#answers.get(`${rr} ${name}`);
        if (found === undefined) return null;
        return { answer: { ...found.answer, type: 'dns', to: 0 } as const, until: Number.POSITIVE_INFINITY };
      },
      policy: (_: string, id: string | null) => (id === null || parsed === null ? null : { id, policy: parsed, fetched: at }),
    };
    // The machine has asked for all of it.
    const route = routeOf(domain, settings, answers, at)!;
    const wish = tlsWish({ ...message, id: '', arrived: at });
    return {
      lookups: [...this.#answers.values()],
      route,
      hosts: route.hosts.map((host) => ({ host, demand: demandOf(host, route, wish, settings) })),
      lacksPolicy: this.#lacksPolicy,
      tries: this.#tries,
      notices: this.#notices,
      end: { at: this.#tries.at(-1)!.steps.at(-1)!.at, recipient: this.#job.recipients[0]! },
    };
  }

  async #carryOut(order: Order): Promise<Fact | null> {
    const { script, policy } = this.#question;
    const to = order.id;
    switch (order.type) {
      case 'lookup':
        return { ...(await this.#lookUp(order)), type: 'dns', to };
      case 'policy':
        this.#lacksPolicy ||= policy === null;
        return { type: 'policy', to, text: policy };
      case 'open': {
        this.#hosts.set(to, order.target.host);
        const opened = script.open(order);
        return 'stage' in opened ? { ...opened, type: 'failed', to } : { ...opened, type: 'opened', to };
      }
      case 'begin':
        return { type: 'begun', to, result: 'done' };
      case 'send': {
        const { outcome, open } = script.send(this.#hosts.get(order.session)!);
        return { type: 'outcomes', to, outcomes: [outcome], open };
      }
      case 'settle': {
        const { change } = order;
        this.#tell();
        this.#job = applyChange(this.#job, change);
        for (const { content } of change.put) if (content !== 'same') this.#notices.push(content);
        return { type: 'settled', to, result: 'done' };
      }
      case 'drop':
        this.#isHeld = false;
        return null;
      case 'close':
      case 'report':
        return null;
    }
  }

  async #lookUp({ name, rr }: LookupQuestion): Promise<LookupAnswer> {
    const key = `${rr} ${name}`;
    const known = this.#answers.get(key);
    if (known !== undefined) return known.answer;
    const answer = await this.#question.lookUp({ name, rr });
    this.#answers.set(key, { question: { name, rr }, answer });
    return answer;
  }

  /** What the machine says of the try that is being committed; one that goes on is told again, whole. */
  #tell(): void {
    const all = this.#dispatcher.why('route', 0);
    const from = all.findIndex(({ what }) => what === 'added');
    const at = all[from]!.at;
    const steps = all.slice(from).filter(({ what }) => !WAY.has(what));
    if (this.#tries.at(-1)?.at === at) this.#tries.pop();
    this.#tries.push({ at, steps });
  }
}
