/** What setTimeout takes at the most. */
const LONGEST_TIMEOUT = 0x7fffffff;

/** A timer of any length. One that is longer than setTimeout takes is shortened to that; for an infinite time no timer is set. */
export function timer(call: () => void, milliseconds: number): ReturnType<typeof setTimeout> | undefined {
  return milliseconds === Number.POSITIVE_INFINITY ? undefined : setTimeout(call, Math.min(milliseconds, LONGEST_TIMEOUT));
}

/** What tells the time and wakes: the runtime's, or one that a test lets pass. */
export interface Clock {
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** Calls once so many milliseconds are over; what comes back gives that up. */
  timer(call: () => void, milliseconds: number): () => void;
}

export const REAL_CLOCK: Clock = {
  now: () => performance.now(),
  timer: (call, milliseconds) => {
    const running = timer(call, milliseconds);
    return () => clearTimeout(running);
  },
};
