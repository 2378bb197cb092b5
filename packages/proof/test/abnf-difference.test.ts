// Two grammars compared: rules whose words differ, each with a shortest word, and those that are written otherwise and are the same.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compareGrammars, parseAbnf } from '../src/index.ts';

const rfc5321 = parseAbnf(readFileSync(new URL('../../grammar/abnf/rfc5321.abnf', import.meta.url), 'utf8'));

/** RFC 2821 4.1.2 and 4.1.3, as far as RFC 5321 has rules of these names. */
const rfc2821 = parseAbnf(`
Reverse-path = Path
Path = "<" [ A-d-l ":" ] Mailbox ">"
A-d-l = At-domain *( "," A-d-l )
At-domain = "@" domain
esmtp-param     = esmtp-keyword ["=" esmtp-value]
esmtp-keyword   = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
esmtp-value     = 1*(%d33-60 / %d62-127)
Argument = Atom
Domain = (sub-domain 1*("." sub-domain)) / address-literal
sub-domain = Let-dig [Ldh-str]
address-literal = "[" IPv4-address-literal / IPv6-address-literal / General-address-literal "]"
Mailbox = Local-part "@" Domain
Local-part = Dot-string / Quoted-string
Dot-string = Atom *("." Atom)
Atom = 1*atext
atext = ALPHA / DIGIT / "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "/" / "=" / "?" / "^" / "_" / "\`" / "{" / "|" / "}" / "~"
Quoted-string = DQUOTE *qcontent DQUOTE
qcontent = %d32-33 / %d35-91 / %d93-126 / "\\" %d32-126
String = Atom / Quoted-string
IPv4-address-literal = Snum 3("." Snum)
IPv6-address-literal = "IPv6:" IPv6-addr
General-address-literal = Standardized-tag ":" 1*dcontent
dcontent = %d33-90 / %d94-126
Standardized-tag = Ldh-str
Snum = 1*3DIGIT
Let-dig = ALPHA / DIGIT
Ldh-str = *( ALPHA / DIGIT / "-" ) Let-dig
IPv6-addr = IPv6-full / IPv6-comp / IPv6v4-full / IPv6v4-comp
IPv6-hex  = 1*4HEXDIG
IPv6-full = IPv6-hex 7(":" IPv6-hex)
IPv6-comp = [IPv6-hex *5(":" IPv6-hex)] "::" [IPv6-hex *5(":" IPv6-hex)]
IPv6v4-full = IPv6-hex 5(":" IPv6-hex) ":" IPv4-address-literal
IPv6v4-comp = [IPv6-hex *3(":" IPv6-hex)] "::" [IPv6-hex *3(":" IPv6-hex) ":"] IPv4-address-literal
`);

describe('RFC 2821 and RFC 5321', () => {
  const { different, same, bounded, undecided } = compareGrammars(rfc2821, rfc5321);
  const found = new Map(different.map((one) => [one.rule, one]));

  test.each([
    // 5321 takes a domain of one label, and an address literal is no domain there.
    ['Domain', '"0:!]"', '"a"'],
    // A bracket that 2821 forgot: "/" binds less than what stands side by side.
    ['address-literal', '"0:!]"', '"[0:!]"'],
    ['esmtp-value', '"\\x7f"', null],
  ])('%s', (rule, onlyInFirst, onlyInSecond) => {
    expect(found.get(rule)).toMatchObject({ onlyInFirst, onlyInSecond });
  });

  test('what is written otherwise, and takes the same words, is the same', () => {
    expect(same).toEqual(expect.arrayContaining(['Atom', 'Dot-string', 'sub-domain', 'esmtp-keyword', 'IPv6-addr', 'Snum']));
  });

  test('of a rule that differs by others these are named', () => {
    expect(found.get('Mailbox')).toMatchObject({ rewritten: true });
    expect(found.get('At-domain')).toMatchObject({ through: ['Domain'], rewritten: false });
    expect(found.get('esmtp-param')).toMatchObject({ through: ['esmtp-value'], rewritten: false });
  });

  test('a rule that refers to itself is told, and no word of the other is said to be missing in it', () => {
    expect(bounded).toEqual(['Reverse-path', 'Path', 'A-d-l']);
    expect(found.get('A-d-l')).toMatchObject({ onlyInSecond: '"@a"' });
    expect(undecided).toEqual([]);
  });
});

test('a difference within a rule that refers to itself is found where it is looked for as deep', () => {
  const [first, second] = ['', ' / "((((y))))"'].map((more) => parseAbnf(`a = "x" / "(" a ")"${more}\n`));
  const word = { rule: 'a', onlyInFirst: null, onlyInSecond: '"((((y))))"', through: [], rewritten: true };
  expect(compareGrammars(first!, second!).different).toEqual([word]);
  const [near, far] = ['', ' / "(((" b ")))"'].map((more) => parseAbnf(`a = "x" / "(" c ")"\nc = "x" / "(" a ")"${more}\nb = "y"\n`));
  expect(compareGrammars(near!, far!, 0).different.map(({ rule }) => rule)).toEqual(['c']);
  expect(compareGrammars(near!, far!, 1).different.map(({ rule }) => rule)).toEqual(['a', 'c']);
});

test('a rule that is repeated and one that refers to itself are the same, as deep as is looked', () => {
  const list = parseAbnf('a = "x" [ "," a ]\n');
  const found = compareGrammars(list, parseAbnf('a = "x" *4( "," "x" )\n'));
  expect([found.same, found.bounded]).toEqual([['a'], ['a']]);
  // Longer lists are of both: they are not said to be missing.
  expect(compareGrammars(list, parseAbnf('a = "x" *( "," "x" )\n'))).toMatchObject({
    different: [],
    undecided: [{ rule: 'a', because: 'it may differ in words that are nested more than 4 deep' }],
  });
  expect(compareGrammars(list, parseAbnf('a = "x" *( ";" "x" )\n')).different).toMatchObject([{ onlyInSecond: '"x;x"' }]);
});

test('rules that one alone has, prose, and what refers to nothing', () => {
  const found = compareGrammars(parseAbnf('a = <words>\nb = c\nd = "x"\n'), parseAbnf('A = <words>\nb = c\ne = "x"\n'));
  expect(found).toEqual({
    same: [],
    different: [],
    onlyInFirst: ['d'],
    onlyInSecond: ['e'],
    bounded: [],
    undecided: [
      { rule: 'a', because: '<words> is prose: replace the rule that holds it' },
      { rule: 'b', because: 'the rule "c" is not defined (used by b)' },
    ],
  });
});
