import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Address, Listener, Transport } from '@ehlo/driver';
import { ServerTls, type TlsSettings } from './tls.ts';
import { SocketTransport } from './transport.ts';

export interface ListenOptions {
  /** IP address or host name to listen on. Default 127.0.0.1. */
  readonly host?: string;
  /** TCP port; 0 takes any that is free. */
  readonly port?: number;
  /** Path of a Unix socket, in place of host and port. One that nobody listens on is replaced. */
  readonly path?: string;
  /** Mode of the Unix socket. Default: by the umask. */
  readonly mode?: number;
  /** Certificates: STARTTLS is possible, or with `implicitTls` every connection begins with a handshake. */
  readonly tls?: TlsSettings | ServerTls;
  /** TLS from the first octet (RFC 8314 3.3), as on port 465. */
  readonly implicitTls?: boolean;
  /** Milliseconds that a client may take for the handshake of `implicitTls`. Default 60000. */
  readonly handshakeTimeout?: number;
  /** Connections that the kernel may hold before they are accepted. Default 511. */
  readonly backlog?: number;
}

/**
 * Listens. Rejects with Node's error (`EADDRINUSE`, `EACCES` …) if that is not possible.
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { host = '127.0.0.1', port = 0, path, mode, backlog = 511, implicitTls = false, handshakeTimeout = 60_000 } = options;
  const tls = options.tls === undefined || options.tls instanceof ServerTls ? (options.tls ?? null) : new ServerTls(options.tls);
  if (implicitTls && tls === null) throw new TypeError('implicitTls needs a certificate: give tls: { key, cert }');
  const waiting: Socket[] = [];
  /** Connections within their handshake: nobody knows of them yet. */
  const early = new Set<SocketTransport>();
  let connected: ((transport: Transport) => void) | null = null;
  const accept = (socket: Socket): void => {
    if (connected === null) {
      waiting.push(socket);
      return;
    }
    const transport = new SocketTransport(socket, path ?? null, tls);
    if (implicitTls) void shakeHands(transport, connected);
    else connected(transport);
  };
  const shakeHands = async (transport: SocketTransport, done: (transport: Transport) => void): Promise<void> => {
    const timer = setTimeout(() => transport.abort(), handshakeTimeout);
    early.add(transport);
    const info = await transport.secure!().catch(() => null);
    clearTimeout(timer);
    early.delete(transport);
    if (info === null) return transport.abort();
    transport.tls = info;
    done(transport);
  };
  // allowHalfOpen: a client may end its side and still wait for its replies.
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, accept);
  if (path !== undefined) await removeStale(path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path === undefined ? { host, port, backlog } : { path, backlog }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  // After this an accept that fails (no file descriptors) is no reason to fall: the next one may succeed.
  server.on('error', () => {});
  if (path !== undefined && mode !== undefined) await chmod(path, mode);
  return {
    address: addressOf(server),
    accept(handler) {
      connected = handler;
      for (const socket of waiting.splice(0)) accept(socket);
    },
    close() {
      for (const transport of early) transport.abort();
      for (const socket of waiting.splice(0)) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function addressOf(server: Server): Address {
  const address = server.address();
  if (address === null || typeof address === 'string') return { address: address ?? '', port: 0 };
  return { address: address.address, port: address.port };
}

/** A Unix socket that is left over from a server that fell: nobody answers on it. */
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
