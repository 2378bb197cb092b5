import type { TlsInfo } from '@ehlo/engine';

/** What the sessions of both roles have in common, as far as octets and time go. */
export interface Machine {
  receive(bytes: Uint8Array): void;
  receiveEnd(): void;
  lost(): void;
  nextOutput(): Uint8Array | null;
  /** So many more octets of the output were taken by the operating system. */
  written(octets: number): void;
  secured(tls: TlsInfo): void;
  tick(now: number): void;
  readonly deadline: number;
  readonly reads: boolean;
  readonly wants: string;
  readonly phase: string;
}
