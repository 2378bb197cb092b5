import type { SevenBitCode } from './seven-bit-reason.ts';

/** Why a message can't be made 7-bit, for the text of a reply or a report. */
export const SEVEN_BIT_REASONS: { readonly [code in SevenBitCode]: string } = {
  'utf8-address': 'an address of the envelope has a local part beyond ASCII, which nobody but its host may rewrite (RFC 6531 3.2)',
  'utf8-header': 'a header has UTF-8 (RFC 6532), which is not rewritten on the way (RFC 6531 3.2)',
  'eight-bit-header': 'a header has octets that are neither ASCII nor UTF-8: no encoding is meant for them',
  signed: 'a signature covers what would have to be encoded: it would no longer hold',
  encoded:
    'a part is encoded already, or in an encoding that is not known, and has octets beyond ASCII or lines that are too long all the same',
  unencodable: 'a part that holds others, or a message part of this type, may not be encoded (RFC 2045 6.4, RFC 2046 5.2)',
  'around-parts': 'there are octets beyond ASCII outside of all parts: nothing can encode them',
  limits: 'the parts are more, or deeper in each other, than is read, or a header is larger: what is beyond can not be told',
};
