import type { Job, JobCounts, JobQuery, Lease, Queue } from '@ehlo/delivery';
import type { Means } from '../runner/index.ts';
import type { Watcher } from './seen.ts';

/**
 * The same means, which tell of what is done by them: to log it, and to count it. What is put by the `queue` of them is seen, too.
 *
 * @example
 * ```ts
 * import { newJob } from '@ehlo/delivery';
 * import { MemoryQueue, type Means, wallClock } from '@ehlo/relay';
 * import { watched } from '@ehlo/relay/watch';
 * const means: Means = {
 *   queue: new MemoryQueue(wallClock),
 *   schedule: wallClock,
 *   lookUp: async () => ({ status: 'failed', security: 'indeterminate', ttl: 0 }),
 *   fetchPolicy: async () => ({ text: null }),
 *   open: async () => ({ stage: 'connect' }),
 *   boundary: () => 'b1',
 *   failed: () => {},
 * };
 * const seen: string[] = [];
 * const { queue } = watched(means, ({ type }) => seen.push(type));
 * const message = { id: 'm', reversePath: 'ann@example.org', arrived: 0, size: 0 };
 * async function* content() {}
 * await queue.put([newJob('j', message, 'example.net', [{ address: 'joe@example.net' }])], content());
 * seen
 * // → ['put']
 * ```
 */
export function watched(means: Means, see: Watcher): Means {
  const { schedule } = means;
  const now = (): number => schedule.now();
  return {
    queue: watchedQueue(means.queue, now, see),
    schedule,
    lookUp: async (order) => {
      const answer = await means.lookUp(order);
      see({ type: 'looked-up', at: now(), order, answer });
      return answer;
    },
    fetchPolicy: async (order) => {
      const answer = await means.fetchPolicy(order);
      see({ type: 'policy', at: now(), order, answer });
      return answer;
    },
    open: async (order, signal) => {
      const session = await means.open(order, signal);
      if ('opened' in session) {
        see({ type: 'opened', at: now(), order, opened: session.opened });
        const ended = (): void => see({ type: 'ended', at: now(), order });
        void session.ended.then(ended, ended);
      } else see({ type: 'unreached', at: now(), order, failed: session });
      return session;
    },
    ...(means.report === undefined ? {} : { report: (order) => means.report?.(order) }),
    boundary: () => means.boundary(),
    failed: (error, what) => {
      see({ type: 'failed', at: now(), what, error });
      means.failed(error, what);
    },
  };
}

function watchedQueue(queue: Queue, now: () => number, see: Watcher): Queue {
  const count = queue.count === undefined ? {} : { count: (): Promise<JobCounts> => queue.count!() };
  return {
    put: async (jobs, content) => {
      const began = now();
      const id = await queue.put(jobs, content);
      see({ type: 'put', at: now(), jobs, ms: now() - began });
      return id;
    },
    begin: async (lease, attempt) => {
      const began = now();
      const isOpen = await queue.begin(lease, attempt);
      if (isOpen) see({ type: 'begun', at: now(), job: lease.job, attempt, ms: now() - began });
      return isOpen;
    },
    settle: async (lease, change, notices) => {
      const began = now();
      const isWhole = await queue.settle(lease, change, notices);
      see({ type: 'settled', at: now(), job: lease.job, change, isWhole, ms: now() - began });
      return isWhole;
    },
    take: (most: number) => queue.take(most),
    renew: (leases: readonly Lease[]) => queue.renew(leases),
    release: (leases: readonly Lease[]) => queue.release(leases),
    content: (id) => queue.content(id),
    find: (query: JobQuery): AsyncIterable<Job> => queue.find(query),
    operate: (id, what) => queue.operate(id, what),
    ...count,
  };
}
