export { formatReceived, formatReturnPath, type Received } from './format-trace.ts';
export { parseReceived, parseReturnPath } from './parse-trace.ts';
export { EVERYDAY, TRACE_DEVIATIONS, TRACE_LETTER, type TraceDeviation } from './trace-deviation.ts';
export type { ExtendedDomain, TraceField } from './trace-field.ts';
