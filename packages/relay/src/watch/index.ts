export { type LogEvent, type LogEventName, logEvents } from './log.ts';
export { type Gauges, Metrics } from './metrics.ts';
export type { Seen, Watcher } from './seen.ts';
export { watched } from './watched.ts';
