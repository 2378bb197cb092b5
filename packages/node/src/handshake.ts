import type { TlsInfo } from '@ehlo/engine';
import type { Wrapped } from './server-tls.ts';

/** Why there is no handshake. */
export const LEFT = 'the peer left before the TLS handshake was done';

/** For events that must be heard, and say nothing. */
export function ignore(): void {}

/**
 * Waits for the end of a handshake, and leaves the socket paused. `done` is called in the event itself: what the client has sent
 * behind its handshake, an end or garbage, may come before any promise does.
 */
export function handshake({ socket, describe }: Wrapped, done: () => void): Promise<TlsInfo> {
  return new Promise((resolve, reject) => {
    const failed = (error?: Error): void => reject(error ?? new Error(LEFT));
    const left = (): void => failed();
    socket.on('error', ignore);
    socket.on('error', failed);
    // A peer that ends its side now gives neither an error nor a close.
    socket.on('end', left);
    socket.on('close', left);
    socket.once('secure', () => {
      socket.pause();
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
