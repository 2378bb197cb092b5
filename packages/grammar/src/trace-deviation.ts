/** The stable name of a way in which trace fields differ from RFC 5321 4.4. */
export type TraceDeviation =
  | 'odd-line-end'
  | 'odd-name'
  | 'no-from'
  | 'no-by'
  | 'odd-host'
  | 'odd-tcp-info'
  | 'odd-clause'
  | 'odd-comment'
  | 'no-date'
  | 'odd-date'
  | 'odd-weekday'
  | 'old-zone'
  | 'no-zone';

/** What each is. */
export const TRACE_DEVIATIONS: { readonly [name in TraceDeviation]: string } = {
  'odd-line-end': 'a line that ends without CRLF, or no end at all',
  'odd-name': 'white space before the colon of the name, or none behind it',
  'no-from': 'no FROM clause: a program on the same host, or a host that does not tell',
  'no-by': 'no BY clause',
  'odd-host': 'a host that is no Domain and no address literal, or a literal without TCP-info',
  'odd-tcp-info': 'facts of the connection in a form other than ([HOST] LITERAL)',
  'odd-clause': 'a clause with a value that its rule does not allow, or text that belongs to none',
  'odd-comment': 'parentheses that are not balanced',
  'no-date': 'no date, or one that can not be read',
  'odd-date': 'a date in another order, or with other separators, than RFC 5322 3.3',
  'odd-weekday': 'a day of the week that is not that of the date',
  'old-zone': 'a time zone by its name (RFC 5322 4.3)',
  'no-zone': 'a time without a zone; it is read as UT',
};

/** All of them: RFC 5321 3.7.2 wants receivers to be "extremely robust in the light of unexpected information or formats". */
export const EVERYDAY: ReadonlySet<TraceDeviation> = /* @__PURE__ */ new Set(Object.keys(TRACE_DEVIATIONS) as TraceDeviation[]);

/** The letter of RFC 5321 4.4. */
export const TRACE_LETTER: ReadonlySet<TraceDeviation> = /* @__PURE__ */ new Set();
