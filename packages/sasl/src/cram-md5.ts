import { hmac } from '@noble/hashes/hmac.js';
import { md5 } from '@noble/hashes/legacy.js';
import { ascii, concat, encodeUtf8, equal } from './bytes.ts';
import type { Mechanism, ServerStep } from './mechanism.ts';
import { userName, userNameOf } from './names.ts';
import { hasPassword } from './plain.ts';
import { admit, awaitChallenge, challenge, giveUp, isEmpty, isPassword, lastResponse, refuse, succeed, textOf } from './steps.ts';

/**
 * CRAM-MD5 (RFC 2195): shows that the client knows the password without sending it. The server has to store the password itself, and
 * does not show that it knows it; better than PLAIN only where there is no TLS.
 */
export function cramMd5(): Mechanism {
  return {
    name: 'CRAM-MD5',
    clientFirst: false,
    bound: false,
    reveals: false,
    asks: ['lookup'],
    suits: hasPassword,
    client: ({ credentials: { user = '', password = '' } }) => {
      const name = userName(user);
      if (name === null || isEmpty(textOf(password))) return giveUp('credentials');
      const key = encodeUtf8(textOf(password));
      return awaitChallenge((message) => lastResponse(concat(encodeUtf8(`${name} `), digestOf(key, message))));
    },
    server: ({ nonce, hostname }) => {
      // RFC 2195 2: of the form of a msg-id.
      const message = ascii(`<${nonce}@${hostname}>`);
      return challenge(message, (response) => check(message, response));
    },
  };
}

const SP = 0x20;
const DIGEST_LENGTH = 32;

/** The response is the name of the user, a space, and the digest; the name may have spaces of its own. */
function check(message: Uint8Array, response: Uint8Array): ServerStep {
  const end = response.length - DIGEST_LENGTH - 1;
  if (end < 1 || response[end] !== SP) return refuse('malformed');
  const user = userNameOf(response.subarray(0, end));
  if (user === null) return refuse('credentials');
  const shown = response.subarray(end + 1);
  return {
    type: 'lookup',
    user,
    next(stored) {
      // The digest is computed for a user who does not exist, too: it takes as long.
      const password = stored !== null && isPassword(stored) ? textOf(stored) : null;
      const right = equal(digestOf(encodeUtf8(password ?? ''), message), shown);
      return right && password !== null ? admit(stored!, succeed(user, null)) : refuse('credentials');
    },
  };
}

/** RFC 2195 2: in hexadecimal, lower case. */
function digestOf(key: Uint8Array, message: Uint8Array): Uint8Array {
  return ascii([...hmac(md5, key, message)].map((octet) => octet.toString(16).padStart(2, '0')).join(''));
}
