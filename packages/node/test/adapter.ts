// The adapter of the runtime that the tests run in. `packages/deno` and `packages/bun` run them too, each in its own.
import type * as Adapter from '@ehlo/node';

const { Deno, Bun } = globalThis as { Deno?: unknown; Bun?: unknown };
export const RUNTIME: 'node' | 'deno' | 'bun' = Deno !== undefined ? 'deno' : Bun !== undefined ? 'bun' : 'node';

const name: string = RUNTIME === 'node' ? '@ehlo/node' : new URL(`../../${RUNTIME}/src/index.ts`, import.meta.url).href;
const adapter = (await import(name)) as typeof Adapter;

/** How a client sees a connection that is aborted: Deno has no way to reset one. */
export const ABORTED: string = RUNTIME === 'deno' ? 'FIN' : 'ECONNRESET';

/** The same under TLS: what lies below a socket of Node's can't be reset. */
export const ABORTED_UNDER_TLS: string = RUNTIME === 'bun' ? 'ECONNRESET' : 'FIN';

export const serve: typeof Adapter.serve = adapter.serve;
export const connect: typeof Adapter.connect = adapter.connect;
export const newPool = (...args: ConstructorParameters<typeof Adapter.Pool>): Adapter.Pool => new adapter.Pool(...args);
