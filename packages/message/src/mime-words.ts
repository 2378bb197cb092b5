import type { MimeDeviation } from './mime-deviation.ts';

/** What each is. */
export const MIME_DEVIATIONS: { readonly [name in MimeDeviation]: string } = {
  'no-type': 'no type, no subtype, or one that is no token: what RFC 2045 5.2 (RFC 2183 2.8) has for such is read',
  'odd-space': 'white space that is no folding white space: a line end without white space behind it',
  'odd-comment': 'parentheses that are not balanced, or a comment with octets that it may not have',
  'text-behind-value': 'text behind a value that belongs to nothing; it is left out',
  'no-semicolon': 'a parameter without a semicolon before it',
  'empty-parameter': 'a semicolon with nothing behind it',
  'odd-parameter-name': 'a name of a parameter that is no token, or has an asterisk, a quote or a percent sign where RFC 2231 7 has none',
  'no-value': 'a parameter without an equals sign, or with nothing behind it',
  'no-quotes': 'a value that is no token and stands without quotes; it is read to the next semicolon',
  'open-quote': 'a quoted value without its end; it is read to the end of the field',
  'odd-quoted-text': 'a quoted value with octets that it may not have (RFC 5322 3.2.4)',
  'duplicate-parameter': 'a parameter that stands twice; the first counts',
  'plain-and-extended': 'a value both plain and in the form of RFC 2231; the latter counts',
  'broken-continuation':
    'a continued value (RFC 2231 3) without its first section, or with one missing or twice; it is read as far as it goes',
  'broken-percent': 'an extended value (RFC 2231 4) with octets that it may not have, or in quotes; they stand for themselves',
  'no-charset': 'an extended value that names no charset; it is read as UTF-8',
  'unknown-charset': 'an extended value in a charset that is not known; what is not ASCII becomes U+FFFD',
  'octets-beyond-charset': 'octets that are none of the charset, or no UTF-8 where nothing is said; they become U+FFFD',
  'encoded-word': 'an encoded word in the name of a file, where RFC 2047 5 has none; it is decoded',
  'unknown-encoding':
    'a transfer encoding that no RFC has, and not beginning with "x-"; RFC 2045 6.4: its content means nothing to anybody',
  'no-authserv-id': 'results without the name of who says them (RFC 8601 2.5)',
  'odd-result': 'a result in another form than RFC 8601 2.2; it is left out',
};
