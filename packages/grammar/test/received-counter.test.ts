import fc from 'fast-check';
import { expect, test } from 'vitest';
import { octets } from '../src/index.ts';
import { formatReceived, parseReceived, ReceivedCounter } from '../src/trace.ts';

function count(text: string, cuts: readonly number[]): number {
  const counter = new ReceivedCounter();
  const at = [0, ...cuts.map((cut) => cut % (text.length + 1)), text.length].sort((a, b) => a - b);
  for (let i = 1; i < at.length; i++) counter.push(octets(text.slice(at[i - 1], at[i])));
  return counter.count;
}

test('fields of the header are counted, however they are cut; others, folded lines and the body are not', () => {
  const line = fc.constantFrom(
    'Received: from a',
    'RECEIVED: by b',
    ' Received: folded',
    'X-Received: no',
    'Subject: Received:',
    'Received',
    'received:',
  );
  fc.assert(
    fc.property(fc.array(line), fc.array(line), fc.array(fc.nat()), (header, body, cuts) => {
      const text = `${header.map((field) => `${field}\r\n`).join('')}\r\n${body.join('\r\n')}`;
      expect(count(text, cuts)).toBe(header.filter((field) => /^received:/i.test(field)).length);
    }),
  );
});

test('a message without a body, and one with bare LF', () => {
  expect(count('Received: a\r\n', [])).toBe(1);
  expect(count('Received: a\n\nReceived: b\n', [])).toBe(1);
});

test('TLS and PRIORITY stand in a Received field, and can be read there', () => {
  const facts = { helo: 'a.example', address: '192.0.2.1', by: 'b.example', protocol: 'ESMTPS', date: 0 };
  const field = formatReceived({ ...facts, tls: 'TLS_AES_128_GCM_SHA256', priority: -3 });
  const parsed = parseReceived(octets(field));
  expect(parsed.ok && [...parsed.value.clauses]).toEqual([
    ['WITH', 'ESMTPS'],
    ['TLS', 'TLS_AES_128_GCM_SHA256'],
    ['PRIORITY', '-3'],
  ]);
  expect(formatReceived({ ...facts, tls: 'ECDHE-RSA-AES128-GCM-SHA256' })).toBe(formatReceived(facts));
});
