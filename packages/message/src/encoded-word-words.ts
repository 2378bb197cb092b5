import type { WordDeviation } from './word-deviation.ts';

/** What each is. */
export const WORD_DEVIATIONS: { readonly [name in WordDeviation]: string } = {
  'no-space-around': 'an encoded word that no white space parts from the text around it (RFC 2047 5): by the letter it is none',
  'space-within': 'white space within an encoded word (RFC 2047 2): by the letter it is none',
  'long-word': 'an encoded word of more than 75 characters (RFC 2047 2)',
  'bad-encoding': 'octets in an encoded word that its encoding does not have, or that are missing (RFC 2047 4)',
  'split-character': 'a character in parts, in two encoded words (RFC 2047 5)',
  'unknown-charset': 'a charset that is not known here: the encoded word stands as it is (RFC 2047 6.2)',
  'broken-octets': 'octets that are no character of their charset; they become U+FFFD',
  control: 'control characters in an encoded word; they become U+FFFD (RFC 2047 5 and 7)',
};
