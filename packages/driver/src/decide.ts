import { isThenable } from '@ehlo/engine';

/** A call of the program whose result is awaited, and what follows from the result. */
export interface Deciding<D> {
  /** Calls the program. */
  call(): unknown;
  /** The decision that the returned value stands for; throws if it stands for none. */
  understand(value: unknown): D;
  /** The decision if `call` or `understand` threw. */
  instead(error: unknown): D;
  decided(decision: D): void;
  /** Calls `decided` later, when the session can take a call. */
  later(decision: D): void;
}

/** Calls a method of the program, and decides at once, or when the returned promise settles. */
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
