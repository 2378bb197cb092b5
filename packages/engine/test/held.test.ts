// What has to wait, what is forgotten, and what is not shared.
import { latin1, octets } from '@ehlo/grammar';
import { expect, test } from 'vitest';
import type { Question, RcptQuestion, ServerEvent, ServerOptions } from '../src/index.ts';
import { ServerSession } from '../src/index.ts';

/** A session and what it has said and told since the last look. */
class Bench {
  readonly session: ServerSession;
  #events: ServerEvent[] = [];

  constructor(options: Partial<ServerOptions>) {
    this.session = new ServerSession({ hostname: 'mx.example.org', preset: 'sink', ...options });
  }

  /** Gives octets; returns the codes of the replies. */
  say(text: string): string[] {
    this.session.receive(octets(text));
    return this.look();
  }

  look(): string[] {
    let out = '';
    for (;;) {
      for (let event = this.session.nextEvent(); event !== null; event = this.session.nextEvent()) this.#events.push(event);
      const bytes = this.session.nextOutput();
      if (bytes === null) break;
      out += latin1(bytes, 0, bytes.length);
    }
    return [...out.matchAll(/^(\d{3}) /gm)].map((match) => match[1]!);
  }

  told(): ServerEvent[] {
    return this.#events.splice(0);
  }

  yes(question: Question): void {
    this.session.accept(question as RcptQuestion);
  }

  /** The question that is open. */
  question(): Question {
    return this.told().at(-1) as Question;
  }
}

const ENVELOPE = 'MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n';
const LATER = { code: 450, text: 'later', delay: 1000 };

test('LMTP: a decision that is held back is out before the next is asked for', () => {
  const b = new Bench({ preset: 'lmtp', ask: ['message', 'rcpt'] });
  b.say('LHLO c.example\r\nMAIL FROM:<>\r\n');
  for (const rcpt of ['RCPT TO:<a@b.example>\r\n', 'RCPT TO:<c@d.example>\r\n']) {
    b.say(rcpt);
    b.yes(b.question());
  }
  b.say('DATA\r\nx\r\n.\r\nNOOP\r\n');
  b.session.reject(b.question(), LATER);
  expect([b.look(), b.told(), b.session.deadline]).toEqual([[], [], 1000]);
  b.session.tick(1000);
  expect(b.look()).toEqual(['450']);
  const second = b.question();
  expect(second).toMatchObject({ type: 'message', recipient: { forwardPath: { address: 'c@d.example' } } });
  b.yes(second);
  expect(b.look()).toEqual(['250', '250']);
});

test('a refused chunk that trickles in runs out of time, and one that comes in blocks does not', () => {
  const trickles = new Bench({ limits: { dataTimeout: 200_000, dataBlock: 10 } });
  trickles.say('EHLO c.example\r\nBDAT 100\r\n');
  trickles.session.tick(199_999);
  expect(trickles.say('123456789')).toEqual([]);
  trickles.session.tick(200_000);
  expect(trickles.look()).toEqual(['421']);

  const flows = new Bench({ limits: { dataTimeout: 200_000, dataBlock: 10 } });
  flows.say('EHLO c.example\r\nBDAT 20\r\n');
  flows.session.tick(199_999);
  expect(flows.say('0123456789')).toEqual([]);
  flows.session.tick(399_998);
  expect(flows.say('0123456789')).toEqual(['503']);
});

test('after STARTTLS and XCLIENT parameters are read as before the first EHLO', () => {
  const b = new Bench({ starttls: 'offered', trust: ['XCLIENT', 'XFORWARD'] });
  b.say('EHLO c.example\r\nXFORWARD NAME=a.example\r\nSTARTTLS\r\n');
  expect(b.session.forwarded).toEqual({ name: 'a.example' });
  b.session.secured({ protocol: 'TLSv1.3', cipher: '', servername: '' });
  expect(b.session.forwarded).toBe(null);
  expect(b.say('VRFY \xc3\xbc SMTPUTF8\r\nEHLO c.example\r\nVRFY \xc3\xbc SMTPUTF8\r\n')).toEqual(['501', '250', '252']);
  expect(b.say('XFORWARD NAME=a.example\r\nXCLIENT NAME=d.example\r\nVRFY \xc3\xbc SMTPUTF8\r\n')).toEqual(['250', '220', '501']);
  expect(b.session.forwarded).toBe(null);
});

test('a snapshot of an open question keeps the envelope as it was, and a restored session asks about its own', () => {
  const options: ServerOptions = { hostname: 'mx.example.org', preset: 'sink', ask: ['rcpt'] };
  const b = new Bench(options);
  b.say('EHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n');
  const snapshot = b.session.snapshot();
  const before = JSON.stringify(snapshot);
  b.yes(b.question());
  expect(JSON.stringify(snapshot)).toBe(before);
  const restored = ServerSession.restore(options, snapshot, 0);
  const again = restored.nextEvent();
  if (again?.type !== 'rcpt') throw new Error(`${again?.type}`);
  expect(again.envelope.recipients).toEqual([]);
  restored.accept(again);
  expect(again.envelope.recipients).toHaveLength(1);
  expect(JSON.stringify(snapshot)).toBe(before);
});

test('a message that nobody has taken yet can neither be discarded nor aborted', () => {
  const b = new Bench({ ask: ['data'] });
  b.say(`EHLO c.example\r\n${ENVELOPE}BDAT 5\r\nab`);
  expect(b.told().at(-1)).toMatchObject({ type: 'data', verb: 'BDAT' });
  expect(b.session.discard({ code: 550, text: 'no' })).toBe(false);
  b.session.lost();
  b.look();
  expect(b.told()).toEqual([{ type: 'closed', cause: 'lost' }]);
});

test('a trusted proxy that does not wait for its new greeting is no early talker', () => {
  const b = new Bench({ trust: ['XCLIENT'], ask: ['connect'], earlyTalkers: 'reject' });
  b.look();
  b.yes(b.question());
  b.say('XCLIENT NAME=c.example\r\n');
  b.session.receive(octets('EHLO c.example\r\n'));
  b.yes(b.question());
  expect(b.look()).toEqual(['220', '250']);
});

test.each([
  ['auth', 'AUTH PLAIN AGEAYg==\r\n', ''],
  ['data', 'MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nBDAT 1 LAST\r\n', 'x'],
] as const)('the refusal of %s is held back as long as it asks for', (type, text, rest) => {
  const b = new Bench({ ask: ['auth', 'data'], auth: { mechanisms: ['PLAIN'], inClear: true }, limits: { faultDelay: 10 } });
  b.say(`EHLO c.example\r\n${text}`);
  const question = b.question();
  expect(question.type).toBe(type);
  b.session.reject(question, LATER);
  expect(b.say(rest)).toEqual([]);
  expect(b.session.deadline).toBe(1000);
  b.session.tick(1000);
  expect(b.look()).toEqual(['450']);
  expect(b.say('NOOP\r\n')).toEqual(['250']);
});

test('what is held back for a message that is discarded is its final reply', () => {
  const b = new Bench({});
  b.say(`EHLO c.example\r\n${ENVELOPE}BDAT 1\r\nx`);
  expect(b.session.discard({ code: 550, text: 'no', delay: 1000 })).toBe(true);
  expect(b.say('NOOP\r\nBDAT 0 LAST\r\n')).toEqual(['250']);
  b.session.tick(1000);
  expect(b.look()).toEqual(['550']);
});

test('the reply to a refused chunk is held back like that to any fault', () => {
  const b = new Bench({ limits: { faultDelay: 10 } });
  b.say('EHLO c.example\r\n');
  expect(b.say('BDAT 2\r\nxxNOOP\r\n')).toEqual([]);
  b.session.tick(10);
  expect(b.look()).toEqual(['503', '250']);
});
