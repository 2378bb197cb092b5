import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { AbnfSyntaxError, type Expression, parseAbnf } from '../src/abnf/parse-abnf.ts';

function expression(text: string): Expression | undefined {
  return parseAbnf(`rule = ${text}`).get('rule')?.expression;
}

const a: Expression = { kind: 'reference', name: 'a' };
const b: Expression = { kind: 'reference', name: 'b' };

describe('parseAbnf', () => {
  test('concatenation binds tighter than alternation (RFC 5234 3.10)', () => {
    expect(expression('a / b a')).toEqual({ kind: 'alternation', of: [a, { kind: 'concatenation', of: [b, a] }] });
    expect(expression('(a / b) a')).toEqual({ kind: 'concatenation', of: [{ kind: 'alternation', of: [a, b] }, a] });
  });

  test.each([
    ['*a', 0, Number.POSITIVE_INFINITY],
    ['2*a', 2, Number.POSITIVE_INFINITY],
    ['*3a', 0, 3],
    ['2*3a', 2, 3],
    ['4a', 4, 4],
    ['[a]', 0, 1],
  ])('repetition %s', (text, min, max) => {
    expect(expression(text)).toEqual({ kind: 'repetition', min, max, of: a });
  });

  test('values: decimal, hexadecimal, binary, ranges, concatenations', () => {
    expect(expression('%d13')).toEqual({ kind: 'range', low: 13, high: 13 });
    expect(expression('%x41-5A')).toEqual({ kind: 'range', low: 0x41, high: 0x5a });
    expect(expression('%b1-11')).toEqual({ kind: 'range', low: 1, high: 3 });
    expect(expression('%d13.10')).toEqual({
      kind: 'concatenation',
      of: [
        { kind: 'range', low: 13, high: 13 },
        { kind: 'range', low: 10, high: 10 },
      ],
    });
  });

  test('strings: plain, %i and %s (RFC 7405), prose', () => {
    expect(expression('"Ab;c"')).toEqual({ kind: 'string', text: 'Ab;c', caseSensitive: false });
    expect(expression('%i"Ab"')).toEqual({ kind: 'string', text: 'Ab', caseSensitive: false });
    expect(expression('%s"Ab"')).toEqual({ kind: 'string', text: 'Ab', caseSensitive: true });
    expect(expression('<as in the text>')).toEqual({ kind: 'prose', text: 'as in the text' });
  });

  test('comments, folded lines, CRLF, and a last line without its end', () => {
    const grammar = parseAbnf('; about\r\n\r\nOne = a ; first\r\n   ; more\r\n  / b\r\n; between\r\nTwo=a');
    expect([...grammar.keys()]).toEqual(['one', 'two']);
    expect(grammar.get('one')).toEqual({ name: 'One', expression: { kind: 'alternation', of: [a, b] } });
  });

  test('=/ adds alternatives, also to a rule of the base, and rule names have no case', () => {
    const grammar = parseAbnf('RULE =/ b', parseAbnf('Rule = a'));
    expect(grammar.get('rule')).toEqual({ name: 'Rule', expression: { kind: 'alternation', of: [a, b] } });
  });

  test.each([
    ['rule = a /', 'line 1, column 11: expected an element at the end of the line'],
    ['rule = (a', 'line 1, column 10: expected ")" at the end of the line'],
    ['one = a\ntwo a', 'line 2, column 5: expected "=" or "=/" after the rule name "two" at "a"'],
    ['rule = a }', 'line 1, column 10: expected the end of the rule, "/" or an element at "}"'],
    ['rule = %x100', 'line 1, column 13: expected a value that fits an octet, not 256, at the end of the line'],
    ['rule = %d9-8', 'line 1, column 13: expected a range that is not empty, not 9-8, at the end of the line'],
    ['rule = "a', 'line 1, column 8: expected a string of printable ASCII that ends in a quote on its line at "\\"a"'],
    ['rule = 3*2a', 'line 1, column 8: the repetition 3*2 is empty'],
    ['rule = 3*', 'line 1, column 10: expected an element after the repetition at the end of the line'],
    ['rule = a\nRule = b', 'line 2, column 1: the rule "Rule" is defined twice'],
    ['rule =/ a', 'line 1, column 1: "rule =/" extends a rule that is not defined before'],
    ['= a', 'line 1, column 1: expected a rule name at the start of a line at "= a"'],
  ])('%j is refused with its place', (text, message) => {
    expect(() => parseAbnf(text)).toThrow(AbnfSyntaxError);
    expect(() => parseAbnf(text)).toThrow(message);
  });

  test('reads the grammar of RFC 5321', () => {
    const grammar = parseAbnf(readFileSync(new URL('../../grammar/abnf/rfc5321.abnf', import.meta.url), 'utf8'));
    expect(grammar.size).toBe(117);
  });
});
