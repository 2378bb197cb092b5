// Errors of functions of the program whose result is not used.
import { isThenable } from '@ehlo/engine';

/** Called for failures that cannot be reported otherwise: with a sentence, and with details. */
export type Warn = (message: string, detail: string) => void;

/**
 * Calls a function of the program that only is told something. What it throws, or its promise rejects with, ends neither the session nor
 * the process: `failed` is told of it.
 */
export function notify(call: () => unknown, failed: (error: unknown) => void): void {
  try {
    const result = call();
    if (isThenable(result)) Promise.resolve(result).then(undefined, failed);
  } catch (error) {
    failed(error);
  }
}

/** Warns of the first failure only: one that repeats with every message would hide all other warnings. `what` names the function that failed. */
export function once(warn: Warn): (error: unknown, what: string) => void {
  let told = false;
  return (error, what) => {
    if (told) return;
    told = true;
    notify(
      () => warn(`${what}; what fails later is not shown: ${reasonOf(error)}`, error instanceof Error ? (error.stack ?? '') : ''),
      () => {},
    );
  };
}

/** The message of whatever was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Where no adapter says how its runtime warns. */
export const toConsole: Warn = (message) => console.warn(message);
