// A session that is open: who the client is, other commands, and what is told of each message.
import { domainToASCII } from 'node:url';
import { cramMd5, plain, xoauth2 } from '@ehlo/sasl';
import { describe, expect, test, vi } from 'vitest';
import { type ClientAuth, type ConnectOptions, connectOn, type SendNotice } from '../src/index.ts';
import { but, type Script, ScriptedServer, tlsInfo, turns, willing } from './scripted.ts';

const ENVELOPE = { reversePath: 'joe@a.example', recipients: ['ann@b.example'] } as const;
const AUTH: ClientAuth = { mechanisms: [plain()], user: 'joe', password: 'correct horse' };
const OFFERS = ['PIPELINING', 'AUTH PLAIN XOAUTH2 CRAM-MD5'];

async function open(script: Script, options: ConnectOptions = {}) {
  const server = new ScriptedServer(script);
  server.tls = tlsInfo(true);
  return { server, client: await connectOn(server, options) };
}

describe('authenticate', () => {
  test('after connect, where it is offered', async () => {
    for (const offers of [OFFERS, []]) {
      const { client, server } = await open(but({ AUTH: '235 welcome' }, offers));
      if (client.capabilities.extensions.has('AUTH')) await client.authenticate(AUTH);
      expect(client.authenticated).toBe(offers.length > 0 ? 'PLAIN' : null);
      expect((await client.send(ENVELOPE, 'x')).outcomes[0]!.status).toBe('accepted');
      expect(server.lines.map((line) => line.split(' ')[0])).toEqual([
        'EHLO',
        ...(offers.length > 0 ? ['AUTH'] : []),
        'MAIL',
        'RCPT',
        'DATA',
      ]);
      await client.close();
    }
  });

  test('waits for its turn, and others for its end; never in a transaction that is half open', async () => {
    const { client, server } = await open(but({ AUTH: '235 welcome', RCPT: '550 no' }, OFFERS));
    const order: string[] = [];
    await Promise.all([
      client.send(ENVELOPE, 'x').then(() => order.push('send')),
      client
        .authenticate({ ...AUTH, mechanisms: [xoauth2()], token: () => turns(3).then(() => 'token.of.joe') })
        .then(() => order.push('auth')),
      client.command('NOOP').then(() => order.push('noop')),
      client.send(ENVELOPE, 'y').then(() => order.push('send')),
    ]);
    expect(order).toEqual(['send', 'auth', 'noop', 'send']);
    expect(server.lines.map((line) => line.split(' ')[0])).toEqual([
      'EHLO',
      'MAIL',
      'RCPT',
      'RSET',
      'NOOP',
      'AUTH',
      'NOOP',
      'MAIL',
      'RCPT',
    ]);
  });

  test('that is refused leaves the session as it was; another may follow', async () => {
    const { client, server } = await open(but({ 'AUTH PLAIN': '535 5.7.8 no', 'AUTH XOAUTH2': '235 welcome' }, OFFERS));
    await expect(client.authenticate(AUTH)).rejects.toMatchObject({ name: 'ClientError', code: 'auth-refused', reply: { code: 535 } });
    expect([client.ended, client.canSend]).toEqual([false, true]);
    await client.authenticate({ mechanisms: [xoauth2()], user: 'joe', token: 'token.of.joe' });
    expect(client.authenticated).toBe('XOAUTH2');
    await expect(client.authenticate(AUTH)).rejects.toMatchObject({ name: 'SmtpUsageError', code: 'not-ready' });
    expect(client.ended).toBe(false);
    await client.close();
    expect(server.ended).toBe('closed');
  });

  test.each<[string, Script, ConnectOptions, string]>([
    ['not offered', willing([]), {}, 'auth-unavailable'],
    ['that the server has no mechanism for', willing(['AUTH GSSAPI']), {}, 'auth-unavailable'],
    ['in the middle of which the server leaves', but({ AUTH: '421 bye' }, OFFERS), {}, 'closing'],
  ])('%s', async (_, script, options, code) => {
    const { client } = await open(script, options);
    await expect(client.authenticate(AUTH)).rejects.toMatchObject({ name: 'ClientError', code });
    await expect(client.authenticate(AUTH)).rejects.toMatchObject({ name: 'ClientError', code });
  });

  test('in clear it is not sent', async () => {
    const server = new ScriptedServer(willing(OFFERS));
    const client = await connectOn(server);
    await expect(client.authenticate(AUTH)).rejects.toMatchObject({ code: 'unprotected' });
    expect(server.lines.filter((line) => line.startsWith('AUTH'))).toEqual([]);
  });

  test('a session that ends while a token is waited for', async () => {
    const { client, server } = await open(willing(OFFERS));
    const login = client.authenticate({ mechanisms: [xoauth2()], user: 'joe', token: () => new Promise(() => {}) });
    await turns();
    server.end();
    await expect(login).rejects.toMatchObject({ code: 'ended' });
  });

  test.each<[object, RegExp]>([
    [{ mechanism: [plain()] }, /^there is no option auth\.mechanism: did you mean auth\.mechanisms\?/],
    [{ mechanisms: [plain] }, /call it, \[plain\(\)\]/],
    [{ mechanisms: [cramMd5()], user: 'joe', password: 7 }, /^auth\.password is a number/],
  ])('%o is refused', async (auth, why) => {
    const { client } = await open(willing(OFFERS));
    await expect(client.authenticate(auth as ClientAuth)).rejects.toThrow(why);
    expect(client.pending).toBe(0);
  });
});

describe('command', () => {
  test('says any verb that is one line', async () => {
    const { client, server } = await open(but({ ETRN: '250 2.0.0 queuing', 'X-ONE': '500 5.5.1 what?' }));
    expect(await client.command('ETRN', 'example.org')).toMatchObject({ code: 250, enhanced: '2.0.0' });
    expect(await client.command('x-one')).toMatchObject({ code: 500 });
    expect(await client.command('RSET')).toMatchObject({ code: 250 });
    expect(server.lines.slice(1)).toEqual(['ETRN example.org', 'X-ONE', 'RSET']);
  });

  test.each([
    ['DATA'],
    ['mail', 'FROM:<>'],
    ['BDAT', '3'],
    ['STARTTLS'],
    ['AUTH', 'PLAIN'],
    ['EHLO', 'a'],
    ['QUIT'],
    ['XCLIENT', 'ADDR=192.0.2.1'],
    ['NOOP\r\nDATA'],
    ['NOOP', 'x\r\nDATA'],
    ['X Y'],
    [''],
  ])('%j is none', async (verb, argument?: string) => {
    const { client, server } = await open(willing());
    await expect(client.command(verb, argument)).rejects.toMatchObject({ name: 'SmtpUsageError', code: 'bad-argument' });
    expect(server.lines).toHaveLength(1);
    expect(await client.command('NOOP')).toMatchObject({ code: 250 });
  });
});

describe('notice of send', () => {
  test('is told what happens to this message, by places in its envelope, in all its transactions', async () => {
    const { client } = await open(but({ 'RCPT TO:<no': '550 no' }, ['LIMITS RCPTMAX=2', 'PIPELINING']));
    const told: string[] = [];
    const notice =
      (name: string) =>
      (event: SendNotice): void =>
        void told.push(
          [name, event.type, ...('index' in event ? [event.index] : []), ...('status' in event ? [event.status] : [])].join(' '),
        );
    const recipients = ['no@b.example', 'ann@b.example', 'bob@b.example'];
    await Promise.all([
      client.send({ reversePath: '', recipients }, 'x', { notice: notice('first') }),
      client.send(ENVELOPE, 'y', { notice: notice('second') }),
    ]);
    expect(told).toEqual([
      'first outcome 2 unsent',
      'first outcome 0 refused',
      'first recipient 1',
      'first ready',
      'first outcome 1 accepted',
      'first settled',
      'first recipient 2',
      'first ready',
      'first outcome 2 accepted',
      'first settled',
      'second recipient 0',
      'second ready',
      'second outcome 0 accepted',
      'second settled',
    ]);
  });

  test('that fails ends nothing, and is warned of once', async () => {
    const warn = vi.fn();
    const client = await connectOn(new ScriptedServer(), {}, {}, warn);
    const notice = (): void => {
      throw new Error('oops');
    };
    for (const _ of [1, 2]) expect((await client.send(ENVELOPE, 'x', { notice })).outcomes[0]!.status).toBe('accepted');
    expect(warn.mock.calls.map(([text]) => text)).toEqual([expect.stringMatching(/^the function notice has failed; .* oops$/)]);
  });
});

describe('toAscii', () => {
  const UTF8 = { reversePath: 'joe@bücher.example', recipients: ['ann@bücher.example', 'jürgen@bücher.example'] } as const;

  test('an address whose local part is ASCII goes to a server without SMTPUTF8', async () => {
    const { client, server } = await open(willing(), { toAscii: domainToASCII });
    const { outcomes } = await client.send(UTF8, 'x');
    expect(outcomes.map(({ recipient, status }) => [recipient, status])).toEqual([
      ['ann@bücher.example', 'accepted'],
      ['jürgen@bücher.example', 'refused'],
    ]);
    expect(server.lines.slice(1, 3)).toEqual(['MAIL FROM:<joe@xn--bcher-kva.example> SIZE=3', 'RCPT TO:<ann@xn--bcher-kva.example>']);
    expect((await client.plan(UTF8, 'x')).recipients[0]!.line).toBe('RCPT TO:<ann@xn--bcher-kva.example>');
  });

  test('that throws refuses the recipient, and is warned of', async () => {
    const warn = vi.fn();
    const toAscii = (): string => {
      throw new Error('no table');
    };
    const client = await connectOn(new ScriptedServer(), { toAscii }, {}, warn);
    const { outcomes } = await client.send({ reversePath: '', recipients: ['ann@bücher.example'] }, 'x');
    expect(outcomes).toMatchObject([{ status: 'refused', stage: 'plan', problem: { code: 'smtputf8' } }]);
    expect(warn.mock.calls.map(([text]) => text)).toEqual([expect.stringMatching(/^the function toAscii has failed; .* no table$/)]);
  });
});

test('a plan knows the domains that the server was asked for before (RFC 9422 4.3)', async () => {
  const { client } = await open(willing(['LIMITS RCPTDOMAINMAX=1']));
  const batches = async (): Promise<number[]> =>
    (await client.plan({ reversePath: '', recipients: ['x@b.example', 'y@c.example'] }, 'x')).recipients.map(({ batch }) => batch);
  expect(await batches()).toEqual([0, 1]);
  await client.send({ reversePath: '', recipients: ['z@c.example'] }, 'x');
  expect(await batches()).toEqual([1, 2]);
});
