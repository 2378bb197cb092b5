// What a holder that died may have sent (RFC 1047), and what becomes of those that it has not come to.
import { expect, test } from 'vitest';
import type { SendOrder } from '../src/index.ts';
import { ONE_HOST, Runner, refused, zone } from './run.ts';

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

test('though its host is not to be connected to yet, the job is not due before the one that may have got the message is', () => {
  let isDown = true;
  const runner = new Runner({ dns: ONE_HOST, open: () => (isDown ? { stage: 'connect' } : undefined) });
  runner.add('example.net', ['x@example.net'], { id: 'x' }, 'x').run(0);
  isDown = false;
  const job = { ...new Runner({}).add('example.net', ['joe@example.net', 'ann@example.net']).jobs.get('j')!, ...mark([0], 0) };
  runner.addJob(job).run(1000);
  const { due } = runner.jobs.get('j')!;
  expect(due).toBeGreaterThanOrEqual(1000 + HOUR / 2);
  runner.runUntil(due - 1);
  expect(runner.states()).toEqual(['due', 'due']);
  runner.runUntil(due);
  expect(runner.states()).toEqual(['relayed', 'relayed']);
});

test('a release does not stop what is under way: of two recipients the rest goes to the other host', () => {
  const dns = zone({
    'example.net': { mx: ['10 a.example', '20 b.example'] },
    'a.example': { a: ['192.0.2.1'] },
    'b.example': { a: ['192.0.2.2'] },
  });
  const runner = new Runner({
    dns,
    send: ({ transaction }) => {
      if (transaction.recipients.length === 1) return undefined;
      runner.dispatcher.tell({ type: 'operator', job: 'j', what: 'release' });
      return [refused(450), refused(521)];
    },
  });
  runner.add('example.net', ['joe@example.net', 'ann@example.net']).run(0);
  expect(runner.states()).toEqual(['due', 'relayed']);
});

test('tried ahead of its time by an operator, a recipient that is left behind still waits for a whole pause', () => {
  const dns = zone({
    'example.net': { mx: ['10 a.example', '20 b.example'] },
    'a.example': { a: ['192.0.2.1'] },
    'b.example': { a: ['192.0.2.2'] },
  });
  const send = ({ transaction: { recipients } }: SendOrder) => (recipients.length === 1 ? undefined : [refused(450), refused(521)]);
  const job = { ...new Runner({}).add('example.net', ['joe@example.net', 'ann@example.net']).jobs.get('j')!, due: 30_000 };
  const runner = new Runner({ dns, send }).addJob(job);
  runner.dispatcher.tell({ type: 'operator', job: 'j', what: 'retry' });
  runner.run(0);
  expect(runner.changes[0]!.due).toBeGreaterThanOrEqual(HOUR / 2);
  expect(runner.states()).toEqual(['due', 'relayed']);
});
