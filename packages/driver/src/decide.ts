import { isThenable } from './notify.ts';

/** What becomes of a call of the program that is waited for. */
interface Deciding<D> {
  /** What the value means that was returned; throws if that is nothing. */
  understand(value: unknown): D;
  /** What is decided where something was thrown, by the call or by `understand`. */
  instead(error: unknown): D;
  decided(decision: D): void;
  /** Follows `decided`, where that came later. */
  later(): void;
}

/** Calls a method of the program, and is done with it now, or when the promise that it has returned is settled. */
export function decide<D>(call: () => unknown, { understand, instead, decided, later }: Deciding<D>): void {
  const returned = (value: unknown): D => {
    try {
      return understand(value);
    } catch (error) {
      return instead(error);
    }
  };
  let result: unknown;
  let waits: boolean;
  try {
    result = call();
    waits = isThenable(result);
  } catch (error) {
    return decided(instead(error));
  }
  if (!waits) return decided(returned(result));
  const settle = (decision: D): void => {
    decided(decision);
    later();
  };
  Promise.resolve(result).then(
    (value) => settle(returned(value)),
    (error) => settle(instead(error)),
  );
}
