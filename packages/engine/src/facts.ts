/** Facts of the peer, from the transport. */
export interface Peer {
  /** IP address, or the path of a Unix socket; empty if unknown. */
  readonly address: string;
  /** TCP port; 0 where there is none. */
  readonly port: number;
  /** Its host name, as a trusted proxy has looked it up (XCLIENT). */
  readonly name?: string;
  /** The name that it gave to a trusted proxy in EHLO or HELO (XCLIENT). */
  readonly helo?: string;
  /** `SMTP` or `ESMTP`, as it spoke to a trusted proxy (XCLIENT). */
  readonly protocol?: string;
}

/** What a trusted sender says of the client that it had the message from (XFORWARD): for logs. Absent: not known. */
export interface Forwarded {
  readonly address?: string;
  readonly port?: number;
  readonly name?: string;
  readonly helo?: string;
  readonly protocol?: string;
  /** Its own name for the message. */
  readonly ident?: string;
  readonly source?: 'LOCAL' | 'REMOTE';
}

/** What is known of a TLS connection. */
export interface TlsInfo {
  /** E.g. `TLSv1.3`. */
  readonly protocol: string;
  readonly cipher: string;
  /** The name that the client asked for (SNI); empty if none. */
  readonly servername: string;
  /** Data that binds another exchange to this connection (RFC 5929, RFC 9266), by its type; absent where the runtime has none. */
  readonly bindings?: ReadonlyMap<string, Uint8Array>;
  /** The other side's certificate: to a server the client's, if it showed one; to a client the server's. */
  readonly peerCertificate?: PeerCertificate;
}

/** A certificate, as far as a decision needs it. */
export interface PeerCertificate {
  /** Common name of its subject. */
  readonly subject: string;
  /** Its alternative names, e.g. `DNS:client.example.org`. */
  readonly altNames: string;
  /** SHA-256 of the certificate. */
  readonly fingerprint256: string;
  /**
   * Whether the certificate was verified. Of a client: a trusted authority signed it; its name is not checked. Of a server: a trusted authority
   * signed it, and it is valid for the host that the client connected to (RFC 9525 6).
   */
  readonly authorized: boolean;
}
