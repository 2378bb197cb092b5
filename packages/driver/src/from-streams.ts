import { type ByteStream, type Ends, fromReader, type StartedTls } from './from-reader.ts';
import type { Transport } from './transport.ts';

/** A pair of Web streams; `opened`, where there is one, rejects if the connection, or its handshake, has failed. */
export interface WebStreams {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly opened?: Promise<unknown>;
}

/** What a pair of Web streams can do beyond that. */
export interface WebEnds extends Ends {
  /** Becomes a side of TLS: both streams are free again when it is called, and what it gives is in place of them. Absent: no STARTTLS. */
  readonly startTls?: () => StartedTls<WebStreams> | Promise<StartedTls<WebStreams>>;
}

/**
 * Makes a transport of a pair of Web streams, such as a socket of Cloudflare's Workers or the two ends of a `TransformStream`. With `startTls`, which
 * gives new streams, it takes part in STARTTLS: `() => ({ streams: socket.startTls(), tls: VERIFIED_TLS })` in Workers.
 *
 * @example
 * ```ts
 * import { fromStreams } from '@ehlo/driver';
 * const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
 * fromStreams({ readable, writable }, { peer: { address: '192.0.2.1', port: 25 } }).peer.address // → '192.0.2.1'
 * ```
 */
export function fromStreams(streams: WebStreams, { startTls, ...ends }: WebEnds = {}): Transport {
  return fromReader(webStream(streams, startTls), ends);
}

function webStream({ readable, writable, opened }: WebStreams, startTls?: WebEnds['startTls']): ByteStream {
  const reader = readable.getReader();
  const writer = writable.getWriter();
  const ignore = (): void => {};
  // A stream that fails tells it by `read` and `write`, too.
  reader.closed.catch(ignore);
  writer.closed.catch(ignore);
  opened?.catch(ignore);
  let secured: ByteStream | null = null;
  const stream: ByteStream = {
    read: async () => (await reader.read()).value ?? null,
    // A stream of octets takes buffers over; those of replies are said again.
    write: (bytes) => writer.write(bytes.slice()),
    closeWrite: () => writer.close(),
    close() {
      secured?.close();
      reader.cancel().catch(ignore);
      writer.abort().catch(ignore);
    },
  };
  if (startTls === undefined) return stream;
  const upgrade = async (): Promise<StartedTls<ByteStream>> => {
    // What still waits to be read stays with the stream, and a read that waits rejects.
    reader.releaseLock();
    writer.releaseLock();
    const { streams, tls } = await startTls();
    secured = webStream(streams);
    // A handshake that fails is told by this alone.
    await streams.opened;
    return { streams: secured, tls };
  };
  return { ...stream, startTls: upgrade };
}
