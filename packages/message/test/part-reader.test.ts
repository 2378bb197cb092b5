import { latin1, octets } from '@ehlo/grammar';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PartReader } from '../src/multipart.ts';

const text = (bytes: Uint8Array): string => latin1(bytes, 0, bytes.length);

/** The parts of a message that comes in pieces of these sizes: type, number of fields, content. */
function parts(message: string, sizes: readonly number[] = [Number.POSITIVE_INFINITY]): string[] {
  const found: string[] = [];
  const reader = new PartReader({
    part: ({ content, within, fields }) => found.push(`${content.type} in ${within?.type ?? 'nothing'}, ${fields.length}:`),
    content: (bytes) => {
      found[found.length - 1] += text(bytes);
    },
    end: (odd) => found.push(odd.has('no-close-delimiter') ? 'unclosed' : 'closed'),
  });
  const bytes = octets(message);
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[Math.min(i, sizes.length - 1)]!;
    const chunk = bytes.slice(at, at + size);
    reader.push(chunk);
    chunk.fill(0x2a);
    at += size;
  }
  reader.end();
  return found;
}

const MIXED = 'Content-Type: multipart/mixed; boundary="b"\r\n\r\n';

test.each([
  ['no multipart', 'A: 1\r\n\r\ntext\r\n--b\r\n', ['text/plain in nothing, 1:text\r\n--b\r\n', 'closed']],
  ['nothing', '', ['text/plain in nothing, 0:', 'closed']],
  [
    'two parts between preamble and epilogue',
    `${MIXED}pre\r\n--b\r\n\r\none\r\n\r\n--b \t\r\nContent-Type: TEXT/html\r\n\r\ntwo\r\n--b--\r\nepilogue\r\n--b\r\n\r\nthree`,
    ['multipart/mixed in nothing, 1:', 'text/plain in multipart/mixed, 0:one\r\n', 'text/html in multipart/mixed, 1:two', 'closed'],
  ],
  ['a part without octets', `${MIXED}--b\r\n\r\n--b--`, ['multipart/mixed in nothing, 1:', 'text/plain in multipart/mixed, 0:', 'closed']],
  [
    'a part without a blank line',
    `${MIXED}--b\r\nA: 1\r\n--b--`,
    ['multipart/mixed in nothing, 1:', 'text/plain in multipart/mixed, 1:', 'closed'],
  ],
  [
    'a header without a blank line',
    'Content-Type: multipart/mixed; boundary=b\r\n--b\r\n\r\nx\r\n--b--',
    ['multipart/mixed in nothing, 1:', 'text/plain in multipart/mixed, 0:x', 'closed'],
  ],
  [
    'lines of LF',
    `${MIXED.replaceAll('\r', '')}--b\n\nx\n--b--\n`,
    ['multipart/mixed in nothing, 1:', 'text/plain in multipart/mixed, 0:x', 'closed'],
  ],
  [
    'no end',
    `${MIXED}--b\r\n\r\nx\r\n--bb\r\n-`,
    ['multipart/mixed in nothing, 1:', 'text/plain in multipart/mixed, 0:x\r\n--bb\r\n-', 'unclosed'],
  ],
  [
    'one within another, which ends with the outer one',
    `${MIXED}--b\r\nContent-Type: multipart/digest; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--`,
    [
      'multipart/mixed in nothing, 1:',
      'multipart/digest in multipart/mixed, 1:',
      'message/rfc822 in multipart/digest, 0:x',
      'text/plain in multipart/mixed, 0:y',
      'unclosed',
    ],
  ],
  [
    'a message within is not taken apart',
    `${MIXED}--b\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n--b--`,
    [
      'multipart/mixed in nothing, 1:',
      'message/rfc822 in multipart/mixed, 1:Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--',
      'closed',
    ],
  ],
])('%s', (_, message, found) => {
  expect(parts(message)).toEqual(found);
  expect(parts(message, [1])).toEqual(found);
});

test('multiparts lie no deeper than 16', () => {
  let message = '';
  for (let i = 0; i < 40; i++) message += `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`;
  expect(parts(message).filter((one) => one.startsWith('multipart/')).length).toBe(17);
});

const piece = fc.constantFrom(
  ...[
    '--b',
    '--c',
    '--',
    '-',
    '\r\n',
    '\r\n',
    '\r\n',
    '\r\n\r\n',
    '\n',
    '\r',
    ' ',
    'x',
    'A: 1',
    '\r\n--b\r\n',
    '\r\n--b--\r\n',
    '--b\r\n\r\n',
  ],
  ...[
    'Content-Type: multipart/mixed; boundary=b\r\n\r\n',
    'Content-Type: multipart/mixed; boundary=c\r\n',
    ' '.repeat(300),
    '-'.repeat(255),
  ],
);

test('law 1: any chunking of the same octets finds the same', () => {
  const messages = fc.array(piece, { maxLength: 25 }).map((all) => all.join(''));
  const sizes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 });
  const property = fc.property(fc.boolean(), messages, sizes, (multi, rest, cut) => {
    const message = (multi ? MIXED : '') + rest;
    expect(parts(message, cut)).toEqual(parts(message));
  });
  fc.assert(property, { numRuns: 5000 });
});
