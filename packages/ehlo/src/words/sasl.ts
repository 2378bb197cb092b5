import type { KeyOptions, OauthOptions, ScramOptions } from '@ehlo/sasl';
import type { WordsOf } from './words.ts';

/** The second argument of `scram`. */
export const SCRAM: WordsOf<ScramOptions> = {
  iterations: {
    type: 'whole number, 1 to 10000000',
    what: "iterations for users whose password is stored, on the server's side",
    default: '4096',
    source: 'RFC 7677 4',
  },
  accepted: {
    type: 'two numbers',
    what: 'the least and the most iterations that a client takes from a server: fewer are too weak, more would hold the client up',
    default: '`[4096, 600000]`',
  },
};

/** The argument of `oauthBearer` and `xoauth2`: the information for a client whose token is rejected. */
export const OAUTH: WordsOf<OauthOptions> = {
  scope: { type: 'text', what: 'the scope that a token needs', source: 'RFC 7628 3.2.2' },
  openidConfiguration: { type: 'text', what: "the `https` URL of the OpenID provider's configuration", source: 'RFC 7628 3.2.2' },
};

/** The second argument of `scramKeys`. */
export const KEYS: WordsOf<KeyOptions> = {
  salt: { type: 'octets', what: 'random octets: 16 are good', more: 'A salt is used once.' },
  iterations: { type: 'whole number, 1 to 10000000', what: 'iterations of the hash', default: '4096, the least of RFC 5802 and RFC 7677' },
  hash: { type: '`SHA1`, `SHA256`, `SHA512`', what: 'the hash that the keys are made with', default: 'SHA-256' },
};
