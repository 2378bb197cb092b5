import type { Mechanism } from '../mechanism.ts';
import { hasPassword } from '../plain.ts';
import { checkSetting, checkSettings, ITERATIONS_RULE, isCount, type Rules } from '../settings.ts';
import { beginClient, chooseBinding } from './client.ts';
import { HASH_RULE, nameOf, type ScramHash, SHA256 } from './hash.ts';
import { ITERATIONS } from './keys.ts';
import type { ScramPolicy } from './policy.ts';
import { beginServer } from './server.ts';

export interface ScramOptions {
  /** Iterations for users whose password is stored, on the server's side. Default: 4096; RFC 7677 4. */
  readonly iterations?: number;
  /**
   * The least and the most iterations that a client takes from a server: fewer are too weak, more would hold the client up. Default:
   * `[4096, 600000]`.
   */
  readonly accepted?: readonly [least: number, most: number];
}

const ACCEPTED = [ITERATIONS, 600_000] as const;

const SCRAM_RULES: Rules = {
  iterations: ITERATIONS_RULE,
  accepted: [
    'two whole numbers, the least and the most',
    (value) => Array.isArray(value) && value.length === 2 && value.every(isCount) && value[0]! <= value[1]!,
  ],
};

/**
 * SCRAM (RFC 5802, RFC 7677), with its -PLUS form that is bound to the TLS connection: each side shows that it knows the password, and
 * neither sends it. The server needs to store only keys that follow from it. Throws a `RangeError` for an option that is misspelt or wrong.
 *
 * @example
 * ```ts
 * import { SHA512, scram } from '@ehlo/sasl';
 * const names = [scram(), scram(SHA512)].flat().map(({ name }) => name);
 * // → ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'SCRAM-SHA-512-PLUS', 'SCRAM-SHA-512']
 * ```
 */
export function scram(hash: ScramHash = SHA256, options: ScramOptions = {}): readonly [plus: Mechanism, bare: Mechanism] {
  checkSetting('the hash of scram', hash, HASH_RULE);
  checkSettings(options, SCRAM_RULES);
  const { iterations = ITERATIONS, accepted = ACCEPTED } = options;
  const policy = { hash, iterations, accepted };
  return [mechanism({ ...policy, bound: true }), mechanism({ ...policy, bound: false })];
}

function mechanism(policy: ScramPolicy): Mechanism {
  const { hash, bound } = policy;
  return {
    name: nameOf(hash, bound),
    clientFirst: true,
    bound,
    reveals: false,
    asks: ['lookup'],
    suits: (context) => hasPassword(context) && (!bound || chooseBinding(context.bindings) !== null),
    client: (context) => beginClient(policy, context),
    server: (context) => beginServer(policy, context),
  };
}
