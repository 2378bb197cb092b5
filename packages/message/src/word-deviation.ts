/** The stable name of a way in which encoded words differ from RFC 2047. */
export type WordDeviation =
  | 'no-space-around'
  | 'space-within'
  | 'long-word'
  | 'bad-encoding'
  | 'split-character'
  | 'unknown-charset'
  | 'broken-octets'
  | 'control';

/** Those that RFC 2047 takes for encoded words, whatever is wrong with them. */
export const WORDS: ReadonlySet<WordDeviation> = /* @__PURE__ */ new Set<WordDeviation>([
  'long-word',
  'bad-encoding',
  'split-character',
  'unknown-charset',
  'broken-octets',
  'control',
]);

/** All of them: for programs that show mail to people. */
export const ANY_WORD: ReadonlySet<WordDeviation> = /* @__PURE__ */ new Set<WordDeviation>([...WORDS, 'no-space-around', 'space-within']);
