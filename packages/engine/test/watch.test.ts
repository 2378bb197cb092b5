// Who breaks the law of driving is told so at the call that does.
import { latin1, octets } from '@ehlo/grammar';
import { describe, expect, test } from 'vitest';
import { AUTH, CHUNKING, ClientSession, type MessageQuestion, ServerSession, watched } from '../src/index.ts';

const server = () => watched(new ServerSession({ hostname: 'mx.example.org', preset: 'sink', ask: ['message'] }));
type Watched = ReturnType<typeof server>;

/** Everything that the session tells and says now. */
function pull(session: Watched | ClientSession): {
  readonly events: { readonly type: string; readonly bytes?: Uint8Array }[];
  readonly said: string;
} {
  const events = [];
  let said = '';
  for (;;) {
    for (let event = session.nextEvent(); event !== null; event = session.nextEvent()) events.push(event);
    const bytes = session.nextOutput();
    if (bytes === null) return { events, said };
    said += latin1(bytes, 0, bytes.length);
    session.written(bytes.length);
  }
}

function give(session: Watched | ClientSession, text: string) {
  session.tick(0);
  session.receive(octets(text));
  return pull(session);
}

const broken = (text: RegExp | string) =>
  expect.objectContaining({ name: 'SmtpUsageError', code: 'driving', message: expect.stringMatching(text) });

describe('a server', () => {
  test('that is driven by the law takes a message as any other', () => {
    const session = server();
    expect(give(session, 'EHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n').said).toMatch(/^354 /m);
    const { events } = give(session, 'one\r\n.\r\n');
    expect(events.map(({ type }) => type)).toEqual(['chunk', 'message']);
    session.tick(1);
    expect(session.accept(events[1] as MessageQuestion)).toBe(true);
    expect(pull(session).said).toMatch(/^250 /);
    expect([session.phase, session.wants]).toEqual(['ready', 'input']);
  });

  test.each<[string, RegExp, (session: Watched) => void]>([
    ['input before any time was said', /^receive: say the time first/, (session) => session.receive(octets('NOOP\r\n'))],
    [
      'input at a later moment without its time',
      /^receive: say the time first/,
      (session) => {
        give(session, 'NOOP\r\n');
        session.receive(octets('NOOP\r\n'));
      },
    ],
    [
      'time that goes back',
      /^tick: time goes forward: it was 5, and is said to be 4/,
      (session) => {
        for (const now of [5, 4]) session.tick(now);
      },
    ],
    [
      'more that was taken than there was',
      /^written: 1 octets are said to be taken, and 0 were handed out/,
      (session) => session.written(1),
    ],
    [
      'output that nobody asks for',
      /^receive: ask for output/,
      (session) => {
        for (let i = 0; i < 3; i++) {
          session.tick(i);
          session.receive(octets('NOOP\r\n'));
          session.nextEvent();
        }
      },
    ],
    [
      'events that nobody asks for behind output',
      /^receive: ask for events/,
      (session) => {
        session.tick(0);
        session.nextEvent();
        session.nextOutput();
        session.receive(octets('NOOP\r\n'));
      },
    ],
    [
      'octets that are touched while they are lent',
      /^nextEvent: octets that the session was lent have been changed/,
      (session) => {
        give(session, '');
        const bytes = octets('EHLO c.example\r\n');
        session.tick(0);
        session.receive(bytes);
        bytes[0] = 0x48;
        session.nextEvent();
      },
    ],
    [
      'input without an end while the session does not read',
      /^receive: the session does not read/,
      (session) => {
        give(session, '');
        session.tick(0);
        for (let i = 0; i < 100; i++) session.receive(octets('NOOP\r\n'));
      },
    ],
    [
      'a question that is answered twice',
      /^accept: this question has been answered/,
      (session) => {
        give(session, 'EHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n');
        const question = give(session, '.\r\n').events.at(-1) as MessageQuestion;
        session.tick(0);
        session.accept(question);
        session.accept(question);
      },
    ],
    [
      'a question that is answered twice, when its time was over',
      /^accept: this question has been answered/,
      (session) => {
        give(session, 'EHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n');
        const question = give(session, '.\r\n').events.at(-1) as MessageQuestion;
        session.tick(session.deadline);
        pull(session);
        session.tick(session.deadline);
        if (session.accept(question)) throw new Error('its time was not over');
        session.accept(question);
      },
    ],
    [
      'output of which a part is left, though all before it was written',
      /^receive: ask for output, by nextOutput, until there is none/,
      (session) => {
        give(session, '');
        for (let i = 0; i < 40; i++) {
          session.tick(0);
          session.receive(octets('NOOP\r\n'));
          session.nextEvent();
          session.written(session.nextOutput()?.length ?? 0);
          session.nextEvent();
        }
      },
    ],
  ])('%s', (_, text, drive) => {
    expect(() => drive(server())).toThrow(broken(text));
  });

  test('a chunk that is kept without a copy is no message', () => {
    const session = server();
    give(session, 'EHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n');
    const kept = give(session, 'one\r\ntwo').events.find(({ type }) => type === 'chunk')!.bytes!;
    expect(latin1(kept, 0, kept.length)).toMatch(/^Z+$/);
  });
});

describe('a client', () => {
  const client = () => watched(new ClientSession({ hostname: 'c.example', features: [AUTH, CHUNKING], credentials: 'cleartext' }));

  test('a message that is changed while it is lent', () => {
    const session = client();
    give(session, '220 mx.example\r\n');
    give(session, '250-mx.example\r\n250 PIPELINING\r\n');
    session.tick(0);
    session.send({ reversePath: '', recipients: [{ forwardPath: 'a@b.example' }] });
    pull(session);
    give(session, '250 ok\r\n250 ok\r\n');
    give(session, '354 go\r\n');
    const bytes = octets('x'.repeat(100_000));
    session.tick(0);
    expect([session.phase, session.write(bytes)]).toEqual(['body', true]);
    bytes.fill(0x79);
    expect(() => session.end()).toThrow(broken(/^end: octets that the session was lent have been changed/));
  });

  test('a challenge that is answered twice', () => {
    const session = client();
    give(session, '220 mx.example\r\n');
    give(session, '250-mx.example\r\n250 AUTH LOGIN\r\n');
    session.tick(0);
    session.authenticate('LOGIN');
    pull(session);
    expect(give(session, '334 VXNlcm5hbWU6\r\n').events.map(({ type }) => type)).toEqual(['challenge']);
    session.tick(0);
    expect(session.respond(octets('ann'))).toBe(true);
    expect(() => session.respond(octets('ann'))).toThrow(broken(/^respond: this challenge has been answered/));
    pull(session);
    give(session, '334 UGFzc3dvcmQ6\r\n');
    session.tick(0);
    expect(session.respond(octets('secret'))).toBe(true);
  });

  test('a call without its time', () => {
    const session = client();
    give(session, '220 mx.example\r\n');
    give(session, '250 mx.example\r\n');
    expect(() => session.command('NOOP')).toThrow(broken(/^command: say the time first/));
  });
});
