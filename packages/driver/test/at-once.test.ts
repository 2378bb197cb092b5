// A function of the program that is judged at once, and gives a promise: that is told, is taken for no value, and what it rejects with ends nothing. (A
// rejection that nobody catches fails any test of vitest.)
import { defineExtension } from '@ehlo/engine';
import { octets } from '@ehlo/grammar';
import { describe, expect, test, vi } from 'vitest';
import { connectOn, type Handler, type ServeOptions, serveOn } from '../src/index.ts';
import { MemoryListener } from './memory.ts';
import { ScriptedServer, turns } from './scripted.ts';

const later = (): never => Promise.reject(new Error('later')) as never;
const odd = (): never =>
  Object.defineProperty({}, 'then', { value: (_: unknown, no: (error: unknown) => void) => no(new Error('later')) }) as never;
const FAILURE = '451 4.3.0 Requested action aborted: local error in processing';

function start(handler: Handler, options: Partial<ServeOptions> = {}) {
  const listener = new MemoryListener();
  const told: string[] = [];
  const error: Handler['error'] = (cause, at) => void told.push(`${at}: ${(cause as Error).message}`);
  serveOn(listener, { hostname: 'mx.example.org', preset: 'sink', ...options }, { error, ...handler });
  return { client: listener.connect(), told };
}

describe.each([
  ['a promise', later],
  ['what is one in its own way', odd],
])('%s', (_, gives) => {
  test('of sessionData: 421', async () => {
    const connect = vi.fn();
    const { client, told } = start({ connect }, { sessionData: gives } as object);
    expect(client.take()).toMatch(/^421 /);
    expect(told).toEqual(['sessionData: sessionData gave a promise, which nobody waits for here: it has to give its value at once']);
    expect(connect).not.toHaveBeenCalled();
    await turns();
  });

  test.each([
    ['all', [0, 1, 2], [FAILURE, FAILURE, FAILURE]],
    ['one', [1], ['250 2.6.0 Message accepted', FAILURE, '250 2.6.0 Message accepted']],
  ])('of %s of the recipients of a message (LMTP): 451 to each', async (_, which, replies) => {
    const message: Handler['message'] = async ({ body, envelope }) => {
      await body.bytes();
      return envelope.recipients.map((_, i) => (which.includes(i) ? gives() : true));
    };
    const { client, told } = start({ rcpt: () => true, message }, { preset: 'lmtp' });
    client.send(`LHLO c.example\r\nMAIL FROM:<>\r\n${'RCPT TO:<a@b.example>\r\n'.repeat(3)}DATA\r\nx\r\n.\r\n`);
    expect((await client.replies(9)).slice(-3)).toEqual(replies);
    expect(told).toHaveLength(which.length);
    expect(told[0]).toMatch(/^message: .* it returned a promise among others: await Promise\.all\(…\); /);
  });

  test.each([
    ['lmtp', 'LHLO', "the handler of 'message' gave 1 decisions for 2 recipients"],
    ['sink', 'EHLO', "the handler of 'message' gave a decision for each recipient, which only LMTP can tell: give one for all"],
  ] as const)('in a list that says nothing: %s', async (preset, hello, text) => {
    const message: Handler['message'] = async ({ body }) => {
      await body.bytes();
      return [gives()];
    };
    const { client, told } = start({ rcpt: () => true, message }, { preset });
    client.send(`${hello} c.example\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nRCPT TO:<c@b.example>\r\nDATA\r\nx\r\n.\r\n`);
    expect((await client.replies(7)).at(-1)).toBe(FAILURE);
    expect(told).toEqual([`message: ${text}`]);
  });

  test('of offer, or of parse: not offered, and no value', async () => {
    const codec = { parse: gives, format: () => octets('x') };
    const extension = (keyword: string, offer: () => readonly string[]) =>
      defineExtension({
        keyword,
        spec: 'none',
        offer,
        parameters: [{ command: 'MAIL', keyword: `${keyword}P`, name: 'mine', adds: 20, codec }],
      });
    const offering = start({}, { extensions: [extension('X-ONE', gives)] });
    offering.client.send('EHLO c.example\r\n');
    expect(offering.client.take()).not.toContain('X-ONE');
    expect(offering.told).toEqual([expect.stringMatching(/^extension: offer of X-ONE gave a promise, /)]);
    const parsing = start({}, { extensions: [extension('X-TWO', () => [])] });
    parsing.client.send('EHLO c.example\r\n');
    parsing.client.take();
    parsing.client.send('MAIL FROM:<> X-TWOP=1\r\n');
    expect(parsing.client.take()).toMatch(/^501 /);
    expect(parsing.told).toEqual([expect.stringMatching(/^extension: parse of X-TWOP gave a promise, /)]);
    await turns();
  });

  test('of toAscii: the recipient is refused, and a warning says why', async () => {
    const warn = vi.fn();
    const client = await connectOn(new ScriptedServer(), { toAscii: gives }, {}, warn);
    const { outcomes } = await client.send({ reversePath: '', recipients: ['ann@bücher.example'] }, 'x');
    expect(outcomes).toMatchObject([{ status: 'refused', problem: { code: 'smtputf8' } }]);
    expect(warn.mock.calls.map(([text]) => text)).toEqual([expect.stringMatching(/toAscii gave a promise, /)]);
  });
});

test('a promise whose own then throws decides nothing', async () => {
  const { client, told } = start({
    mail: () =>
      Object.defineProperty(Promise.resolve(true), 'then', {
        value: () => {
          throw new Error('then');
        },
      }) as never,
  });
  client.send('EHLO c.example\r\nMAIL FROM:<>\r\nNOOP\r\n');
  expect((await client.replies(4)).slice(-2)).toEqual([FAILURE, '250 2.0.0 NOOP OK']);
  expect(told).toEqual(['mail: then']);
});
