import { type KeptPolicy, PolicyBook } from '@ehlo/delivery';

/** Policies of MTA-STS that outlive the process (RFC 8461 3.3): each is written down when it is fetched. */
export class WrittenPolicies extends PolicyBook {
  readonly #write: (domain: string, kept: KeptPolicy) => void;

  constructor(entries: Iterable<readonly [domain: string, kept: KeptPolicy]>, write: (domain: string, kept: KeptPolicy) => void) {
    super(entries);
    this.#write = write;
  }

  override set(domain: string, kept: KeptPolicy): void {
    super.set(domain, kept);
    this.#write(domain, kept);
  }
}
