export type { Release, Released, ReleaseOutcome } from './desk.ts';
export type { QueueEntry, QueueJob, QueueRecipient, QueueSource, QueueSteps } from './queue-routes.ts';
export { isLoopback, openWeb, type StoredFacts, Web, type WebOptions } from './web.ts';
