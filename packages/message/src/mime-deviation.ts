/** The stable name of a way in which a MIME field differs from RFC 2045, 2183, 2231, 3834 or 8601. */
export type MimeDeviation =
  | 'no-type'
  | 'odd-space'
  | 'odd-comment'
  | 'text-behind-value'
  | 'no-semicolon'
  | 'empty-parameter'
  | 'odd-parameter-name'
  | 'no-value'
  | 'no-quotes'
  | 'open-quote'
  | 'odd-quoted-text'
  | 'duplicate-parameter'
  | 'plain-and-extended'
  | 'broken-continuation'
  | 'broken-percent'
  | 'no-charset'
  | 'unknown-charset'
  | 'octets-beyond-charset'
  | 'encoded-word'
  | 'unknown-encoding'
  | 'no-authserv-id'
  | 'odd-result';

/** All of them: mail comes from programs of every age. */
export const EVERYDAY_MIME: ReadonlySet<MimeDeviation> = /* @__PURE__ */ new Set<MimeDeviation>([
  'no-type',
  'odd-space',
  'odd-comment',
  'text-behind-value',
  'no-semicolon',
  'empty-parameter',
  'odd-parameter-name',
  'no-value',
  'no-quotes',
  'open-quote',
  'odd-quoted-text',
  'duplicate-parameter',
  'plain-and-extended',
  'broken-continuation',
  'broken-percent',
  'no-charset',
  'unknown-charset',
  'octets-beyond-charset',
  'encoded-word',
  'unknown-encoding',
  'no-authserv-id',
  'odd-result',
]);

/** The letter of the RFCs. */
export const MIME_LETTER: ReadonlySet<MimeDeviation> = /* @__PURE__ */ new Set();
