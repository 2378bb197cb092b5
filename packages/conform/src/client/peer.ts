/** What a read can bring beside octets. */
export type Silence = 'end' | 'reset' | 'silence';

/** A client's connection, as the examiner needs it. */
export interface Peer {
  /** The next octets; waits for `ms` milliseconds at the most. */
  read(ms: number): Promise<Uint8Array | Silence>;
  /** Sends octets as one write. */
  write(bytes: Uint8Array): Promise<void>;
  wait(ms: number): Promise<void>;
  /** Ends this side. */
  end(): void;
  reset(): void;
  /** Becomes the server's side of TLS; rejects where the handshake fails. */
  secure(): Promise<void>;
}
