import { hmac } from '@noble/hashes/hmac.js';
import { sha1 } from '@noble/hashes/legacy.js';
import { pbkdf2 } from '@noble/hashes/pbkdf2.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { ascii, concat, encodeUtf8 } from '../bytes.ts';
import type { Derivation, HashName } from '../mechanism.ts';
import { Secret } from '../secret.ts';

/** A hash that SCRAM can be built on. */
export interface ScramHash {
  readonly name: HashName;
  /** Octets of its output. */
  readonly size: number;
  digest(bytes: Uint8Array): Uint8Array;
  hmac(key: Uint8Array, bytes: Uint8Array): Uint8Array;
  pbkdf2(password: Uint8Array, salt: Uint8Array, iterations: number): Uint8Array;
}

/** RFC 5802: for servers that know no better. */
export const SHA1: ScramHash = /* @__PURE__ */ scramHash('SHA-1', sha1);

/** RFC 7677. */
export const SHA256: ScramHash = /* @__PURE__ */ scramHash('SHA-256', sha256);

/** draft-melnikov-scram-sha-512. */
export const SHA512: ScramHash = /* @__PURE__ */ scramHash('SHA-512', sha512);

function scramHash(name: HashName, hash: typeof sha1 | typeof sha256 | typeof sha512): ScramHash {
  return {
    name,
    size: hash.outputLen,
    digest: (bytes) => hash(bytes),
    hmac: (key, bytes) => hmac(hash, key, bytes),
    pbkdf2: (password, salt, c) => pbkdf2(hash, password, salt, { c, dkLen: hash.outputLen }),
  };
}

/** A name in the place of a hash would be none. */
export const HASH_RULE = [
  'SHA1, SHA256 or SHA512, imported',
  (value: unknown): boolean => typeof (value as Partial<ScramHash> | null)?.digest === 'function',
] as const;

/** RFC 5802 4: the name of the mechanism; with `-PLUS` it binds. */
export function nameOf({ name }: ScramHash, bound: boolean): string {
  return `SCRAM-${name}${bound ? '-PLUS' : ''}`;
}

/** RFC 5802 3: SaltedPassword := Hi(Normalize(password), salt, i), which is PBKDF2. */
export function saltedPassword(hash: ScramHash, prepared: string, salt: Uint8Array, iterations: number): Derivation {
  const password = encodeUtf8(prepared);
  return {
    hash: hash.name,
    password: new Secret(password),
    salt,
    iterations,
    length: hash.size,
    derive: () => hash.pbkdf2(password, salt, iterations),
  };
}

/** The keys that follow from it. */
export interface KeyPair {
  readonly clientKey: Uint8Array;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

export function keysOf(hash: ScramHash, salted: Uint8Array): KeyPair {
  const clientKey = hash.hmac(salted, ascii('Client Key'));
  return { clientKey, storedKey: hash.digest(clientKey), serverKey: hash.hmac(salted, ascii('Server Key')) };
}

/** Octets that look random, and are always the same for a user of this server. */
export function seeded(hash: ScramHash, pepper: Uint8Array, use: string, user: string, length: number): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (let i = 0; i * hash.size < length; i++) blocks.push(hash.hmac(pepper, encodeUtf8(`${hash.name}\0${use}\0${i}\0${user}`)));
  return concat(...blocks).slice(0, length);
}
