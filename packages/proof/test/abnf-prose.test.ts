import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compileAbnf, compiler } from '../src/abnf/compile.ts';
import { simulate } from '../src/abnf/contract.ts';
import { latin1 } from '../src/abnf/escape.ts';
import { contains, difference, distances, intersection, isEmpty } from '../src/abnf/operations.ts';
import { parseAbnf } from '../src/abnf/parse-abnf.ts';
import { lengthLimits, PATH_OCTETS, proseLimits, registeredTags } from '../src/abnf/prose.ts';

const grammar = parseAbnf(readFileSync(new URL('../../grammar/abnf/rfc5321.abnf', import.meta.url), 'utf8'));
const printed = compiler(grammar);
const syntax = compiler(grammar, proseLimits);
const limited = compiler(grammar, { ...proseLimits, ...lengthLimits });

function accepts(rule: string, word: string, compile = syntax): boolean {
  return contains(compile(rule), latin1(word));
}

describe('RFC 5321 4.1.3', () => {
  test('Snum is 0 to 255, with leading zeros to three digits', () => {
    for (let digits = 1; digits <= 4; digits++) {
      for (let value = 0; value < 10 ** digits; value++) {
        const word = String(value).padStart(digits, '0');
        if (accepts('Snum', word) !== (digits <= 3 && value <= 255)) expect.fail(word);
      }
    }
    expect(accepts('address-literal', '[192.0.2.256]')).toBe(false);
  });

  test('"::" stands beside at most 6 groups, or 4 and an IPv4 address', () => {
    const groups = (count: number): string => new Array(count).fill('1f').join(':');
    for (let before = 0; before <= 8; before++) {
      for (let after = 0; after <= 8; after++) {
        const word = `[IPv6:${groups(before)}::${groups(after)}]`;
        expect(accepts('address-literal', word), word).toBe(before + after <= 6);
        const dotted = `[IPv6:${groups(before)}::${groups(after)}${after > 0 ? ':' : ''}192.0.2.1]`;
        expect(accepts('address-literal', dotted), dotted).toBe(before + after <= 4);
      }
    }
    expect(accepts('address-literal', `[IPv6:${groups(8)}]`)).toBe(true);
    expect(accepts('address-literal', `[IPv6:${groups(6)}:192.0.2.1]`)).toBe(true);
    // As printed, without the prose, the rule takes six groups on each side.
    expect(accepts('IPv6-comp', `${groups(6)}::${groups(6)}`, printed)).toBe(true);
  });

  test('what the tag IPv6 introduces is an IPv6 address or nothing, in any case of letters', () => {
    for (const word of ['[IPv6:zz]', '[ipv6:x]', '[IPV6:1::2::3]', '[IpV6:1]']) {
      expect(accepts('address-literal', word), word).toBe(false);
      expect(accepts('address-literal', word, printed), word).toBe(true);
    }
    for (const word of ['[ipv6:::1]', '[IPv6a:zz]', '[a-IPv6:zz]', '[IPv:6]', '[x:IPv6:zz]'])
      expect(accepts('address-literal', word), word).toBe(true);
  });

  test('no other tag is registered', () => {
    const registered = compiler(grammar, { ...proseLimits, ...registeredTags });
    expect(accepts('address-literal', '[x:y]', registered)).toBe(false);
    expect(accepts('address-literal', '[IPv6:::]', registered)).toBe(true);
    expect(accepts('address-literal', '[192.0.2.1]', registered)).toBe(true);
  });
});

describe('RFC 5321 4.2.1', () => {
  test('every line of a reply has the same code', () => {
    expect(accepts('Reply-line', '250-a\r\n250-\r\n250 b\r\n')).toBe(true);
    expect(accepts('Reply-line', '250\r\n')).toBe(true);
    expect(accepts('Reply-line', '559-\r\n559\r\n')).toBe(true);
    for (const word of ['250-a\r\n251 b\r\n', '250-a\r\n350 b\r\n', '250-a\r\n250-\r\n240\r\n']) {
      expect(accepts('Reply-line', word), word).toBe(false);
      expect(accepts('Reply-line', word, printed), word).toBe(true);
    }
  });

  test('nothing else changes: one line, and two of one code', () => {
    const oneLine = compileAbnf('x = *(%x00-09 / %x0B-FF) LF');
    expect(intersection(syntax('Reply-line'), oneLine)).toEqual(intersection(printed('Reply-line'), oneLine));
    expect(isEmpty(difference(syntax('Reply-line'), printed('Reply-line')))).toBe(true);
    const lines250 = compileAbnf('x = *("250" *(%x00-09 / %x0B-FF) LF)');
    expect(intersection(syntax('Reply-line'), lines250)).toEqual(intersection(printed('Reply-line'), lines250));
  });
});

describe('RFC 5321 4.5.3.1', () => {
  test('Local-part 64, Domain and address literal 255 octets', () => {
    const quoted = (octets: number): string => `"${'a'.repeat(octets - 2)}"`;
    expect(accepts('Mailbox', `${'a'.repeat(64)}@b`, limited)).toBe(true);
    expect(accepts('Mailbox', `${'a'.repeat(65)}@b`, limited)).toBe(false);
    expect(accepts('Mailbox', `${quoted(64)}@b`, limited)).toBe(true);
    expect(accepts('Mailbox', `${quoted(65)}@b`, limited)).toBe(false);
    expect(accepts('Domain', 'a'.repeat(255), limited)).toBe(true);
    expect(accepts('Domain', 'a'.repeat(256), limited)).toBe(false);
    expect(accepts('address-literal', `[x:${'y'.repeat(251)}]`, limited)).toBe(true);
    expect(accepts('address-literal', `[x:${'y'.repeat(252)}]`, limited)).toBe(false);
  });

  test('Path 256 octets, its punctuation included', () => {
    const path = limited('Path');
    const limit = { octets: PATH_OCTETS, distances: distances(path) };
    const whole = (word: string): boolean => simulate(path, 'whole', latin1(word), 0, word.length, limit) === word.length;
    expect(whole(`<a@${'b'.repeat(252)}>`)).toBe(true);
    expect(whole(`<a@${'b'.repeat(253)}>`)).toBe(false);
    expect(whole(`<@c,@d:a@${'b'.repeat(246)}>`)).toBe(true);
    expect(whole(`<@c,@d:a@${'b'.repeat(247)}>`)).toBe(false);
  });
});
