import { X509Certificate } from 'node:crypto';
import { chmod, lstat, unlink } from 'node:fs/promises';
import { type ListenOptions as DriverOptions, Entrance, type Listener } from '@ehlo/driver';
import { listen as listenByNode } from '@ehlo/node';
import { endPoint, ServerTls, type TlsSettings, warn } from '@ehlo/node/adapter';
import { type Certificates, SocketTransport } from './transport.ts';

/** Where `serve` listens, and its certificates. */
export interface ListenOptions extends DriverOptions<TlsSettings | ServerTls> {}

/**
 * Listens. Rejects with Bun's error (`EADDRINUSE`, `EACCES` …) if that is not possible.
 *
 * Bun's own sockets know one certificate, once and for all: where there are more, or they may change, Bun's `node:net` and `node:tls`
 * take over, as they do with `ciphers`, `maxVersion` and `backlog`, and where a proxy's header comes before the handshake.
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  if (needsNode(options)) return await listenByNode(options);
  const { host = '127.0.0.1', port = 0, path, mode } = options;
  const tls = options.tls as TlsSettings | undefined;
  const certificates = tls === undefined ? null : certificatesOf(tls);
  const entrance = new Entrance(options, warn);
  const socket: Bun.SocketHandler<unknown> = {
    ...SocketTransport.handlers,
    open: (opened) => entrance.admit(new SocketTransport(opened, path ?? null, certificates)),
  } as Bun.SocketHandler<unknown>;
  if (path === undefined) {
    const listener = Bun.listen({ hostname: host, port, allowHalfOpen: true, socket });
    return entrance.listener({ address: listener.hostname, port: listener.port }, async () => listener.stop());
  }
  await removeStale(path);
  const listener = Bun.listen({ unix: path, allowHalfOpen: true, socket });
  if (mode !== undefined) await chmod(path, mode);
  return entrance.listener({ address: path, port: 0 }, async () => listener.stop());
}

/** Several certificates or new ones, a choice of ciphers or of the highest version, octets that were read before the handshake, a backlog: Bun's own sockets have none of these. */
function needsNode({ tls, proxy, implicitTls = false, backlog }: ListenOptions): boolean {
  if (tls instanceof ServerTls || (tls?.certificates ?? []).length > 0) return true;
  if (tls?.certificateFor !== undefined || tls?.ciphers !== undefined || tls?.maxVersion !== undefined) return true;
  return backlog !== undefined || (implicitTls && proxy !== undefined);
}

/** TLS 1.2 and 1.3 on the wire. */
const VERSIONS = { 'TLSv1.2': 0x0303, 'TLSv1.3': 0x0304 } as const;

function certificatesOf(settings: TlsSettings): Certificates {
  // Throws if they can't be used: Bun would say so only to the first client.
  new ServerTls(settings);
  const { key, cert, passphrase, ca, requestCert = false, minVersion = 'TLSv1.2' } = settings;
  // Bun's types don't have this one.
  const options: Bun.TLSOptions & { minVersion: number } = {
    key,
    cert,
    requestCert,
    rejectUnauthorized: false,
    minVersion: VERSIONS[minVersion],
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(ca === undefined ? {} : { ca: typeof ca === 'string' || ca instanceof Uint8Array ? ca : [...ca] }),
  };
  return { options, endPoint: endPoint(new X509Certificate(cert).raw), demanded: settings.rejectUnauthorized === true };
}

/** A Unix socket that is left over from a server that fell: nobody answers on it. */
async function removeStale(path: string): Promise<void> {
  const entry = await lstat(path).catch(() => null);
  if (entry === null || !entry.isSocket()) return;
  const socket = await Bun.connect({ unix: path, socket: { data() {}, connectError() {} } }).catch(() => null);
  if (socket === null) await unlink(path);
  else socket.end();
}
