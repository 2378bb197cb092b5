import { latin1, octets } from '@ehlo/grammar';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ANY_HEADER, fieldValue, HARMLESS, type HeaderDeviation, HeaderReader, type HeaderReaderOptions, isNamed } from '../src/index.ts';
import { HEADER_DEVIATIONS } from '../src/words.ts';

const text = (bytes: Uint8Array): string => latin1(bytes, 0, bytes.length);

/** What is found in a message that comes in pieces of these sizes, the last one again and again; the body as one text. */
function read(message: string, options: HeaderReaderOptions = {}, sizes: readonly number[] = [Number.POSITIVE_INFINITY]): string[] {
  const reader = new HeaderReader(options);
  const bytes = octets(message);
  const found: string[] = [];
  let body = '';
  const take = (): void => {
    for (let event = reader.next(); event !== null; event = reader.next()) {
      if (event.type === 'body') body += text(event.bytes);
      else if (event.type === 'field') {
        const { name, raw, offset, valueAt, deviations } = event.field;
        expect(text(bytes.subarray(offset, offset + raw.length))).toBe(text(raw));
        expect(raw[valueAt - 1]).toBe(0x3a);
        found.push(`${name}=${text(raw)}${deviations.length === 0 ? '' : `!${deviations.join()}`}`);
      } else if (event.type === 'stray') found.push(`stray=${text(event.raw)}!${event.deviation}`);
      else if (event.type === 'end-of-header')
        found.push(`blank=${text(event.blankLine)}@${event.offset}${event.deviations.map((name) => `!${name}`)}`);
      else if (event.type === 'refused') found.push(`refused ${event.code} at ${event.offset}: ${event.message}`);
      else found.push(event.type);
    }
  };
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[Math.min(i, sizes.length - 1)]!;
    // A buffer of its own, which is overwritten once it was given back.
    const chunk = bytes.slice(at, at + size);
    reader.push(chunk);
    take();
    chunk.fill(0x2a);
    at += size;
  }
  reader.end();
  take();
  return body === '' ? found : [...found, `body=${body}`];
}

const any = { tolerate: ANY_HEADER };

/** For each deviation a message with it alone, and what is found. */
const ODD: Readonly<Record<HeaderDeviation, readonly [message: string, found: readonly string[]]>> = {
  'bare-lf': ['A: 1\nB: 2\r\n\r\nx', ['A=A: 1\n!bare-lf', 'B=B: 2\r\n', 'blank=\r\n@11', 'end', 'body=x']],
  'bare-cr': ['A: 1\r2\r\n\r\n', ['A=A: 1\r2\r\n!bare-cr', 'blank=\r\n@8', 'end']],
  nul: ['A: \0\r\n\r\n', ['A=A: \0\r\n!nul', 'blank=\r\n@6', 'end']],
  'octets-beyond-utf8': ['A: \xe9\r\n\r\n', ['A=A: \xe9\r\n!octets-beyond-utf8', 'blank=\r\n@6', 'end']],
  'long-line': [`A:${'x'.repeat(997)}\r\n\r\n`, [`A=A:${'x'.repeat(997)}\r\n!long-line`, 'blank=\r\n@1001', 'end']],
  'from-line': [
    'From ann Mon Nov 16 09:15:02 2026\r\nA: 1\r\n\r\n',
    ['stray=From ann Mon Nov 16 09:15:02 2026\r\n!from-line', 'A=A: 1\r\n', 'blank=\r\n@41', 'end'],
  ],
  'leading-continuation': [' x\r\nA: 1\r\n\r\n', ['stray= x\r\n!leading-continuation', 'A=A: 1\r\n', 'blank=\r\n@10', 'end']],
  'blank-continuation': ['A: 1\r\n \t\r\nB: 2\r\n\r\n', ['A=A: 1\r\n \t\r\n!blank-continuation', 'B=B: 2\r\n', 'blank=\r\n@16', 'end']],
  'space-before-colon': ['A \t: 1\r\n\r\n', ['A=A \t: 1\r\n!space-before-colon', 'blank=\r\n@8', 'end']],
  'odd-name': ['\xc4: 1\r\n\r\n', ['\xc4=\xc4: 1\r\n!odd-name', 'blank=\r\n@6', 'end']],
  'no-blank-line': ['A: 1\r\nno field here\r\nB: 2\r\n', ['A=A: 1\r\n', 'blank=@6!no-blank-line', 'end', 'body=no field here\r\nB: 2\r\n']],
};

describe.each(Object.entries(ODD))('%s', (name, [message, found]) => {
  test('is taken, and told', () => {
    expect(read(message, any)).toEqual(found);
    expect(read(message, { tolerate: new Set([name as HeaderDeviation]) })).toEqual(found);
  });

  test('is refused, by its name', () => {
    const refused = read(message, { tolerate: new Set([...ANY_HEADER].filter((other) => other !== name)) });
    expect(refused.at(-1)).toMatch(new RegExp(`^refused deviation at \\d+: .*\\(${name}\\)$`));
    expect(refused).not.toContain('end');
  });
});

test('every deviation has a message, its words and its danger', () => {
  expect(Object.keys(ODD).sort()).toEqual(Object.keys(HEADER_DEVIATIONS).sort());
  expect([...ANY_HEADER].sort()).toEqual(Object.keys(ODD).sort());
  expect([...HARMLESS].every((name) => ANY_HEADER.has(name))).toBe(true);
});

test.each([
  ['nothing', '', ['blank=@0', 'end']],
  ['a blank line alone', '\r\n', ['blank=\r\n@0', 'end']],
  ['no body and no blank line', 'A: 1\r\n', ['A=A: 1\r\n', 'blank=@6', 'end']],
  ['a last field without its end', 'A: 1', ['A=A: 1', 'blank=@4', 'end']],
  ['a last continuation without its end', 'A: 1\r\n 2', ['A=A: 1\r\n 2', 'blank=@8', 'end']],
  ['an empty value', 'A:\r\n\r\n', ['A=A:\r\n', 'blank=\r\n@4', 'end']],
  ['fields in the body', 'A: 1\r\n\r\nB: 2\r\n\r\n', ['A=A: 1\r\n', 'blank=\r\n@6', 'end', 'body=B: 2\r\n\r\n']],
  ['a field named as a mailbox file begins', 'From: a@b\r\n\r\n', ['From=From: a@b\r\n', 'blank=\r\n@11', 'end']],
  ['UTF-8 (RFC 6532)', 'A: \xc3\xa9\r\n\r\n', ['A=A: \xc3\xa9\r\n', 'blank=\r\n@7', 'end']],
])('%s', (_, message, found) => {
  expect(read(message)).toEqual(found);
});

test.each([
  [{ field: 20 }, `A: 1\r\nB: ${'x'.repeat(20)}`, 'refused field-size at 6: a field of more than 20 octets'],
  [{ field: 20 }, `A: 1\r\nB: ${'x'.repeat(10)}\r\n ${'x'.repeat(10)}`, 'refused field-size at 6: a field of more than 20 octets'],
  [{ fields: 2 }, 'A: 1\r\nB: 2\r\nC: 3\r\n\r\n', 'refused fields at 12: more than 2 fields'],
  [{ header: 14 }, 'A: 1\r\nB: 2\r\nC: 3\r\n\r\n', 'refused header-size at 12: a header of more than 14 octets'],
])('limits: %j', (limits, message, refused) => {
  expect(read(message, { limits }).at(-1)).toBe(refused);
  expect(read(message, { limits }, [1])).toEqual(read(message, { limits }));
});

/** Text that is likely to be odd. */
const piece = fc.constantFrom(
  'A: 1',
  'Subject: hello',
  'X :',
  '\r\n',
  '\r\n',
  '\r\n',
  '\n',
  '\r',
  ' ',
  '\t',
  ':',
  'From a',
  '\0',
  '\xe9',
  '\xc3\xa9',
  'text',
  'x'.repeat(30),
);
const messages = fc.array(piece, { maxLength: 30 }).map((parts) => parts.join(''));
const policies = fc.oneof(
  fc.constant(ANY_HEADER),
  fc.constant(HARMLESS),
  fc.subarray([...ANY_HEADER]).map((names) => new Set(names)),
);
const limits = fc.record({
  field: fc.constantFrom(10, 40, 65_536),
  fields: fc.constantFrom(1, 3, 1000),
  header: fc.constantFrom(20, 60, 1_048_576),
});

test('law 1: any chunking of the same octets finds the same', () => {
  const property = fc.property(
    messages,
    policies,
    limits,
    fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 }),
    (message, tolerate, limits, sizes) => {
      expect(read(message, { tolerate, limits }, sizes)).toEqual(read(message, { tolerate, limits }));
    },
  );
  fc.assert(property, { numRuns: 3000 });
});

test('every octet is in exactly one event, in order', () => {
  const property = fc.property(messages, fc.integer({ min: 1, max: 50 }), (message, size) => {
    const reader = new HeaderReader(any);
    const bytes = octets(message);
    let all = '';
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
    reader.end();
    for (let event = reader.next(); event !== null; event = reader.next()) {
      if (event.type === 'field') all += text(event.field.raw);
      if (event.type === 'stray') all += text(event.raw);
      if (event.type === 'end-of-header') all += text(event.blankLine);
      if (event.type === 'body') all += text(event.bytes);
    }
    expect(all).toBe(message);
  });
  fc.assert(property, { numRuns: 2000 });
});

test('law 3: no more than one field is kept, and every octet is copied a bounded number of times', () => {
  const reader = new HeaderReader({ limits: { field: 100_000, fields: 1e6, header: 1e9 } });
  const line = octets(`A: ${'x'.repeat(90)}\r\n ${'y'.repeat(100)}\r\n`);
  let found = 0;
  for (let i = 0; i < 20_000; i++) {
    reader.push(line);
    for (let event = reader.next(); event !== null; event = reader.next()) found++;
  }
  expect(found).toBe(19_999);
  // One field in octets that come one by one.
  const trickle = new HeaderReader({ limits: { field: 1_000_000 } });
  const octet = octets('x');
  trickle.push(octets('A:'));
  for (let i = 0; i < 200_000; i++) trickle.push(octet);
  trickle.end();
  expect(trickle.next()).toMatchObject({ type: 'field', field: { raw: { length: 200_002 } } });
});

describe('the value', () => {
  const first = (message: string): string => {
    const reader = new HeaderReader(any);
    reader.push(octets(message));
    reader.end();
    const event = reader.next();
    return event?.type === 'field' ? fieldValue(event.field) : '';
  };

  test.each([
    ['A: 1\r\n', '1'],
    ['A:\r\n  1 \r\n\t2\r\n', '1 \t2'],
    ['A: \xc3\xa9\xf0\x9f\x93\xa7\r\n', '\u00e9\u{1f4e7}'],
    ['A: \xe9 \xc0\xaf \xed\xa0\x80\r\n', '\ufffd \ufffd\ufffd \ufffd\ufffd\ufffd'],
    [`A: ${'x'.repeat(9000)}\xc3\xa9\r\n`, `${'x'.repeat(9000)}\u00e9`],
    ['A:\r\n', ''],
  ])('of %j', (message, value) => {
    expect(first(message)).toBe(value);
  });

  test('names are the same in any case', () => {
    const reader = new HeaderReader();
    reader.push(octets('SUBJECT: x\r\n\r\n'));
    const event = reader.next();
    expect(event?.type === 'field' && isNamed(event.field, 'Subject')).toBe(true);
  });
});
