// What a program gives or returns in place of what is meant: one error, which names the place and the remedy.
import { login, plain, scram } from '@ehlo/sasl';
import { describe, expect, test, vi } from 'vitest';
import {
  type Authentication,
  connectOn,
  type Handler,
  type Message,
  reject,
  type SendEnvelope,
  type SendOptions,
  serveOn,
} from '../src/index.ts';
import { MemoryListener } from './memory.ts';
import { ScriptedServer } from './scripted.ts';

const HOST = { hostname: 'mx.example.org', preset: 'sink' } as const;
const FUNCTION = 'auth.mechanisms has the function plain: call it, [plain()]';
const LIST = 'auth.mechanisms is undefined; it must be a list of mechanisms, such as [scram(), plain()]';
const lookup = (): string => 'pencil';

const usage = (code: string, message: string | RegExp): object =>
  expect.objectContaining({
    name: 'SmtpUsageError',
    code,
    message: typeof message === 'string' ? message : expect.stringMatching(message),
  });

describe('mechanisms', () => {
  test.each<[object, string | RegExp]>([
    [{ mechanisms: [plain], lookup }, FUNCTION],
    [{ mechanisms: [scram(), plain], lookup }, FUNCTION],
    [{ lookup }, LIST],
    [{ mechanisms: [{}], lookup }, 'auth.mechanisms has what is no mechanism: import them from @ehlo/sasl'],
    [{ mechanisms: [], lookup }, 'auth.mechanisms is empty: name those that are offered, such as [scram(), plain()]'],
    [{ mechanisms: ['PLAIN'], lookup }, /^auth.mechanisms has names, which lookup and verify can't serve/],
    [{ mechanisms: ['PLAIN', login()], lookup }, /^auth.mechanisms has what is no mechanism/],
  ])('of a server: %j', (auth, message) => {
    const options = { ...HOST, auth: auth as Authentication };
    expect(() => serveOn(new MemoryListener(), options, {})).toThrow(usage('bad-argument', message));
  });

  test('of a client: an empty list', async () => {
    const coming = connectOn(new ScriptedServer(), { auth: { mechanisms: [], user: 'joe', password: 'pencil' } });
    await expect(coming).rejects.toEqual(usage('bad-argument', /^auth.mechanisms is empty: /));
  });
});

describe('send', () => {
  const envelope = { reversePath: 'joe@example.org', recipients: ['ann@example.net'] };
  const text = 'Subject: x\r\n\r\nx\r\n';

  test.each<[string, unknown, unknown, object | undefined, string, string | RegExp]>([
    ['no message', envelope, undefined, {}, 'bad-argument', /^the message is undefined; it must be a text, octets, a stream, /],
    ['an object', envelope, { subject: 'x' }, {}, 'bad-argument', /^the message is an object; /],
    ['a promise', envelope, Promise.resolve(text), {}, 'bad-argument', /^the message is a promise, which has to be awaited; /],
    [
      'another envelope',
      { from: 'a@b.c', to: 'd@e.f' },
      text,
      {},
      'bad-option',
      /^there is no option envelope.from: did you mean reversePath\?/,
    ],
    ['no envelope', undefined, text, {}, 'bad-option', 'envelope is undefined; it must be an object'],
    [
      'one recipient',
      { ...envelope, recipients: 'a@b.c' },
      text,
      {},
      'bad-option',
      /^envelope.recipients is a string; it must be an array/,
    ],
    [
      'a parameter beside the address',
      { ...envelope, recipients: ['a@b.c', { forwardPath: 'a@b.c', notify: ['failure'] }] },
      text,
      {},
      'bad-option',
      /^there is no option envelope.recipients.1.notify; /,
    ],
    [
      'no sender',
      { recipients: ['a@b.c'] },
      text,
      {},
      'bad-address',
      'envelope.reversePath is undefined; it must be a text, a mailbox, or a localPart and a domain',
    ],
    [
      'a parameter that is not among the options',
      { ...envelope, recipients: [{ forwardPath: 'a@b.c', parameters: { notify: ['FAILURE'] } }] },
      text,
      {},
      'bad-parameter',
      'RCPT has no notify among the option parameters; it has none; PARAMETERS of the grammar, as that option, has more, and the option extensions those of your own',
    ],
    ['an option', envelope, text, { timeout: 5 }, 'bad-option', /^there is no option timeout/],
  ])('%s: nothing is sent, and the session goes on', async (_, to, message, options, code, expected) => {
    const server = new ScriptedServer();
    const client = await connectOn(server);
    await expect(client.send(to as SendEnvelope, message as Message, options as SendOptions)).rejects.toEqual(usage(code, expected));
    expect((await client.send(envelope, text)).outcomes).toMatchObject([{ status: 'accepted' }]);
    await client.close();
    expect(server.lines.filter((line) => line.startsWith('MAIL'))).toHaveLength(1);
  });

  test('an address with a display name: its outcome says what to give', async () => {
    const client = await connectOn(new ScriptedServer());
    const { outcomes } = await client.send({ ...envelope, recipients: ['Ann <ann@example.net>'] }, text);
    expect(outcomes).toMatchObject([
      {
        status: 'refused',
        problem: {
          text: 'the address can\'t be sent: "Ann <ann@example.net>" is no local-part@domain from octet 4 on: give what stands in the angle brackets alone',
        },
      },
    ]);
    await client.close();
  });

  test('a stream beside an envelope that is wrong is closed', async () => {
    const client = await connectOn(new ScriptedServer());
    const cancel = vi.fn();
    await expect(client.send({ to: 'x' } as unknown as SendEnvelope, new ReadableStream({ cancel }))).rejects.toThrow('envelope.to');
    expect(cancel).toHaveBeenCalledOnce();
    await client.close();
  });
});

describe('a handler that decides nothing is told what it has returned', () => {
  test.each<[unknown, string]>([
    [undefined, 'undefined, as where return is missing'],
    [false, 'false'],
    [new Error('the directory is away'), 'the error "the directory is away", which is to be thrown'],
    [reject, 'the function reject, which has to be called'],
    [{ code: 550 }, 'an object'],
    ['250 OK', 'a string'],
    [[true], 'an array'],
  ])('%s', async (value, said) => {
    const errors: string[] = [];
    const listener = new MemoryListener();
    serveOn(listener, HOST, { rcpt: () => value, error: (error: Error) => errors.push(error.message) } as unknown as Handler);
    const client = listener.connect();
    client.send('EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\n');
    expect((await client.replies(4)).at(-1)).toMatch(/^451 /);
    expect(errors).toEqual([`the handler of 'rcpt' decided nothing: it returned ${said}; return true, accept(…) or reject(…)`]);
  });
});

test.each([
  [550, 'no such user', undefined, `"no such user" is no enhanced code: it is of three numbers, such as '5.1.1' (RFC 3463 2)`],
  ['550', '5.1.1', 'no', '"550" is no refusal: give a code from 400 to 559'],
  [{ code: 550 }, undefined, undefined, 'an object is no refusal: give a code from 400 to 559'],
])('reject(%j, %j, %j)', (code, enhanced, text, message) => {
  expect(() => reject(code as number, enhanced as string, text as unknown as string)).toThrow(message);
});
