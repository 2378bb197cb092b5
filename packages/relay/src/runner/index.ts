export type { Means, RemoteSession, Schedule } from './means.ts';
export { Runner, type RunnerOptions } from './runner.ts';
export { wallClock } from './wall-clock.ts';
