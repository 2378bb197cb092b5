// What the driver has to know of a SASL mechanism: the values of @ehlo/sasl are of these shapes, and so may be your own.

/** A mechanism, on the server's side. */
export interface ServerMechanism {
  readonly name: string;
  /** Whether the client may speak first. */
  readonly clientFirst: boolean;
  /** Whether it needs data of the TLS connection. */
  readonly bound: boolean;
  /** The steps that ask the program: any one of them has to be answered. */
  readonly asks: readonly ('verify' | 'lookup')[];
  server(context: ServerMechanismContext): ServerStep;
}

export interface ServerMechanismContext {
  readonly nonce: string;
  readonly hostname: string;
  readonly pepper: Uint8Array;
  readonly bindings?: ReadonlyMap<string, Uint8Array>;
}

/** What an exchange wants next; `next` takes the answer and never throws. */
export type ServerStep =
  | { readonly type: 'challenge'; readonly challenge: Uint8Array; next(response: Uint8Array): ServerStep }
  | { readonly type: 'lookup'; readonly user: string; next(stored: Stored | null): ServerStep }
  | VerifyStep
  | DeriveStep<ServerStep>
  | { readonly type: 'success'; readonly user: string; readonly authzid: string | null }
  | { readonly type: 'failure'; readonly reason: 'malformed' | 'credentials' | 'binding' };

export interface VerifyStep {
  readonly type: 'verify';
  readonly claim: Claim;
  /** `problem` is for a mechanism that tells its client what was wrong. */
  next(user: string | null, problem?: OauthProblem): ServerStep;
  compare?(stored: Stored | null): ServerStep;
}

/** What is wrong with a token (RFC 7628 3.2.2). What is left out says the mechanism's own options. */
export interface OauthProblem {
  /** `invalid_token`, if nothing is said; `insufficient_scope` and others (RFC 6750 3.1). */
  readonly status?: string;
  /** The scope that a token needs. */
  readonly scope?: string;
  /** The `https` URL of the OpenID provider's configuration. */
  readonly openidConfiguration?: string;
}

export interface DeriveStep<Next> {
  readonly type: 'derive';
  readonly derivation: Derivation;
  next(key: Uint8Array): Next;
}

/** PBKDF2 with HMAC. */
export interface Derivation {
  readonly hash: 'SHA-1' | 'SHA-256' | 'SHA-512';
  readonly password: Hidden<Uint8Array>;
  readonly salt: Uint8Array;
  readonly iterations: number;
  /** Octets of the key. */
  readonly length: number;
  derive(): Uint8Array;
}

/** What no log shows. */
export interface Hidden<T> {
  expose(): T;
}

/** What a client claims of itself, to be judged. */
export type Claim =
  | { readonly type: 'password'; readonly user: string; readonly password: Hidden<string>; readonly authzid: string | null }
  | {
      readonly type: 'token';
      readonly user: string;
      readonly token: Hidden<string>;
      readonly host: string | null;
      readonly port: number | null;
    }
  | { readonly type: 'external'; readonly authzid: string | null }
  | { readonly type: 'anonymous'; readonly trace: string };

/** What is stored of a user: the password, or keys that follow from it (`parseScramKeys` of @ehlo/sasl). */
export type Stored = string | Hidden<string> | StoredKeys;

export interface StoredKeys {
  readonly hash: string;
  readonly iterations: number;
  readonly salt: Uint8Array;
  check(password: string): DeriveStep<boolean>;
}

/** Derives a key off the thread where there is Web Crypto, else on the spot. */
export async function deriveKey(derivation: Derivation): Promise<Uint8Array> {
  const { hash, password, salt, iterations, length } = derivation;
  // Absent in a browser's page that was not loaded securely.
  const subtle = (globalThis as Partial<typeof globalThis>).crypto?.subtle as typeof crypto.subtle | undefined;
  if (subtle === undefined) return derivation.derive();
  const key = await subtle.importKey('raw', password.expose().slice(), 'PBKDF2', false, ['deriveBits']);
  return new Uint8Array(await subtle.deriveBits({ name: 'PBKDF2', hash, salt: salt.slice(), iterations }, key, length * 8));
}

export function randomOctets(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}

/** 144 bits of printable ASCII without a comma: for one exchange. */
export function freshNonce(): string {
  return btoa(String.fromCharCode(...randomOctets(18)));
}
