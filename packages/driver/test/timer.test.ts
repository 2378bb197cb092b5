import { afterEach, expect, test, vi } from 'vitest';
import { timer } from '../src/timer.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('a timer that is longer than setTimeout takes does not fire at once, and one without end is none', async () => {
  const fired: string[] = [];
  const long = timer(() => fired.push('long'), 3e9);
  expect(timer(() => fired.push('endless'), Number.POSITIVE_INFINITY)).toBeUndefined();
  const short = timer(() => fired.push('short'), 1);
  await vi.waitFor(() => expect(fired).toEqual(['short']));
  for (const one of [long, short]) clearTimeout(one);
});
