// The example of the README: a library signs what leaves.
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { dkimFault } from '../../../proof/test/dkim.ts';
import { dkim } from './dkim-sign.ts';
import { broken, content, mx, open, order, transaction, words } from './harness.ts';

const { publicKey, privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const HEADER = 'From: Ann <ann@example.org>\r\nTo: Joe <joe@example.net>\r\nSubject: signed\r\nDate: Fri, 27 Nov 2026 09:00:00 +0000\r\n';

test.each([
  ['short', `${HEADER}\r\n.text \t of  it\r\n\r\n\r\n`],
  ['long', `${HEADER}\r\n${'.a line,\twith  white space \r\n'.repeat(20_000)}`],
  ['without a body', `${HEADER}\r\n`],
])('a message that is %s arrives with its signature', async (_, text) => {
  const { port, taken } = await mx();
  const session = await open(order(port), { sign: dkim('example.org', 'key1', privateKey) });
  const { outcomes } = await session.send(transaction(['joe@example.net']), content(text));
  expect(words(outcomes)).toEqual(['accepted 250']);
  const [message] = taken;
  expect(message?.text.endsWith(text)).toBe(true);
  expect(message?.text.slice(0, -text.length)).toMatch(/^DKIM-Signature: [^\r\n]*(\r\n[ \t][^\r\n]*)*\r\n$/);
  expect(dkimFault(message!.text, publicKey)).toBe(null);
});

test('what breaks off is neither signed nor sent', async () => {
  const { port, taken } = await mx();
  const failures: string[] = [];
  const session = await open(order(port), { sign: dkim('example.org', 'key1', privateKey), failed: (_, what) => failures.push(what) });
  const { outcomes } = await session.send(transaction(['joe@example.net']), broken());
  expect([words(outcomes), taken, failures]).toEqual([['unsent'], [], ['sign']]);
});

test('the README shows it as it is', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  expect(readme).toContain(readFileSync(new URL('dkim-sign.ts', import.meta.url), 'utf8'));
});
