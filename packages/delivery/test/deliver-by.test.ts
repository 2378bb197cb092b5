// RFC 2852: by when a message is to be delivered, and what follows when it is not.
import { expect, test } from 'vitest';
import type { Notice } from '../src/index.ts';
import { ONE_HOST, Runner, refused } from './run.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** What was told, of which job and when. */
const toldBy = ({ changes }: Runner): readonly (readonly [string, number, string])[] =>
  changes.flatMap(({ job, put }) =>
    put.flatMap(({ content }) => {
      const { at, recipients } = content as Notice;
      return recipients.map(({ action, status }) => [job, at / MINUTE, `${action} ${status}`] as const);
    }),
  );

test('a host that is known to be out of reach keeps no message beyond its by-time (4.1.3)', () => {
  const runner = new Runner({ dns: ONE_HOST, open: () => ({ stage: 'connect' }) });
  runner.add('example.net', ['joe@example.net'], { id: 'a' }, 'a').run(0);
  runner.add('example.net', ['joe@example.net'], { id: 'b', arrived: 1000, by: { until: MINUTE, mode: 'R' } }, 'b');
  runner.runUntil(10 * MINUTE);
  expect(toldBy(runner)).toEqual([['b', 1, 'failed 5.4.7']]);
});

test.each([
  ['is out of reach', { open: () => ({ stage: 'connect' as const }) }],
  ['says later', { send: () => [refused(451)] }],
])('under mode N the sender is told at the by-time, and at no other, of a host that %s (4.1.3)', (_, world) => {
  const runner = new Runner({ dns: ONE_HOST, ...world });
  runner.add('example.net', ['joe@example.net'], { by: { until: 6 * HOUR, mode: 'N' } }).runUntil(10 * HOUR);
  expect(toldBy(runner)).toEqual([['j', 360, 'delayed 4.4.7']]);
  expect(runner.states()).toEqual(['due']);
});

test('under mode N the sender is told at the by-time though the next host takes it then, once for each recipient who wants to know', () => {
  const opened = { extensions: { DELIVERBY: [], DSN: [] } };
  let isDown = true;
  const runner = new Runner({ dns: ONE_HOST, open: () => (isDown ? { stage: 'connect' } : opened) });
  const recipients = [
    { address: 'joe@example.net', state: 'due' },
    { address: 'may@example.net', state: 'due', notify: 'NEVER' },
    { address: 'bob@example.net', state: 'due', notify: ['FAILURE'] },
  ] as const;
  runner.add('example.net', recipients, { by: { until: HOUR, mode: 'N' } }).runUntil(59 * MINUTE);
  isDown = false;
  runner.runUntil(2 * HOUR);
  expect(toldBy(runner)).toEqual([['j', 60, 'delayed 4.4.7']]);
  expect(runner.states()).toEqual(['relayed', 'relayed', 'relayed']);
  expect(runner.of('send').at(-1)!.transaction.parameters.by).toMatchObject({ seconds: 0, mode: 'N' });
});

test('what comes when its by-time has passed is told of before it is tried', () => {
  const runner = new Runner({ dns: ONE_HOST }).add('example.net', ['joe@example.net'], { by: { until: -1000, mode: 'N' } }).run(0);
  expect(toldBy(runner)).toEqual([['j', 0, 'delayed 4.4.7']]);
  expect(runner.states()).toEqual(['relayed']);
});

test('telling it is no try: the first pause is as long as without (RFC 5321 4.5.4.1)', () => {
  const later = (message: object): Runner =>
    new Runner({ dns: ONE_HOST, send: () => [refused(451)] }).add('example.net', ['joe@example.net'], message).run(0);
  const [plain, late] = [later({}), later({ by: { until: -1000, mode: 'N' } })].map(({ jobs }) => jobs.get('j')!);
  expect([late!.tries, late!.due]).toEqual([plain!.tries, plain!.due]);
});

test('it is told, too, where the try begins with another commit', () => {
  const by = { until: -1000, mode: 'N' } as const;
  const expand = (address: string) => (address.startsWith('alias') ? ({ type: 'alias', to: ['x@other.example'] } as const) : null);
  const expanded = new Runner({ dns: ONE_HOST }, { expand });
  expanded.add('example.net', ['joe@example.net', 'alias@example.net'], { by }).run(0);
  const begun = new Runner({ dns: ONE_HOST });
  begun.add('example.net', ['joe@example.net', 'may@example.net'], { by });
  const job = begun.jobs.get('j')!;
  const again = new Runner({ dns: ONE_HOST }).addJob({ ...job, begun: { attempt: 1, recipients: [1], at: 0 } }).run(0);
  const told = ({ changes }: Runner): readonly string[] =>
    changes.flatMap(({ put }) =>
      put.flatMap(({ content }) => (content === 'same' ? [] : content.recipients.map(({ address }) => address))),
    );
  expect(told(expanded)).toEqual(['joe@example.net']);
  expect([...told(again)].sort()).toEqual(['joe@example.net', 'may@example.net']);
});

test('under mode R a notice of a delay says that nothing is tried after the by-time (RFC 3464 2.3.9)', () => {
  const runner = new Runner({ dns: ONE_HOST, open: () => ({ extensions: { DELIVERBY: [] } }), send: () => [refused(451)] });
  runner.add('example.net', ['joe@example.net'], { by: { until: 8 * HOUR, mode: 'R' } }).runUntil(9 * HOUR);
  const told = runner.changes.flatMap(({ put }) => put.flatMap(({ content }) => (content as Notice).recipients));
  expect(told.map(({ action, until }) => [action, until])).toEqual([
    ['delayed', 8 * HOUR],
    ['failed', undefined],
  ]);
});
