import { contentOf, readReport } from '@ehlo/message/report';
import { describe, expect, test } from 'vitest';
import type { Fact, Notice, Order } from '../src/index.ts';
import { composeNotice } from '../src/notices.ts';
import { Runner, refused, zone } from './run.ts';

const INIT = { hostname: 'mx.example.org', id: 'j/notice-1.0', boundary: 'b1' };
const ORIGINAL = { header: new TextEncoder().encode('Subject: hello\r\n'), size: 100 };
const ACCEPTED = { status: 'accepted', reply: { code: 250, lines: ['OK'] } } as const;
const DNS = zone({ 'example.net': { mx: ['10 mx.example.net'] }, 'mx.example.net': { a: ['192.0.2.1'] } });

describe('a notice of a machine', () => {
  test('is a report that says what has failed, by whom, and what was said', () => {
    const runner = new Runner({ dns: DNS, send: () => [refused(550, '5.1.1 no such user')] });
    runner
      .add('example.net', [{ address: 'joe@example.net', orcpt: { type: 'rfc822', address: 'old@example.com' }, state: 'due' }], {
        envid: 'Q1',
      })
      .run(0);
    const { content } = runner.changes[0]!.put[0]!;
    const mail = composeNotice(content as Notice, { ...INIT, original: ORIGINAL });
    const report = readReport([...contentOf(mail)].map((bytes) => new TextDecoder().decode(bytes)).join(''));
    if (report?.type !== 'delivery-status') throw new Error('it is no report');
    expect(report).toMatchObject({ envelopeId: 'Q1', reportingMta: { type: 'dns', text: 'mx.example.org' }, arrival: 0 });
    expect(report.recipients).toMatchObject([
      {
        originalRecipient: { type: 'rfc822', text: 'old@example.com' },
        finalRecipient: { type: 'rfc822', text: 'joe@example.net' },
        action: 'failed',
        status: '5.1.1',
        remoteMta: { type: 'dns', text: 'mx.example.net' },
        diagnostic: { type: 'smtp', text: '550 5.1.1 no such user' },
        lastAttempt: 0,
      },
    ]);
    expect(report.deviations).toEqual([]);
    expect(mail).toMatchObject({ reversePath: '', recipients: ['ann@example.org'] });
  });

  test('of a delay says until when it is tried; under DELIVERBY by when it was to be delivered', () => {
    const runner = new Runner({ dns: DNS, send: () => [refused(451, '4.7.1 later')] });
    runner
      .add('example.net', ['joe@example.net'], { by: { until: 60_000, mode: 'N' } })
      .run(0)
      .runUntil(60_000);
    const notice = runner.changes.flatMap(({ put }) => put)[0]!.content as Notice;
    const text = new TextDecoder().decode(composeNotice(notice, INIT).head);
    expect(text).toContain('Deliver-By-Date: Thu, 1 Jan 1970 00:01:00 +0000\r\n');
    expect(text).toContain('Will-Retry-Until: Tue, 6 Jan 1970 00:00:00 +0000\r\n');
    expect(text).toContain('Action: delayed\r\nStatus: 4.4.7\r\n');
  });

  test('of a success alone has a name of its own: who holds the job next may tell of the same attempt', () => {
    const recipients = [
      { address: 'joe@example.net', notify: ['SUCCESS', 'FAILURE'], state: 'due' },
      { address: 'may@example.net', state: 'due' },
    ] as const;
    const names = (runner: Runner): readonly string[] => runner.changes.flatMap(({ put }) => put.map(({ job }) => job.id));
    const first = new Runner({ dns: DNS, send: () => [ACCEPTED, refused(450)] }).add('example.net', recipients);
    const begun = { attempt: 1, recipients: [0, 1], at: 0 };
    const next = new Runner({ dns: DNS }, { unknown: 'once' }).addJob({ ...first.jobs.get('j')!, begun }).run(0);
    expect([names(first.run(0)), names(next)]).toEqual([['j/notice-1.1s'], ['j/notice-1.1']]);
  });

  test('of a delay, told while no host may be tried, has another name than one of the transaction before', () => {
    const isDead = { now: false };
    class Unmarked extends Runner {
      override answer(order: Order): Fact | null {
        return order.type === 'begin' ? { type: 'begun', to: order.id, result: 'failed' } : super.answer(order);
      }
    }
    const lost = { status: 'unsent', stage: 'message', cause: 'lost', reply: null } as const;
    const send = () => [refused(550), lost];
    const runner = new Unmarked({ dns: DNS, open: () => (isDead.now ? { stage: 'connect' } : undefined), send }, { delayed: 2000 });
    runner.add('example.net', ['joe@example.net', 'may@example.net']).run(0);
    isDead.now = true;
    runner.add('example.net', ['ann@example.net'], { id: 'n' }, 'other').runUntil(60_000);
    const put = runner.changes.filter(({ job }) => job === 'j').flatMap(({ put }) => put.map(({ job }) => job.id));
    expect(put).toEqual([...new Set(put)]);
    expect(put).toContain('j/notice-1.0');
  });

  test('about nobody can not be written', () => {
    expect(() => composeNotice({ of: 'm', at: 0, arrived: 0, to: '', recipients: [] }, INIT)).toThrow(RangeError);
  });
});
