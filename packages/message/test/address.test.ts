import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ADDRESS_LETTER,
  type Address,
  type AddressDeviation,
  ANY_ADDRESS,
  formatAddressList,
  OBSOLETE_ADDRESS,
  parseAddressList,
  parseNamedMailbox,
} from '../src/address.ts';
import { ADDRESS_DEVIATIONS, WORD_DEVIATIONS } from '../src/words.ts';
import { texts } from './texts.ts';

interface Vector {
  readonly value: string;
  readonly list: readonly unknown[] | null;
  readonly deviations: readonly string[];
}

const { addresses } = JSON.parse(readFileSync(new URL('../../../test-vectors/message/addresses.json', import.meta.url), 'utf8')) as {
  readonly addresses: readonly Vector[];
};

/** As the vectors have it. */
function plain(one: Address): unknown {
  const comments = one.comments.length > 0 ? { comments: one.comments } : {};
  if (one.type === 'group') return { group: one.name, members: one.members.map(plain), ...comments };
  const { name, localPart, domain } = one;
  return { name, localPart, domain, ...comments };
}

describe.each(addresses.map((vector) => [JSON.stringify(vector.value), vector] as const))('%s', (_, { value, list, deviations }) => {
  const own = deviations.filter((name): name is AddressDeviation => name in ADDRESS_DEVIATIONS);

  test('says what it says', () => {
    const parsed = parseAddressList(value, { tolerate: ANY_ADDRESS });
    expect(parsed.ok ? parsed.value.map(plain) : null).toEqual(list);
    if (parsed.ok) expect(parsed.deviations).toEqual(deviations);
    expect(parseAddressList(new TextEncoder().encode(value), { tolerate: ANY_ADDRESS })).toEqual(parsed);
    expect(parseAddressList(`${value}\r\n`, { tolerate: ANY_ADDRESS }).ok).toBe(parsed.ok);
  });

  test('is refused for each of its deviations', () => {
    if (list === null) return;
    expect(parseAddressList(value, { tolerate: new Set(own) }).ok).toBe(true);
    expect(parseAddressList(value, { tolerate: ADDRESS_LETTER }).ok).toBe(own.length === 0);
    expect(parseAddressList(value).ok).toBe(own.every((name) => OBSOLETE_ADDRESS.has(name)));
    for (const name of own) {
      const parsed = parseAddressList(value, { tolerate: new Set([...ANY_ADDRESS].filter((other) => other !== name)) });
      expect(parsed).toMatchObject({ ok: false, section: expect.stringMatching(/^RFC 5322/) });
    }
  });

  test('is written so that it is read as the same', () => {
    const parsed = parseAddressList(value);
    if (!parsed.ok || deviations.includes('old-characters') || /""@/.test(value)) return;
    const again = parseAddressList(formatAddressList(parsed.value, { utf8: true, column: 4 }), { tolerate: ADDRESS_LETTER });
    expect(again.ok && again.value).toEqual(parsed.value);
  });
});

test('every deviation stands in some address', () => {
  const met = new Set([...addresses.flatMap(({ deviations }) => deviations), 'octets-beyond-utf8']);
  expect([...met].filter((name) => !(name in WORD_DEVIATIONS)).sort()).toEqual(Object.keys(ADDRESS_DEVIATIONS).sort());
  expect([...ANY_ADDRESS].sort()).toEqual(Object.keys(ADDRESS_DEVIATIONS).sort());
});

test('octets that are no UTF-8 are refused, or become U+FFFD', () => {
  const bytes = Uint8Array.of(0x4a, 0xf6, 0x20, 0x3c, 0x61, 0x40, 0x62, 0x3e);
  expect(parseAddressList(bytes)).toMatchObject({ ok: false, code: 'deviation', message: expect.stringContaining('(octets-beyond-utf8)') });
  expect(parseAddressList(bytes, { tolerate: ANY_ADDRESS })).toMatchObject({ ok: true, value: [{ name: 'J\ufffd', address: 'a@b' }] });
  expect(parseAddressList(new TextEncoder().encode('\ufffd <a@b>')).ok).toBe(true);
});

test('one mailbox is one', () => {
  expect(parseNamedMailbox('Joe <joe@example.org>')).toMatchObject({ ok: true, value: { name: 'Joe', address: 'joe@example.org' } });
  for (const value of ['a@b, c@d', 'g:a@b;', 'g:;', 'a b']) expect(parseNamedMailbox(value)).toMatchObject({ ok: false, code: 'syntax' });
});

test('no more mailboxes are read than are wanted', () => {
  expect(parseAddressList('a@b, g:c@d;', { most: 2 }).ok).toBe(true);
  expect(parseAddressList('a@b, g:c@d, e@f;', { most: 2 })).toMatchObject({ ok: false, message: 'too many addresses' });
});

const mailbox = fc
  .record({
    name: fc.option(texts),
    localPart: fc.oneof(
      fc.stringMatching(/^[a-z]{1,9}(\.[a-z]{1,9})?$/),
      texts.filter((text) => text !== ''),
    ),
    domain: fc.constantFrom('example.org', 'b', '[192.0.2.1]', '[IPv6:::1]', 'xn--4ca.example', '\u00e4.example'),
    comments: fc.array(texts, { maxLength: 2 }),
  })
  .map((one) => ({ type: 'mailbox' as const, ...one }));
const group = fc
  .record({ name: texts, members: fc.array(mailbox, { maxLength: 4 }), comments: fc.array(texts, { maxLength: 2 }) })
  .map((one) => ({ type: 'group' as const, ...one }));

test('what is written is read as the same, folded or not', () => {
  const property = fc.property(
    fc.array(fc.oneof(mailbox, group), { minLength: 1, maxLength: 6 }),
    fc.option(fc.nat(80), { nil: undefined }),
    (list, column) => {
      const written = formatAddressList(list, { utf8: true, ...(column === undefined ? {} : { column }) });
      const parsed = parseAddressList(written, { tolerate: ADDRESS_LETTER });
      if (!parsed.ok) expect.fail(`${parsed.message} at ${parsed.offset} of ${JSON.stringify(written)}`);
      expect(parsed.value).toMatchObject(list);
      expect(parsed.deviations).toEqual([]);
      for (const line of written.split('\r\n').slice(1)) expect(line).toMatch(/^[ \t]+[^ \t]/);
    },
  );
  fc.assert(property, { numRuns: 500 });
});

test('names and comments are written in ASCII where UTF-8 is not wanted', () => {
  const ascii = mailbox.map((one) => ({ ...one, localPart: 'joe', domain: 'example.org' }));
  const property = fc.property(fc.array(ascii, { minLength: 1, maxLength: 4 }), (list) => {
    const written = formatAddressList(list, { column: 4 });
    expect(written).toMatch(/^[\t\r\n -~]*$/);
    expect(parseAddressList(written, { tolerate: ADDRESS_LETTER })).toMatchObject({ ok: true, value: list, deviations: [] });
  });
  fc.assert(property, { numRuns: 500 });
});

test('what can not be written throws, and no field is smuggled in', () => {
  const bad = [
    { localPart: '', domain: 'b' },
    { localPart: 'a', domain: '' },
    { localPart: 'a', domain: 'b\r\nBcc: c@d' },
    { localPart: 'a\r\nBcc: c', domain: 'd' },
    { localPart: 'a\0', domain: 'd' },
    { localPart: '\u00e4', domain: 'd' },
    { localPart: 'a', domain: '\u00e4.d' },
    { localPart: 'a', domain: 'd, e@f' },
    { localPart: 'x'.repeat(999), domain: 'd' },
  ];
  for (const one of bad) expect(() => formatAddressList([one])).toThrow(RangeError);
  const written = formatAddressList([{ name: 'a\r\nBcc: c@d', localPart: 'a', domain: 'b', comments: ['\r\n'] }]);
  expect(written).toMatch(/^[ -~]*$/);
  expect(parseNamedMailbox(written)).toMatchObject({ value: { name: 'a\ufffd\ufffdBcc: c@d', comments: ['\ufffd\ufffd'] } });
});

test('lines are no longer than 78 characters, and end behind a comma where they can', () => {
  const list = Array.from({ length: 30 }, (_, i) => ({ name: `Person Number ${i}`, localPart: `person.${i}`, domain: 'mail.example.org' }));
  const lines = `To: ${formatAddressList(list, { column: 4 })}`.split('\r\n');
  expect(lines.length).toBeGreaterThan(10);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(78);
  for (const line of lines.slice(0, -1)) expect(line).toMatch(/,$/);
});

const SHAPES = [
  '"',
  '\\',
  '(',
  '()',
  '(a',
  '<',
  '<a@b>',
  '<a@b>,',
  '@a,',
  'a.',
  '.',
  'a .',
  '[',
  ',',
  ';',
  ':',
  'a:',
  'a:;',
  'a ',
  '=?',
  '=?utf-8?q?a?= ',
  ' ',
  '\r\n ',
  '\x80',
  '\u00e4',
  '"a" ',
  '@',
  'a@b ',
];

test('nothing that nests or repeats throws, or takes more than a few looks at each octet', () => {
  for (const shape of SHAPES) {
    for (const [before, after] of [
      ['', ''],
      ['a@b', ''],
      ['<', '>'],
      ['"', '"@b'],
      ['g:', ';'],
      ['(', ')'],
      ['x <@a', ':a@b>'],
    ] as const) {
      const text = `${before}${shape.repeat(10_000)}${after}`;
      for (const tolerate of [ADDRESS_LETTER, OBSOLETE_ADDRESS, ANY_ADDRESS]) parseAddressList(text, { tolerate });
    }
  }
});

test('nothing throws, whatever it is given', () => {
  const parts = fc.constantFrom(...SHAPES, 'joe', 'b.example', '"joe"', '(c)', '>', ']', ')', '[1.2.3.4]', '\0', '\r', '\n');
  const property = fc.property(
    fc.oneof(
      fc.array(parts, { maxLength: 25 }).map((all) => all.join('')),
      fc.string(),
    ),
    (text) => {
      for (const tolerate of [ADDRESS_LETTER, OBSOLETE_ADDRESS, ANY_ADDRESS]) {
        const parsed = parseAddressList(text, { tolerate });
        // The letter's words are all that the obsolete forms' are, and these all that anything's are.
        if (parsed.ok) expect(parseAddressList(text, { tolerate: ANY_ADDRESS })).toEqual(parsed);
      }
    },
  );
  fc.assert(property, { numRuns: 5000 });
  fc.assert(fc.property(fc.uint8Array(), (bytes) => typeof parseAddressList(bytes, { tolerate: ANY_ADDRESS }).ok === 'boolean'));
});
