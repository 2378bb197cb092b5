// What a handler decides and the session can't say: the client gets our failure in its place, once; nothing hangs, and nothing turns in circles.
import { ServerSession, SmtpUsageError } from '@ehlo/engine';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { accept, type Handler, type IncomingMessage, type ServeOptions, serveOn } from '../src/index.ts';
import { MemoryListener } from './memory.ts';

const FAILURE = '451 4.3.0 Requested action aborted: local error in processing';

/** What another copy of this package may have made, of another release: marked, and not checked. */
const made = (kind: 'accept' | 'reject', decision: object): object =>
  Object.defineProperty(decision, Symbol.for('ehlo.decision'), { value: kind });

/** Decisions that can't be said. */
const WRONG: { readonly [what: string]: unknown } = {
  'a delay beyond the longest': made('reject', { code: 550, text: 'no', delay: 300_000 }),
  'no text': made('reject', { code: 550, enhanced: '5.1.1' }),
  'an enhanced code of another class': made('reject', { code: 550, enhanced: '4.1.1', text: 'no' }),
  'a code that is none': made('reject', { code: 799, text: 'no' }),
  'a code of an acceptance': made('reject', { code: 250, text: 'yes' }),
  'a delay of an answer': made('accept', { delay: 300_000 }),
  'an answer of what is no part of it': made('accept', { disabled: true }),
  'a code of another class': accept({ code: 354 }),
  'an identity': accept({ identity: 'joe' }),
};

function start(handler: Handler, options: Partial<ServeOptions> = {}) {
  const errors: unknown[] = [];
  const listener = new MemoryListener();
  const settings: ServeOptions = { hostname: 'mx.example.org', preset: 'sink', ...options };
  serveOn(listener, settings, { error: (error, question) => void errors.push([question, error]), ...handler });
  return { client: listener.connect(), errors };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe.each(Object.entries(WRONG))('%s', (_, decision) => {
  const wrong = (): never => decision as never;
  const late = (): never => Promise.resolve(decision) as never;

  test.each([
    ['at once', wrong],
    ['later', late],
  ])('to each of two recipients, %s: two replies', async (__, rcpt) => {
    const { client, errors } = start({ rcpt });
    client.send('EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nRCPT TO:<c@d>\r\nNOOP\r\n');
    const replies = await client.replies(6);
    expect(replies.slice(-3)).toEqual([FAILURE, FAILURE, '250 2.0.0 NOOP OK']);
    expect(errors).toEqual([
      ['rcpt', expect.any(SmtpUsageError)],
      ['rcpt', expect.any(SmtpUsageError)],
    ]);
  });

  test.each([
    ['at once', wrong],
    ['later', late],
    [
      'when it is read',
      async ({ body }: IncomingMessage) => {
        await body.bytes();
        return wrong();
      },
    ],
  ])('to a message, %s: one reply, and the handler is asked once', async (__, decide) => {
    const message = vi.fn(decide as NonNullable<Handler['message']>);
    const { client, errors } = start({ message });
    client.send('EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\nx\r\n.\r\nNOOP\r\n');
    expect((await client.replies(6)).slice(-2)).toEqual([FAILURE, '250 2.0.0 NOOP OK']);
    expect(message).toHaveBeenCalledOnce();
    expect(errors).toHaveLength(1);
  });

  test('to one recipient of a message (LMTP): the others hear what is for them', async () => {
    const message: Handler['message'] = async ({ body }) => {
      await body.bytes();
      return [true, wrong(), true];
    };
    const { client, errors } = start({ rcpt: () => true, message }, { preset: 'lmtp' });
    client.send(`LHLO c\r\nMAIL FROM:<>\r\n${'RCPT TO:<a@b>\r\n'.repeat(3)}DATA\r\nx\r\n.\r\nNOOP\r\n`);
    expect((await client.replies(10)).slice(-4).map((line) => line.slice(0, 3))).toEqual(['250', '451', '250', '250']);
    expect(errors).toHaveLength(1);
  });
});

test.each([
  ['hears 421', 'mail', `${FAILURE}\r\n421 4.3.0 mx.example.org Requested action aborted: local error in processing\r\n`],
  ['is left, where 421 would have to wait', 'rcpt', '250 2.1.0 Sender OK\r\n'],
] as const)('should a session throw when nothing is left to be answered, its client %s', (_, type, said) => {
  const { client, errors } = start({ [type]: () => accept({ text: 'yes' }) });
  client.send('EHLO c\r\n');
  client.take();
  const original = ServerSession.prototype.accept;
  vi.spyOn(ServerSession.prototype, 'accept').mockImplementation(function (this: ServerSession, question, ...rest) {
    if (question.type !== type) return original.call(this, question, ...rest);
    this.reject(question, { code: 451, enhanced: '4.3.0', text: FAILURE.slice('451 4.3.0 '.length) });
    throw new Error('a fault of the session');
  });
  client.send('MAIL FROM:<>\r\n');
  client.send('RCPT TO:<a@b>\r\n');
  client.send('NOOP\r\n');
  expect([client.take(), client.closed, errors.length]).toEqual([said, true, 1]);
});
