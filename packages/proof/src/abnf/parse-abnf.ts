/** One ABNF expression (RFC 5234 section 4), core rules not yet resolved. */
export type Expression =
  | { readonly kind: 'alternation'; readonly of: readonly Expression[] }
  | { readonly kind: 'concatenation'; readonly of: readonly Expression[] }
  | { readonly kind: 'repetition'; readonly min: number; readonly max: number; readonly of: Expression }
  | { readonly kind: 'reference'; readonly name: string }
  | { readonly kind: 'string'; readonly text: string; readonly caseSensitive: boolean }
  | { readonly kind: 'range'; readonly low: number; readonly high: number }
  | { readonly kind: 'prose'; readonly text: string };

/** A rule under the name it was written with. */
export interface AbnfRule {
  readonly name: string;
  readonly expression: Expression;
}

/** Rules by lower-case name: RFC 5234 2.1, rule names are case-insensitive. */
export type Grammar = ReadonlyMap<string, AbnfRule>;

/** The text is not ABNF; the message tells line, column and what was expected. */
export class AbnfSyntaxError extends Error {
  override readonly name = 'AbnfSyntaxError';
}

/**
 * Reads an ABNF rule list: RFC 5234 with the strings of RFC 7405.
 *
 * Lines may end in LF or CRLF, the last one in neither. Rules given in `base` may be extended with `=/` but not defined again.
 * Throws AbnfSyntaxError.
 */
export function parseAbnf(text: string, base: Grammar = new Map()): Grammar {
  return new Parser(text).ruleList(base);
}

const BASES = { b: { radix: 2, digits: '01' }, d: { radix: 10, digits: '0-9' }, x: { radix: 16, digits: '0-9a-f' } } as const;

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  ruleList(base: Grammar): Grammar {
    const rules = new Map(base);
    this.#skipLines();
    while (this.#at < this.#text.length) {
      const start = this.#at;
      const name = this.#take(/[a-z][a-z0-9-]*/iy) ?? this.#fail('a rule name at the start of a line');
      this.#space();
      const operator = this.#take(/=\/?/y) ?? this.#fail(`"=" or "=/" after the rule name "${name}"`);
      const expression = this.#alternation();
      this.#space();
      if (this.#at < this.#text.length && this.#take(/;[^\n]*(?:\n|$)|\r?\n/y) === null)
        this.#fail('the end of the rule, "/" or an element');
      this.#skipLines();
      define(rules, name, operator, expression, (problem) => this.#failAt(start, problem));
    }
    return rules;
  }

  #alternation(): Expression {
    const of = [this.#concatenation()];
    while (this.#after('/')) of.push(this.#concatenation());
    return of.length === 1 ? (of[0] as Expression) : { kind: 'alternation', of };
  }

  #concatenation(): Expression {
    const of: Expression[] = [];
    for (;;) {
      this.#space();
      const next = this.#repetition();
      if (next === null) break;
      of.push(next);
    }
    if (of.length === 0) this.#fail('an element');
    return of.length === 1 ? (of[0] as Expression) : { kind: 'concatenation', of };
  }

  #repetition(): Expression | null {
    const start = this.#at;
    const least = this.#take(/[0-9]+/y);
    const star = this.#take(/\*/y);
    const most = star === null ? least : this.#take(/[0-9]+/y);
    const element = this.#element();
    if (least === null && star === null) return element;
    if (element === null) return this.#fail('an element after the repetition');
    const min = Number(least ?? 0);
    const max = most === null ? Number.POSITIVE_INFINITY : Number(most);
    if (min > max) return this.#failAt(start, `the repetition ${least}*${most} is empty`);
    return { kind: 'repetition', min, max, of: element };
  }

  #element(): Expression | null {
    const name = this.#take(/[a-z][a-z0-9-]*/iy);
    if (name !== null) return { kind: 'reference', name };
    switch (this.#text[this.#at]) {
      case '(':
        return this.#enclosed(')');
      case '[':
        return { kind: 'repetition', min: 0, max: 1, of: this.#enclosed(']') };
      case '"':
        return { kind: 'string', text: this.#string(), caseSensitive: false };
      case '<':
        return { kind: 'prose', text: this.#prose() };
      case '%':
        return this.#value();
      default:
        return null;
    }
  }

  #enclosed(close: string): Expression {
    this.#at += 1;
    const of = this.#alternation();
    if (!this.#after(close)) this.#fail(`"${close}"`);
    return of;
  }

  #string(): string {
    const quoted = this.#take(/"[\x20\x21\x23-\x7e]*"/y) ?? this.#fail('a string of printable ASCII that ends in a quote on its line');
    return quoted.slice(1, -1);
  }

  #prose(): string {
    const enclosed = this.#take(/<[\x20-\x3d\x3f-\x7e]*>/y) ?? this.#fail('prose that ends in ">" on its line');
    return enclosed.slice(1, -1);
  }

  /** After "%": s"…" and i"…" (RFC 7405), or b, d, x with one value, a range a-b, or a concatenation a.b.c. */
  #value(): Expression {
    this.#at += 1;
    const letter = this.#take(/[sibdx]/iy)?.toLowerCase() ?? this.#fail('one of b, d, x, s, i after "%"');
    if (letter === 's' || letter === 'i') return { kind: 'string', text: this.#string(), caseSensitive: letter === 's' };
    const { radix, digits } = BASES[letter as 'b' | 'd' | 'x'];
    const number = new RegExp(`[${digits}]+`, 'iy');
    const low = this.#byte(number, radix);
    if (this.#take(/-/y) !== null) {
      const high = this.#byte(number, radix);
      return low <= high ? { kind: 'range', low, high } : this.#fail(`a range that is not empty, not ${low}-${high},`);
    }
    const of: Expression[] = [{ kind: 'range', low, high: low }];
    while (this.#take(/\./y) !== null) {
      const next = this.#byte(number, radix);
      of.push({ kind: 'range', low: next, high: next });
    }
    return of.length === 1 ? (of[0] as Expression) : { kind: 'concatenation', of };
  }

  #byte(number: RegExp, radix: number): number {
    const value = Number.parseInt(this.#take(number) ?? this.#fail(`a number of base ${radix}`), radix);
    return value <= 255 ? value : this.#fail(`a value that fits an octet, not ${value},`);
  }

  #after(symbol: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== symbol) return false;
    this.#at += 1;
    return true;
  }

  /** RFC 5234 c-wsp: blanks, and line ends (with their comments) when the next line begins with a blank. */
  #space(): void {
    this.#take(/(?:[ \t]|(?:;[^\n]*|\r?)\n(?=[ \t]))*/y);
  }

  /** Between rules: blank and comment lines. */
  #skipLines(): void {
    this.#take(/(?:[ \t\r\n]|;[^\n]*(?:\n|$))*/y);
  }

  #take(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return null;
    this.#at += found[0].length;
    return found[0];
  }

  #fail(expected: string): never {
    const rest = this.#text.slice(this.#at).split(/\r?\n/, 1)[0] ?? '';
    return this.#failAt(this.#at, `expected ${expected} at ${rest === '' ? 'the end of the line' : JSON.stringify(rest.slice(0, 30))}`);
  }

  #failAt(at: number, problem: string): never {
    const before = this.#text.slice(0, at).split('\n');
    throw new AbnfSyntaxError(`ABNF line ${before.length}, column ${(before.at(-1) ?? '').length + 1}: ${problem}`);
  }
}

/** RFC 5234 3.3: `=/` adds alternatives to a rule that exists; a second `=` for one name is a mistake. */
function define(
  rules: Map<string, AbnfRule>,
  name: string,
  operator: string,
  expression: Expression,
  fail: (problem: string) => never,
): void {
  const key = name.toLowerCase();
  const known = rules.get(key);
  if (operator === '=/') {
    if (known === undefined) fail(`"${name} =/" extends a rule that is not defined before`);
    else rules.set(key, { name: known.name, expression: { kind: 'alternation', of: [known.expression, expression] } });
    return;
  }
  if (known !== undefined) fail(`the rule "${name}" is defined twice`);
  rules.set(key, { name, expression });
}
