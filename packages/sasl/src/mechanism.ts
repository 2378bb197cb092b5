import type { Secret } from './secret.ts';

/**
 * A SASL mechanism (RFC 4422), both sides. An exchange is a chain of steps: each says what is wanted and carries `next`, which takes
 * the answer and gives the step that follows. Steps are values: nothing is kept elsewhere, and an exchange ends by dropping its step.
 * `next` never throws, whatever the peer sent.
 */
export interface Mechanism {
  /** As registered, e.g. `SCRAM-SHA-256-PLUS`. */
  readonly name: string;
  /** Whether the client may speak first: then its first response may come with the command that begins the exchange. */
  readonly clientFirst: boolean;
  /** Whether it needs data of the TLS connection (RFC 5056): without `bindings` it is neither offered nor chosen. */
  readonly bound: boolean;
  /** Whether a server learns the password or the token itself: a client shows it to nobody who might have made it give up another mechanism. */
  readonly reveals: boolean;
  /** The steps of the server's side that ask its program: any one of them has to be answered. */
  readonly asks: readonly ('verify' | 'lookup')[];
  /** Whether the context has what the client's side needs. */
  suits(context: ClientContext): boolean;
  client(context: ClientContext): ClientStep;
  server(context: ServerContext): ServerStep;
}

/** Mechanisms as they are named: `[plain(), scram()]`. Some come in twos. */
export type Mechanisms = readonly (Mechanism | readonly Mechanism[])[];

/** Data that binds an exchange to its TLS connection (RFC 5929, RFC 9266), by its type: `tls-exporter`, `tls-server-end-point`. */
export type Bindings = ReadonlyMap<string, Uint8Array>;

/** What a client has to show. */
export interface Credentials {
  readonly user?: string;
  readonly password?: string | Secret<string>;
  /** An OAuth 2.0 access token, in place of a password. */
  readonly token?: string | Secret<string>;
  /** Whom to act as, where that is not the user. */
  readonly authzid?: string;
}

export interface ClientContext {
  readonly credentials: Credentials;
  /** Printable ASCII without comma, never used before: 18 random octets in base64 are good. SCRAM needs it. */
  readonly nonce?: string;
  readonly bindings?: Bindings;
  /** The names that the server offers. Absent: not known. */
  readonly offered?: readonly string[];
  /** Where the client has connected to; OAUTHBEARER tells it. */
  readonly host?: string;
  readonly port?: number;
}

export interface ServerContext {
  /** Printable ASCII without comma, never used before: 18 random octets in base64 are good. */
  readonly nonce: string;
  /** Of the server; CRAM-MD5 shows it. */
  readonly hostname: string;
  /**
   * Octets that only this server knows, and that stay the same: from them follow the salts of users that have none, be it that their
   * password is stored or that they do not exist.
   */
  readonly pepper: Uint8Array;
  readonly bindings?: Bindings;
}

/** What the client's side wants. */
export type ClientStep = Respond | Derive<ClientStep> | ClientFailure;

/** Send this; what the server answers is for `next`, if it is a challenge. */
export interface Respond {
  readonly type: 'respond';
  /** Null: the server speaks first. */
  readonly response: Secret<Uint8Array> | null;
  /** Whether the server may now declare success. If it does where this is false it is an impostor: the exchange has failed. */
  readonly final: boolean;
  /** What the server says was wrong, where the mechanism lets it say so: the response only asks for the refusal. */
  readonly problem?: string;
  next(challenge: Uint8Array): ClientStep;
}

/** Give up: cancel the exchange. */
export interface ClientFailure {
  readonly type: 'failure';
  readonly reason: ClientFailureReason;
}

export type ClientFailureReason =
  | 'credentials' // what the context has can't be used: absent, or with characters that are not allowed
  | 'binding' // a bound mechanism without a binding
  | 'malformed' // the challenge can't be understood
  | 'nonce' // the server's nonce does not extend the client's
  | 'iterations' // more or fewer than the policy takes
  | 'refused' // the server says that it has failed
  | 'impostor' // the server does not know the password, nor what follows from it
  | 'unexpected'; // a challenge where there is nothing to say

/** What the server's side wants. */
export type ServerStep = Challenge | Lookup | Verify | Derive<ServerStep> | Success | ServerFailure;

/** Send this; the client's response is for `next`. */
export interface Challenge {
  readonly type: 'challenge';
  readonly challenge: Uint8Array;
  next(response: Uint8Array): ServerStep;
}

/** Give what is stored for a user; null if there is no such user. */
export interface Lookup {
  readonly type: 'lookup';
  /** Prepared by SASLprep. */
  readonly user: string;
  next(stored: Stored | null): ServerStep;
}

/** Judge a claim: give the name of the user if it is right, null if it is not, and for a token what is wrong with it. */
export interface Verify {
  readonly type: 'verify';
  readonly claim: Claim;
  next(user: string | null, problem?: OauthProblem): ServerStep;
  /** Judges the claim by what is stored for its user. Only for a password. */
  compare?(stored: Stored | null): ServerStep;
}

/** What is wrong with a token (RFC 7628 3.2.2). What is left out says the mechanism's own options. */
export interface OauthProblem {
  /** `invalid_token`, if nothing is said; `insufficient_scope` and others (RFC 6750 3.1). */
  readonly status?: string;
  readonly scope?: string;
  readonly openidConfiguration?: string;
}

/** What a client claims of itself. Names have been prepared by SASLprep and have no control characters. */
export type Claim = PasswordClaim | TokenClaim | ExternalClaim | AnonymousClaim;

export interface PasswordClaim {
  readonly type: 'password';
  readonly user: string;
  readonly password: Secret<string>;
  /** Whom the client wants to act as; null: itself. */
  readonly authzid: string | null;
}

export interface TokenClaim {
  readonly type: 'token';
  /** The user whose token it is said to be; empty if the client did not say. */
  readonly user: string;
  readonly token: Secret<string>;
  /** Where the client thinks that it has connected to; null if it did not say. */
  readonly host: string | null;
  readonly port: number | null;
}

/** The client is who another layer says it is, such as its certificate. */
export interface ExternalClaim {
  readonly type: 'external';
  readonly authzid: string | null;
}

export interface AnonymousClaim {
  readonly type: 'anonymous';
  /** What the client says of itself, for a log: nobody vouches for it. */
  readonly trace: string;
}

/** The client is who it claims to be. Whether it may act as `authzid` is not for the mechanism to say. */
export interface Success {
  readonly type: 'success';
  readonly user: string;
  /** Whom it wants to act as; null: itself. */
  readonly authzid: string | null;
}

export interface ServerFailure {
  readonly type: 'failure';
  readonly reason: ServerFailureReason;
}

export type ServerFailureReason =
  | 'malformed' // the response can't be understood
  | 'credentials' // not the right ones, or no such user
  | 'binding'; // not of this TLS connection, or somebody hid from the client that the server has bound mechanisms

/** Derive a key; Web Crypto does it off the thread, `derivation.derive()` at once. */
export interface Derive<Next> {
  readonly type: 'derive';
  readonly derivation: Derivation;
  next(key: Uint8Array): Next;
}

/** PBKDF2 (RFC 8018 5.2) with HMAC. */
export interface Derivation {
  readonly hash: HashName;
  readonly password: Secret<Uint8Array>;
  readonly salt: Uint8Array;
  readonly iterations: number;
  /** Octets of the key. */
  readonly length: number;
  /** Computes the key on the spot. */
  derive(): Uint8Array;
}

/** As Web Crypto names them. */
export type HashName = 'SHA-1' | 'SHA-256' | 'SHA-512';

/** What a server stores of a user: the password, or keys that follow from it (RFC 5802 3). */
export type Stored = string | Secret<string> | StoredKeys;

/** Keys by which a server knows a password without having it. */
export interface StoredKeys {
  readonly hash: HashName;
  readonly iterations: number;
  readonly salt: Uint8Array;
  readonly storedKey: Secret<Uint8Array>;
  readonly serverKey: Secret<Uint8Array>;
  /** Judges a password. */
  check(password: string): Derive<boolean>;
  /** Keys that no password opens and that look like these: for a user who does not exist. */
  decoy(user: string, pepper: Uint8Array): StoredKeys;
  /** `{SCRAM-SHA-256}iterations,salt,storedKey,serverKey`, to be kept in a file. */
  format(): string;
}
