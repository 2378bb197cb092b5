import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';

const ALL = `0-${cpus().length - 1}`;
const LAST = String(cpus().length - 1);

let isOnOne = false;

/**
 * Runs this process, and those that it starts from then on, on one processor, where the system has a way to say so. On two, what the kernel takes to wake the
 * other side counts as the server's time, and depends on whether the client has fallen asleep meanwhile. Who is woken waits for its turn (SCHED_BATCH): else a
 * server that takes long for a reply is interrupted behind each write by the client, and one that takes little is not. False: there is no such way here.
 */
export function onOneProcessor(): boolean {
  isOnOne = put(LAST, '--batch');
  return isOnOne;
}

/** Gives back the others for as long as some work takes. */
export async function onAllProcessors<T>(work: () => Promise<T>): Promise<T> {
  if (!isOnOne) return await work();
  put(ALL, '--other');
  try {
    return await work();
  } finally {
    put(LAST, '--batch');
  }
}

/** Linux: all threads of this process. */
function put(processors: string, policy: '--batch' | '--other'): boolean {
  // What changes where it runs comes last: where one of the two is missing nothing has changed.
  return of('chrt', policy, '--all-tasks', '--pid', '0') && of('taskset', '--all-tasks', '--cpu-list', '--pid', processors);
}

function of(program: string, ...words: readonly string[]): boolean {
  return spawnSync(program, [...words, String(process.pid)]).status === 0;
}
