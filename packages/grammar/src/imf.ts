export { formatDate, parseDate } from './date.ts';
export { ANY_DATE, DATE_DEVIATIONS, DATE_LETTER, type DateDeviation, OBSOLETE_DATE } from './date-deviation.ts';
export type { DateTime } from './date-time.ts';
export { CONTROLS, comment, domainLiteral, fws, maybe as maybeCfws, OLD_SPACE, type Position, quotedText } from './folding.ts';
export { atom, dotString, formatMailbox, type Mailbox } from './mailbox.ts';
export { messageId } from './parse-trace.ts';
export { type Failure, failure, type Parsed, type Success } from './result.ts';
export { capitals, decodeUtf8, encodeUtf8, octetsOf, utf8NonAscii } from './rule.ts';
