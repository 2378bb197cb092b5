import { latin1, octets } from '@ehlo/grammar';
import { describe, expect, test } from 'vitest';
import { type Question, type Rejection, type ServerEvent, type ServerOptions, ServerSession } from '../src/index.ts';

/** A session with what it has said; the last question is open. */
function begin(options: Partial<ServerOptions> = {}) {
  const session = new ServerSession({ hostname: 'mx.example.org', preset: 'sink', ...options });
  const events: ServerEvent[] = [];
  const pull = (): string => {
    let text = '';
    for (;;) {
      for (let event = session.nextEvent(); event !== null; event = session.nextEvent()) events.push(event);
      const wire = session.nextOutput();
      if (wire === null) return text;
      text += latin1(wire, 0, wire.length);
    }
  };
  session.tick(0);
  const say = (text: string): string => {
    session.receive(octets(text));
    return pull();
  };
  const question = (): Question => events.at(-1) as Question;
  const refuse = (rejection: Rejection): string => {
    expect(session.reject(question(), rejection)).toBe(true);
    return pull();
  };
  pull();
  return { session, events, pull, say, question, refuse };
}

const HELLO = 'EHLO c.example\r\n';
const REFUSED = { code: 550, text: 'no' };

describe('enhanced status codes (RFC 2034)', () => {
  test('are in every refusal of the application, whether it gives one or not', () => {
    const { say, refuse } = begin({ ask: ['mail'] });
    say(`${HELLO}MAIL FROM:<a@b.example>\r\n`);
    expect(refuse(REFUSED)).toBe('550 5.0.0 no\r\n');
    say('MAIL FROM:<a@b.example>\r\n');
    expect(refuse({ code: 451, text: 'later' })).toBe('451 4.0.0 later\r\n');
  });

  test('are in no answer to EHLO or HELO, and in the one behind it again', () => {
    const { session, say, pull, question, refuse } = begin({ ask: ['hello'] });
    expect(say('EHLO \x01\r\nNOOP\r\n')).toMatch(/^501 not a valid .*\r\n250 2\.0\.0 NOOP OK\r\n$/);
    say(HELLO);
    expect(refuse({ ...REFUSED, enhanced: '5.7.1' })).toBe('550 no\r\n');
    say('HELO c.example\r\n');
    session.accept(question(), { enhanced: '2.0.0', text: 'hi' });
    expect(pull()).toBe('250 mx.example.org hi\r\n');
    expect(say(`EHLO ${'x'.repeat(5000)}\r\nFOO\r\n`)).toMatch(/^500 Line too long\r\n500 5\.5\.1 /);
  });

  test('are not in it after a snapshot either', () => {
    const options = { hostname: 'mx.example.org', preset: 'sink', ask: ['hello'] } as const;
    const { session, say } = begin(options);
    say(HELLO);
    const restored = ServerSession.restore(options, session.snapshot(), 0);
    restored.reject(restored.nextEvent() as Question, { ...REFUSED, enhanced: '5.7.1' });
    const wire = restored.nextOutput()!;
    expect(latin1(wire, 0, wire.length)).toBe('550 no\r\n');
  });
});

describe('UTF-8 in the answers to VRFY and EXPN without SMTPUTF8 (RFC 6531 3.7.4.2)', () => {
  test.each([
    ['VRFY', 553, /^550 5\.6\.8 /],
    ['EXPN', 551, /^550 5\.6\.8 /],
    ['VRFY', 450, /^252 2\.6\.8 /],
    ['HELP', 504, /^504 5\.0\.0 see j\?rg/],
  ])('%s refused by %i', (verb, code, wire) => {
    const { say, refuse } = begin({ ask: ['info'] });
    say(`${HELLO}${verb} x\r\n`);
    expect(refuse({ code, text: 'see jörg@x.example' })).toMatch(wire);
  });
});

test('HOLDUNTIL with a leap second is no way around the limit', () => {
  const { say } = begin({ futureRelease: { seconds: 100, until: '2030-01-01T00:00:00Z' } });
  say(HELLO);
  expect(say('MAIL FROM:<a@b.example> HOLDUNTIL=2099-12-31T23:59:60Z\r\n')).toMatch(/^501 5\.5\.4 /);
  expect(say('MAIL FROM:<a@b.example> HOLDUNTIL=2030-01-01T00:59:60+01:00\r\n')).toMatch(/^250 /);
});

describe('a greeting that is held back by its own answer', () => {
  const options = { ask: ['connect'], earlyTalkers: 'reject' } as const;

  test('turns away who talks meanwhile', () => {
    const { session, events, pull, say, question } = begin(options);
    session.accept(question() as Extract<Question, { type: 'connect' }>, { delay: 5000 });
    expect(say(HELLO)).toBe('');
    expect(session.deadline).toBe(5000);
    session.tick(5000);
    expect(pull()).toBe(
      '554 mx.example.org Wait for the greeting before you send\r\n503 Bad sequence of commands: no service here, send QUIT\r\n',
    );
    expect(events).toContainEqual(expect.objectContaining({ type: 'fault', code: 'early-talker' }));
  });

  test('is said to who waits, and by a session that was restored', () => {
    const { session, pull, question } = begin(options);
    session.accept(question() as Extract<Question, { type: 'connect' }>, { delay: 5000, text: 'hi' });
    const restored = ServerSession.restore({ hostname: 'mx.example.org', preset: 'sink', ...options }, session.snapshot(), 0);
    session.tick(5000);
    expect(pull()).toBe('220 mx.example.org hi\r\n');
    restored.tick(5000);
    expect(restored.nextEvent()).toBeNull();
    const wire = restored.nextOutput()!;
    expect(latin1(wire, 0, wire.length)).toBe('220 mx.example.org hi\r\n');
  });
});

test('domains of recipients are counted where the limit is not announced, too', () => {
  const { say } = begin({ extensions: ['PIPELINING', 'ENHANCEDSTATUSCODES'], limits: { recipientDomains: 1 } });
  say(`${HELLO}MAIL FROM:<a@b.example>\r\n`);
  expect(say('RCPT TO:<a@one.example>\r\nRCPT TO:<a@two.example>\r\nRCPT TO:<b@ONE.example>\r\n')).toMatch(
    /^250 .*\r\n452 .*\r\n250 .*\r\n$/,
  );
});

describe('what EHLO announces is checked first', () => {
  test.each<[string, Partial<ServerOptions>]>([
    ['a mechanism that is two words', { auth: { mechanisms: ['PLAIN LOGIN'] }, ask: ['auth'] }],
    ['a mechanism without a name', { auth: { mechanisms: [''] }, ask: ['auth'] }],
    ['negative seconds', { futureRelease: { seconds: -5, until: '2030-01-01T00:00:00Z' } }],
    ['a date that is none', { futureRelease: { seconds: 5, until: 'tomorrow' } }],
    ['a date that is not in UTC', { futureRelease: { seconds: 5, until: '2030-01-01T00:00:00+01:00' } }],
    ['a profile that adds a line', { mtPriority: { profile: 'a b\r\nXEVIL' } }],
  ])('%s', (_, options) => {
    expect(() => begin(options)).toThrow(expect.objectContaining({ name: 'SmtpUsageError' }));
  });

  test('a mechanism in small letters is offered in capitals, and works', () => {
    const { say, question } = begin({ auth: { mechanisms: ['plain'], inClear: true }, ask: ['auth'] });
    expect(say(HELLO)).toMatch(/250.AUTH PLAIN\r\n/);
    say('AUTH plain AGEAYg==\r\n');
    expect(question()).toMatchObject({ type: 'auth', mechanism: 'PLAIN' });
  });
});

test.each([[undefined], ['']])('nobody authenticates as %j', (identity) => {
  const { session, say, question, refuse } = begin({ auth: { mechanisms: ['PLAIN'], inClear: true }, ask: ['auth'] });
  say(`${HELLO}AUTH PLAIN AGEAYg==\r\n`);
  expect(() => session.accept(question(), { identity } as never)).toThrow('identity');
  expect(session.identity).toBeNull();
  expect(refuse({ code: 454, text: 'no' })).toMatch(/^454 /);
});

test('a trace of a reply in UTF-8 has its letters, and no control', () => {
  const { session, events, pull, say, question } = begin({ ask: ['info'], trace: true });
  say(`${HELLO}VRFY jo SMTPUTF8\r\n`);
  session.accept(question() as Extract<Question, { type: 'info' }>, { text: 'Jörg ś\u009b1m\u202e <jörg@x.example>' });
  pull();
  expect(events.at(-1)).toMatchObject({ type: 'trace', line: '250 2.1.5 Jörg ś?1m\\u{202e} <jörg@x.example>' });
});
