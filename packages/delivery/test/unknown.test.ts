// What a holder that died may have sent (RFC 1047), and what becomes of those that it has not come to.
import { expect, test } from 'vitest';
import { ONE_HOST, Runner } from './run.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const mark = (recipients: readonly number[], at: number) => ({ begun: { attempt: 1, recipients, at } });

function taken(addresses: readonly string[], begun: ReturnType<typeof mark>, now: number, world = {}): Runner {
  const runner = new Runner({ dns: ONE_HOST, ...world });
  runner.add('example.net', addresses);
  const job = { ...runner.jobs.get('j')!, ...begun };
  const other = new Runner({ dns: ONE_HOST, ...world }).addJob(job);
  return other.run(now);
}

test('taken up when it has expired, it is tried once more: the attempt began before', () => {
  const runner = taken(['joe@example.net'], mark([0], 4 * DAY), 6 * DAY);
  expect(runner.states()).toEqual(['due']);
  expect(runner.jobs.get('j')!.recipients[0]).toMatchObject({ unknown: 1, last: { category: 'unknown' } });
  runner.runUntil(7 * DAY);
  expect(runner.states()).toEqual(['relayed']);
});

test('an attempt that began when it had expired was the last, and is counted', () => {
  const runner = taken(['joe@example.net'], mark([0], 5 * DAY), 6 * DAY);
  expect(runner.states()).toEqual(['expired']);
  expect(runner.changes[0]!.recipients).toMatchObject([{ state: 'expired', unknown: 1 }]);
  expect(runner.of('open')).toEqual([]);
});

test('of two recipients the one that it may have been sent to waits, though the other is tried at once; who takes the job up then waits for both', () => {
  const runner = taken(['joe@example.net', 'ann@example.net'], mark([0], 0), HOUR);
  // As it is in the queue between the two: a holder that dies now leaves nothing that is due.
  expect(runner.changes[0]!.due).toBe(HOUR + HOUR / 2);
  expect(runner.of('send').map(({ transaction }) => transaction.recipients.map(({ address }) => address))).toEqual([['ann@example.net']]);
  expect(runner.states()).toEqual(['due', 'relayed']);
  runner.runUntil(4 * HOUR);
  expect(runner.states()).toEqual(['relayed', 'relayed']);
});
