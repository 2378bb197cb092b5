import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ANY_ID, formatMessageIds, type MessageIdDeviation, OBSOLETE_ID, parseMessageIds } from '../src/message-id.ts';
import { MESSAGE_ID_DEVIATIONS } from '../src/words.ts';

const VALUES: readonly (readonly [value: string, ids: readonly string[] | null, deviations?: readonly MessageIdDeviation[]])[] = [
  ['<1234@local.machine.example>', ['1234@local.machine.example']],
  ['<1234@local.machine.example> <3456@example.net>', ['1234@local.machine.example', '3456@example.net']],
  ['<1234@local.machine.example>\r\n <3456@example.net> \r\n', ['1234@local.machine.example', '3456@example.net']],
  ['<a@b><c@d>', ['a@b', 'c@d']],
  ['(c)<testabcd.1234@silly.test>(d)', ['testabcd.1234@silly.test']],
  ['<5678.21-Nov-1997@example.com>', ['5678.21-Nov-1997@example.com']],
  ['<1@[192.0.2.1]>', ['1@[192.0.2.1]']],
  ['<\u00e4@\u00f6>', ['\u00e4@\u00f6']],
  ['<a@[\u00a0]>', ['a@[\u00a0]']],
  ['<1234   @   local(blah)  .machine .example>', ['1234@local.machine.example'], ['old-space']],
  ['< a.b @c>', ['a.b@c'], ['old-space']],
  ['<a@[1 2]>', ['a@[12]'], ['old-space']],
  ['<"a b"@c>', ['"a b"@c'], ['quoted-id']],
  ['<"ab"@c>', ['ab@c'], ['quoted-id']],
  ['<"a" . b@c>', ['a.b@c'], ['old-space', 'quoted-id']],
  ['<"a\x01"@c>', ['"a\x01"@c'], ['old-characters', 'quoted-id']],
  ['<a@b>\r\n \r\n <c@d>', ['a@b', 'c@d'], ['old-space']],
  ['Your message of Monday <a@b>', ['a@b'], ['phrase-among-ids']],
  ['"Joe" <a@b> wrote', ['a@b'], ['phrase-among-ids']],
  ['malformed@id.machine.example', ['malformed@id.machine.example'], ['no-angle-brackets']],
  ['<a@b>, <c@d>', null],
  ['<a>', ['a'], ['odd-id']],
  ['<a@b@c>', ['a@b@c'], ['odd-id']],
  ['<a..b@c>', ['a..b@c'], ['odd-id']],
  ['<a b@c>', ['ab@c'], ['odd-id']],
  ['<>', [], ['no-id', 'odd-id']],
  ['', [], ['no-id']],
  ['m', [], ['no-id', 'phrase-among-ids']],
  ['.<a@b>', null],
  ['<a@b', null],
  ['<"a@b>', null],
  ['(a', null],
];

describe.each(VALUES.map(([value, ids, deviations = []]) => [value, ids, deviations] as const))('%j', (value, ids, deviations) => {
  test('says what it says', () => {
    const parsed = parseMessageIds(value);
    expect(parsed.ok ? parsed.value.map(({ id }) => id) : null).toEqual(ids);
    if (parsed.ok) expect(parsed.deviations).toEqual(deviations);
    expect(parseMessageIds(new TextEncoder().encode(value))).toEqual(parsed);
  });

  test('is refused for each of its deviations', () => {
    if (ids === null) return;
    expect(parseMessageIds(value, new Set(deviations)).ok).toBe(true);
    expect(parseMessageIds(value, new Set()).ok).toBe(deviations.length === 0);
    for (const name of deviations) {
      const parsed = parseMessageIds(value, new Set([...ANY_ID].filter((other) => other !== name)));
      expect(parsed).toMatchObject({ ok: false, code: 'deviation', message: expect.stringContaining(`(${name})`) });
    }
  });
});

test('every deviation stands in some value', () => {
  expect([...new Set(VALUES.flatMap(([, , deviations = []]) => deviations))].sort()).toEqual(Object.keys(MESSAGE_ID_DEVIATIONS).sort());
  expect([...OBSOLETE_ID].every((name) => ANY_ID.has(name))).toBe(true);
});

test('what is written is read as the same', () => {
  const atom = fc.stringMatching(/^[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,20}$/);
  const id = fc
    .tuple(fc.array(atom, { minLength: 1, maxLength: 3 }), fc.array(atom, { minLength: 1, maxLength: 3 }))
    .map(([left, right]) => `${left.join('.')}@${right.join('.')}`);
  const property = fc.property(fc.array(id, { minLength: 1, maxLength: 20 }), fc.option(fc.nat(80), { nil: undefined }), (ids, column) => {
    const parsed = parseMessageIds(formatMessageIds(ids, column), new Set());
    expect(parsed.ok && parsed.value.map(({ id }) => id)).toEqual(ids);
    expect(parsed.ok && formatMessageIds(parsed.value, column)).toBe(formatMessageIds(ids, column));
  });
  fc.assert(property, { numRuns: 1000 });
  for (const bad of ['', 'a b', 'a>', '<a', 'a\r\nb', 'x'.repeat(901)]) expect(() => formatMessageIds([bad])).toThrow(RangeError);
});

test('nothing throws, whatever it is given', () => {
  const shapes = ['<', '>', '<a', '<a@b>', '<(>', '"', '<">', '(', '()', '@', '.', 'a ', ' ', '\r\n ', '[', '\\', '\u00e4', '\x80', '\0'];
  for (const shape of shapes) for (const end of ['', '>', ')'.repeat(30_000)]) parseMessageIds(shape.repeat(30_000) + end);
  const property = fc.property(
    fc.array(fc.constantFrom(...shapes, 'a', 'b.c', ']', ')'), { maxLength: 20 }),
    (all) => typeof parseMessageIds(all.join('')).ok === 'boolean',
  );
  fc.assert(property, { numRuns: 5000 });
  // Octets that are no UTF-8, too.
  const octets = fc.array(fc.oneof(fc.constantFrom(0x3c, 0x3e, 0x40, 0x61, 0xf4, 0x90, 0x80, 0xf7, 0xbf, 0xff), fc.nat(255)), {
    maxLength: 20,
  });
  fc.assert(fc.property(octets, (all) => typeof parseMessageIds(Uint8Array.from(all)).ok === 'boolean'));
  expect(parseMessageIds(Uint8Array.of(0x3c, 0xf4, 0x90, 0x80, 0x80, 0x40, 0x61, 0x3e)).ok).toBe(false);
});

test('octets that are no UTF-8 never throw', () => {
  for (let length = 1; length < 40; length++) {
    for (const lead of [0x80, 0xc3, 0xe2, 0xf0, 0xff]) {
      const id = Uint8Array.from([0x3c, lead, ...Array.from({ length }, (_, i) => 0x80 + ((i * 7) % 64)), 0x40, 0x62, 0x3e]);
      expect(() => parseMessageIds(id)).not.toThrow();
    }
  }
});
