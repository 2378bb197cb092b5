import { expect, test } from 'vitest';
import { type Job, type Message, newJob } from '../src/index.ts';
import { explainStep, stepsAtRest } from '../src/words.ts';

const MESSAGE: Message = { id: 'm', reversePath: 'ann@example.org', arrived: 5, size: 0 };
const JOB = newJob('j', MESSAGE, 'example.net', [{ address: 'joe@example.net' }, { address: 'may@example.net' }]);

function told(job: Job, recipient = 0): readonly string[] {
  return stepsAtRest(job, recipient).map(explainStep);
}

test('what waits says until when, and what was said to it', () => {
  const last = { at: 7, status: '4.7.1', category: 'greylisted', host: 'mx.example.net', reply: { code: 451, lines: ['later'] } };
  const job: Job = { ...JOB, due: 1000, tries: 1, recipients: [{ address: 'joe@example.net', state: 'due', last }] };
  expect(stepsAtRest(job, 0).map(({ at, what }) => [at, what])).toEqual([
    [7, 'said'],
    [1000, 'waits'],
  ]);
  expect(told(job)[0]).toBe('mx.example.net said 451 (4.7.1, greylisted). (RFC 5321 4.2.1)');
});

test('what was met where nobody has said anything', () => {
  const last = { at: 7, status: '4.4.1', category: 'no-answer', host: 'mx.example.net' };
  const job: Job = { ...JOB, recipients: [{ address: 'joe@example.net', state: 'due', last }] };
  expect(told(job)[0]).toBe('A try met no-answer (4.4.1). (RFC 3463)');
  const text = 'connect ECONNREFUSED 192.0.2.1:25';
  expect(told({ ...job, recipients: [{ ...job.recipients[0]!, last: { ...last, text } }] })[0]).toBe(
    'mx.example.net was not to be had: connect ECONNREFUSED 192.0.2.1:25 (4.4.1, no-answer). (RFC 5321 4.5.4.1)',
  );
});

test('what is held says so', () => {
  expect(told({ ...JOB, held: true })).toEqual(['An operator has it held: nothing is done until it is released.']);
});

test('of a transaction that was begun, it is told to those whom it was for', () => {
  const job: Job = { ...JOB, begun: { attempt: 3, recipients: [1], at: 9 } };
  expect(told(job, 1)[0]).toBe('Transaction 3 was begun, and nothing is known of its end. (RFC 1047)');
  expect(told(job, 0)).toEqual(['It waits for its next try, at 1970-01-01T00:00:00Z; 0 have failed. (RFC 5321 4.5.4.1)']);
});

test('who is final says how, and nobody else says anything', () => {
  const last = { at: 7, status: '2.1.5', category: 'accepted' };
  const job: Job = { ...JOB, recipients: [{ address: 'joe@example.net', state: 'relayed', last }] };
  expect(told(job).at(-1)).toBe('It is over: relayed (2.1.5). (RFC 5321 6.1)');
  expect(told(job, 7)).toEqual([]);
});

test('numbers are said with the words that fit them, and times in UT', () => {
  const later = (tries: number): string => explainStep({ at: 0, what: 'later', detail: { tries, due: 7 } });
  expect([1, 2].map(later)).toEqual([
    'It is tried again later; 1 try has failed. (RFC 5321 4.5.4.1)',
    'It is tried again later; 2 tries have failed. (RFC 5321 4.5.4.1)',
  ]);
  const detail = { attempt: 1, host: 'mx.example.net', recipients: 1 };
  expect(explainStep({ at: 0, what: 'begins', detail })).toBe('Transaction 1 begins with mx.example.net, for 1 recipient. (RFC 5321 3.3)');
  const dead = { until: 301_000 };
  expect(explainStep({ at: 0, what: 'host-dead', detail: dead })).toBe(
    'Every host was out of reach a short while ago: none is tried before 1970-01-01T00:05:01Z. (RFC 5321 4.5.4.1)',
  );
});
