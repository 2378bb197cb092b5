/** The stable name of a way in which a date differs from RFC 5322 3.3. */
export type DateDeviation = 'old-space' | 'old-year' | 'old-zone' | 'no-zone' | 'odd-weekday' | 'odd-date';

/** What each is. */
export const DATE_DEVIATIONS: { readonly [name in DateDeviation]: string } = {
  'old-space': 'comments, or white space, where only RFC 5322 4.3 has them; or none where 3.3 has some',
  'old-year': 'a year of two or three digits (RFC 5322 4.3)',
  'old-zone': 'a time zone by its name (RFC 5322 4.3)',
  'no-zone': 'a time without a zone; it is read as UT',
  'odd-weekday': 'a day of the week that is not that of the date',
  'odd-date': 'a date in another order, or with other separators, than RFC 5322 3.3',
};

/** What RFC 5322 4.3 wants every reader to take. */
export const OBSOLETE_DATE: ReadonlySet<DateDeviation> = /* @__PURE__ */ new Set<DateDeviation>(['old-space', 'old-year', 'old-zone']);

/** All of them. */
export const ANY_DATE: ReadonlySet<DateDeviation> = /* @__PURE__ */ new Set(Object.keys(DATE_DEVIATIONS) as DateDeviation[]);

/** The letter of RFC 5322 3.3. */
export const DATE_LETTER: ReadonlySet<DateDeviation> = /* @__PURE__ */ new Set();
