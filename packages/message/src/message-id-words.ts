import type { MessageIdDeviation } from './message-id.ts';

/** What each is. */
export const MESSAGE_ID_DEVIATIONS: { readonly [name in MessageIdDeviation]: string } = {
  'old-space': 'white space or comments within an identifier, or lines of white space (RFC 5322 4.2, 4.5.4)',
  'old-characters': 'control characters (RFC 5322 4.1)',
  'quoted-id': 'a quoted string on the left (RFC 5322 4.5.4)',
  'phrase-among-ids': 'words among the identifiers (RFC 5322 4.5.4); they are left out',
  'no-angle-brackets': 'an identifier without its angle brackets',
  'odd-id': 'angle brackets around what is no identifier; it is taken as it stands, without white space',
  'no-id': 'no identifier at all',
};
