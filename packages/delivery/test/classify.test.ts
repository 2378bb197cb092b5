import type { Reply } from '@ehlo/grammar';
import { describe, expect, test } from 'vitest';
import { classify, movedTo, suppressionOf } from '../src/index.ts';

/** Stage, reply, what it is, what follows, and by what it was found. */
const TABLE: readonly (readonly [stage: string, reply: string, category: string, action: string, evidence: string])[] = [
  ['rcpt', '550 5.1.1 no such user', 'no-such-mailbox', 'fail', '5.1.1'],
  ['rcpt', '450 4.1.1 greylisted by address', 'greylisted', 'later', 'greylisted'],
  ['rcpt', '550 no', 'mailbox', 'fail', '550'],
  ['rcpt', '452 4.2.2 over quota', 'mailbox-full', 'later', '4.2.2'],
  ['rcpt', '552 5.2.2 over quota', 'mailbox-full', 'fail', '5.2.2'],
  ['rcpt', '552 too many', 'too-many-recipients', 'now', 'too-many-452'],
  ['data', '552 too large', 'mailbox-full', 'fail', '552'],
  ['rcpt', '451 4.5.3 too many', 'too-many-recipients', 'now', 'too-many'],
  ['mail', '421 4.3.2 closing', 'shutting-down', 'host', '4.3.2'],
  ['mail', '421 closing', 'shutting-down', 'host', '421'],
  ['greeting', '554 no', 'no-welcome', 'host', 'greeting'],
  ['greeting', '521 no mail here', 'no-welcome', 'host', 'greeting'],
  ['rcpt', '556 5.1.10 null MX', 'null-mx', 'fail', '5.1.10'],
  ['message', '451 rate limit exceeded', 'rate-limit', 'slow', 'too-fast'],
  ['mail', '451 4.4.5 congestion', 'congested', 'slow', '4.4.5'],
  // RFC 5321 4.2.1: what is permanent is not repeated; 4.5.3.1.10 is of RCPT.
  ['rcpt', '550 5.4.5 over the quota of the day', 'congested', 'fail', '5.4.5'],
  ['message', '554 5.5.3 no', 'too-many-recipients', 'fail', '5.5.3'],
  ['message', '452 4.5.3 too many', 'too-many-recipients', 'now', '4.5.3'],
  ['rcpt', '552 5.5.3 too many', 'too-many-recipients', 'now', 'too-many'],
  ['mail', '554 5.3.2 closing', 'shutting-down', 'host', '5.3.2'],
  // RFC 2034 4: a code of another class than the reply is none.
  ['rcpt', '450 5.1.1 try again', 'mailbox-busy', 'later', '450'],
  // RFC 5321 4.3.2: what nobody knows is judged by its first digit.
  ['rcpt', '499 odd', 'unknown', 'later', 'unknown'],
  ['rcpt', '599 odd', 'unknown', 'fail', 'unknown'],
  ['rcpt', '550 5.9.99 odd', 'mailbox', 'fail', '550'],
];

describe('a reply', () => {
  test.each(TABLE)('%s: %s is %s: %s, by %s', (stage, text, category, action, evidence) => {
    const verdict = classify(replyOf(text), stage);
    expect([verdict.category, verdict.action, verdict.evidence]).toEqual([category, action, evidence]);
    expect(verdict.permanent).toBe(text[0] === '5');
    expect(verdict.status[0]).toBe(text[0]);
  });

  test('is judged by the rules of the program first, where all that they say fits', () => {
    const rules = [
      { name: 'ours', hosts: ['.example.net'], stages: ['rcpt'], text: 'slow down', category: 'provider', action: 'slow' as const },
    ];
    const slow = replyOf('550 5.7.1 Slow down, please');
    expect(classify(slow, 'rcpt', 'mx.example.net', rules).evidence).toBe('ours');
    expect(classify(slow, 'rcpt', 'mx.example.com', rules).evidence).toBe('5.7.1');
    expect(classify(slow, 'data', 'mx.example.net', rules).evidence).toBe('5.7.1');
    expect(classify(replyOf('550 5.7.1 no'), 'rcpt', 'mx.example.net', rules).evidence).toBe('5.7.1');
  });
});

// RFC 5321 3.4.
test.each([
  ['251 User not local; will forward to <joe@example.com>', 'joe@example.com'],
  ['551 please try <@relay.example:joe@example.com>', 'joe@example.com'],
  ['551 moved', null],
  ['550 <joe@example.com>', null],
])('%s names %s', (text, address) => {
  expect(movedTo(replyOf(text))).toBe(address);
});

test('what is proposed to be left alone is little', () => {
  const proposed = (category: string, status: string) => suppressionOf({ category, status });
  const permanent = ['no-such-mailbox', 'mailbox-full', 'policy', 'unknown', 'greylisted'].map((category) => proposed(category, '5.1.1'));
  expect(permanent).toEqual(['now', 'if-repeated', null, null, null]);
  // RFC 5321 4.2.1: 4 in front may be another answer the next time.
  expect([proposed('no-such-mailbox', '4.1.1'), proposed('disabled', '4.2.1'), proposed('mailbox-full', '4.2.2')]).toEqual(
    Array(3).fill('if-repeated'),
  );
});

// RFC 3463 2: "each numeric sub-code … without leading zeros": else no notice can say it.
test.each([
  ['5.07.1 blocked', '5.0.0'],
  ['5.7.01 blocked', '5.0.0'],
  ['5.7.1 blocked', '5.7.1'],
  ['5.0.0', '5.0.0'],
  ['5.7.1000 blocked', '5.0.0'],
])('550 %s is of status %s', (text, status) => {
  expect(classify({ code: 550, lines: [text] }, 'rcpt').status).toBe(status);
});

test('an address that a reply names has no control characters', () => {
  expect(movedTo({ code: 551, lines: ['try <x\0y@example.net>'] })).toBeNull();
});

function replyOf(text: string): Reply {
  return { code: Number(text.slice(0, 3)), lines: [text.slice(4)] };
}
