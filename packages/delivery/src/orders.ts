import type { Fact } from './fact.ts';
import type { Order } from './order.ts';
import type { OrderId } from './records.ts';

type WithoutId<T> = T extends { readonly id: OrderId } ? Omit<T, 'id'> : never;

/** A fact that answers an order. */
type Answer = Extract<Fact, { readonly to: OrderId }>;

interface Waiting {
  readonly types: readonly Answer['type'][];
  readonly tell: (fact: Answer) => void;
}

/** Ours. */
const MANY = 1000;

/** Orders that wait to be taken, and those that wait for their answer. */
export class Orders {
  #queue: Order[] = [];
  #taken = 0;
  #last = 0;
  readonly #open = new Map<OrderId, Waiting>();

  /** Orders something that nobody answers. The value is the order from now on. */
  say(order: WithoutId<Order>): OrderId {
    const whole = order as Order & { id: OrderId };
    whole.id = ++this.#last;
    this.#queue.push(whole);
    return whole.id;
  }

  /** Orders something; its answer is a fact of one of these types. */
  ask<T extends Answer['type']>(
    order: WithoutId<Order>,
    types: readonly T[],
    tell: (fact: Extract<Answer, { readonly type: T }>) => void,
  ): OrderId {
    const id = this.say(order);
    this.#open.set(id, { types, tell: tell as (fact: Answer) => void });
    return id;
  }

  /** False: nobody waits for it. */
  answer(fact: Answer): boolean {
    const waiting = this.#open.get(fact.to);
    if (waiting === undefined || !waiting.types.includes(fact.type)) return false;
    this.#open.delete(fact.to);
    waiting.tell(fact);
    return true;
  }

  /** The next one; null: there is none. */
  next(): Order | null {
    const order = this.#queue[this.#taken];
    if (order === undefined) return null;
    this.#taken++;
    // What is taken is let go of when it is all, or more than half of very many: O(1) for each.
    if (this.#taken === this.#queue.length) {
      this.#queue.length = 0;
      this.#taken = 0;
    } else if (this.#taken > MANY && this.#taken * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#taken);
      this.#taken = 0;
    }
    return order;
  }
}
