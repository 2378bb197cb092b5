import { DATE_DEVIATIONS, type DateDeviation } from './date-deviation.ts';

/** The stable name of a way in which trace fields differ from RFC 5321 4.4. */
export type TraceDeviation =
  | DateDeviation
  | 'odd-line-end'
  | 'odd-name'
  | 'no-from'
  | 'no-by'
  | 'odd-host'
  | 'odd-tcp-info'
  | 'odd-clause'
  | 'odd-comment'
  | 'no-date';

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
  ...DATE_DEVIATIONS,
};

/** All of them: RFC 5321 3.7.2 wants receivers to be "extremely robust in the light of unexpected information or formats". */
export const EVERYDAY: ReadonlySet<TraceDeviation> = /* @__PURE__ */ new Set(Object.keys(TRACE_DEVIATIONS) as TraceDeviation[]);

/** The letter of RFC 5321 4.4. */
export const TRACE_LETTER: ReadonlySet<TraceDeviation> = /* @__PURE__ */ new Set();
