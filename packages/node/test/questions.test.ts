// Decisions of the application, over real sockets: late ones, failing ones, and none.
import { setTimeout as wait } from 'node:timers/promises';
import { accept, type Handler, reject } from '@ehlo/node';
import { describe, expect, vi } from 'vitest';
import { test } from './fixture.ts';

const SECRET = 'database password is hunter2';
const CONVERSATION = ['EHLO client.example', 'VRFY someone', 'MAIL FROM:<a@client.example>', 'RCPT TO:<b@mx.example>', 'DATA'];

test('answers that come late: replies are whole and in order, however much is pipelined', async ({ start, dial }) => {
  const asked: string[] = [];
  const late = (name: string) => async (): Promise<true> => {
    await wait(3);
    asked.push(name);
    return true;
  };
  const server = await start({
    connect: late('connect'),
    hello: late('hello'),
    mail: late('mail'),
    rcpt: late('rcpt'),
    data: late('data'),
    info: async ({ argument }) => {
      await wait(3);
      asked.push('info');
      return accept({ code: 250, text: `<${argument}@mx.example>` });
    },
    async message({ body }) {
      const bytes = await body.bytes();
      await wait(3);
      asked.push('message');
      return accept({ text: `${bytes.length} octets` });
    },
  });
  const wire = await dial(server);
  const twice = 'RCPT TO:<c@mx.example>\r\nDATA\r\n';
  wire.send(`${CONVERSATION.slice(0, 4).join('\r\n')}\r\n${twice}Subject: late\r\n\r\nText\r\n.\r\nNOOP\r\nQUIT\r\n`);
  const replies = (await wire.rest()).split('\r\n').filter((line) => !line.startsWith('250-'));
  expect(replies.map((line) => line.slice(0, 3))).toEqual(['220', '250', '250', '250', '250', '250', '354', '250', '250', '221', '']);
  expect(replies).toContain('250 2.1.5 <someone@mx.example>');
  expect(replies).toContain('250 2.6.0 23 octets');
  expect(asked).toEqual(['connect', 'hello', 'info', 'mail', 'rcpt', 'rcpt', 'data', 'message']);
});

const FAILURES: readonly (readonly [string, () => unknown])[] = [
  ['throws', fail],
  ['rejects', () => Promise.reject(new Error(SECRET))],
  ['decides nothing', () => undefined],
  ['decides nothing, late', () => wait(3)],
];

describe.each(FAILURES)('a method that %s', (_, fails) => {
  test.for(['connect', 'hello', 'info', 'mail', 'rcpt', 'data'] as const)(
    '%s: 4yz, and nothing of the error on the wire',
    async (stage, { start, dial }) => {
      const errors: [string, unknown][] = [];
      const handler = { [stage]: fails, error: (error: unknown, question: string) => errors.push([question, error]) } as unknown as Handler;
      const wire = await dial(await start(handler));
      const replies = [await wire.reply()];
      const last = CONVERSATION.findIndex((line) => line.startsWith(VERBS[stage]));
      for (const line of CONVERSATION.slice(0, last + 1)) replies.push(await wire.say(line));
      // RFC 2034 3 (4): no enhanced code in the answers to a connection and to EHLO.
      const failure = { connect: /^421 mx\.example\.org /, hello: /^451 Requested / };
      expect(replies.at(-1)).toMatch(stage === 'connect' || stage === 'hello' ? failure[stage] : /^451 4\.3\.0 /);
      expect(replies.join('\n')).not.toMatch(/hunter2|TypeError|decided/);
      expect(errors.map(([question]) => question)).toEqual([stage]);
      // The session is as good as before.
      if (stage === 'connect') return;
      expect(await wire.say('NOOP')).toMatch(/^250 /);
      expect(await wire.say('QUIT')).toMatch(/^221 /);
    },
  );
});

/** What asks each question; the greeting is asked for by nothing. */
const VERBS = { connect: '(none)', hello: 'EHLO', mail: 'MAIL', rcpt: 'RCPT', data: 'DATA', info: 'VRFY' };

describe('a message', () => {
  test.for([
    ['is read, and then the handler throws', true],
    ['is not read, and the handler throws', false],
  ] as const)('%s: 451, the next one is taken', async ([, read], { start, dial }) => {
    const errors: unknown[] = [];
    let failing = true;
    const server = await start({
      async message({ body }) {
        if (read || !failing) await body.bytes();
        if (failing) throw new Error(SECRET);
        return true;
      },
      error: (error) => void errors.push(error),
    });
    const wire = await dial(server);
    await wire.open354();
    const reply = await wire.say('Text\r\n.');
    expect(reply).toMatch(/^451 4\.3\.0 /);
    expect(reply).not.toContain('hunter2');
    expect(errors).toEqual([new Error(SECRET)]);
    failing = false;
    for (const line of CONVERSATION.slice(2)) await wire.say(line);
    expect(await wire.say('Text\r\n.')).toMatch(/^250 /);
  });

  test('that is accepted unread is not accepted', async ({ start, dial }) => {
    const errors: unknown[] = [];
    const wire = await dial(await start({ message: async () => true, error: (error) => void errors.push(error) }));
    await wire.open354();
    expect(await wire.say('Text\r\n.')).toMatch(/^451 4\.3\.0 /);
    expect(String(errors)).toContain('body was not read');
  });

  test('that is refused early is read to its end and dropped', async ({ start, dial }) => {
    let calls = 0;
    const server = await start({
      async message({ body }) {
        if (++calls === 1) for await (const _ of body) return reject(550, '5.7.1', 'not this one');
        await body.bytes();
        return true;
      },
    });
    const wire = await dial(server);
    await wire.open354();
    // What follows must not be taken for commands.
    wire.send('Subject: large\r\n\r\n');
    for (let i = 0; i < 64; i++) wire.send(`${'QUIT\r\n'.repeat(5000)}`);
    expect(await wire.say('.')).toBe('550 5.7.1 not this one');
    for (const line of CONVERSATION.slice(2)) await wire.say(line);
    expect(await wire.say('Text\r\n.')).toMatch(/^250 /);
  });
});

test('a refusal of each stage is said as it was made', async ({ start, dial }) => {
  const no = (text: string) => async () => reject(550, '5.7.1', text);
  const server = await start({
    mail: ({ reversePath }) => (reversePath.address === '' ? reject(550, '5.7.1', 'no null sender') : true),
    rcpt: no('no recipient'),
  });
  const wire = await dial(server);
  await wire.reply();
  await wire.say('EHLO client.example');
  expect(await wire.say('MAIL FROM:<>')).toBe('550 5.7.1 no null sender');
  await wire.say('MAIL FROM:<a@client.example>');
  expect(await wire.say('RCPT TO:<b@mx.example>')).toBe('550 5.7.1 no recipient');
  expect(await wire.say('DATA')).toMatch(/^554 5\.5\.1 /);
});

function fail(): never {
  throw new Error(SECRET);
}

test('a failure that the handler has no method for is told by a warning of the process, once for a server', async ({ start, dial }) => {
  const warnings: Error[] = [];
  const listener = (warning: Error): void => void (warning.name === 'HandlerWarning' && warnings.push(warning));
  process.on('warning', listener);
  const rcpt = (): never => {
    throw new Error('the directory is away');
  };
  const wire = await dial(await start({ rcpt }));
  await wire.reply();
  for (const line of CONVERSATION.slice(0, 3)) await wire.say(line);
  for (const line of Array.from({ length: 3 }, () => CONVERSATION[3]!)) expect(await wire.say(line)).toMatch(/^451 /);
  await vi.waitFor(() => expect(warnings).toHaveLength(1));
  process.off('warning', listener);
  expect(warnings[0]!.message).toMatch(/^the handler has failed at rcpt, .*: the directory is away$/);
});
