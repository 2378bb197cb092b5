import { decodeBase64, encodeBase64, equal } from '../bytes.ts';
import type { Derive, HashName, StoredKeys } from '../mechanism.ts';
import { saslprep } from '../saslprep.ts';
import { Secret } from '../secret.ts';
import { checkSetting, checkSettings, ITERATIONS_RULE, isCount, type Rules } from '../settings.ts';
import { HASH_RULE, keysOf, type ScramHash, SHA256, saltedPassword, seeded } from './hash.ts';

/** How keys are made from a password. */
export interface KeyOptions {
  /** Random octets: 16 are good. A salt is used once. */
  readonly salt: Uint8Array;
  /** Iterations of the hash. Default: 4096, the least of RFC 5802 and RFC 7677. */
  readonly iterations?: number;
  /** The hash that the keys are made with. Default: SHA-256. */
  readonly hash?: ScramHash;
}

export const ITERATIONS = 4096;

const KEY_RULES = {
  salt: ['octets, at least one', (value) => value instanceof Uint8Array && value.length > 0],
  iterations: ITERATIONS_RULE,
  hash: HASH_RULE,
} as const satisfies Rules;

/**
 * Makes the keys by which a server knows a password without having it. Computes at once: some 25 ms for 4096 iterations.
 *
 * Throws a `RangeError` if the password can't be prepared by SASLprep, or the salt or the number of iterations is none.
 *
 * @example
 * ```ts
 * import { scramKeys } from '@ehlo/sasl';
 * const salt = Uint8Array.from([0x5b, 0x6d, 0x99, 0x68, 0x9d, 0x12, 0x35, 0x8e, 0xec, 0xa0, 0x4b, 0x14, 0x12, 0x36, 0xfa, 0x81]);
 * scramKeys('pencil', { salt }).format()
 * // → '{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU='
 * ```
 */
export function scramKeys(password: string, options: KeyOptions): StoredKeys {
  checkSettings(options, KEY_RULES);
  const { salt, iterations = ITERATIONS, hash = SHA256 } = options;
  checkSetting('salt', salt, KEY_RULES.salt);
  const prepared = saslprep(password, 'stored');
  if (!prepared) throw new RangeError('the password is empty or has characters that SASLprep does not allow (RFC 4013)');
  const { storedKey, serverKey } = keysOf(hash, saltedPassword(hash, prepared, salt, iterations).derive());
  return new ScramKeys(hash, iterations, salt, storedKey, serverKey);
}

/** Reads what `format` of keys writes; null if it is not that, or of a hash that is not among these. */
export function parseScramKeys(text: string, hashes: readonly ScramHash[] = [SHA256]): StoredKeys | null {
  const [, name, ...fields] = /^\{SCRAM-([A-Z0-9-]+)\}([1-9][0-9]{0,7}),([^,]+),([^,]+),([^,]+)$/.exec(text) ?? [];
  const hash = hashes.find((one) => one.name === name);
  const [salt = null, storedKey = null, serverKey = null] = fields.slice(1).map(decodeBase64);
  const iterations = Number(fields[0]);
  if (hash === undefined || salt === null || storedKey === null || serverKey === null || !isCount(iterations)) return null;
  if (storedKey.length !== hash.size || serverKey.length !== hash.size) return null;
  return new ScramKeys(hash, iterations, salt, storedKey, serverKey);
}

class ScramKeys implements StoredKeys {
  readonly hash: HashName;
  readonly iterations: number;
  readonly salt: Uint8Array;
  readonly storedKey: Secret<Uint8Array>;
  readonly serverKey: Secret<Uint8Array>;
  readonly #hash: ScramHash;

  constructor(hash: ScramHash, iterations: number, salt: Uint8Array, storedKey: Uint8Array, serverKey: Uint8Array) {
    this.#hash = hash;
    this.hash = hash.name;
    this.iterations = iterations;
    this.salt = salt;
    this.storedKey = new Secret(storedKey);
    this.serverKey = new Secret(serverKey);
  }

  check(password: string): Derive<boolean> {
    const prepared = saslprep(password, 'stored');
    return {
      type: 'derive',
      derivation: saltedPassword(this.#hash, prepared ?? '', this.salt, this.iterations),
      next: (salted) => prepared !== null && equal(keysOf(this.#hash, salted).storedKey, this.storedKey.expose()),
    };
  }

  decoy(user: string, pepper: Uint8Array): StoredKeys {
    const seed = (use: string, length: number): Uint8Array => seeded(this.#hash, pepper, use, user, length);
    const { size } = this.#hash;
    return new ScramKeys(this.#hash, this.iterations, seed('salt', this.salt.length), seed('stored', size), seed('server', size));
  }

  format(): string {
    const fields = [this.salt, this.storedKey.expose(), this.serverKey.expose()].map(encodeBase64);
    return `{SCRAM-${this.hash}}${[this.iterations, ...fields].join(',')}`;
  }
}
