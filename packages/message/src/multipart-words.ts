import type { MultipartDeviation } from './multipart-deviation.ts';

/** What each is. */
export const MULTIPART_DEVIATIONS: { readonly [name in MultipartDeviation]: string } = {
  'no-boundary': 'a multipart that names no boundary: it is read as one part',
  'odd-boundary': 'a boundary of more than 70 characters, with others than bcharsnospace, or a space at its end (RFC 2046 5.1.1)',
  'same-boundary': 'a multipart with the boundary of one that holds it: a delimiter is that of the inner one',
  'padded-boundary': 'white space behind a boundary, which nobody may write and everybody has to take (RFC 2046 5.1.1)',
  'text-behind-boundary': 'a line that begins with a boundary and goes on: it is content (RFC 2046 5.1.1 has no such line, and says both)',
  'bare-lf-boundary': 'a boundary whose line, or the one before it, ends with LF alone',
  'no-close-delimiter': 'a multipart without its last boundary: what holds it, or the message, ends there',
  'no-parts': 'a multipart without any part',
  'encoded-composite': 'a multipart or message in an encoding other than 7bit, 8bit and binary (RFC 2045 6.4): it is read as one part',
  'header-refused': 'a header beyond the limits: the rest of it is content',
  'too-deep': 'parts in each other beyond the limit: the inner ones are read as one part',
  'too-many-parts': 'more parts than the limit: what follows is content of the last one',
};
