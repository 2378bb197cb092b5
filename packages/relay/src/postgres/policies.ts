import { type KeptPolicy, PolicyBook } from '@ehlo/delivery';

/** Writes one policy down. */
export type WritePolicy = (domain: string, kept: KeptPolicy) => Promise<void>;

/** Policies of MTA-STS that outlive a process (RFC 8461 3.3): each is written down when it is fetched, behind those that are being written. */
export class TablePolicies extends PolicyBook {
  readonly #write: WritePolicy;
  /** Where it fails, nothing is lost but a fetch after the next start. */
  readonly #failed: (error: unknown) => void;
  #writing: Promise<void> = Promise.resolve();

  constructor(entries: Iterable<readonly [domain: string, kept: KeptPolicy]>, write: WritePolicy, failed: (error: unknown) => void) {
    super(entries);
    this.#write = write;
    this.#failed = failed;
  }

  override set(domain: string, kept: KeptPolicy): void {
    super.set(domain, kept);
    this.#writing = this.#writing.then(() => this.#write(domain, kept)).catch(this.#failed);
  }

  /** When all that was set is written, or has failed. */
  written(): Promise<void> {
    return this.#writing;
  }
}
