export { PostgresError, type PostgresErrorCode } from './error.ts';
export type { PostgresOptions } from './options.ts';
export { openPostgres, type PostgresQueue } from './postgres-queue.ts';
