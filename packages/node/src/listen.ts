import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { type Address, type ListenOptions as DriverOptions, Entrance, type Listener } from '@ehlo/driver';
import { ServerTls, type TlsSettings } from './server-tls.ts';
import { SocketTransport } from './transport.ts';
import { warn } from './warn.ts';

/** Where `serve` listens, and its certificates. */
export interface ListenOptions extends DriverOptions<TlsSettings | ServerTls> {
  /** A socket that listens already, as systemd hands them over: its descriptor. What the other options say of a place is of no account. */
  readonly fd?: number;
}

/**
 * Listens. Rejects with Node's error (`EADDRINUSE`, `EACCES` …) if that is not possible.
 */
export async function listen({ fd, ...options }: ListenOptions): Promise<Listener> {
  const { host = '127.0.0.1', port = 0, path, mode, backlog = 511 } = options;
  const tls = ServerTls.from(options.tls);
  const entrance = new Entrance(options, warn);
  // allowHalfOpen: a client may end its side and still wait for its replies.
  let local: Address | null = null;
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) =>
    entrance.admit(new SocketTransport(socket, path ?? null, tls, local)),
  );
  const place = fd !== undefined ? { fd } : path === undefined ? { host, port, backlog } : { path, backlog };
  if (path !== undefined && fd === undefined) await removeStale(path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(place, () => {
      server.off('error', reject);
      resolve();
    });
  });
  // After this an accept that fails (no file descriptors) does not end the server: the next one may succeed.
  server.on('error', () => {});
  if (path !== undefined && mode !== undefined && fd === undefined) await chmod(path, mode);
  const address = addressOf(server);
  // Who listens on one address alone has it for all its connections: none is asked.
  if (!UNSPECIFIED.has(address.address)) local = address;
  return entrance.listener(address, () => new Promise((resolve) => server.close(() => resolve())));
}

/** Addresses that stand for all of the machine's. */
const UNSPECIFIED: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

function addressOf(server: Server): Address {
  const address = server.address();
  if (address === null || typeof address === 'string') return { address: address ?? '', port: 0 };
  return { address: address.address, port: address.port };
}

/** A Unix socket that a crashed server has left: no server answers on it. */
async function removeStale(path: string): Promise<void> {
  const isSocket = await lstat(path).then(
    (entry) => entry.isSocket(),
    () => false,
  );
  if (!isSocket) return;
  const alive = await new Promise<boolean>((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
  if (!alive) await unlink(path);
}
