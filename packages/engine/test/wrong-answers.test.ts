// What a program answers wrongly throws, and changes nothing: the question stays open, and its command gets its one reply.
import { latin1, octets } from '@ehlo/grammar';
import { describe, expect, test } from 'vitest';
import {
  type Answer,
  type Question,
  type Rejection,
  type ServerOptions,
  ServerSession,
  SmtpUsageError,
  type UsageCode,
} from '../src/index.ts';

const ENVELOPE = 'EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n';

/** Every kind of question: what makes a session ask it, and the codes of its replies to that and to the two NOOPs behind it, if it refuses. */
const QUESTIONS: { readonly [name: string]: readonly [Partial<ServerOptions>, string, string, string] } = {
  connect: [{ ask: ['connect'] }, '', '', '554 503 503'],
  hello: [{ ask: ['hello'] }, '', 'EHLO c.example\r\n', '451 250 250'],
  starttls: [{ ask: ['starttls'], starttls: 'offered' }, 'EHLO c.example\r\n', 'STARTTLS\r\n', '451 250 250'],
  auth: [{ ask: ['auth'], auth: { mechanisms: ['PLAIN'], inClear: true } }, 'EHLO c.example\r\n', 'AUTH PLAIN AGEAYg==\r\n', '451 250 250'],
  mail: [{ ask: ['mail'] }, 'EHLO c.example\r\n', 'MAIL FROM:<>\r\n', '451 250 250'],
  rcpt: [{ ask: ['rcpt'] }, 'EHLO c.example\r\nMAIL FROM:<>\r\n', 'RCPT TO:<a@b.example>\r\n', '451 250 250'],
  DATA: [{ ask: ['data'] }, ENVELOPE, 'DATA\r\n', '451 250 250'],
  BDAT: [{ ask: ['data'] }, ENVELOPE, 'BDAT 1 LAST\r\nx', '451 250 250'],
  message: [{ ask: ['message'] }, ENVELOPE, 'DATA\r\nx\r\n.\r\n', '354 451 250 250'],
  'message (LMTP)': [
    { preset: 'lmtp', ask: ['rcpt', 'message'] },
    ENVELOPE.replace('EHLO', 'LHLO'),
    'RCPT TO:<e@f.example>\r\nDATA\r\nx\r\n.\r\n',
    '250 354 451 451 250 250',
  ],
  VRFY: [{ ask: ['info'] }, 'EHLO c.example\r\n', 'VRFY x\r\n', '451 250 250'],
  HELP: [{ ask: ['info'] }, 'EHLO c.example\r\n', 'HELP\r\n', '451 250 250'],
  xclient: [{ ask: ['xclient'], trust: ['XCLIENT'] }, 'EHLO c.example\r\n', 'XCLIENT NAME=a.example\r\n', '451 250 250'],
};

const WRONG_REJECTIONS: { readonly [what: string]: readonly [Rejection, UsageCode] } = {
  'a delay beyond the longest': [{ code: 554, text: 'no', delay: 300_000 }, 'bad-delay'],
  'a delay below none': [{ code: 554, text: 'no', delay: -1 }, 'bad-delay'],
  'a delay that is no number': [{ code: 554, text: 'no', delay: Number.NaN }, 'bad-delay'],
  'a delay as text': [{ code: 554, text: 'no', delay: '5' as unknown as number }, 'bad-delay'],
  'no text': [{ code: 554 } as Rejection, 'bad-argument'],
  'no text, but an enhanced code': [{ code: 554, enhanced: '5.1.1' } as Rejection, 'bad-argument'],
  'an enhanced code of another class': [{ code: 554, enhanced: '4.1.1', text: 'no' }, 'enhanced-class'],
  'an enhanced code that is none': [{ code: 554, enhanced: 'no', text: 'no' }, 'enhanced-class'],
  'a code that accepts': [{ code: 250, text: 'no' }, 'reply-class'],
  'a code that is none': [{ code: 799, text: 'no' }, 'reply-class'],
};

const WRONG_ANSWERS: { readonly [what: string]: readonly [Answer, UsageCode] } = {
  'a delay beyond the longest': [{ delay: 300_000 }, 'bad-delay'],
  'a delay as text': [{ delay: '5' as unknown as number }, 'bad-delay'],
  'a text that is none': [{ text: null as unknown as string }, 'bad-argument'],
  'an enhanced code of another class': [{ enhanced: '5.1.1' }, 'enhanced-class'],
  'a code that refuses': [{ code: 554 }, 'reply-class'],
};

/** A session that has just asked, and the question; what was said before is taken. */
function asked(name: string): { session: ServerSession; question: Question; said: string } {
  const [options, before, command] = QUESTIONS[name]!;
  const session = new ServerSession({ hostname: 'mx.example.org', preset: 'sink', ...options });
  const yes = (): Question | null => {
    for (let event = session.nextEvent(); event !== null; event = session.nextEvent()) {
      if (session.wants !== 'answer' || event.type === 'chunk') continue;
      if (name.startsWith('message') && event.type === 'rcpt') session.accept(event);
      else return event as Question;
    }
    return null;
  };
  if (name !== 'connect') {
    session.receive(octets(before));
    yes();
    session.nextOutput();
  }
  session.receive(octets(command));
  const question = yes()!;
  session.receive(octets('NOOP\r\nNOOP\r\n'));
  return { session, question, said: codes(session) };
}

/** The codes of the replies that are due. */
function codes(session: ServerSession): string {
  const wire = session.nextOutput() ?? new Uint8Array();
  return Array.from(latin1(wire, 0, wire.length).matchAll(/^(\d{3}) /gm), ([, code]) => code).join(' ');
}

/** Refuses what is open, as often as it is asked; the codes of all replies. */
function refused({ session, question, said }: ReturnType<typeof asked>): string {
  const code = question.type === 'connect' ? 554 : 451;
  expect(session.reject(question, { code, text: 'no' })).toBe(true);
  for (let event = session.nextEvent(); event !== null; event = session.nextEvent())
    if (event.type === 'message') expect(session.reject(event, { code, text: 'no' })).toBe(true);
  return [said, codes(session)].filter((part) => part !== '').join(' ');
}

describe.each(Object.keys(QUESTIONS))('%s', (name) => {
  test.each(Object.entries(WRONG_REJECTIONS))('is refused with %s: a usage error, and the question stays open', (_, [rejection, code]) => {
    const one = asked(name);
    const before = one.session.deadline;
    expect(usage(() => one.session.reject(one.question, rejection))).toBe(code);
    expect([one.session.wants, one.session.nextEvent(), one.session.nextOutput(), one.session.deadline]).toEqual([
      'answer',
      null,
      null,
      before,
    ]);
    expect(refused(one)).toBe(QUESTIONS[name]![3]);
  });

  test.each(Object.entries(WRONG_ANSWERS))('is accepted with %s: a usage error, and the question stays open', (_, [answer, code]) => {
    const one = asked(name);
    const whole = one.question.type === 'auth' ? { identity: 'a', ...answer } : answer;
    expect(usage(() => one.session.accept(one.question, whole as never))).toBe(code);
    expect([one.session.wants, one.session.nextEvent(), one.session.nextOutput()]).toEqual(['answer', null, null]);
    expect(refused(one)).toBe(QUESTIONS[name]![3]);
  });

  test('that is not asked any more is answered in vain, whatever is said', () => {
    const { session, question } = asked(name);
    session.lost();
    for (const [rejection] of Object.values(WRONG_REJECTIONS)) expect(session.reject(question, rejection)).toBe(false);
    for (const [answer] of Object.values(WRONG_ANSWERS)) expect(session.accept(question, answer as never)).toBe(false);
  });
});

test.each([undefined, 5, null])('nobody is authenticated as %s', (identity) => {
  const { session, question } = asked('auth');
  expect(usage(() => session.accept(question, { identity } as never))).toBe('bad-argument');
  expect([session.identity, session.wants]).toEqual([null, 'answer']);
});

describe.each(['DATA\r\nab', 'BDAT 5\r\nab'])('a message that arrives by %j', (command) => {
  test.each(Object.entries(WRONG_REJECTIONS))('is discarded with %s: a usage error, and its chunks go on', (_, [rejection, code]) => {
    const session = new ServerSession({ hostname: 'mx.example.org', preset: 'sink' });
    session.receive(octets(ENVELOPE + command));
    while (session.nextEvent() !== null);
    expect(usage(() => session.discard(rejection))).toBe(code);
    session.receive(octets('c'));
    expect(session.nextEvent()?.type).toBe('chunk');
    expect(session.discard({ code: 554, text: 'no' })).toBe(true);
    expect(session.nextEvent()).toMatchObject({ type: 'aborted', cause: 'discarded' });
  });
});

test.each(Object.entries(WRONG_REJECTIONS))('a session is shut down with %s: a usage error, and it goes on', (_, [rejection, code]) => {
  const session = new ServerSession({ hostname: 'mx.example.org', preset: 'sink' });
  expect(usage(() => session.shutdown(rejection))).toBe(code);
  expect(session.nextEvent()).toBe(null);
  expect(codes(session)).toBe('220');
});

/** The code of the usage error that this throws. */
function usage(call: () => unknown): UsageCode | null {
  try {
    call();
  } catch (error) {
    if (error instanceof SmtpUsageError) return error.code;
    throw error;
  }
  return null;
}
