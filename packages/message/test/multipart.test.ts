import { latin1, octets } from '@ehlo/grammar';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type MultipartDeviation, PartReader, type PartReaderOptions } from '../src/multipart.ts';
import { MULTIPART_DEVIATIONS } from '../src/words.ts';

const text = (bytes: Uint8Array): string => latin1(bytes, 0, bytes.length);

interface Seen {
  /** All that was handed on, in its order. */
  whole: string;
  /** A line for each part, and its content if it is a leaf. */
  readonly parts: string[];
  deviations: readonly MultipartDeviation[];
}

/** Takes a message apart that comes in pieces of these sizes, the last one again and again; each is overwritten when it was given. */
function read(message: string, options: PartReaderOptions = {}, sizes: readonly number[] = [message.length + 1]): Seen {
  const seen: Seen = { whole: '', parts: [], deviations: [] };
  let open = false;
  const reader = new PartReader(
    {
      part({ raw, content, depth, composite }) {
        expect(open).toBe(false);
        open = !composite;
        seen.whole += text(raw);
        seen.parts.push(`${' '.repeat(depth)}${content.type}${composite ? '' : '='}`);
      },
      content(bytes) {
        expect(open).toBe(true);
        seen.whole += text(bytes);
        seen.parts[seen.parts.length - 1] += text(bytes);
      },
      endPart() {
        expect(open).toBe(true);
        open = false;
      },
      around(bytes) {
        expect(open).toBe(false);
        seen.whole += text(bytes);
      },
      end(found) {
        expect(open).toBe(false);
        seen.deviations = [...found].sort();
      },
    },
    options,
  );
  const bytes = octets(message);
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[Math.min(i, sizes.length - 1)]!;
    const chunk = bytes.slice(at, at + size);
    reader.push(chunk);
    chunk.fill(0x2a);
    at += size;
  }
  reader.end();
  return seen;
}

const MIXED = 'Content-Type: multipart/mixed; boundary=b\r\n\r\n';
const INNER = 'Content-Type: multipart/alternative; boundary=bc\r\n\r\n';
const DEEP: PartReaderOptions = { messages: true };

const WHOLE: readonly (readonly [name: string, message: string, parts: readonly string[], options?: PartReaderOptions])[] = [
  ['a message without parts', 'A: 1\r\n\r\n--b\r\ntext\r\n', ['text/plain=--b\r\ntext\r\n']],
  ['nothing', '', ['text/plain=']],
  [
    'a delimiter in place of the blank line',
    'Content-Type: multipart/mixed; boundary=b\r\n--b\r\n\r\nx\r\n--b--\r\n',
    ['multipart/mixed', ' text/plain=x'],
  ],
  [
    'two parts',
    `${MIXED}pre\r\n--b\r\n\r\none\r\n--b\r\nX: y\r\n\r\ntwo\r\n\r\n--b--\r\npost\r\n`,
    ['multipart/mixed', ' text/plain=one', ' text/plain=two\r\n'],
  ],
  ['a part without a blank line', `${MIXED}--b\r\nContent-Type: text/html\r\n--b--`, ['multipart/mixed', ' text/html=']],
  ['a part that begins with text', `${MIXED}--b\r\nno field\r\nmore\r\n--b--\r\n`, ['multipart/mixed', ' text/plain=no field\r\nmore']],
  [
    'parts without octets',
    `${MIXED}--b\r\n--b\r\n\r\n--b\r\n\r\n\r\n--b--\r\n`,
    ['multipart/mixed', ' text/plain=', ' text/plain=', ' text/plain='],
  ],
  [
    'a multipart within, whose boundary begins with that of the outer one',
    `${MIXED}--b\r\n${INNER}--bc\r\n\r\n1\r\n--bc\r\n\r\n2\r\n--bc--\r\n--b\r\n\r\n3\r\n--b--\r\n`,
    ['multipart/mixed', ' multipart/alternative', '  text/plain=1', '  text/plain=2', ' text/plain=3'],
  ],
  [
    'a line that almost is a delimiter',
    `${MIXED}--b\r\n\r\n--a\r\n-\r\n-b\r\n --b\r\n--b--\r\n`,
    ['multipart/mixed', ' text/plain=--a\r\n-\r\n-b\r\n --b'],
  ],
  [
    'a digest',
    'Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nA: 1\r\n\r\nx\r\n--b--\r\n',
    ['multipart/digest', ' message/rfc822=A: 1\r\n\r\nx'],
  ],
  [
    'a message within, taken apart',
    `${MIXED}--b\r\nContent-Type: message/rfc822\r\n\r\n${INNER}--bc\r\n\r\n1\r\n--bc--\r\n\r\n--b\r\n\r\n2\r\n--b--\r\n`,
    ['multipart/mixed', ' message/rfc822', '  multipart/alternative', '   text/plain=1', ' text/plain=2'],
    DEEP,
  ],
  [
    'a message within, that begins with text',
    'Content-Type: message/rfc822\r\n\r\ntext\r\nmore',
    ['message/rfc822', ' text/plain=text\r\nmore'],
    DEEP,
  ],
  ['a message within, of no octets', 'Content-Type: message/rfc822\r\n\r\n', ['message/rfc822', ' text/plain='], DEEP],
];

/** For each deviation a message with it alone, or with those it can't be without. */
const ODD: Readonly<Record<MultipartDeviation, readonly [message: string, parts: readonly string[], options?: PartReaderOptions]>> = {
  'no-boundary': ['Content-Type: multipart/mixed\r\n\r\n--b\r\n', ['multipart/mixed=--b\r\n']],
  'odd-boundary': ['Content-Type: multipart/mixed; boundary="b*"\r\n\r\n--b*\r\n\r\nx\r\n--b*--\r\n', ['multipart/mixed', ' text/plain=x']],
  'same-boundary': [`${MIXED}--b\r\n${MIXED}--b\r\n\r\nx\r\n--b--\r\n--b--\r\n`, ['multipart/mixed', ' multipart/mixed', '  text/plain=x']],
  'padded-boundary': [`${MIXED}--b \t\r\n\r\nx\r\n--b--\r\n`, ['multipart/mixed', ' text/plain=x']],
  'text-behind-boundary': [`${MIXED}--b\r\n\r\n--b c\r\n--b--\r\n`, ['multipart/mixed', ' text/plain=--b c']],
  'bare-lf-boundary': [`${MIXED}--b\n\nx\n--b--\n`, ['multipart/mixed', ' text/plain=x']],
  'no-close-delimiter': [`${MIXED}--b\r\n\r\nx\r\n`, ['multipart/mixed', ' text/plain=x\r\n']],
  'no-parts': [`${MIXED}--b--\r\n`, ['multipart/mixed']],
  'encoded-composite': [
    'Content-Transfer-Encoding: base64\r\nContent-Type: message/rfc822\r\n\r\nQTogMQ==\r\n',
    ['message/rfc822=QTogMQ==\r\n'],
    DEEP,
  ],
  'header-refused': [
    `${MIXED}--b\r\nA: ${'x'.repeat(100)}\r\n\r\n1\r\n--b--\r\n`,
    ['multipart/mixed', ` text/plain=A: ${'x'.repeat(100)}\r\n\r\n1`],
    { header: { field: 60 } },
  ],
  'too-deep': [
    `${MIXED}--b\r\n${INNER.replace('bc', 'c')}--c\r\n\r\n1\r\n--c--\r\n--b--\r\n`,
    ['multipart/mixed', ' multipart/alternative=--c\r\n\r\n1\r\n--c--'],
    { depth: 1 },
  ],
  'too-many-parts': [
    `${MIXED}--b\r\n\r\n1\r\n--b\r\n\r\n2\r\n--b--\r\n`,
    ['multipart/mixed', ' text/plain=1\r\n--b\r\n\r\n2'],
    { parts: 1 },
  ],
};

const cases = [
  ...WHOLE.map(([name, message, parts, options]) => [name, message, parts, options, []] as const),
  ...Object.entries(ODD).map(([name, [message, parts, options]]) => [name, message, parts, options, [name]] as const),
];

describe.each(cases)('%s', (_, message, parts, options, deviations) => {
  test('is taken apart, and told', () => {
    expect(read(message, options)).toEqual({ whole: message, parts, deviations });
  });

  test('in two pieces, wherever they are cut, and octet by octet', () => {
    for (let at = 1; at < message.length; at++)
      expect(read(message, options, [at, message.length])).toEqual({ whole: message, parts, deviations });
    expect(read(message, options, [1])).toEqual({ whole: message, parts, deviations });
  });
});

test('without options no more than 16 hold each other, messages are not taken apart, and each part knows what holds it', () => {
  const nested = Array.from({ length: 40 }, (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`).join('');
  const { parts, deviations } = read(nested);
  expect(parts.filter((one) => one.trim() === 'multipart/mixed')).toHaveLength(16);
  expect(deviations).toContain('too-deep');
  const within: (string | null)[] = [];
  const reader = new PartReader({ part: (header) => within.push(header.within?.type ?? null), content: () => {}, end: () => {} });
  reader.push(octets(`${MIXED}--b\r\nContent-Type: multipart/digest; boundary=c\r\n\r\n--c\r\n\r\nA: 1\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--`));
  reader.end();
  expect(within).toEqual([null, 'multipart/mixed', 'multipart/digest', 'multipart/mixed']);
});

test('each deviation has its words', () => {
  expect(Object.keys(ODD).sort()).toEqual(Object.keys(MULTIPART_DEVIATIONS).sort());
});

const piece = fc.constantFrom(
  '--b',
  '--bc',
  '--',
  '-',
  'b',
  '\r\n',
  '\n',
  '\r',
  ' ',
  '\r\n\r\n',
  'x',
  ':',
  'A: 1',
  MIXED,
  INNER,
  'Content-Type: message/rfc822\r\n\r\n',
  'Content-Transfer-Encoding: base64\r\n',
  'From x\r\n',
  '\0\xff',
  '--b--\r\n',
  '\r\n--b\r\n',
  '\r\n--bc\r\n',
);

test('no octet is lost, in whatever pieces a hostile message comes', () => {
  const message = fc.array(piece, { maxLength: 40 }).map((pieces) => MIXED + pieces.join(''));
  const limits: PartReaderOptions = { messages: true, depth: 3, parts: 5, header: { field: 60, fields: 3 } };
  const property = fc.property(
    message,
    fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
    fc.boolean(),
    (whole, sizes, narrow) => {
      const options = narrow ? limits : DEEP;
      const seen = read(whole, options);
      expect(seen.whole).toBe(whole);
      expect(read(whole, options, sizes)).toEqual(seen);
    },
  );
  fc.assert(property, { numRuns: 2000, seed: 2046 });
});
