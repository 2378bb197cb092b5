import type { AddressDeviation } from './address-deviation.ts';

/** What each is, and the danger of taking it. */
export const ADDRESS_DEVIATIONS: { readonly [name in AddressDeviation]: { readonly what: string; readonly danger: string } } = {
  'old-space': {
    what: 'white space or comments around the dots of an address, or lines of white space (RFC 5322 4.2, 4.4)',
    danger: 'None known.',
  },
  'old-characters': {
    what: 'control characters in a comment, a quoted string or a literal, or a backslash in a literal (RFC 5322 4.1)',
    danger: 'They may do harm where they are shown.',
  },
  'old-phrase': { what: 'a dot in a name without quotes (RFC 5322 4.1)', danger: 'None known.' },
  'old-local-part': { what: 'a local part of several words of which some are quoted (RFC 5322 4.4)', danger: 'Few systems can answer it.' },
  route: {
    what: 'a route before the address (RFC 5322 4.4); it is left out',
    danger: 'Some programs take its first domain for that of the address.',
  },
  'empty-element': { what: 'nothing between two commas, or at an end of a list (RFC 5322 4.4)', danger: 'None known.' },
  'no-address': { what: 'no address at all; in Bcc alone RFC 5322 3.6.3 has that', danger: 'None known.' },
  'no-domain': { what: 'an address without a domain', danger: 'Programs add their own, each another one.' },
  'semicolon-separator': {
    what: 'a semicolon between addresses, outside a group',
    danger: 'Programs disagree how many addresses there are.',
  },
  'misplaced-dot-local': {
    what: 'a local part that begins or ends with a dot or has two in a row, unquoted',
    danger: 'Other systems refuse such an address, so a reply or a bounce may have nowhere to go.',
  },
  'trailing-dot-domain': {
    what: 'a domain that ends with a dot',
    danger: 'Two spellings of one name: a filter that compares text may miss one.',
  },
  'unclosed-angle': { what: 'an angle bracket that is not closed', danger: 'Programs disagree where the address ends.' },
  'text-behind-address': { what: 'words behind an address; they are left out', danger: 'Programs disagree which word is the address.' },
  'odd-phrase': {
    what: 'a name without quotes that holds characters such as @ or [, or begins with a dot',
    danger: 'Some programs take a part of it for the address.',
  },
  'octets-beyond-utf8': {
    what: 'octets that are no UTF-8 (RFC 6532 3); they become U+FFFD',
    danger: 'Nobody knows which characters they stand for.',
  },
};
