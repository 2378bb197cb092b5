import { type ListenOptions as DriverOptions, Entrance, type Listener } from '@ehlo/driver';
import { ServerTls, type TlsSettings, warn } from '@ehlo/node/adapter';
import { addressOf, connTransport } from './transport.ts';

/** Where `serve` listens, and its certificates. */
export interface ListenOptions extends DriverOptions<TlsSettings | ServerTls> {}

/** accept(2): these are errors of the process or the system, not of one connection; the next accept would fail, too. */
const SHORTAGES: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);

/** How long to wait in a shortage before the next try, in milliseconds. */
const RETRY_MS = 100;

/**
 * Listens. Rejects with Deno's error (`AddrInUse`, `PermissionDenied`, `NotCapable` …) if that is not possible; its `code` is the
 * system's, where there is one.
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { host = '127.0.0.1', port = 0, path, mode, backlog = 511 } = options;
  const tls = ServerTls.from(options.tls);
  const entrance = new Entrance(options, warn);
  prepareForShortage();
  const listener =
    path === undefined
      ? attempt({ address: host, port }, () => Deno.listen({ hostname: host, port, tcpBacklog: backlog }))
      : await listenUnix(path, mode);
  let open = true;
  const accepting = (async () => {
    while (open) {
      const conn: Deno.Conn | NodeJS.ErrnoException = await listener.accept().catch((error) => error);
      if (!(conn instanceof Error)) entrance.admit(connTransport(conn, path ?? null, tls));
      // A client that has left before it was accepted (ENOTCONN) keeps nobody waiting.
      else if (open && SHORTAGES.has(conn.code ?? '')) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  })();
  return entrance.listener(path === undefined ? addressOf(listener.addr) : { address: path, port: 0 }, async () => {
    open = false;
    listener.close();
    // The place is free only when the accept that was waiting is over.
    await accepting;
    if (path !== undefined) await Deno.remove(path).catch(() => {});
  });
}

/**
 * Deno opens what it hears signals by when that is first needed, and its process ends where there is no descriptor left for it: as many
 * clients as use up the descriptors would stop the server. So it is opened before there are any. SIGURG does nothing by itself.
 */
function prepareForShortage(): void {
  if (Deno.build.os === 'windows') return; // it has no such signal
  const nothing = (): void => {};
  Deno.addSignalListener('SIGURG', nothing);
  Deno.removeSignalListener('SIGURG', nothing);
}

async function listenUnix(path: string, mode: number | undefined): Promise<Deno.UnixListener> {
  await removeStale(path);
  const listener = attempt({ address: path }, () => Deno.listen({ transport: 'unix', path }));
  if (mode !== undefined) await Deno.chmod(path, mode);
  return listener;
}

/** A Unix socket that is left over from a server that fell: nobody answers on it. */
async function removeStale(path: string): Promise<void> {
  const entry = await Deno.lstat(path).catch(() => null);
  if (entry === null || !entry.isSocket) return;
  const conn = await Deno.connect({ transport: 'unix', path }).catch(() => null);
  if (conn === null) await Deno.remove(path);
  else conn.close();
}

/** Deno's errors don't say where it could not listen. */
function attempt<T>(place: { readonly address: string; readonly port?: number }, listening: () => T): T {
  try {
    return listening();
  } catch (error) {
    throw Object.assign(error as Error, place);
  }
}
