import type { HeaderDeviation } from './header-deviation.ts';

/** What each is, and the danger of taking it. */
export const HEADER_DEVIATIONS: { readonly [name in HeaderDeviation]: { readonly what: string; readonly danger: string } } = {
  'bare-lf': {
    what: 'a line that ends with LF alone (RFC 5322 2.3)',
    danger: 'Two systems may disagree where a line ends: a field or a whole message can be smuggled past one of them.',
  },
  'bare-cr': {
    what: 'a CR without LF (RFC 5322 2.3)',
    danger: 'Some programs end a line there: a field can be smuggled past this one.',
  },
  nul: { what: 'a NUL octet (RFC 5322 4.1)', danger: 'Some programs end a text there.' },
  'octets-beyond-utf8': {
    what: 'octets beyond ASCII that are no UTF-8 (RFC 5322 2.2, RFC 6532 3)',
    danger: 'Nobody knows which characters they stand for.',
  },
  'long-line': {
    what: 'a line of more than 998 octets (RFC 5322 2.1.1)',
    danger: 'Other systems may cut or refuse it.',
  },
  'from-line': {
    what: 'a first line that begins with "From " and no colon: that of a mailbox file',
    danger: 'None known: it is no field, and is left out.',
  },
  'leading-continuation': {
    what: 'a first line that begins with white space',
    danger: 'It continues nothing: programs disagree whether it is a field, or the body.',
  },
  'blank-continuation': {
    what: 'a line of a field that is white space alone (RFC 5322 4.2)',
    danger: 'Some programs end the header there: what follows may be read as the body.',
  },
  'space-before-colon': {
    what: 'white space between the name of a field and its colon (RFC 5322 4.5.8)',
    danger: 'Some programs know no field of that name, others take it for the same.',
  },
  'odd-name': {
    what: 'a name of a field with characters other than printable ASCII (RFC 5322 2.2)',
    danger: 'Programs disagree whether it is a field, or the body.',
  },
  'no-blank-line': {
    what: 'a line in the header that is no field: the body begins there',
    danger: 'Programs disagree where the body begins.',
  },
};
