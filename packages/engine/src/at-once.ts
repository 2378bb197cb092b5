// For functions of the program whose result is needed at once: no promise can be awaited there.

/** Whether it has a method `then`. Throws if reading `then` throws. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === 'object' || typeof value === 'function') && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}

/** Whether it is a promise. It is then not awaited, and its rejection does not end the process. If reading it throws, it is not a promise. */
export function dropPromise(value: unknown): boolean {
  try {
    if (!isThenable(value)) return false;
  } catch {
    return false;
  }
  new Promise((resolve) => resolve(value)).catch(() => {});
  return true;
}

/** The value that `what` has given. Throws `TypeError` if it is a promise: that would be taken for a value. */
export function atOnce<T>(value: T, what: string): T {
  if (dropPromise(value)) throw new TypeError(`${what} gave a promise, which nobody waits for here: it has to give its value at once`);
  return value;
}

/** The answer that `what` has given. Throws `TypeError` if it is neither true nor false: a promise of false would be taken for yes. */
export function yesOrNo(answer: unknown, what: string): boolean {
  if (typeof answer === 'boolean') return answer;
  dropPromise(answer);
  throw new TypeError(`${what} has to return true or false, at once`);
}
