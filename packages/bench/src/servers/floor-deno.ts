// The floor of connections that wait, by Deno's own sockets: a greeting, and 250 for each line.
import { GREETING, repliesTo } from './lines.ts';
import { listening } from './report.ts';

interface Conn {
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  setNoDelay(on: boolean): void;
}

declare const Deno: {
  listen(options: { readonly hostname: string; readonly port: number }): AsyncIterable<Conn> & { readonly addr: { readonly port: number } };
};

/** Octets that a read may take: each connection waits with a buffer, here and in any server of Deno's. */
const BUFFER = 2048;

const listener = Deno.listen({ hostname: '127.0.0.1', port: 0 });
listening(listener.addr.port);
for await (const conn of listener) void converse(conn).catch(() => {});

async function converse(conn: Conn): Promise<void> {
  conn.setNoDelay(true);
  await conn.write(GREETING);
  const buffer = new Uint8Array(BUFFER);
  for (;;) {
    const octets = await conn.read(buffer);
    if (octets === null) return;
    await conn.write(repliesTo(buffer.subarray(0, octets)));
  }
}
