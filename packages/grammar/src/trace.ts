export { formatDate, formatReceived, formatReturnPath, type Received } from './format-trace.ts';
export { type ExtendedDomain, parseReceived, parseReturnPath, type TraceField } from './parse-trace.ts';
export { ReceivedCounter } from './received-counter.ts';
