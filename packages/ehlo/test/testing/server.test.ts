// The test server as its users meet it, on each runtime: mails, waits, stubs, time.
import { createTransport } from 'nodemailer';
import { afterEach, describe, expect, test } from 'vitest';
import { type Action, type Stage, type TestServer, type TestServerOptions, testServer } from '../../src/testing.ts';
import { RawClient, transaction } from './raw-client.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function server(options?: TestServerOptions): Promise<TestServer> {
  const mx = await testServer(options);
  open.push({ close: () => mx.close().catch(() => {}) });
  return mx;
}

function client(mx: TestServer): RawClient {
  const made = new RawClient(mx);
  open.push(made);
  return made;
}

const MESSAGE = {
  from: 'ann@example.org',
  to: 'bob@example.org',
  subject: 'Grüße',
  text: 'hello http://a.example/x.',
  html: '<a href="http://a.example/?a=1&amp;b=2">x</a>',
};

describe('mails', () => {
  test('what nodemailer sends by its defaults, by the URL alone, arrives whole', async () => {
    const mx = await server();
    const transport = createTransport(mx.url);
    open.push(transport);
    await transport.sendMail({ ...MESSAGE, attachments: [{ filename: 'naïve.txt', content: 'content' }] });
    const mail = await mx.next({ to: 'bob@example.org' });
    expect([mail.subject, mail.envelope, mail.text.trim()]).toEqual([
      MESSAGE.subject,
      { from: MESSAGE.from, to: [MESSAGE.to] },
      MESSAGE.text,
    ]);
    expect(mail.html).toBe(MESSAGE.html);
    expect(mail.links).toEqual(['http://a.example/?a=1&b=2', 'http://a.example/x']);
    expect(mail.attachments.map((one) => [one.filename, one.type, one.text()])).toEqual([['naïve.txt', 'text/plain', 'content']]);
    expect(mail.transcript).toEqual(expect.arrayContaining(['C: MAIL FROM:<ann@example.org>', 'S: 250 2.1.5 Recipient OK']));
    expect(new TextDecoder().decode(mail.raw)).toMatch(/^From: ann@example.org\r\n[\s\S]*\r\n$/);
  });

  test('any credentials are taken, unless the server was given some', async () => {
    const any = await server();
    const some = await server({ auth: { user: 'tim', password: 'tanstaaf', required: true } });
    const send = async (mx: TestServer, auth?: { user: string; pass: string }) => {
      const transport = createTransport({ host: mx.host, port: mx.port, ...(auth === undefined ? {} : { auth }) });
      open.push(transport);
      return await transport.sendMail(MESSAGE).then(
        () => 'sent',
        (error: { responseCode?: number; code?: string }) => error.responseCode ?? error.code,
      );
    };
    expect(await Promise.all([send(any), send(any, any.auth), send(any, { user: 'x', pass: 'y' })])).toEqual(['sent', 'sent', 'sent']);
    expect(any.mails.map(({ identity }) => identity).sort()).toEqual([null, 'tester', 'x'].sort());
    expect(await Promise.all([send(some), send(some, some.auth), send(some, { user: 'tim', pass: 'y' })])).toEqual([530, 'sent', 535]);
  });

  test('two runs of the same are the same in a snapshot', async () => {
    const run = async () => {
      const mx = await server();
      const transport = createTransport(mx.url);
      open.push(transport);
      await transport.sendMail({ ...MESSAGE, attachments: [{ filename: 'a.txt', content: 'x' }] });
      return await mx.next();
    };
    const [one, two] = [await run(), await run()];
    expect(new TextDecoder().decode(one.raw)).not.toBe(new TextDecoder().decode(two.raw));
    expect(one.stable).toEqual(two.stable);
    expect(one.stable.message).toMatch(/Message-ID: <id-1>\nDate: <date>/);
    expect(one.stable.message).toContain('boundary="boundary-1"');
  });
});

describe('waiting', () => {
  const send = async (mx: TestServer, to: string, subject: string) => {
    const transport = createTransport(mx.url);
    open.push(transport);
    await transport.sendMail({ ...MESSAGE, to, subject });
  };

  test('the oldest that fits and was not given before, whether it is here or is still to come', async () => {
    const mx = await server();
    await send(mx, 'a@example.org', 'one');
    await send(mx, 'b@example.org', 'two');
    const [later, latest] = [mx.next({ subject: 'th*' }), mx.next({ to: /^c@/ })];
    expect([(await mx.next({ to: 'B@*' })).subject, (await mx.next()).subject]).toEqual(['two', 'one']);
    await send(mx, 'c@example.org', 'three');
    await send(mx, 'c@example.org', 'four');
    expect([(await later).subject, (await latest).subject, mx.mails.length]).toEqual(['three', 'four', 4]);
    mx.forget();
    expect([mx.mails, mx.transcripts]).toEqual([[], []]);
  });

  test('a wait that ends says what did arrive, and why it was not that', async () => {
    const mx = await server();
    await send(mx, 'a@example.org', 'one');
    await send(mx, 'b@example.org', 'two');
    await mx.next({ subject: 'one' });
    await expect(mx.next({ to: 'b@example.org', subject: /welcome/i, within: 1 })).rejects.toThrow(
      [
        'no mail with to "b@example.org", subject /welcome/i in 1 ms; these came:',
        '  1. from <ann@example.org> to <a@example.org>, "one": was given before',
        '  2. from <ann@example.org> to <b@example.org>, "two": subject is not /welcome/i',
      ].join('\n'),
    );
  });

  test('and where none came, how the connections have ended', async () => {
    const mx = await server();
    await expect(mx.next({ within: 1 })).rejects.toThrow('no mail in 1 ms; none came at all\n  nobody has connected');
    mx.on.rcpt().reply(550, '5.1.1', 'No such user');
    const raw = client(mx);
    await transaction(raw);
    await expect(mx.next({ within: 1 })).rejects.toThrow(
      '  a connection ended with C: RCPT TO:<bob@example.org> | S: 550 5.1.1 No such user',
    );
  });

  test('what was refused is told, too, with the command that was', async () => {
    const mx = await server();
    mx.on.rcpt('eve@*').reply(550, '5.1.1', 'No such user');
    await expect(send(mx, 'eve@example.org', 'one')).rejects.toThrow(/No such user/);
    await expect(mx.next({ within: 1 })).rejects.toThrow(/^ {2}a connection ended with .*550 5\.1\.1 No such user.*$/m);
    await send(mx, 'bob@example.org', 'two');
    await expect(mx.next({ to: 'eve@*', within: 1 })).rejects.toThrow(
      '  a connection was told 550 5.1.1 No such user to RCPT TO:<eve@example.org>',
    );
  });

  test('of many mails the newest are told', async () => {
    const mx = await server();
    for (let i = 1; i <= 12; i++) await send(mx, `u${i}@example.org`, 'x');
    const said = await mx.next({ to: 'eve@*', within: 1 }).catch((error: Error) => error.message);
    expect(said).toMatch(/these came:\n {2}… 2 before\n {2}3\. /);
  });

  test('a name that no mail has is a mistake, and is not waited for', async () => {
    const mx = await server();
    await expect(mx.next({ two: 'x' } as never)).rejects.toThrow('there is no option two: did you mean to?');
    await expect(testServer({ auth: { user: 'x' } as never })).rejects.toThrow('auth is a user and a password that are taken');
  });

  test('closing ends it, at once, whoever is connected', async () => {
    const mx = await server();
    const raw = client(mx);
    await transaction(raw);
    const waiting = mx.next({ within: 100_000 });
    waiting.catch(() => {});
    await mx.close();
    await expect(waiting).rejects.toThrow('the test server is closed');
    expect(await raw.end()).toMatch(/\|(FIN|ECONNRESET|closed)$/);
  });
});

describe('stubs', () => {
  test('what fired is told, and one that never did is an error where that is wanted', async () => {
    const mx = await server({ unused: 'error' });
    const full = mx.on.rcpt('full@example.org').reply(452, '4.2.2', 'Mailbox full').times(1);
    mx.on.rcpt(/^nobody@/).reply(550, '5.1.1', 'No such user');
    const raw = client(mx);
    await transaction(raw);
    expect([await raw.say('RCPT TO:<full@example.org>'), await raw.say('RCPT TO:<full@example.org>')]).toEqual([
      '452 4.2.2 Mailbox full\r\n',
      '250 2.1.5 Recipient OK\r\n',
    ]);
    expect([full.fired, mx.stubs.map(({ fired }) => fired)]).toEqual([1, [0, 1]]);
    await expect(mx.close()).rejects.toThrow(
      'these stubs have never acted:\n  {"on":"rcpt","match":{"to":"/^nobody@/"},"do":{"reply":{"code":550',
    );
  });

  test('one that is wrong is told where it is made, and not again when the server is closed', async () => {
    const mx = await server();
    expect(() => mx.on.rcpt('a@b.example').reply(99)).toThrow('do.reply.code is 99');
    await mx.close();
  });

  test('a builder that does nothing is an error at the first connection', async () => {
    const mx = await server();
    mx.on.rcpt('full@example.org');
    const raw = client(mx);
    await expect(mx.next()).rejects.toThrow('mx.on.rcpt("full@example.org") does nothing: say what it is to do');
    await raw.end();
    await expect(mx.close()).rejects.toThrow('does nothing');
  });

  test('a preset is asked behind the program', async () => {
    const mx = await server({ preset: { stubs: [{ on: 'mail', do: { reply: { code: 450 } } }] } });
    const raw = client(mx);
    await raw.read();
    await raw.say('EHLO a');
    expect(await raw.say('MAIL FROM:<>')).toBe('450\r\n');
    mx.on.mail('').pass();
    expect(await raw.say('MAIL FROM:<>')).toBe('250 2.1.0 Sender OK\r\n');
  });

  const REPLIES: [Action, string][] = [
    [{ reply: { code: 452, enhanced: '4.2.2', text: 'Mailbox full' } }, '452 4.2.2 Mailbox full\r\n'],
    [{ reply: { code: 450, text: ['one', 'two'] } }, '450-one\r\n450 two\r\n'],
    [{ reply: { code: 550 } }, '550\r\n'],
    [{ reply: { code: 250, text: 'fine' } }, '250 fine\r\n'],
    [{ reply: { raw: '55' } }, '55'],
    [{ reply: { raw: '250-and\r\n550 no\r\n' } }, '250-and\r\n550 no\r\n'],
    [{ reply: { code: 451, text: 'slowly', split: { every: 1 } } }, '451 slowly\r\n'],
  ];
  test.each(REPLIES)('a reply of any shape, and the session goes on: %j', async (action, expected) => {
    const mx = await server();
    mx.on.rcpt('bob@example.org').do(action);
    const raw = client(mx);
    await raw.read();
    await raw.say('EHLO client.example');
    await raw.say('MAIL FROM:<ann@example.org>');
    raw.socket.write('RCPT TO:<bob@example.org>\r\nNOOP\r\nRSET\r\n');
    const all = await raw.read(/Reset OK\r\n$/);
    expect(all).toBe(`${expected}250 2.0.0 NOOP OK\r\n250 2.0.0 Reset OK\r\n`);
  });

  const STAGES: [Stage, string[]][] = [
    ['connect', []],
    ['hello', ['EHLO a']],
    ['auth', ['EHLO a', `AUTH PLAIN ${btoa('\0tim\0x')}`]],
    ['mail', ['EHLO a', 'MAIL FROM:<a@b.example>']],
    ['rcpt', ['EHLO a', 'MAIL FROM:<a@b.example>', 'RCPT TO:<b@b.example>']],
    ['data', ['EHLO a', 'MAIL FROM:<a@b.example>', 'RCPT TO:<b@b.example>', 'DATA']],
    ['message', ['EHLO a', 'MAIL FROM:<a@b.example>', 'RCPT TO:<b@b.example>', 'DATA', 'x\r\n.']],
    ['chunk', ['EHLO a', 'MAIL FROM:<a@b.example>', 'RCPT TO:<b@b.example>', 'BDAT 2\r\nx\n\x00'.slice(0, -1)]],
    ['quit', ['EHLO a', 'QUIT']],
  ];
  describe.each(STAGES)('at %s', (stage, lines) => {
    const reach = async (mx: TestServer) => {
      const raw = client(mx);
      if (lines.length === 0) return raw;
      await raw.read();
      for (const line of lines.slice(0, -1)) await raw.say(line);
      raw.socket.write(lines.at(-1)!.startsWith('BDAT') ? lines.at(-1)! : `${lines.at(-1)}\r\n`);
      return raw;
    };

    test('a refusal with its words', async () => {
      const mx = await server();
      mx.on[stage]()
        .reply(stage === 'connect' ? 450 : 453, '4.3.0', 'Not now')
        .times(1);
      const raw = await reach(mx);
      expect(await raw.read(/\n/)).toBe(`${stage === 'connect' ? 450 : 453} 4.3.0 Not now\r\n`);
      expect(mx.mails).toEqual([]);
    });

    test('an acceptance in other words', async () => {
      const mx = await server();
      mx.on[stage]().reply(stage === 'data' ? 354 : 250, undefined, 'as you like');
      expect(await (await reach(mx)).read(/\n/)).toMatch(stage === 'hello' ? /^250-as you like\r\n/ : /^(?:250|354) as you like\r\n/);
    });

    test('a connection that is dropped, and one that is dropped within the reply', async () => {
      const mx = await server();
      mx.on[stage]().drop().times(1);
      expect(await (await reach(mx)).end()).toBe('|FIN');
      mx.on[stage]().drop({ after: 2 }).times(1);
      if (stage !== 'data' && stage !== 'chunk') expect(await (await reach(mx)).end()).toMatch(/^(?:22|25|23)\|FIN$/);
    });

    test('a connection that is reset', async () => {
      const mx = await server();
      mx.on[stage]().reset();
      expect(await (await reach(mx)).end()).toMatch('Deno' in globalThis ? /^\|FIN$/ : /^\|ECONNRESET$/);
    });

    test('an answer that comes when its time has come, and no sooner', async () => {
      const mx = await server();
      mx.on[stage]().delay('5 min').times(1);
      const raw = await reach(mx);
      while (mx.stubs[0]!.fired === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      mx.clock.advance('299 s');
      expect(await Promise.race([raw.read(), new Promise((resolve) => setTimeout(resolve, 20, 'nothing'))])).toBe('nothing');
      mx.clock.advance('1 s');
      expect(await raw.read()).toMatch(/^[23]/);
    });

    test('silence, until the client goes', async () => {
      const mx = await server();
      mx.on[stage]().stall();
      const raw = await reach(mx);
      expect(await Promise.race([raw.read(), new Promise((resolve) => setTimeout(resolve, 20, 'nothing'))])).toBe('nothing');
      raw.socket.end();
      expect(await raw.end()).toBe('|FIN');
    });
  });
});
