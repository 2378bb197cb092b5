// For all tests: how long something is waited for that has to come, and what properties are tried with. Patience only ends what hangs: no test
// is about how long anything takes, and a machine that is busy with something else may be slow.
import fc from 'fast-check';
import { vi } from 'vitest';

/** Milliseconds. */
export const PATIENCE = 240_000;

const { waitFor } = vi;
vi.waitFor = (callback, options) =>
  waitFor(callback, { timeout: PATIENCE, ...(typeof options === 'number' ? { timeout: options } : options) });

/** A build takes the same inputs each time: one that fails fails again. Elsewhere a property meets others with each run, and names its seed. */
if (process.env.CI !== undefined) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 1 });
