import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyChange, isOver, type Job, type JobChange, type NewJob, type NoticeRecipient, newJob, putOf } from '../src/index.ts';
import { domainOfPacked, packJob, unpackJob } from '../src/pack.ts';
import { job } from './jobs.ts';

const JOB = newJob('j', { id: 'm', reversePath: 'ann@example.org', arrived: 0, size: 1 }, 'example.net', [
  { address: 'joe@example.net' },
  { address: 'bob@example.net' },
]);
const CHANGE: JobChange = {
  job: 'j',
  tries: 1,
  attempt: 1,
  recipients: [{ index: 0, state: 'relayed' }],
  due: 60_000,
  release: true,
  put: [],
};

describe('a commit', () => {
  test('takes the mark away, and what is final stays', () => {
    const marked: Job = { ...JOB, begun: { attempt: 1, recipients: [0, 1], at: 0 } };
    const after = applyChange(marked, CHANGE);
    expect(after).toEqual({
      ...JOB,
      tries: 1,
      attempt: 1,
      due: 60_000,
      recipients: [{ ...JOB.recipients[0], state: 'relayed' }, JOB.recipients[1]],
    });
    const again = applyChange(after, { ...CHANGE, attempt: 2, tries: 2, recipients: [{ index: 0, state: 'failed' }] });
    expect(again.recipients[0]?.state).toBe('relayed');
    expect(isOver(again)).toBe(false);
  });

  test('done twice is done once; of an older attempt it is nothing', () => {
    const after = applyChange(JOB, CHANGE);
    expect(applyChange(after, CHANGE)).toEqual(after);
    const later = applyChange(after, { ...CHANGE, attempt: 2, tries: 2, due: 120_000, recipients: [] });
    expect(applyChange(later, { ...CHANGE, recipients: [{ index: 1, state: 'failed' }] })).toBe(later);
  });

  test('of a lease that is lost says nothing but what was accepted', () => {
    const late = applyChange(
      JOB,
      {
        ...CHANGE,
        recipients: [
          { index: 0, state: 'relayed' },
          { index: 1, state: 'failed' },
        ],
      },
      { acceptances: true },
    );
    expect(late.recipients.map(({ state }) => state)).toEqual(['relayed', 'due']);
    expect(late.due).toBe(JOB.due);
  });

  test('of a lease that is lost puts the notices of what was accepted, where that is news, and nothing else', () => {
    const notice = (...actions: NoticeRecipient['action'][]): NewJob => {
      const recipients = actions.map((action) => ({ address: 'joe@example.net', action, status: '2.0.0' }));
      return { job: { ...JOB, id: actions.join() }, content: { of: 'm', at: 0, arrived: 0, to: 'ann@example.org', recipients } };
    };
    const put = [notice('relayed', 'delivered'), notice('relayed', 'failed'), notice('expanded'), { job: JOB, content: 'same' as const }];
    const change = { ...CHANGE, put };
    expect(putOf(JOB, change)).toBe(put);
    expect(putOf(JOB, change, { acceptances: true }).map(({ job: { id } }) => id)).toEqual(['relayed,delivered']);
    expect(putOf(applyChange(JOB, change), change, { acceptances: true })).toEqual([]);
    expect(putOf(applyChange(JOB, change), change)).toEqual([]);
  });

  test('holds a job, and releases it', () => {
    const held = applyChange(JOB, { ...CHANGE, held: true });
    expect(held.held).toBe(true);
    expect(applyChange(held, CHANGE).held).toBe(true);
    expect(applyChange(held, { ...CHANGE, held: false }).held).toBeUndefined();
  });
});

test('a job that is packed is the same when it is unpacked', () => {
  fc.assert(
    fc.property(job, (one) => {
      expect(unpackJob(packJob(one))).toEqual(JSON.parse(JSON.stringify(one)));
      expect(domainOfPacked(packJob(one))).toBe(one.domain);
    }),
  );
});

test('the domain of a job that is packed is found whatever its name and its domain are made of', () => {
  const text = fc.oneof(fc.string(), fc.constantFrom('","', '\\', '\\"', '"', ''));
  fc.assert(
    fc.property(job, text, text, (one, id, domain) => {
      expect(domainOfPacked(packJob({ ...one, id, domain }))).toBe(domain);
    }),
  );
});
