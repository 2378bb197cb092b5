/** What a server says of itself in its answer to EHLO, HELO or LHLO. */
export interface Capabilities {
  readonly verb: 'EHLO' | 'HELO' | 'LHLO';
  /** The name that the server calls itself. */
  readonly name: string;
  /** Whether it was said under TLS. */
  readonly tls: boolean;
  /** The extensions by their keywords, in capitals, with what stands behind each; empty after HELO. */
  readonly extensions: ReadonlyMap<string, readonly string[]>;
}
