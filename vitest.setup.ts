// For all tests: how long something is waited for that has to come. It only ends what hangs: no test is about how long anything takes,
// and a machine that is busy with something else may be slow.
import { vi } from 'vitest';

/** Milliseconds. */
export const PATIENCE = 240_000;

const { waitFor } = vi;
vi.waitFor = (callback, options) =>
  waitFor(callback, { timeout: PATIENCE, ...(typeof options === 'number' ? { timeout: options } : options) });
