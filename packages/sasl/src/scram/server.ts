import { concat, decodeBase64, encodeBase64, encodeUtf8, equal, xor } from '../bytes.ts';
import { readSaslName } from '../gs2.ts';
import type { Bindings, Derivation, ServerContext, ServerStep, Stored } from '../mechanism.ts';
import { isIdentity, userName } from '../names.ts';
import { saslprep } from '../saslprep.ts';
import { admit, challenge, EMPTY, isPassword, refuse, succeed, textOf } from '../steps.ts';
import { keysOf, saltedPassword, seeded } from './hash.ts';
import { attributes, isNonce, ownNonce, textOfMessage } from './message.ts';
import type { ScramPolicy } from './policy.ts';

const SALT_LENGTH = 16;

/** What the client has said. */
interface Opening {
  readonly policy: ScramPolicy;
  readonly user: string;
  readonly authzid: string | null;
  readonly clientNonce: string;
  /** client-first-message-bare, as received: it is hashed so (RFC 5802 5.1). */
  readonly bare: string;
  /** What "c=" has to hold: the GS2 header and the binding's data. */
  readonly binding: Uint8Array;
}

/** What the proof is checked against. */
interface Verifier {
  readonly salt: Uint8Array;
  readonly iterations: number;
  /** The keys themselves, or what they follow from. */
  readonly keys: Keys | Derivation;
  /** Whose they are: null, nobody's. */
  readonly stored: Stored | null;
}

interface Keys {
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

export function beginServer(policy: ScramPolicy, context: ServerContext): ServerStep {
  const nonce = ownNonce(context.nonce);
  return challenge(EMPTY, (message) => {
    const opening = readClientFirst(policy, context.bindings ?? new Map(), textOfMessage(message));
    if (typeof opening === 'string') return refuse(opening);
    return {
      type: 'lookup',
      user: opening.user,
      next: (stored) => answer(opening, verifierOf(opening, stored, context.pepper), opening.clientNonce + nonce),
    };
  });
}

/** RFC 5802 7: client-first-message = gs2-cbind-flag "," [authzid] "," client-first-message-bare. */
const CLIENT_FIRST = /^([ny]|p=([A-Za-z0-9.-]+)),(?:a=([^,]+))?,(.*)$/s;

function readClientFirst(policy: ScramPolicy, bindings: Bindings, message: string): Opening | 'malformed' | 'binding' {
  const [, flag, type, encodedAuthzid, bare] = CLIENT_FIRST.exec(message) ?? [];
  const [encodedName, clientNonce] = attributes(bare ?? '', 'nr') ?? [];
  if (flag === undefined || bare === undefined || encodedName === undefined || clientNonce === undefined) return 'malformed';
  const user = userName(readSaslName(encodedName) ?? '');
  const authzid = encodedAuthzid === undefined ? null : (readSaslName(encodedAuthzid) ?? '');
  if (user === null || (authzid !== null && !isIdentity(authzid)) || !isNonce(clientNonce)) return 'malformed';
  const data = bindingData(policy, bindings, flag, type);
  if (data === null) return 'binding';
  const header = message.slice(0, message.length - bare.length);
  return { policy, user, authzid, clientNonce, bare, binding: concat(encodeUtf8(header), data) };
}

/** RFC 5802 6, RFC 5801 5: the -PLUS forms bind, and no others; null: the exchange must fail. */
function bindingData({ bound }: ScramPolicy, bindings: Bindings, flag: string, type: string | undefined): Uint8Array | null {
  if (type !== undefined) return bound ? (bindings.get(type) ?? null) : null;
  if (bound) return null;
  // "y": the client saw no -PLUS form in the list. There was one, if there is data to bind to: somebody took it out.
  return flag === 'y' && bindings.size > 0 ? null : EMPTY;
}

/** A user who does not exist gets a salt, too, and always the same: an answer must not tell who exists. */
function verifierOf({ policy: { hash, iterations }, user }: Opening, stored: Stored | null, pepper: Uint8Array): Verifier {
  if (stored !== null && !isPassword(stored) && stored.hash === hash.name) {
    const keys = { storedKey: stored.storedKey.expose(), serverKey: stored.serverKey.expose() };
    return { salt: stored.salt, iterations: stored.iterations, keys, stored };
  }
  const salt = seeded(hash, pepper, 'salt', user, SALT_LENGTH);
  const password = stored !== null && isPassword(stored) ? saslprep(textOf(stored), 'stored') : null;
  if (password) return { salt, iterations, keys: saltedPassword(hash, password, salt, iterations), stored };
  const nobody = (use: string): Uint8Array => seeded(hash, pepper, use, user, hash.size);
  return { salt, iterations, keys: { storedKey: nobody('stored'), serverKey: nobody('server') }, stored: null };
}

/** server-first-message. */
function answer(opening: Opening, verifier: Verifier, nonce: string): ServerStep {
  const { salt, iterations, keys, stored } = verifier;
  const serverFirst = `r=${nonce},s=${encodeBase64(salt)},i=${iterations}`;
  return challenge(encodeUtf8(serverFirst), (response) => {
    const final = readClientFinal(opening, nonce, textOfMessage(response));
    if (typeof final === 'string') return refuse(final);
    const transcript = encodeUtf8(`${opening.bare},${serverFirst},${final.unproved}`);
    const decide = (pair: Keys): ServerStep => {
      const step = conclude(opening, pair, transcript, final.proof);
      return stored !== null && step.type === 'challenge' ? admit(stored, step) : refuse('credentials');
    };
    if (!('derive' in keys)) return decide(keys);
    return {
      type: 'derive',
      derivation: keys,
      next: (salted) => decide(keysOf(opening.policy.hash, salted)),
    };
  });
}

interface ClientFinal {
  /** client-final-message-without-proof. */
  readonly unproved: string;
  readonly proof: Uint8Array;
}

/** RFC 5802 7: client-final-message = channel-binding "," nonce ["," extensions] "," proof. */
function readClientFinal({ policy, binding }: Opening, nonce: string, message: string): ClientFinal | 'malformed' | 'binding' {
  const end = message.lastIndexOf(',');
  const [encodedBinding, repeated] = attributes(message.slice(0, Math.max(0, end)), 'cr') ?? [];
  const [encodedProof] = attributes(message.slice(end + 1), 'p') ?? [];
  if (encodedBinding === undefined || repeated === undefined || encodedProof === undefined) return 'malformed';
  const shown = decodeBase64(encodedBinding);
  const proof = decodeBase64(encodedProof);
  if (shown === null || proof === null || proof.length !== policy.hash.size || repeated !== nonce) return 'malformed';
  if (!equal(binding, shown)) return 'binding';
  return { unproved: message.slice(0, end), proof };
}

/** RFC 5802 3: the proof is right if it gives back the key whose hash is stored. Then the server shows that it is no impostor. */
function conclude({ policy: { hash }, user, authzid }: Opening, keys: Keys, transcript: Uint8Array, proof: Uint8Array): ServerStep {
  const clientKey = xor(proof, hash.hmac(keys.storedKey, transcript));
  if (!equal(keys.storedKey, hash.digest(clientKey))) return refuse('credentials');
  const signature = hash.hmac(keys.serverKey, transcript);
  return challenge(encodeUtf8(`v=${encodeBase64(signature)}`), (response) =>
    response.length === 0 ? succeed(user, authzid) : refuse('malformed'),
  );
}
