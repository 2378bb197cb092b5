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
  /** Null where one was taken: a list that is emptied each time would be made anew each time. */
  #queue: (Order | null)[] = [];
  #taken = 0;
  #count = 0;
  #last = 0;
  readonly #open = new Map<OrderId, Waiting>();

  /** Gives an order that has no answer. The value is the order from now on. */
  say(order: WithoutId<Order>): OrderId {
    const whole = order as Order & { id: OrderId };
    whole.id = ++this.#last;
    this.#queue[this.#count++] = whole;
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

  /** False: no open order waits for it. */
  answer(fact: Answer): boolean {
    const waiting = this.#open.get(fact.to);
    if (waiting === undefined || !waiting.types.includes(fact.type)) return false;
    this.#open.delete(fact.to);
    waiting.tell(fact);
    return true;
  }

  /** The next one; null: there is none. */
  next(): Order | null {
    if (this.#taken === this.#count) return null;
    const order = this.#queue[this.#taken]!;
    this.#queue[this.#taken++] = null;
    // Their places are let go of when more than half of very many are taken: O(1) for each.
    if (this.#taken > MANY && this.#taken * 2 > this.#count) {
      this.#queue = this.#queue.slice(this.#taken, this.#count);
      this.#count -= this.#taken;
      this.#taken = 0;
    } else if (this.#taken === this.#count) this.#taken = this.#count = 0;
    return order;
  }
}
