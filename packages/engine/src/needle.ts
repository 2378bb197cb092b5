import { encodeBase64, encodeUtf8, latin1, octets } from '@ehlo/grammar';

/** How a text is read to find a secret in it: in small letters, one character an octet. A text may be read in one way or in several. */
const READINGS = {
  plain(small: string): readonly string[] {
    const read = [small];
    if (MARKS.test(small)) read.push(...byNumbers(small));
    // RFC 5321 4.1.2: a quoted-pair stands for the character after the backslash.
    if (small.includes('\\')) read.push(small.replaceAll(/\\(.)/gs, '$1'));
    return read;
  },
  /** RFC 4648 4 and 5, in lines of any length. */
  base64(small: string): readonly string[] {
    return [
      small
        .replaceAll(/[^0-9a-z+/_-]+/g, '')
        .replaceAll('-', '+')
        .replaceAll('_', '/'),
    ];
  },
  hex(small: string): readonly string[] {
    return [small.replaceAll(/0x|[^0-9a-f]+/g, '')];
  },
} as const;

/** One of the forms in which a peer may write a secret. */
export interface Needle {
  /** How a text is read to find it. */
  readonly reading: keyof typeof READINGS;
  /** Small letters, one character an octet. */
  readonly text: string;
  readonly has: Characters;
}

/** Which characters a text has, whatever their order, as bits: `low` of codes below 64, `high` of those above, where capitals are small letters. */
interface Characters {
  readonly length: number;
  readonly low: number;
  readonly high: number;
}

/** All forms of a secret, which is given as one character an octet. */
export function needlesOf(secret: string): readonly Needle[] {
  // At each of the three places that it can have among groups of three octets: what its neighbours do not change.
  const base64 = [0, 1, 2].map((before) => {
    const bits = 8 * before;
    const whole = encodeBase64(octets('\0'.repeat(before) + secret));
    return whole.slice(Math.ceil(bits / 6), Math.floor((bits + 8 * secret.length) / 6)).toLowerCase();
  });
  const hex = [...secret].map((octet) => octet.charCodeAt(0).toString(16).padStart(2, '0')).join('');
  return [
    needle('plain', secret.toLowerCase()),
    // Two of its characters may be written otherwise (RFC 4648 5).
    ...base64.map((text) => needle('base64', text, text.replaceAll(/[+/]/g, ''))),
    needle('hex', hex),
  ];
}

function needle(reading: Needle['reading'], text: string, needed: string = text): Needle {
  return { reading, text, has: { ...charactersOf([needed]), length: text.length } };
}

/**
 * Whether one of the needles stands in the texts that `textsOf` makes of lines. Most replies lack a character of each of them: that is found
 * in one pass over the octets of the reply, and no text is made.
 */
export function holdsAny(
  needles: readonly Needle[],
  lines: readonly string[],
  textsOf: (lines: readonly string[]) => readonly string[],
): boolean {
  const has = charactersOf(lines);
  const likely = needles.filter((one) => mayHold(has, one));
  if (likely.length === 0) return false;
  const small = textsOf(lines).map((text) => text.toLowerCase());
  return (Object.keys(READINGS) as Needle['reading'][]).some((reading) => {
    const sought = likely.filter((one) => one.reading === reading);
    return sought.length > 0 && small.flatMap(READINGS[reading]).some((text) => sought.some((one) => text.includes(one.text)));
  });
}

/** Whether a text may hold a needle. A numeric escape is longer than its character, and may decode to any character. */
function mayHold(text: Characters, { reading, has }: Needle): boolean {
  if (text.length < has.length) return false;
  if (reading === 'plain' && ((text.low & MARKED.low) | (text.high & MARKED.high)) !== 0) return true;
  return (has.low & ~text.low) === 0 && (has.high & ~text.high) === 0;
}

function charactersOf(texts: readonly string[]): Characters {
  let length = 0;
  let low = 0;
  let high = 0;
  for (const text of texts) {
    length += text.length;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code < 64) low |= 1 << (code & 31);
      else high |= 1 << (code & 31);
    }
  }
  return { length, low, high };
}

/** How an octet is written by its number: in a URL, in xtext, in quoted-printable, in a string of C, of ours. Each with what it has to have. */
const OCTETS: readonly (readonly [mark: string, written: RegExp, base: 8 | 16])[] = [
  ['%', /%([0-9a-f]{2})/g, 16],
  ['+', /\+([0-9a-f]{2})/g, 16],
  ['=', /=([0-9a-f]{2})/g, 16],
  ['\\x', /\\x([0-9a-f]{2})/g, 16],
  ['\\x{', /\\x\{([0-9a-f]{2})\}/g, 16],
  ['\\', /\\([0-3][0-7]{2})/g, 8],
  // As read by a program that takes each octet for a character.
  ['\\u00', /\\u00([0-9a-f]{2})/g, 16],
  ['&#x', /&#x([0-9a-f]{2});/g, 16],
];

/** How a character is written by its number: in JSON, where one beyond U+FFFF takes two (RFC 8259 7), and in HTML. In octets it is UTF-8. */
const CHARACTERS: readonly (readonly [mark: string, written: RegExp, read: (written: string) => string])[] = [
  ['\\u', /(?:\\u[0-9a-f]{4})+/g, (run) => run.replaceAll(/\\u(.{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))],
  ['&#', /&#(?:[0-9]{1,7}|x[0-9a-f]{1,6});/g, (entity) => characterOf(Number(entity.slice(2, -1).replace('x', '0x')))],
];

/** Most texts have none of them. */
const MARKS = /[%+=\\&]/;
const MARKED: Characters = /* @__PURE__ */ charactersOf(['%+=\\&']);

/** A text with what is written by a number in its place: once for each way to write it that it may have. */
function byNumbers(small: string): string[] {
  const read: string[] = [];
  for (const [mark, written, base] of OCTETS)
    if (small.includes(mark))
      read.push(small.replaceAll(written, (_, number: string) => String.fromCharCode(Number.parseInt(number, base)).toLowerCase()));
  for (const [mark, written, meant] of CHARACTERS)
    if (small.includes(mark)) read.push(small.replaceAll(written, (found) => octetsOf(meant(found)).toLowerCase()));
  return read;
}

function characterOf(number: number): string {
  return number <= 0x10ffff ? String.fromCodePoint(number) : '';
}

/** The octets of a text in UTF-8, one character each. */
export function octetsOf(text: string): string {
  const bytes = encodeUtf8(text);
  return latin1(bytes, 0, bytes.length);
}
