// What records sessions and answers them, for every kind of question and server.
import { defineExtension, ServerSession } from '@ehlo/engine';
import { expect, test } from 'vitest';
import { replay } from '../src/laws/record.ts';
import { conversation, type Scenario, scriptOf, WELCOME, WHOLE, WILLING } from './laws/scripts.ts';

const SCENARIO: Omit<Scenario, 'options' | 'segments'> = { plans: [WILLING], welcome: WELCOME.not, early: '', marks: [], end: 'end' };

test("a verb of an extension of one's own is a question: its answer is recorded, and replays", () => {
  const extensions = [defineExtension({ keyword: 'X-PING', spec: 'none', offer: () => [], verbs: [{ verb: 'XPING', phases: ['ready'] }] })];
  const options = { hostname: 'mx.example.org', preset: 'mx', ask: ['rcpt', 'message', 'command'], extensions } as const;
  const value: Scenario = { ...SCENARIO, options, segments: ['EHLO c.example\r\nXPING x\r\nQUIT\r\n'] };
  const talked = conversation(ServerSession, value).run(scriptOf(value, WHOLE));
  expect(talked.asked.map(({ type }) => type)).toEqual(['command']);
  const { log } = talked.recorder;
  expect(log.find(({ do: what }) => what === 'accept')).toMatchObject({ question: 0, gave: true });
  expect(replay(log, new ServerSession(options))).toEqual(log);
});

test('an application that refuses by 521 says another code where that has no place: at submission (RFC 6409 7)', () => {
  const plan = { ...WILLING, answer: 'reject', rejection: { code: 521, enhanced: '5.7.1', text: 'no' } } as const;
  const codes = (['mx', 'submission'] as const).map((preset) => {
    const auth = { mechanisms: ['PLAIN'], inClear: true };
    const options = { hostname: 'mx.example.org', preset, ask: ['hello', 'auth', 'rcpt', 'message'], auth } as const;
    const value: Scenario = { ...SCENARIO, options, plans: [plan], segments: ['EHLO c.example\r\n'] };
    const { recorder } = conversation(ServerSession, value).run(scriptOf(value, WHOLE));
    return recorder.log.flatMap((entry) => (entry.do === 'reject' ? entry.rejection.code : []));
  });
  expect(codes).toEqual([[521], [554]]);
});
