import { encodeBase64, encodeUtf8, latin1, octets } from '@ehlo/grammar';

/** What is looked for, in each form in which a peer may write it: small letters, one character an octet. */
export interface Needle {
  readonly plain: string;
  /** In base64, at each of the three places that it can have among groups of three octets: what its neighbours do not change. */
  readonly base64: readonly string[];
  readonly hex: string;
}

/** Makes one of a text of one character an octet. */
export function needleOf(text: string): Needle {
  return {
    plain: text.toLowerCase(),
    base64: [0, 1, 2].map((before) => {
      const bits = 8 * before;
      const whole = encodeBase64(octets('\0'.repeat(before) + text));
      return whole.slice(Math.ceil(bits / 6), Math.floor((bits + 8 * text.length) / 6)).toLowerCase();
    }),
    hex: [...text].map((octet) => octet.charCodeAt(0).toString(16).padStart(2, '0')).join(''),
  };
}

/** A text of one character an octet, in each way in which it can be read. */
export interface Haystack {
  readonly plain: readonly string[];
  readonly base64: string;
  readonly hex: string;
}

/** How an octet is written by its number: in a URL, in xtext, in quoted-printable, in a string of C, of ours. Each with what it has to have. */
const OCTETS: readonly (readonly [mark: string, written: RegExp, base: 8 | 16])[] = [
  ['%', /%([0-9a-f]{2})/g, 16],
  ['+', /\+([0-9a-f]{2})/g, 16],
  ['=', /=([0-9a-f]{2})/g, 16],
  ['\\x', /\\x([0-9a-f]{2})/g, 16],
  ['\\x{', /\\x\{([0-9a-f]{2})\}/g, 16],
  ['\\', /\\([0-3][0-7]{2})/g, 8],
  // By who takes each octet for a character.
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

export function haystackOf(text: string): Haystack {
  const small = text.toLowerCase();
  const plain = [small];
  if (MARKS.test(small)) plain.push(...byNumbers(small));
  // RFC 5321 4.1.2: a quoted-pair stands for what is behind the backslash.
  if (small.includes('\\')) plain.push(small.replaceAll(/\\(.)/gs, '$1'));
  return {
    plain,
    // RFC 4648 4 and 5, in lines of any length.
    base64: small
      .replaceAll(/[^0-9a-z+/_-]+/g, '')
      .replaceAll('-', '+')
      .replaceAll('_', '/'),
    hex: small.replaceAll(/0x|[^0-9a-f]+/g, ''),
  };
}

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

export function holds({ plain, base64, hex }: Haystack, needle: Needle): boolean {
  return (
    plain.some((text) => text.includes(needle.plain)) || needle.base64.some((text) => base64.includes(text)) || hex.includes(needle.hex)
  );
}
