// No path and no argument is made of address octets but by this rule.
import { posix, win32 } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressName } from '../../../src/outbound/index.ts';
import { checkPattern, filled } from '../../../src/outbound/local/address-name.ts';

const HOSTILE: readonly (readonly [text: string, name: string])[] = [
  ['..', '%2E.'],
  ['.', '%2E'],
  ['../../etc/passwd', '%2E.%2F..%2Fetc%2Fpasswd'],
  ['..\\x', '%2E.%5Cx'],
  ['/root', '%2Froot'],
  ['a\0b', 'a%00b'],
  ['-rf', '%2Drf'],
  ['--to=x', '%2D-to=x'],
  ['%2e%2e', '%252e%252e'],
  ['%s%n', '%25s%25n'],
  ['a b', 'a%20b'],
  ['$(id)', '%24%28id%29'],
  ['`id`;|&', '%60id%60%3B%7C%26'],
  ['a\r\nb', 'a%0D%0Ab'],
  ['~root', '%7Eroot'],
  ['*?[x]{a,b}', '%2A%3F%5Bx%5D%7Ba%2Cb%7D'],
  ['C:', 'c%3A'],
  ['jörg', 'j%C3%B6rg'],
  ['İ', '%C4%B0'],
  ['ANN', 'ann'],
  ['a+b_c=d', 'a+b_c=d'],
];

test.each(HOSTILE)('%j is %j', (text, name) => {
  expect(addressName(text)).toBe(name);
});

test('no name: nothing, half a character, more than 255 octets', () => {
  expect(addressName('')).toBe(null);
  expect(addressName('a\ud800')).toBe(null);
  expect(addressName('x'.repeat(255))).toBe('x'.repeat(255));
  expect(addressName('x'.repeat(256))).toBe(null);
  expect(addressName('ü'.repeat(42))).toHaveLength(252);
  expect(addressName('ü'.repeat(43))).toBe(null);
});

const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 60 });

test('any name is one component, no option, and one for each text', () => {
  fc.assert(
    fc.property(text, text, (one, other) => {
      const name = addressName(one);
      if (name === null) return;
      expect(name).toMatch(/^(?:[a-z0-9_+=@]|%[0-9A-F]{2})(?:[a-z0-9_+=@.-]|%[0-9A-F]{2})*$/);
      for (const path of [posix, win32]) expect(path.basename(path.resolve('/mail', name))).toBe(name);
      expect(decodeURIComponent(name)).toBe(lower(one));
      if (lower(one) !== lower(other)) expect(addressName(other)).not.toBe(name);
    }),
  );
});

function lower(given: string): string {
  return given.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

test('a pattern has the names of an address, quotes taken away', () => {
  expect(filled('/mail/{domain}/{local}', 'Ann@Example.ORG')).toBe('/mail/example.org/ann');
  expect(filled('--to={address}', '"-x y"@example.org')).toBe('--to=%2Dx%20y@example.org');
  expect(filled('{local}', '"../../x"@example.org')).toBe('%2E.%2F..%2Fx');
  expect(filled('{domain}', 'a@[192.0.2.1]')).toBe('%5B192.0.2.1%5D');
  expect(filled('/all', 'a@b.example')).toBe('/all');
  expect(filled('/all', 'no address at all')).toBe(null);
  expect(filled('{local}', `${'"'}${'ü'.repeat(60)}"@b.example`)).toBe(null);
  // What is filled in is not read again.
  expect(filled('{local}', '"{domain}"@b.example')).toBe('%7Bdomain%7D');
});

test('a pattern that names something else is wrong', () => {
  expect(() => checkPattern('/mail/{user}')).toThrow('{user}');
  expect(() => checkPattern('/mail/{}')).toThrow('{}');
  expect(() => checkPattern('/mail/{local}')).not.toThrow();
});
