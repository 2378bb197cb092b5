// How a Postfix is stopped. `postfix stop` writes a log, and waits without end where who reads it has stopped before.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** Milliseconds that its master may take. */
const PATIENCE = 20_000;

/** Stops the master of a queue directory, which outlives the process that was started, and with it all that it runs. */
export async function stopMaster(queue) {
  const master = Number(readFileSync(join(queue, 'pid/master.pid'), 'latin1'));
  const end = performance.now() + PATIENCE;
  for (let signal = 'SIGTERM'; isSent(master, signal); await pause(20)) signal = performance.now() < end ? 0 : 'SIGKILL';
}

/** False where there is nobody any more. */
function isSent(pid, signal) {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
