/**
 * Numbers from 0 to 1 that follow from a seed and from what they are for. So an answer that comes sooner or later than another changes no
 * number of the other's: answers commute.
 */
export class Chance {
  readonly #seed: number;

  constructor(random: () => number) {
    this.#seed = Math.floor(random() * 2 ** 32) >>> 0;
  }

  /** The number for a purpose: always the same. */
  of(purpose: string): number {
    let hash = this.#seed ^ 0x811c9dc5;
    for (let i = 0; i < purpose.length; i++) hash = Math.imul(hash ^ purpose.charCodeAt(i), 0x01000193);
    // The finish of murmur3: near purposes have far numbers.
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
  }
}
