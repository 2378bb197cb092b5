import { encodeUtf8, equal } from './bytes.ts';
import type {
  Claim,
  ClientFailure,
  ClientFailureReason,
  ClientStep,
  PasswordClaim,
  Respond,
  ServerFailure,
  ServerFailureReason,
  ServerStep,
  Stored,
  Success,
  Verify,
} from './mechanism.ts';
import { saslprep } from './saslprep.ts';
import { Decoy, Secret } from './secret.ts';

export const EMPTY: Uint8Array = new Uint8Array(0);

export function giveUp(reason: ClientFailureReason): ClientFailure {
  return { type: 'failure', reason };
}

/** A response after which the server decides. */
export function lastResponse(response: Uint8Array): Respond {
  return respond(response, true, () => giveUp('unexpected'));
}

export function respond(response: Uint8Array, final: boolean, next: (challenge: Uint8Array) => ClientStep): Respond {
  return { type: 'respond', response: new Secret(response), final, next };
}

/** The server speaks first. */
export function awaitChallenge(next: (challenge: Uint8Array) => ClientStep): Respond {
  return { type: 'respond', response: null, final: false, next };
}

export function refuse(reason: ServerFailureReason): ServerFailure {
  return { type: 'failure', reason };
}

export function challenge(data: Uint8Array, next: (response: Uint8Array) => ServerStep): ServerStep {
  return { type: 'challenge', challenge: data, next };
}

export function succeed(user: string, authzid: string | null): Success {
  return { type: 'success', user, authzid };
}

/** Has a claim judged. */
export function verify(claim: Exclude<Claim, PasswordClaim>, authzid: string | null = null): Verify {
  return { type: 'verify', claim, next: (user) => (user === null ? refuse('credentials') : succeed(user, authzid)) };
}

/**
 * What every mechanism by a stored secret ends with, behind a right proof: an empty password authenticates nobody, in whatever form it
 * is stored, and neither does what stands for a user who does not exist. Of keys it takes one derivation to see what they were made of.
 */
export function admit(stored: Stored, success: ServerStep): ServerStep {
  const refusal = refuse('credentials');
  if (isPassword(stored)) return stored instanceof Decoy || isEmpty(textOf(stored)) ? refusal : success;
  const { type, derivation, next } = stored.check('');
  return { type, derivation, next: (key) => (next(key) ? refusal : success) };
}

/** Whether a password is empty, or nothing is left of it where it is prepared. */
export function isEmpty(password: string): boolean {
  return saslprep(password) === '';
}

/** Has a password judged. RFC 4616 2: presented and stored passwords are prepared before they are compared; what can't be is wrong. */
export function verifyPassword(user: string | null, presented: string | null, authzid: string | null): ServerStep {
  const password = presented === null ? null : saslprep(presented);
  if (user === null || password === null || isEmpty(password)) return refuse('credentials');
  const decided = (right: boolean): ServerStep => (right ? succeed(user, authzid) : refuse('credentials'));
  return {
    type: 'verify',
    claim: { type: 'password', user, password: new Secret(password), authzid },
    next: (name) => (name === null ? refuse('credentials') : succeed(name, authzid)),
    compare(stored) {
      if (stored === null) return refuse('credentials');
      if (!isPassword(stored)) {
        const { type, derivation, next } = stored.check(password);
        return { type, derivation, next: (key) => decided(next(key)) };
      }
      const expected = saslprep(textOf(stored));
      return expected !== null && samePassword(expected, password) ? admit(stored, decided(true)) : decided(false);
    },
  };
}

export function isPassword(stored: Stored): stored is string | Secret<string> {
  return typeof stored === 'string' || 'expose' in stored;
}

export function textOf(password: string | Secret<string>): string {
  return typeof password === 'string' ? password : password.expose();
}

function samePassword(a: string, b: string): boolean {
  return equal(encodeUtf8(a), encodeUtf8(b));
}
