import { describe, expect, test } from 'vitest';
import { ONE_HOST, Runner, refused, zone } from './run.ts';

const MINUTE = 60_000;

describe('a message on its way', () => {
  test('is looked up, connected for, begun, sent, settled and dropped, in this order', () => {
    const runner = new Runner({ dns: ONE_HOST }).add('example.net', ['joe@example.net']).run(0);
    expect(runner.orders.map(({ type }) => type)).toEqual(['lookup', 'lookup', 'lookup', 'open', 'begin', 'send', 'settle', 'drop']);
    expect(runner.states()).toEqual(['relayed']);
    expect(runner.dispatcher.size).toBe(0);
  });

  test('that is refused for now is tried again after half an hour, and after four hours its sender is told', () => {
    const runner = new Runner({ dns: ONE_HOST, send: () => [refused(451)] })
      .add('example.net', ['joe@example.net'])
      .runUntil(5 * 60 * MINUTE);
    expect(runner.changes.map(({ due }) => due! / MINUTE)).toEqual([30, 150, 240, 420]);
    expect(runner.born.map(({ recipients }) => recipients[0]?.address)).toEqual(['ann@example.org']);
  });

  test('expires by a try that began after five days, and the sender is told', () => {
    const runner = new Runner({ dns: ONE_HOST, send: ({ transaction }) => (transaction.reversePath === '' ? undefined : [refused(451)]) });
    runner.add('example.net', ['joe@example.net']).runUntil(6 * 24 * 60 * MINUTE);
    expect(runner.states()).toEqual(['expired']);
    expect(runner.of('send').at(-1)).toBeDefined();
    expect(runner.changes.at(-1)!.due).toBe(null);
  });
});

describe('several hosts', () => {
  const TWO = zone({
    'example.net': { mx: ['10 a.example.net', '20 b.example.net'] },
    'a.example.net': { a: ['192.0.2.1'] },
    'b.example.net': { a: ['192.0.2.2'] },
  });

  test('the second is tried when the first does not answer, and the first is left alone for a while', () => {
    const open = ({ target }: { target: { address: string } }) => (target.address === '192.0.2.1' ? { stage: 'connect' as const } : {});
    const runner = new Runner({ dns: TWO, open }).add('example.net', ['joe@example.net']).run(0);
    expect(runner.of('open').map(({ target }) => target.host)).toEqual(['a.example.net', 'b.example.net']);
    expect(runner.states()).toEqual(['relayed']);
    runner.add('example.net', ['bob@example.net'], { id: 'n', arrived: 60_000 }, 'k').run(60_000);
    expect(runner.of('open').map(({ target }) => target.host)).toEqual(['a.example.net', 'b.example.net', 'b.example.net']);
  });

  test('a 421 in the transaction leads to the other at once', () => {
    const send = ({ transaction }: { transaction: { recipients: readonly object[] } }) =>
      transaction.recipients.map(() => refused(421, 'busy', 'mail'));
    const runner = new Runner({ dns: TWO, send }).add('example.net', ['joe@example.net']).run(0);
    expect(runner.of('open').map(({ target }) => target.host)).toEqual(['a.example.net', 'b.example.net']);
    expect(runner.changes.map(({ due, release }) => [due, release])).toEqual([
      [0, false],
      [30 * MINUTE, true],
    ]);
  });
});

describe('what goes round in circles ends', () => {
  const BOTH = zone({
    'example.net': { mx: ['10 mx.example.net'] },
    'example.org': { mx: ['10 mx.example.net'] },
    'mx.example.net': { a: ['192.0.2.1'] },
  });
  /** Every job that comes into being is added, until there is none; more than can be are none of a circle that ends. */
  const play = (runner: Runner): Runner => {
    for (let number = 0; number < runner.born.length; number++) {
      expect(number).toBeLessThan(200);
      runner.addJob(runner.born[number]!).run(number + 1);
    }
    return runner;
  };
  const ends = ({ born, jobs }: Runner): void => {
    expect(born.every(({ id }) => id.length <= 255)).toBe(true);
    expect([...jobs.values()].flatMap(({ recipients }) => recipients.map(({ state }) => state))).not.toContain('due');
  };

  test('a host that says of each user that it has moved is followed ten times', () => {
    const other = (address: string): string => (address.startsWith('joe') ? 'may@example.org' : 'joe@example.net');
    const runner = new Runner(
      {
        dns: BOTH,
        send: ({ transaction: { reversePath, recipients } }) =>
          reversePath === '' ? undefined : [refused(551, `try <${other(recipients[0]!.address)}>`)],
      },
      { moved: 'follow' },
    );
    play(runner.add('example.net', ['joe@example.net'], {}, 'j'.repeat(100)).run(0));
    ends(runner);
    const notices = runner.born.filter(({ message }) => message.notice === true);
    expect([runner.born.length, notices.map(({ recipients }) => recipients[0]?.address)]).toEqual([11, ['ann@example.org']]);
    expect(runner.changes.flatMap(({ recipients }) => recipients.map(({ last }) => last?.category))).toContain('moved');
  });

  test('a list to whose owner nothing can be delivered: of a notice nobody is told, though a list has passed it on (RFC 5321 6.1)', () => {
    const runner = new Runner(
      { dns: BOTH, send: ({ transaction: { recipients } }) => recipients.map(() => refused(550)) },
      { expand: (address) => (address === 'list@example.org' ? { type: 'list', to: ['gone@example.net'], owner: address } : null) },
    );
    play(runner.add('example.org', ['list@example.org'], {}, 'j'.repeat(100)).run(0));
    ends(runner);
    expect(runner.born.map(({ id, message: { reversePath } }) => [id.slice(100), reversePath])).toEqual([
      ['/0.0', 'list@example.org'],
      ['/0.0/notice-1.0', ''],
      ['/0.0/notice-1.0/0.0', 'list@example.org'],
    ]);
  });

  // RFC 5321 4.5.4: "MUST NOT … under any circumstances".
  test('a list tells its owner nothing of what has a null reverse-path, though nobody has said that it is a notice', () => {
    const runner = new Runner(
      { dns: BOTH, send: ({ transaction: { recipients } }) => recipients.map(() => refused(550)) },
      {
        expand: (address) =>
          address === 'list@example.org' ? { type: 'list', to: ['gone@example.net'], owner: 'owner@example.org' } : null,
      },
    );
    play(runner.add('example.org', ['list@example.org'], { reversePath: '' }).run(0));
    expect(runner.born.map(({ message }) => [message.reversePath, message.notice])).toEqual([['owner@example.org', true]]);
  });

  test('two aliases of each other, with a thousand more', () => {
    const others = Array.from({ length: 1000 }, (_, index) => `x@${index}.example.net`);
    const other = (address: string): string => (address.startsWith('a') ? 'b@example.org' : 'a@example.org');
    const expand = (address: string) =>
      address.endsWith('@example.org') ? { type: 'alias' as const, to: [...others, other(address)] } : null;
    const runner = new Runner({ dns: BOTH }, { expand });
    runner.add('example.org', ['a@example.org'], {}, 'j'.repeat(100)).run(0);
    for (let depth = 0; depth < 20; depth++) {
      const last = runner.born.filter(({ domain }) => domain === 'example.org').at(-1)!;
      if (!runner.dropped.has(last.id)) runner.addJob(last).run(depth + 1);
    }
    expect(runner.born.every(({ id }) => id.length <= 255)).toBe(true);
    expect(runner.changes.flatMap(({ recipients }) => recipients.map(({ last }) => last?.category))).toContain('loop');
  });
});

test.each(['alias', 'list'] as const)('an %s of itself and of another: each gets one copy', (type) => {
  const expand = (address: string) =>
    address.toLowerCase() === 'bob@example.net' ? { type, to: ['bob@Example.NET', 'phone@example.net'], owner: 'ann@example.org' } : null;
  const runner = new Runner({ dns: ONE_HOST }, { expand }).add('example.net', ['bob@example.net']).run(0);
  for (let number = 0; number < runner.born.length; number++) runner.addJob(runner.born[number]!).run(number + 1);
  const sent = runner.of('send').flatMap(({ transaction }) => transaction.recipients.map(({ address }) => address));
  expect([sent, runner.born.length]).toEqual([['bob@Example.NET', 'phone@example.net'], 1]);
});

test.each(['alias', 'list'] as const)('an %s of nobody fails beside what is sent, and its sender is told', (type) => {
  const expand = (address: string) => (address === 'none@example.net' ? { type, to: [], owner: 'ann@example.org' } : null);
  const runner = new Runner({ dns: ONE_HOST }, { expand }).add('example.net', ['none@example.net', 'joe@example.net']).run(0);
  expect(runner.states()).toEqual(['failed', 'relayed']);
  expect(runner.jobs.get('j')!.recipients[0]!.last).toMatchObject({ status: '5.2.4', category: 'list-problem' });
  expect(runner.born.map(({ message }) => message.notice)).toEqual([true]);
});

test('a message whose content is lost is sent to nobody, and its sender is told', () => {
  const runner = new Runner({ dns: ONE_HOST });
  runner.add('example.net', ['joe@example.net'], { damaged: true }).run(1000);
  expect(runner.of('open')).toEqual([]);
  expect(runner.states()).toEqual(['failed']);
  expect(runner.jobs.get('j')!.recipients[0]!.last).toEqual({ at: 1000, status: '5.3.0', category: 'damaged' });
  expect(runner.born.map(({ message, recipients }) => [message.notice, recipients[0]!.address])).toEqual([[true, 'ann@example.org']]);
});
