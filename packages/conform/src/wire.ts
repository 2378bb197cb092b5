/** What a read can bring beside octets: the peer has ended its side, the connection was reset, or nothing came in time. */
export type Nothing = 'end' | 'reset' | 'silence';

/** A connection, as checks need it. Failures of the network are answers: only `secure` rejects. */
export interface Wire {
  /** This side's address, e.g. `127.0.0.1`; empty where there is none. */
  readonly local: string;
  /** Sends octets as one write. What can't be sent any more is told by the next read. */
  write(bytes: Uint8Array): Promise<void>;
  /** The next octets, as soon as there are any. Waits for `ms` milliseconds at the most. */
  read(ms: number): Promise<Uint8Array | Nothing>;
  /** Lets time pass. */
  wait(ms: number): Promise<void>;
  /** Ends this side, so that reading goes on (FIN). */
  end(): void;
  /** Gives the connection up (RST where the transport has one). */
  reset(): void;
  /** Becomes the client's side of TLS. Rejects if the handshake fails. */
  secure(): Promise<void>;
}

/** Opens a connection, with TLS from its start where that is `implicit`. Rejects where there is none. */
export type Dial = () => Promise<Wire>;
