import { type Address, fromReader, type Transport } from '@ehlo/driver';
import { type Tls, withTls } from '@ehlo/node/adapter';

/** What a read may take. Most commands are short; who has filled a small buffer sends much. */
const SMALL = 2048;
const LARGE = 65_536;

/** A connection of Deno as a transport; with `tls` it can be secured. `path` is that of the Unix socket it came by. */
export function connTransport(conn: Deno.Conn, path: string | null, tls: Tls | null): Transport {
  if ('setNoDelay' in conn) noDelay(conn as Deno.TcpConn);
  let buffer = new Uint8Array(SMALL);
  const transport = fromReader(
    {
      async read() {
        const octets = await conn.read(buffer);
        if (octets === null) return null;
        const bytes = buffer.slice(0, octets);
        if (octets === SMALL && buffer.length === SMALL) buffer = new Uint8Array(LARGE);
        return bytes;
      },
      async write(bytes) {
        for (let at = 0; at < bytes.length; ) at += await conn.write(bytes.subarray(at));
      },
      closeWrite: () => conn.closeWrite(),
      close: () => conn.close(),
    },
    {
      peer: path === null ? addressOf(conn.remoteAddr) : { address: '', port: 0 },
      local: path === null ? addressOf(conn.localAddr) : { address: path, port: 0 },
    },
  );
  return tls === null ? transport : withTls(transport, tls);
}

/** Replies are written whole: waiting for more only costs time. */
function noDelay(conn: Deno.TcpConn): void {
  try {
    conn.setNoDelay(true);
  } catch {
    // The peer has reset it already: the first read tells.
  }
}

/** The address of a socket. */
export function addressOf(address: Deno.Addr): Address {
  if (address.transport === 'tcp') return { address: address.hostname, port: address.port };
  return { address: 'path' in address ? address.path : '', port: 0 };
}
