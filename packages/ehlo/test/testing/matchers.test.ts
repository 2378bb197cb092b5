// Matchers as vitest runs them, and the functions that throw, for who has no expect.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../src/index.ts';
import {
  assertMail,
  assertReceived,
  type Mail,
  type MailMatchers,
  matchers,
  NoMailError,
  type TestServer,
  testServer,
} from '../../src/testing.ts';

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: vitest declares it so.
  interface Matchers<T = any> extends MailMatchers<T> {}
}
expect.extend(matchers);

const MESSAGE = [
  'From: ann@example.org',
  'Subject: =?utf-8?q?Welcome,_J=C3=B6rg?=',
  'X-Kind: first',
  'Content-Type: multipart/mixed; boundary=b',
  '',
  '--b',
  '',
  'Hello http://a.example/start',
  '--b',
  'Content-Type: text/html',
  '',
  '<b>Hello</b>',
  '--b',
  'Content-Type: application/pdf',
  'Content-Disposition: attachment; filename=terms.pdf',
  '',
  'x',
  '--b--',
  '',
].join('\r\n');

let mx: TestServer;
let mail: Mail;
beforeAll(async () => {
  mx = await testServer();
  const client = await connect({ host: mx.host, port: mx.port });
  await client.send({ reversePath: 'ann@example.org', recipients: ['bob@example.net', 'carl@example.net'] }, MESSAGE);
  await client.close();
  mail = await mx.next();
});
afterAll(() => mx.close());

test('each says yes', () => {
  expect(mail).toHaveSubject(/welcome/i);
  expect(mail).toHaveSubject('welcome, jörg');
  expect(mail).toHaveSender('*@example.org');
  expect(mail).toHaveRecipient('carl@example.net');
  expect(mail).toHaveHeader('x-kind');
  expect(mail).toHaveHeader('X-Kind', 'f*');
  expect(mail).toHaveText('Hello');
  expect(mail).toHaveHtml(/<b>/);
  expect(mail).toHaveLink('http://a.example/*');
  expect(mail).toHaveAttachment('terms.pdf');
  expect(mx).toHaveReceived({ to: 'bob@*', attachment: '*.pdf' });
  assertMail(mail, { subject: 'Welcome*', text: /Hello/, link: /start$/ });
  assertReceived(mx);
});

test.each<[string, () => void, string]>([
  ['toHaveSubject', () => expect(mail).toHaveSubject('Bye'), 'the mail is not as expected: subject is not "Bye"'],
  ['toHaveSender', () => expect(mail).toHaveSender('x'), 'from is not "x"'],
  ['toHaveRecipient', () => expect(mail).toHaveRecipient(/eve/), 'to is not /eve/'],
  ['toHaveHeader', () => expect(mail).toHaveHeader('X-None'), 'X-None is "", not "*"'],
  ['toHaveText', () => expect(mail).toHaveText('Bye'), 'text has no "Bye": "Hello http://a.example/start'],
  ['toHaveHtml', () => expect(mail).toHaveHtml('Bye'), 'html has no "Bye"'],
  ['toHaveLink', () => expect(mail).toHaveLink('Bye'), 'no link is "Bye": ["http://a.example/start"]'],
  ['toHaveAttachment', () => expect(mail).toHaveAttachment('x'), 'no attachment is "x": ["terms.pdf"]'],
  [
    'toHaveReceived',
    () => expect(mx).toHaveReceived({ subject: 'x', html: 'y' }),
    'none of the mails is as expected:\n  1. subject is not "x"; html has no "y"',
  ],
  ['what is no mail', () => expect(Promise.resolve(mail)).toHaveSubject('x'), 'perhaps `await mx.next()` lacks its await'],
  ['what is no server', () => expect(mail).toHaveReceived(), 'toHaveReceived is asked of a test server'],
  ['not', () => expect(mail).not.toHaveSubject('Welcome*'), 'the mail is so, and was not to be'],
  ['assertMail', () => assertMail(mail, { from: 'x', text: 'y' }), 'the mail is not as expected: from is not "x"; text has no "y"'],
  ['assertReceived', () => assertReceived({ mails: [] }), 'the server has taken no mail'],
])('%s says what is wrong', (_, check, message) => {
  expect(check).toThrow(message);
});

test('what asks nothing says so: a name that is misspelt, and what is undefined', () => {
  const mail = {} as never;
  expect(() => assertMail(mail, { subjct: 'x' } as never)).toThrow('there is no option subjct: did you mean subject?');
  expect(() => assertReceived({ mails: [] }, { too: 'x' } as never)).toThrow('there is no option too: did you mean to?');
  // With `not`, too.
  expect(() => matchers.toHaveReceived({ mails: [] }, { too: 'x' })).toThrow('there is no option too');
  expect(() => matchers.toHaveSubject({ envelope: {} }, undefined)).toThrow('what is expected is undefined');
  expect(() => matchers.toHaveSubject(Promise.resolve(), 'x')).toThrow('perhaps `await mx.next()` lacks its await');
});

test('a wait that ends has an error of its own', async () => {
  await expect(mx.next({ within: 1 })).rejects.toBeInstanceOf(NoMailError);
});
