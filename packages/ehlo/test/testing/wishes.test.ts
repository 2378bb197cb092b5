// What people have asked test servers for, each as a test that is named by it. The program under test is nodemailer, by its defaults, or our own client.
import { createTransport } from 'nodemailer';
import { expect, test } from 'vitest';
import { connect } from '../../src/index.ts';
import { type TestServer, type TestServerOptions, testServer } from '../../src/testing.ts';

interface Failed {
  readonly responseCode?: number;
  readonly code?: string;
  readonly response?: string;
}

/** What becomes of a mail: `sent` and who was refused, or how it failed. */
async function send(mx: TestServer, mail: object = {}, options: object = {}): Promise<string> {
  const transport = createTransport({ host: mx.host, port: mx.port, ...options });
  try {
    const { rejected } = await transport.sendMail({ from: 'ann@example.org', to: 'bob@example.org', subject: 'x', text: 'x', ...mail });
    return ['sent', ...rejected.map(String)].join(' ');
  } catch (error) {
    const { responseCode, code } = error as Failed;
    return `failed ${responseCode ?? code}`;
  } finally {
    transport.close();
  }
}

function wish(name: string, prove: (mx: TestServer) => Promise<void>, options: TestServerOptions = {}): void {
  test(name, async () => {
    await using mx = await testServer(options);
    await prove(mx);
  });
}

wish('a list of addresses, and a code for each', async (mx) => {
  const codes = { full: [452, '4.2.2'], unknown: [550, '5.1.1'], later: [421, '4.2.1'], spam: [571, '5.7.1'] } as const;
  for (const [name, [code, enhanced]] of Object.entries(codes)) mx.on.rcpt(`${name}@example.org`).reply(code, enhanced, name);
  const all = Object.keys(codes).map(async (name) => [name, await send(mx, { to: `${name}@example.org` })]);
  expect(Object.fromEntries(await Promise.all(all))).toEqual({
    full: 'failed 452',
    unknown: 'failed 550',
    later: 'failed 421',
    spam: 'failed 571',
  });
});

wish('an error by what stands in the mail: in its subject, or anywhere in a field', async (mx) => {
  mx.on.message({ header: { Subject: '*[SMTP_ERROR:554]*' } }).reply(554, '5.6.0', 'As you wish');
  expect([await send(mx, { subject: 'hello [SMTP_ERROR:554]' }), await send(mx)]).toEqual(['failed 554', 'sent']);
});

wish('an address that is not known to the relay: 550 User unknown in relay recipient table', async (mx) => {
  mx.on.rcpt('*@relay.example').reply(550, '5.1.1', 'Recipient address rejected: User unknown in relay recipient table');
  expect(await send(mx, { to: 'joe@relay.example' })).toBe('failed 550');
});

wish('a mail that can not be sent, so that the program shows its message to the user, and then one that can', async (mx) => {
  mx.on.message().reply(554, '5.3.0', 'Transaction failed').times(1);
  expect([await send(mx), await send(mx)]).toEqual(['failed 554', 'sent']);
});

wish('every attempt fails, not one in ten', async (mx) => {
  mx.on.mail().reply(451, '4.3.0', 'Try again');
  expect(await Promise.all(Array.from({ length: 10 }, () => send(mx)))).toEqual(Array.from({ length: 10 }, () => 'failed 451'));
});

wish('the same mail succeeds when it is tried again: the address need not change', async (mx) => {
  mx.on.rcpt('bob@example.org').reply(450, '4.2.1', 'Mailbox busy').times(2);
  expect([await send(mx), await send(mx), await send(mx)]).toEqual(['failed 450', 'failed 450', 'sent']);
});

wish('connections are rejected', async (mx) => {
  mx.on.connect().reply(554, '5.3.2', 'No service here').times(1);
  mx.on.connect().reset().times(1);
  expect([await send(mx), await send(mx)].every((one) => one.startsWith('failed'))).toBe(true);
  expect(await send(mx)).toBe('sent');
});

wish('authentication is rejected', async (mx) => {
  mx.on.auth('eve').reply(535, '5.7.8', 'Authentication credentials invalid');
  expect([await send(mx, {}, { auth: { user: 'eve', pass: 'x' } }), await send(mx, {}, { auth: { user: 'ann', pass: 'x' } })]).toEqual([
    'failed 535',
    'sent',
  ]);
});

wish('a sender is rejected', async (mx) => {
  mx.on.mail('*@spam.example').reply(550, '5.7.1', 'Sender rejected');
  expect([await send(mx, { from: 'a@spam.example' }), await send(mx)]).toEqual(['failed 550', 'sent']);
});

wish('recipients that were rejected are told apart from those that were taken', async (mx) => {
  mx.on.rcpt('nobody@example.org').reply(550, '5.1.1', 'No such user');
  expect(await send(mx, { to: ['bob@example.org', 'nobody@example.org'] })).toBe('sent nobody@example.org');
  expect((await mx.next()).envelope.to).toEqual(['bob@example.org']);
});

wish('a domain that does not resolve is rejected as the real server does it', async (mx) => {
  mx.on.rcpt(/@[^.]+\.invalid$/).reply(451, '4.1.2', 'Recipient address rejected: Domain not found');
  expect(await send(mx, { to: 'joe@nowhere.invalid' })).toBe('failed 451');
});

wish('421 by the rate of mail, as a real limit says it: not by chance', async (mx) => {
  mx.on.mail().throttle(3, '1 min', { reply: { code: 421, enhanced: '4.7.0', text: 'Too many messages, slow down' } });
  const results: string[] = [];
  for (let i = 0; i < 5; i++) results.push(await send(mx));
  mx.clock.advance('1 min');
  results.push(await send(mx));
  expect(results).toEqual(['sent', 'sent', 'sent', 'failed 421', 'failed 421', 'sent']);
});

wish('a number of connections at a time', async (mx) => {
  mx.on.connect().throttle(1, '1 h', { by: ['peer'] });
  const first = await connect({ host: mx.host, port: mx.port });
  expect(await send(mx)).toBe('failed 421');
  await first.close();
});

wish('a slow server, for the timeout of the program', async (mx) => {
  mx.on.connect().stall().times(1);
  expect(await send(mx, {}, { greetingTimeout: 50 })).toBe('failed ETIMEDOUT');
  mx.on.data().stall().times(1);
  expect(await send(mx, {}, { socketTimeout: 100 })).toBe('failed ETIMEDOUT');
});

wish('a connection that is lost while the mail is sent, and one that is lost when nobody knows whether it was taken', async (mx) => {
  mx.on.data().drop({ after: 100 }).times(1);
  expect((await send(mx, { text: 'x'.repeat(100_000) })).startsWith('failed')).toBe(true);
  expect(mx.mails).toEqual([]);
  mx.on.message().drop().times(1);
  expect((await send(mx)).startsWith('failed')).toBe(true);
  expect(mx.mails.length).toBe(1);
});

wish('errors that are switched on and off while the program runs', async (mx) => {
  const results = [await send(mx)];
  const failing = mx.on.message().reply(550, '5.7.1', 'Not today');
  results.push(await send(mx), await send(mx));
  failing.remove();
  results.push(await send(mx));
  expect([results, failing.fired]).toEqual([['sent', 'failed 550', 'failed 550', 'sent'], 2]);
});

wish('some connections, senders and recipients are rejected: a share of them, and the same ones each time', async (mx) => {
  mx.on.connect({ every: 4 }).reply(421, '4.3.2', 'Not now');
  mx.on.mail({ every: 3 }).reply(451, '4.3.0', 'Try again');
  mx.on.rcpt({ every: 2 }).reply(450, '4.2.1', 'Mailbox busy');
  const results: string[] = [];
  for (let i = 0; i < 8; i++) results.push(await send(mx));
  expect(results).toEqual(['sent', 'failed 450', 'failed 451', 'failed 421', 'sent', 'failed 450', 'failed 451', 'failed 421']);
});

wish('the address says the code, the domain another', async (mx) => {
  for (const code of [421, 450, 550]) mx.on.rcpt(`smtpresponse_${code}*`).reply(code, `${code === 550 ? 5 : 4}.0.0`, 'As the address says');
  mx.on.rcpt('*@551.example.com').reply(551, '5.7.1', 'Relaying denied');
  const to = [
    'smtpresponse_421@a.example',
    'smtpresponse_450+x@b.example',
    'smtpresponse_550@c.example',
    'joe@551.example.com',
    'joe@a.example',
  ];
  const results: string[] = [];
  for (const one of to) results.push(await send(mx, { to: one }));
  expect(results).toEqual(['failed 421', 'failed 450', 'failed 550', 'failed 551', 'sent']);
});

wish('what to do next follows from the answer: again later, or never, or it went through', async (mx) => {
  mx.on.rcpt('full@example.org').reply(452, '4.2.2', 'Mailbox full');
  mx.on.rcpt('nobody@example.org').reply(550, '5.1.1', 'No such user');
  const client = await connect({ host: mx.host, port: mx.port });
  const recipients = ['full@example.org', 'nobody@example.org', 'bob@example.org'];
  const { outcomes } = await client.send({ reversePath: 'ann@example.org', recipients }, 'Subject: x\r\n\r\nx\r\n');
  await client.close();
  expect(outcomes.map(({ status, retry }) => `${status} ${retry}`)).toEqual(['refused later', 'refused never', 'accepted never']);
});

wish('a refusal at the stage that is wanted: at DATA, and to QUIT, when the mail was taken', async (mx) => {
  mx.on.data().reply(550, '5.7.1', 'You are blocked').times(1);
  mx.on.quit().reply(421, '4.3.2', 'Gone').times(1);
  expect([await send(mx), await send(mx), mx.mails.length]).toEqual(['failed 550', 'sent', 1]);
});

wish('no more than so many recipients in a mail', async (mx) => {
  mx.on.connect().limits({ recipients: 3 });
  const to = ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}@example.org`);
  expect(await send(mx, { to })).toBe('sent d@example.org e@example.org');
  expect((await mx.next()).envelope.to).toEqual(to.slice(0, 3));
});

wish('a slow line: replies come octet by octet, and the mail goes through all the same', async (mx) => {
  for (const stage of ['connect', 'hello', 'mail', 'rcpt', 'message'] as const)
    mx.on[stage]().do({ reply: { code: stage === 'connect' ? 220 : 250, text: 'slow', split: { every: 1, pause: 1 } } });
  expect(await send(mx)).toBe('sent');
});

wish('a program that fails as often as it is said, and then a mail that fails for good is told from it', async (mx) => {
  mx.on.message({ header: { 'X-Test': 'for good' } }).reply(554, '5.6.0', 'Never');
  mx.on
    .message({ header: { 'X-Test': 'for now' } })
    .reply(451, '4.3.0', 'Later')
    .times(2);
  const mail = (value: string) => send(mx, { headers: { 'X-Test': value } });
  expect([await mail('for good'), await mail('for now'), await mail('for now'), await mail('for now'), await mail('for good')]).toEqual([
    'failed 554',
    'failed 451',
    'failed 451',
    'sent',
    'failed 554',
  ]);
});

wish(
  'a mailbox is full, a user has gone: the words of a server of the world',
  async (mx) => {
    expect([await send(mx, { to: 'full@gmail.example' }), await send(mx, { to: 'nobody@gmail.example' }), await send(mx)]).toEqual([
      'failed 452',
      'failed 550',
      'sent',
    ]);
  },
  { preset: 'gmail' },
);
