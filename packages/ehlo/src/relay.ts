export { relayLog } from './relay-log.ts';
export { type RelayRuntimeOptions, relayRuntime } from './relay-runtime.ts';
