// What a relay tells of its queue, for people.
import { newJob } from '@ehlo/delivery';
import { expect, test } from 'vitest';
import { JobTable, jobLines, statusLines } from '../src/queue-text.ts';

const TEXT = 'connect ECONNREFUSED 192.0.2.1:25\u001b[2J';
const LAST = { at: 1000, status: '4.4.1', category: 'no-answer', host: 'mx.example.net', text: TEXT };
const JOB = {
  ...newJob('j', { id: 'm', reversePath: 'ann@example.org', arrived: 0, size: 7 }, 'example.net', [{ address: 'joe@example.net' }]),
  due: 301_000,
  tries: 1,
  attempt: 1,
};
const WAITING = {
  state: 'waiting' as const,
  job: { ...JOB, recipients: [{ address: 'joe@example.net', state: 'due' as const, last: LAST, unknown: 1 }] },
};

test('a job that waits for a host says what that met, in inert text, and numbers with the words that fit them', () => {
  const lines = jobLines(WAITING, 2000);
  expect(lines).toContain('tried    1 try failed, 1 transaction');
  expect(lines).toContain('  joe@example.net due, 1 time nobody knows');
  expect(lines.at(-1)).toMatch(
    /^ {4}1970-01-01 00:00:01Z {2}4\.4\.1 no-answer, mx\.example\.net: connect ECONNREFUSED 192\.0\.2\.1:25\S+$/,
  );
  const table = new JobTable(2000);
  expect([...table.add(WAITING), ...table.end()].join('\n')).toContain('mx.example.net: connect ECONNREFUSED 192.0.2.1:25');
  expect(lines.join('')).not.toContain('\u001b');
});

test('one job, and one order', () => {
  const queue = { leased: 1, due: 0, waiting: 0, held: 0, oldest: null, age: 0 };
  const status = { version: 1, hostname: 'mx.example.org', state: 'running', started: 0, now: 1000, leased: 1, open: 1, queue } as const;
  expect(statusLines(status)).toEqual([
    'relay mx.example.org: running for 1 s, 1 job here, 1 order under way',
    'queue 1 job: 1 leased, 0 due, 0 waiting, 0 held',
  ]);
});
