/** The stable name of a way in which a header differs from RFC 5322 2.2. */
export type HeaderDeviation =
  | 'bare-lf'
  | 'bare-cr'
  | 'nul'
  | 'octets-beyond-utf8'
  | 'long-line'
  | 'from-line'
  | 'leading-continuation'
  | 'blank-continuation'
  | 'space-before-colon'
  | 'odd-name'
  | 'no-blank-line';

/** Those that no two programs read differently: the least that a receiver of mail from anywhere takes. */
export const HARMLESS: ReadonlySet<HeaderDeviation> = /* @__PURE__ */ new Set<HeaderDeviation>([
  'long-line',
  'from-line',
  'octets-beyond-utf8',
]);

/** All of them: for programs that show or repair a message. */
export const ANY_HEADER: ReadonlySet<HeaderDeviation> = /* @__PURE__ */ new Set<HeaderDeviation>([
  ...HARMLESS,
  'bare-lf',
  'bare-cr',
  'nul',
  'leading-continuation',
  'blank-continuation',
  'space-before-colon',
  'odd-name',
  'no-blank-line',
]);
