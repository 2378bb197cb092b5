import { isThenable } from '@ehlo/engine';

/** A call of the program that is waited for, and what becomes of it. */
export interface Deciding<D> {
  /** Calls the program. */
  call(): unknown;
  /** What the value means that was returned; throws if that is nothing. */
  understand(value: unknown): D;
  /** What is decided where something was thrown, by `call` or by `understand`. */
  instead(error: unknown): D;
  decided(decision: D): void;
  /** Calls `decided` later, when the session can hear it. */
  later(decision: D): void;
}

/** Calls a method of the program, and is done with it now, or when the promise that it has returned is settled. */
export function decide<D>(deciding: Deciding<D>): void {
  let result: unknown;
  try {
    result = deciding.call();
    if (isThenable(result)) {
      return void Promise.resolve(result).then(
        (value) => deciding.later(understood(deciding, value)),
        (error) => deciding.later(deciding.instead(error)),
      );
    }
  } catch (error) {
    return deciding.decided(deciding.instead(error));
  }
  deciding.decided(understood(deciding, result));
}

function understood<D>(deciding: Deciding<D>, value: unknown): D {
  try {
    return deciding.understand(value);
  } catch (error) {
    return deciding.instead(error);
  }
}
