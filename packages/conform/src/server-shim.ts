import type { Protocol } from './check.ts';
import { type Shim, Shims } from './shim.ts';
import type { Dial, Nothing, Wire } from './wire.ts';

/** Sessions with a server's engine that a program drives over standard input and output: each is a task of its. `close` stops what runs. */
export function shimDialer(command: string, patience: number, protocol: Protocol): { readonly dial: Dial; close(): void } {
  const shims = new Shims(command, patience);
  return {
    dial: async () => new ShimWire(await shims.begin({ server: { protocol } }), shims),
    close: () => shims.close(),
  };
}

/** A session over lines of JSON. Time passes where nothing comes. */
class ShimWire implements Wire {
  readonly local = '';
  readonly #shim: Shim;
  readonly #shims: Shims;
  #over = false;

  constructor(shim: Shim, shims: Shims) {
    this.#shim = shim;
    this.#shims = shims;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (!this.#over) await this.#shim.write(bytes);
  }

  async read(ms: number): Promise<Uint8Array | Nothing> {
    if (this.#over) return 'reset';
    const seen = await this.#shim.read();
    if (seen !== 'silence') return seen;
    await this.#shim.wait(ms);
    return await this.#shim.read();
  }

  async wait(ms: number): Promise<void> {
    if (!this.#over) await this.#shim.wait(ms);
  }

  end(): void {
    if (!this.#over) void this.#shim.tell({ end: true }).catch(() => {});
  }

  /** The task is over: the program may be given another. */
  reset(): void {
    if (this.#over) return;
    this.#over = true;
    this.#shim.tell({ lost: true }).then(
      () => this.#shims.done(this.#shim),
      () => this.#shim.stop(),
    );
  }

  async secure(): Promise<void> {
    await this.#shim.secure();
  }
}
