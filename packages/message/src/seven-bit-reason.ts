/** Why a message can't be made 7-bit. Stable: programs may switch on it. */
export type SevenBitCode =
  | 'utf8-address'
  | 'utf8-header'
  | 'eight-bit-header'
  | 'signed'
  | 'encoded'
  | 'unencodable'
  | 'around-parts'
  | 'limits';

/** What each is, with the status for the sender of the message (RFC 3463 3.7, RFC 6531 3.7.4). */
export const SEVEN_BIT_REASONS: { readonly [code in SevenBitCode]: { readonly why: string; readonly enhanced: string } } = {
  'utf8-address': {
    why: 'an address of the envelope has a local part beyond ASCII, which nobody but its host may rewrite (RFC 6531 3.2)',
    enhanced: '5.6.7',
  },
  'utf8-header': { why: 'a header has UTF-8 (RFC 6532), which is not rewritten on the way (RFC 6531 3.2)', enhanced: '5.6.9' },
  'eight-bit-header': { why: 'a header has octets that are neither ASCII nor UTF-8: no encoding is meant for them', enhanced: '5.6.3' },
  signed: { why: 'a signature covers what would have to be encoded: it would no longer hold', enhanced: '5.6.2' },
  encoded: {
    why: 'a part is encoded already, or in an encoding that is not known, and has octets beyond ASCII or lines that are too long all the same',
    enhanced: '5.6.3',
  },
  unencodable: {
    why: 'a part that holds others, or a message part of this type, may not be encoded (RFC 2045 6.4, RFC 2046 5.2)',
    enhanced: '5.6.3',
  },
  'around-parts': { why: 'there are octets beyond ASCII outside of all parts: nothing can encode them', enhanced: '5.6.3' },
  limits: {
    why: 'the parts are more, or deeper in each other, than is read, or a header is larger: what is beyond can not be told',
    enhanced: '5.6.3',
  },
};

/** That a message can't be made 7-bit, and what its sender is told. */
export interface CannotConvert {
  readonly cannot: SevenBitCode;
  readonly why: string;
  /** An enhanced status code (RFC 3463). */
  readonly enhanced: string;
  /** The part, counted from 0 in the order of the message, those that hold others included; null: none of them. */
  readonly part: number | null;
}

export function cannot(code: SevenBitCode, part: number | null): CannotConvert {
  return { cannot: code, ...SEVEN_BIT_REASONS[code], part };
}
