// A Unix socket that its owner alone can reach.

import { chmod, lstat, stat, unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { dirname, resolve } from 'node:path';
import { isMainThread } from 'node:worker_threads';

/** Why a socket can't be listened on; the message says what to do. */
export class SocketError extends Error {}

/** Linux: octets of the path of a socket, without the NUL at its end (unix(7)). */
const LONGEST = 107;
/** Others than the owner may write. */
const WRITABLE = 0o022;
const STICKY = 0o1000;
const OWN = 0o600;

/**
 * Listens on a path, mode 0600 from the first moment on. The socket of a dead process is replaced. A socket on which a process listens, a file that is
 * no socket, and a folder in which other users could replace it are errors (`SocketError`).
 */
export async function listenPrivately(server: Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > LONGEST) throw new SocketError(`${path}: the path of a socket has ${LONGEST} octets at the most`);
  await checkFolder(dirname(resolve(path)));
  await removeStale(path);
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    // The socket is made within this call, with what the mask leaves.
    const mask = isMainThread ? process.umask(0o777 & ~OWN) : null;
    try {
      server.listen(path, () => {
        server.off('error', failed);
        done();
      });
    } finally {
      if (mask !== null) process.umask(mask);
    }
  }).catch((error: NodeJS.ErrnoException) => {
    throw new SocketError(error.code === 'EADDRINUSE' ? taken(path) : `${path}: ${error.message}`);
  });
  await chmod(path, OWN);
}

async function checkFolder(folder: string): Promise<void> {
  const entry = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    throw new SocketError(error.code === 'ENOENT' ? `${folder} is not there: make it, mode 0700` : `${folder}: ${error.message}`);
  });
  const own = process.getuid?.() ?? 0;
  if (!entry.isDirectory()) throw new SocketError(`${folder} is no folder`);
  if (entry.uid !== own && entry.uid !== 0) throw new SocketError(`${folder} belongs to another user, who could take the socket's place`);
  if ((entry.mode & WRITABLE) !== 0 && (entry.mode & STICKY) === 0)
    throw new SocketError(`others may write to ${folder}, and take the socket's place: chmod go-w it`);
}

async function removeStale(path: string): Promise<void> {
  const entry = await lstat(path).catch(() => null);
  if (entry === null) return;
  if (!entry.isSocket()) throw new SocketError(`${path} is there, and is no socket: remove it, or name another path`);
  if (await isAlive(path)) throw new SocketError(taken(path));
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw new SocketError(`${path}: ${error.message}`);
  });
}

/** A socket is dead only if the system says so; a process that is too busy to answer still listens. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => done(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  });
}

function taken(path: string): string {
  return `${path}: another relay listens there; stop it, or name another path`;
}
