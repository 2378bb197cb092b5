// Stories of deliveries: what a machine is told, and what it orders then. Nothing in them belongs to one language.
import {
  applyChange,
  type DeliveryOptions,
  Dispatcher,
  deliverySettings,
  type Expansion,
  type Fact,
  type Job,
  type Message,
  type Order,
  type Recipient,
} from '@ehlo/delivery';
import { difference, plain, show } from './pattern.ts';
import type { Citation, Json } from './transcript.ts';

type Told<T> = T extends { readonly to: number } ? Omit<T, 'to'> & { readonly to: string } : T;

/** A job as a story writes it: `version`, `id` `j`, and a message from Ann at time 0 with 1000 octets are taken for granted. */
export type ToldJob = Partial<Omit<Job, 'recipients' | 'message'>> & {
  readonly domain: string;
  readonly message?: Partial<Message>;
  readonly recipients: readonly (string | (Omit<Recipient, 'state'> & { readonly state?: Recipient['state'] }))[];
};

export type DeliveryStep = Citation &
  (
    | { readonly add: ToldJob }
    | { readonly at: number }
    | { readonly tell: Told<Fact> }
    /** A fact that nobody waits for. */
    | { readonly late: Told<Fact> }
    /** One of the orders since the last thing that was done; `as` names it for its answer. */
    | { readonly order: { readonly type: string; readonly [name: string]: Json }; readonly as?: string }
    | { readonly deadline: number | null }
    /** The names of the steps of `why`, in order; there may be others between. */
    | { readonly why: readonly string[]; readonly job?: string; readonly recipient?: number }
    /** What the queue has of a job after its commits. */
    | { readonly job: string; readonly is: { readonly [name: string]: Json } }
  );

export interface DeliveryStory {
  readonly name: string;
  readonly why: string;
  /** What differs from the preset `mta` without MTA-STS, jitter and refused addresses; `expand` as a table. */
  readonly settings?: Omit<Partial<DeliveryOptions>, 'expand'> & { readonly expand?: { readonly [address: string]: Expansion } };
  readonly steps: readonly DeliveryStep[];
}

export interface DeliveryFile {
  readonly $schema: string;
  readonly deliveries: readonly DeliveryStory[];
}

/** A story in which something else happened than it says. */
export class StoryMismatch extends Error {
  override readonly name = 'StoryMismatch';
}

/** Answers that stand side by side, as they are or the last first: what is open at one moment may be answered in any order. */
export type AnswerOrder = 'as told' | 'turned';

/**
 * Plays a story. Throws `StoryMismatch` where an order is missing, is another, or is one too many.
 *
 * @example
 * ```ts
 * import { replayDelivery } from '@ehlo/proof/vectors';
 * replayDelivery({ name: 'x', why: 'x', steps: [
 *   { add: { domain: 'example.net', recipients: ['joe@example.net'] } },
 *   { order: { type: 'lookup', rr: 'MX', name: 'example.net' } },
 * ] })
 * // → 1
 * ```
 */
export function replayDelivery(story: DeliveryStory, answers: AnswerOrder = 'as told'): number {
  const player = new Player(story);
  for (const group of groupsOf(story.steps)) {
    const turned = answers === 'turned' && group.length > 1 ? [...group].reverse() : group;
    for (const [at, [i, step]] of turned.entries()) player.play(step, i, at > 0);
  }
  player.end();
  return player.orders;
}

const BY_ITSELF: ReadonlySet<string> = new Set(['closed', 'outcomes']);

type Numbered = readonly [index: number, step: DeliveryStep];

/** Steps in their order; facts that follow one another are one group. */
function groupsOf(steps: readonly DeliveryStep[]): readonly (readonly Numbered[])[] {
  const groups: Numbered[][] = [];
  for (const [i, step] of steps.entries()) {
    const last = groups.at(-1);
    // What comes by itself does not answer an order that is open, and what became of a transaction waits for its mark.
    const isAnswer = (one: DeliveryStep): boolean => 'tell' in one && 'to' in one.tell && !BY_ITSELF.has(one.tell.type);
    if (last !== undefined && isAnswer(step) && isAnswer(last.at(-1)![1])) last.push([i, step]);
    else groups.push([[i, step]]);
  }
  return groups;
}

class Player {
  readonly #story: DeliveryStory;
  readonly #dispatcher: Dispatcher;
  readonly #named = new Map<string, number>();
  readonly #jobs = new Map<string, Job>();
  #open: Order[] = [];
  #now = 0;
  orders = 0;

  constructor(story: DeliveryStory) {
    this.#story = story;
    const { expand = {}, ...settings } = story.settings ?? {};
    const base = { hostname: 'mx.example.org', jitter: 0, sts: false, allow: ['documentation'] };
    this.#dispatcher = new Dispatcher(deliverySettings({ ...base, ...settings, expand: (address) => expand[address] ?? null }), () => 0.5);
    this.#dispatcher.tick(0);
  }

  /** `within`: another of the same moment was played before; what is ordered since then stands open. */
  play(step: DeliveryStep, index: number, within: boolean): void {
    const fail = (text: string): never => {
      throw new StoryMismatch(`${this.#story.name}, step ${index + 1}: ${text}`);
    };
    if ('order' in step) {
      const { as } = step;
      const found = this.#open.find((one) => difference(step.order, plain(one)) === null);
      if (found === undefined) {
        const near = this.#open.find(({ type }) => type === step.order.type) ?? this.#open[0];
        return fail(
          near === undefined ? `no such order: ${show(step.order)}` : `${difference(step.order, plain(near))}; ${show(plain(near))}`,
        );
      }
      this.#open = this.#open.filter((one) => one !== found);
      if (as !== undefined) this.#named.set(as, found.id);
      return;
    }
    if ('deadline' in step) {
      const actual = this.#dispatcher.deadline;
      if (actual !== (step.deadline ?? Number.POSITIVE_INFINITY)) fail(`the deadline is ${actual}`);
      return;
    }
    if ('why' in step) {
      const names = this.#dispatcher.why(step.job ?? 'j', step.recipient ?? 0).map(({ what }) => what as string);
      let at = 0;
      for (const name of step.why) {
        at = names.indexOf(name, at) + 1;
        if (at === 0) fail(`${name} is not among ${names.join(' ')}`);
      }
      return;
    }
    if ('is' in step) {
      const found = difference(step.is, plain(this.#jobs.get(step.job)));
      if (found !== null) fail(`${step.job}: ${found}`);
      return;
    }
    if (!within && this.#open.length > 0) fail(`more was ordered: ${this.#open.map((one) => show(plain(one))).join('; ')}`);
    this.#do(step, fail);
    for (let order = this.#dispatcher.nextOrder(); order !== null; order = this.#dispatcher.nextOrder()) {
      this.orders++;
      this.#open.push(order);
      this.#keep(order);
    }
  }

  end(): void {
    if (this.#open.length > 0) throw new StoryMismatch(`${this.#story.name}: more was ordered: ${show(plain(this.#open[0]))}`);
  }

  #do(step: Exclude<DeliveryStep, { order: object }>, fail: (text: string) => never): void {
    if ('add' in step) {
      const job = wholeJob(step.add);
      this.#jobs.set(job.id, job);
      this.#dispatcher.add(job);
    } else if ('at' in step) {
      this.#now = step.at;
      this.#dispatcher.tick(this.#now);
    } else if ('tell' in step) {
      if (!this.#dispatcher.tell(this.#fact(step.tell, fail))) fail('nobody waits for it');
    } else if ('late' in step && this.#dispatcher.tell(this.#fact(step.late, fail))) fail('somebody waits for it');
  }

  #fact(fact: Told<Fact>, fail: (text: string) => never): Fact {
    if (!('to' in fact)) return fact;
    const to = this.#named.get(fact.to) ?? fail(`no order is named ${fact.to}`);
    return { ...(fact.type === 'dns' ? { security: 'insecure', ttl: 300 } : {}), ...fact, to } as Fact;
  }

  /** What a queue would have of it. */
  #keep(order: Order): void {
    if (order.type !== 'settle') return;
    const job = this.#jobs.get(order.job);
    if (job !== undefined) this.#jobs.set(order.job, applyChange(job, order.change));
    for (const { job: born } of order.change.put) this.#jobs.set(born.id, born);
  }
}

function wholeJob({ message = {}, recipients, ...job }: ToldJob): Job {
  const whole = { id: 'm', reversePath: 'ann@example.org', arrived: 0, size: 1000, ...message };
  return {
    version: 1,
    id: 'j',
    due: Math.max(whole.arrived, whole.release ?? 0),
    ...job,
    message: whole,
    recipients: recipients.map((one) => (typeof one === 'string' ? { address: one, state: 'due' } : { state: 'due', ...one })),
  };
}
