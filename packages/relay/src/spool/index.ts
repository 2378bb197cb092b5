export type { Disk, DiskFile } from './disk.ts';
export { openSpool, type SpoolOptions } from './open-spool.ts';
export type { Spool } from './spool.ts';
export { SpoolError, type SpoolProblem } from './spool-error.ts';
