import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ascii, decodeBase64, decodeUtf8, encodeBase64, encodeUtf8, equal } from '../src/bytes.ts';

const octets = fc.uint8Array({ maxLength: 40 });
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decoded(bytes: Uint8Array): string | null {
  try {
    return strict.decode(bytes);
  } catch {
    return null;
  }
}

test('UTF-8 is written and read as the platform does', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(encodeUtf8(text)).toEqual(new TextEncoder().encode(text));
    }),
  );
  fc.assert(
    fc.property(octets, (bytes) => {
      expect(decodeUtf8(bytes)).toBe(decoded(bytes));
    }),
    { numRuns: 2000 },
  );
  expect(encodeUtf8('\ud800x')).toEqual(new TextEncoder().encode('\ud800x'));
});

test('all that UTF-8 can begin with in two, three and four octets', () => {
  const wrong: string[] = [];
  for (let first = 0x7f; first < 0x100; first++) {
    for (let second = 0x70; second < 0x100; second++) {
      for (const rest of [[], [0x80], [0xbf], [0x80, 0x80], [0xbf, 0xbf], [0x80, 0x7f]]) {
        const bytes = Uint8Array.of(first, second, ...rest);
        if (decodeUtf8(bytes) !== decoded(bytes)) wrong.push(Buffer.from(bytes).toString('hex'));
      }
    }
  }
  expect(wrong).toEqual([]);
});

test('base64 is written as the platform does, and only that is read', () => {
  fc.assert(
    fc.property(octets, (bytes) => {
      const text = Buffer.from(bytes).toString('base64');
      expect(encodeBase64(bytes)).toBe(text);
      expect(decodeBase64(text)).toEqual(bytes);
    }),
  );
  for (const text of ['Y', 'YQ', 'YQ=', 'YR==', 'YWI', 'YWJ=', 'YQ==YQ==', 'YQ== ', ' YQ==', 'YQ=\n', '====', 'Y-==', 'é===']) {
    expect(decodeBase64(text), text).toBeNull();
  }
});

test('equal', () => {
  fc.assert(
    fc.property(octets, octets, (a, b) => {
      expect(equal(a, b)).toBe(Buffer.compare(a, b) === 0);
    }),
  );
  expect(equal(ascii('ab'), ascii('abc'))).toBe(false);
  expect(equal(ascii('abc'), ascii('ab'))).toBe(false);
  expect(equal(ascii('ab\0'), ascii('ab'))).toBe(false);
});
