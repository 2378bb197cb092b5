// What a function of the program has given, where it is judged at once and nothing can wait for a promise.

/** Throws what the value's own `then` throws when it is looked at. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === 'object' || typeof value === 'function') && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}

/** Whether it is a promise. Nobody waits for it then, and what it rejects with does not end the process. What throws when it is looked at is none. */
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
