// What lies under TLS: octets can be put between its records, as who sits on the line can do it.
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** A socket as a stream that TLS is laid over; `inject` goes by it. */
export class Below extends Duplex {
  readonly socket: Socket;

  constructor(socket: Socket) {
    super({ allowHalfOpen: true });
    this.socket = socket;
    for (const event of ['data', 'end', 'error', 'close']) socket.removeAllListeners(event);
    socket.on(
      'data',
      (bytes: Buffer | string) => void (this.push(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes) || socket.pause()),
    );
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  /** Octets that no key has sealed. */
  inject(octets: Uint8Array): void {
    if (!this.socket.destroyed) this.socket.write(octets);
  }

  override _read(): void {
    this.socket.resume();
  }

  override _write(bytes: Uint8Array, _encoding: string, done: () => void): void {
    if (this.socket.destroyed) done();
    else this.socket.write(bytes, () => done());
  }

  override _final(done: () => void): void {
    this.socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.socket.destroy();
    done(error);
  }
}

const record = (length: number): Buffer =>
  Buffer.concat([Buffer.from([0x17, 3, 3, length >> 8, length & 0xff]), Buffer.alloc(length, 0xa5)]);

/** RFC 8446 5.2: what no record can be read from. */
export const UNREADABLE: readonly (readonly [what: string, octets: Uint8Array])[] = [
  ['a record that no key opens', record(64)],
  ['a record that is too long', record(0xffff)],
  ['text in clear', Buffer.from('NOOP\r\n'.repeat(20))],
];
