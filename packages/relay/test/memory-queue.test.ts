import { MemoryQueue } from '../src/memory-queue.ts';
import { describeQueue } from './queue-suite.ts';

describeQueue('in memory', () => {
  let at = 1_700_000_000_000;
  return {
    queue: new MemoryQueue({ now: () => at }),
    now: () => at,
    advance: (ms) => {
      at += ms;
    },
  };
});
