/** What setTimeout takes at the most. */
export const LONGEST_TIMEOUT = 0x7fffffff;

/** A timer of any length: one that is longer than setTimeout takes is as long as that, and one without end is none. */
export function timer(call: () => void, milliseconds: number): ReturnType<typeof setTimeout> | undefined {
  return milliseconds === Number.POSITIVE_INFINITY ? undefined : setTimeout(call, Math.min(milliseconds, LONGEST_TIMEOUT));
}
