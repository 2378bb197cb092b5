import type { Schedule } from './means.ts';

/** The longest that a timer can wait: 2³¹ − 1 ms. */
const LONGEST = 0x7fffffff;

/** The wall clock of this machine. A call that is far away is looked at again in between, as is one behind a clock that was set back. */
export const wallClock: Schedule = {
  now: () => Date.now(),
  at: (time, call) => whenNone(() => time - Date.now(), call),
  in: (pause, call) => {
    const end = performance.now() + pause;
    return whenNone(() => end - performance.now(), call);
  },
};

/** Calls when no milliseconds are left. */
function whenNone(left: () => number, call: () => void): () => void {
  let timer: ReturnType<typeof setTimeout>;
  const wait = (): void => {
    timer = setTimeout(() => (left() > 0 ? wait() : call()), Math.min(Math.max(left(), 0), LONGEST));
  };
  wait();
  return () => clearTimeout(timer);
}
