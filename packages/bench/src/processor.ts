import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';

const ALL = `0-${cpus().length - 1}`;
const LAST = String(cpus().length - 1);

let isOnOne = false;

/**
 * Runs this process, and those that it starts from then on, on one processor, where the system has a way to say so. On two, what the kernel takes to wake the
 * other side counts as the server's time, and depends on whether the client has fallen asleep meanwhile. False: there is no such way here.
 */
export function onOneProcessor(): boolean {
  isOnOne = put(LAST);
  return isOnOne;
}

/** Gives back the others for as long as some work takes. */
export async function onAllProcessors<T>(work: () => Promise<T>): Promise<T> {
  if (!isOnOne) return await work();
  put(ALL);
  try {
    return await work();
  } finally {
    put(LAST);
  }
}

/** Linux: all threads of this process. */
function put(processors: string): boolean {
  return spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', processors, String(process.pid)]).status === 0;
}
