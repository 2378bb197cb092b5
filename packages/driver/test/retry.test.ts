// When to send to a recipient again, and by which rule.
import type { ClientCause, Outcome, Stage } from '@ehlo/engine';
import { replyOf } from '@ehlo/grammar';
import { expect, test } from 'vitest';
import { connectOn, isRetryable, type Retry, retryOf } from '../src/index.ts';
import { but, ScriptedServer } from './scripted.ts';

const refused = (stage: Stage, code: number, text = 'no'): Outcome => {
  return { status: 'refused', stage, permanent: code >= 500, reply: replyOf(code, text.split('\n')), problem: null };
};
const unsent = (cause: ClientCause, code?: number, text = 'no'): Outcome => {
  return { status: 'unsent', stage: 'connect', cause, reply: code === undefined ? null : replyOf(code, [text]) };
};

test.each<[string, Outcome, Retry, RegExp]>([
  ['4yz', refused('rcpt', 450), 'later', /^450 is a transient failure \(RFC 5321 4\.2\.1\)$/],
  ['4.y.z', refused('rcpt', 451, '4.7.1 greylisted'), 'later', /^4\.7\.1 is a transient failure \(RFC 3463 2\)$/],
  ['5yz', refused('mail', 553), 'never', /^553 is a permanent failure \(RFC 5321 4\.2\.1\)$/],
  ['5.y.z', refused('message', 554, '5.7.1 spam'), 'never', /^5\.7\.1 is a permanent failure/],
  ['an enhanced code on one line of two', refused('rcpt', 550, '5.1.1 no\nsuch user'), 'never', /^5\.1\.1 /],
  ['an enhanced code that does not agree', refused('rcpt', 450, '5.1.1 no such user'), 'later', /^450 /],
  ['what only looks like an enhanced code', refused('rcpt', 550, '5.1.1234 no'), 'never', /^550 /],
  ['552 to RCPT', refused('rcpt', 552), 'later', /RFC 5321 4\.5\.3\.1\.10/],
  ['552 5.5.3 to RCPT', refused('rcpt', 552, '5.5.3 too many'), 'later', /RFC 5321 4\.5\.3\.1\.10/],
  ['552 5.2.2 to RCPT', refused('rcpt', 552, '5.2.2 full'), 'never', /^5\.2\.2 /],
  ['552 to the message', refused('message', 552), 'never', /^552 /],
  ['limits', unsent('limits'), 'now', /RFC 9422/],
  ['452 behind others', unsent('limits', 452, '4.5.3 too many'), 'now', /RFC 5321 4\.5\.3\.1\.10/],
  ['what the program gave up', unsent('aborted'), 'now', /program/],
  ['QUIT', unsent('quit'), 'now', /program/],
  ['421', unsent('closing', 421), 'later', /^421 is a transient failure/],
  ['a greeting of 554', unsent('refused', 554), 'never', /^554 /],
  ['AUTH refused for now', unsent('refused', 454, '4.7.0 later'), 'later', /^4\.7\.0 /],
  ...(['ended', 'lost', 'timeout', 'fault', 'tls'] as const).map(
    (cause) => [cause, unsent(cause), 'later', /RFC 5321 4\.5\.4\.1/] as [string, Outcome, Retry, RegExp],
  ),
  ['a message that is not as declared', unsent('declaration'), 'never', /RFC 6152/],
  ['a bare line end', unsent('bare-line-end'), 'never', /RFC 5321 2\.3\.8/],
])('%s', (_, outcome, retry, reason) => {
  expect(retryOf(outcome)).toEqual({ retry, reason: expect.stringMatching(reason) });
  expect(isRetryable(outcome)).toBe(retry !== 'never');
});

test('accepted is never sent again; unknown may be, and then may arrive twice', () => {
  const reply = replyOf(250, ['ok']);
  const accepted: Outcome = { status: 'accepted', stage: 'message', reply };
  const unknown: Outcome = { status: 'unknown', stage: 'message', cause: 'lost', reply: null };
  expect([retryOf(accepted).retry, isRetryable(accepted)]).toEqual(['never', false]);
  expect([retryOf(unknown), isRetryable(unknown)]).toEqual([{ retry: 'later', reason: expect.stringContaining('RFC 1047') }, false]);
});

test('each outcome of send says it, also what a plan refuses', async () => {
  const client = await connectOn(new ScriptedServer(but({ 'RCPT TO:<ann': '450 4.2.1 later', 'RCPT TO:<bob': '550 5.1.1 nobody' })));
  const { outcomes } = await client.send(
    { reversePath: '', recipients: ['ann@b.example', 'bob@b.example', 'cid', 'dan@b.example', 'eve@b.example'] },
    'x',
  );
  expect(outcomes.map(({ retry, reason }) => [retry, reason])).toEqual([
    ['later', '4.2.1 is a transient failure (RFC 3463 2)'],
    ['never', '5.1.1 is a permanent failure (RFC 3463 2)'],
    ['never', expect.stringMatching(/^the address can't be sent: .* \(5\.1\.3, RFC 3463 2\)$/)],
    ['never', 'it is accepted'],
    ['never', 'it is accepted'],
  ]);
});
