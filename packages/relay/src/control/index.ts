export { type Control, type ControlOptions, control } from './control.ts';
export type { MetricsPlace } from './metrics-server.ts';
export type { JobState, Selection } from './selection.ts';
export { SocketError } from './socket.ts';
export type { ControlStatus, JobSteps, ShownJob, ShownStep, WishResult, WishTold } from './view.ts';
