// One process per spool. A lock is a Unix socket on which the process listens: the kernel closes it when the process ends, however it ends.

import { link, readdir, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join, relative } from 'node:path';
import { SpoolError } from './spool-error.ts';

/** Octets of the path of a Unix socket: 108 with the NUL in Linux, 104 elsewhere. */
const MOST_PATH = 103;

/**
 * Locks a folder; the returned function unlocks it. Locks are numbered: a process that finds the last one dead creates the next, and the same number
 * can't be created twice. The last lock is removed only by the holder of a later one, so that no two processes can take over from the same.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const waiting = shortPath(join(folder, `lock.${process.pid}-${Math.random().toString(36).slice(2)}`));
  const server = await listen(waiting);
  const letGo = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  try {
    for (;;) {
      const last = Math.max(0, ...(await numbers(folder)));
      if (last > 0 && (await isAlive(shortPath(join(folder, `lock.${last}`))))) {
        throw new SpoolError('locked', `another process has the spool ${folder}: stop it first, or name another folder`);
      }
      if (!(await isLinked(waiting, join(folder, `lock.${last + 1}`)))) continue;
      // A faster process may have created more than one lock since this one looked.
      if (Math.max(...(await numbers(folder))) === last + 1) {
        await sweep(folder, last + 1);
        return letGo;
      }
      await rm(join(folder, `lock.${last + 1}`), { force: true });
    }
  } catch (error) {
    await rm(waiting, { force: true });
    await letGo();
    throw error;
  }
}

async function numbers(folder: string): Promise<number[]> {
  return (await readdir(folder)).flatMap((name) => /^lock\.(\d+)$/.exec(name)?.[1] ?? []).map(Number);
}

/** What others have left, this one's first name included. */
async function sweep(folder: string, own: number): Promise<void> {
  const others = (await readdir(folder)).filter((name) => name.startsWith('lock.') && name !== `lock.${own}`);
  for (const name of others) await rm(join(folder, name), { force: true });
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', reject);
    // It keeps no process from ending.
    server.unref();
    server.listen(path, () => resolve(server));
  });
}

/** Whether a process listens; also one that is stopped and accepts no more connections. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (alive: boolean): void => {
      socket.destroy();
      resolve(alive);
    };
    socket.once('connect', () => end(true));
    socket.once('error', ({ code }: NodeJS.ErrnoException) => end(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  });
}

/** False: the new name exists already, or another process has removed the old one. */
async function isLinked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (code === 'ENOENT')
      throw new SpoolError('locked', `another process has taken the spool ${to.slice(0, to.lastIndexOf('/'))} just now`);
    throw error;
  }
}

function shortPath(path: string): string {
  const here = relative('.', path);
  const short = here.length < path.length ? here : path;
  if (Buffer.byteLength(short) <= MOST_PATH) return short;
  throw new SpoolError('disk', `the path of the spool is too long for a Unix socket in it: ${path} has more than ${MOST_PATH} octets`);
}
