import { encodeBase64, octets } from '@ehlo/grammar';

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

/** How an octet is written by its number: in a URL, in xtext, in quoted-printable, in a string of C, of ours or of JSON, in HTML. Each with what it has to have. */
const NUMBERED: readonly (readonly [mark: string, written: RegExp])[] = [
  ['%', /%([0-9a-f]{2})/g],
  ['+', /\+([0-9a-f]{2})/g],
  ['=', /=([0-9a-f]{2})/g],
  ['\\x', /\\x([0-9a-f]{2})/g],
  ['\\x{', /\\x\{([0-9a-f]{2})\}/g],
  ['\\u00', /\\u00([0-9a-f]{2})/g],
  ['&#x', /&#x([0-9a-f]{2});/g],
];

/** Most texts have none of them. */
const MARKS = /[%+=\\&]/;

export function haystackOf(text: string): Haystack {
  const small = text.toLowerCase();
  const plain = [small];
  if (MARKS.test(small)) for (const [mark, written] of NUMBERED) if (small.includes(mark)) plain.push(small.replaceAll(written, byNumber));
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

function byNumber(_: string, hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16)).toLowerCase();
}

export function holds({ plain, base64, hex }: Haystack, needle: Needle): boolean {
  return (
    plain.some((text) => text.includes(needle.plain)) || needle.base64.some((text) => base64.includes(text)) || hex.includes(needle.hex)
  );
}
