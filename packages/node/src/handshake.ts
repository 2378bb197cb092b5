import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { TlsInfo } from '@ehlo/engine';

/** One side of TLS. */
export interface Tls {
  /** Begins a handshake over a socket, or over any stream. */
  wrap(stream: Duplex): Wrapped;
}

/** A socket that makes its handshake. */
export interface Wrapped {
  readonly socket: TLSSocket;
  /** What it emits at the end of the handshake. */
  readonly secured: 'secure' | 'secureConnect';
  /** What is known of the connection when it is secure. */
  describe(): TlsInfo;
  /** Says what an error means. */
  explain?(error: Error): Error;
}

/** Why there is no handshake. */
export const LEFT = 'the peer left before the TLS handshake was done';

/**
 * Told of what can't be read behind the handshake: a bad MAC, a record that is too long, text in clear. It ends the connection (RFC 8446 6.2);
 * Node and Deno would keep that, and all that still comes. Of a socket that no `tls.Server` has made they tell it by the second name only.
 */
const UNREADABLE = ['error', '_tlsError'] as const;

/** For events that must be heard, and say nothing. */
function ignore(): void {}

/**
 * Waits for the end of a handshake, and leaves the socket paused. `done` is called in the event itself: what the peer has sent
 * behind its handshake, an end or garbage, may come before any promise does.
 */
export function handshake({ socket, secured, describe, explain = (error) => error }: Wrapped, done: () => void): Promise<TlsInfo> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error = new Error(LEFT)): void => reject(explain(error));
    const left = (): void => failed();
    socket.on('error', ignore);
    socket.on('error', failed);
    // A peer that ends its side now gives neither an error nor a close.
    socket.on('end', left);
    socket.on('close', left);
    socket.once(secured, () => {
      socket.pause();
      for (const event of UNREADABLE) socket.on(event, (error: Error) => void socket.destroy(error));
      socket.off('error', failed).off('end', left).off('close', left);
      done();
      try {
        resolve(describe());
      } catch (error) {
        reject(error);
      }
    });
  });
}
