import { decodeUtf8, encodeUtf8 } from './bytes.ts';
import type { ClientContext, ClientStep, Mechanism, ServerStep } from './mechanism.ts';
import { identityOf, isIdentity, userName, userNameOf } from './names.ts';
import { saslprep } from './saslprep.ts';
import { awaitChallenge, challenge, EMPTY, giveUp, lastResponse, refuse, respond, textOf, verifyPassword } from './steps.ts';

/**
 * PLAIN (RFC 4616): user and password as they are. Only for connections that nobody can listen to.
 *
 * @example
 * ```ts
 * import { plain } from '@ehlo/sasl';
 * const step = plain().client({ credentials: { user: 'tim', password: 'tanstaaftanstaaf' } });
 * step.type // → 'respond'
 * ```
 */
export function plain(): Mechanism {
  return {
    name: 'PLAIN',
    clientFirst: true,
    bound: false,
    reveals: true,
    asks: ['verify', 'lookup'],
    suits: hasPassword,
    client: ({ credentials: { user = '', password = '', authzid = '' } }) => {
      const name = userName(user);
      const prepared = saslprep(textOf(password));
      if (name === null || !prepared || (authzid !== '' && !isIdentity(authzid))) return giveUp('credentials');
      return lastResponse(encodeUtf8(`${authzid}\0${name}\0${prepared}`));
    },
    server: () => challenge(EMPTY, readPlain),
  };
}

/**
 * LOGIN (draft-murchison-sasl-login): user and password as they are, one after the other. Obsolete, and what some clients have.
 */
export function login(): Mechanism {
  return {
    name: 'LOGIN',
    clientFirst: true, // there are clients that send the user's name with the command
    bound: false,
    reveals: true,
    asks: ['verify', 'lookup'],
    suits: hasPassword,
    client: ({ credentials: { user = '', password = '' } }) => loginResponses(user, textOf(password)),
    // The draft's own words are "User Name"; these are what a widespread client waits for.
    server: () => challenge(encodeUtf8('Username:'), (name) => challenge(encodeUtf8('Password:'), (password) => readLogin(name, password))),
  };
}

export function hasPassword({ credentials: { user = '', password } }: ClientContext): boolean {
  return user !== '' && password !== undefined;
}

/** RFC 4616 2: message = [authzid] NUL authcid NUL passwd. */
function readPlain(message: Uint8Array): ServerStep {
  const first = message.indexOf(0);
  const second = message.indexOf(0, first + 1);
  if (first < 0 || second <= first + 1 || second + 1 === message.length || message.includes(0, second + 1)) return refuse('malformed');
  const user = decodeUtf8(message.subarray(first + 1, second));
  const password = decodeUtf8(message.subarray(second + 1));
  const authzid = identityOf(message.subarray(0, first));
  if (user === null || password === null || authzid === undefined) return refuse('malformed');
  return verifyPassword(userName(user), password, authzid);
}

function readLogin(user: Uint8Array, password: Uint8Array): ServerStep {
  return verifyPassword(userNameOf(user), decodeUtf8(password), null);
}

/** The challenges say nothing that matters (draft 2.1). */
function loginResponses(user: string, password: string): ClientStep {
  const name = userName(user);
  const prepared = saslprep(password);
  if (name === null || !prepared) return giveUp('credentials');
  return awaitChallenge(() => respond(encodeUtf8(name), false, () => lastResponse(encodeUtf8(prepared))));
}
