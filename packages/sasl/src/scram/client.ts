import { concat, decodeBase64, encodeBase64, encodeUtf8, equal, xor } from '../bytes.ts';
import { saslName } from '../gs2.ts';
import type { Bindings, ClientContext, ClientStep } from '../mechanism.ts';
import { isIdentity, userName } from '../names.ts';
import { saslprep } from '../saslprep.ts';
import { EMPTY, giveUp, lastResponse, respond, textOf } from '../steps.ts';
import { keysOf, nameOf, saltedPassword } from './hash.ts';
import { attributes, isNonce, ownNonce, textOfMessage } from './message.ts';
import type { ScramPolicy } from './policy.ts';

/** What the client has said, and will be held to. */
interface Opening {
  readonly policy: ScramPolicy;
  readonly password: string;
  /** RFC 5802 7: cbind-input, the GS2 header and the binding's data. */
  readonly binding: Uint8Array;
  readonly nonce: string;
  /** client-first-message-bare. */
  readonly bare: string;
}

/** RFC 5802 5: client-first-message. */
export function beginClient(policy: ScramPolicy, context: ClientContext): ClientStep {
  const { user = '', password = '', authzid = '' } = context.credentials;
  const nonce = ownNonce(context.nonce);
  const name = userName(user);
  // RFC 5802 3: what is hashed is prepared as a stored text.
  const prepared = saslprep(textOf(password), 'stored');
  if (name === null || !prepared || (authzid !== '' && !isIdentity(authzid))) return giveUp('credentials');
  const type = policy.bound ? chooseBinding(context.bindings) : null;
  if (policy.bound && type === null) return giveUp('binding');
  const header = `${type === null ? flagOf(policy, context) : `p=${type}`},${authzid === '' ? '' : `a=${saslName(authzid)}`},`;
  const data = type === null ? EMPTY : context.bindings!.get(type)!;
  const bare = `n=${saslName(name)},r=${nonce}`;
  const opening = { policy, password: prepared, binding: concat(encodeUtf8(header), data), nonce, bare };
  return respond(encodeUtf8(header + bare), false, (message) => readServerFirst(opening, textOfMessage(message)));
}

/** The best comes first. RFC 9266: tls-exporter is the one for TLS 1.3. */
const BINDINGS = ['tls-exporter', 'tls-unique', 'tls-server-end-point'];

/** The type that a client binds by; null if there is none that it knows. */
export function chooseBinding(bindings: Bindings | undefined): string | null {
  return BINDINGS.find((type) => bindings?.has(type)) ?? null;
}

/**
 * RFC 5802 6: "y", could bind but the server does not seem to; it will fail the exchange if it does, for then somebody has taken the
 * -PLUS form out of its list. "n" where the client could not, or has chosen not to. It is "the -PLUS variant of the desired GS2
 * mechanism" that counts: no other word that ends so.
 */
function flagOf({ hash }: ScramPolicy, { bindings, offered }: ClientContext): 'n' | 'y' {
  if (chooseBinding(bindings) === null || offered === undefined) return 'n';
  return offered.some((name) => name.toUpperCase() === nameOf(hash, true)) ? 'n' : 'y';
}

function readServerFirst(opening: Opening, message: string): ClientStep {
  const { policy, password, nonce } = opening;
  const [extended, encodedSalt, count] = attributes(message, 'rsi') ?? [];
  if (extended === undefined || encodedSalt === undefined || count === undefined) return giveUp('malformed');
  const salt = decodeBase64(encodedSalt);
  if (salt === null || !isNonce(extended) || !/^[1-9][0-9]{0,14}$/.test(count)) return giveUp('malformed');
  // RFC 5802 5.1: "The client MUST verify that the initial part of the nonce … is the same"; one without a part of its own is a replay.
  if (!extended.startsWith(nonce) || extended.length === nonce.length) return giveUp('nonce');
  const iterations = Number(count);
  const [least, most] = policy.accepted;
  if (iterations < least || iterations > most) return giveUp('iterations');
  return {
    type: 'derive',
    derivation: saltedPassword(policy.hash, password, salt, iterations),
    next: (salted) => prove(opening, message, extended, salted),
  };
}

/** RFC 5802 3: ClientProof := ClientKey XOR HMAC(StoredKey, AuthMessage). */
function prove({ policy: { hash }, binding, bare }: Opening, serverFirst: string, nonce: string, salted: Uint8Array): ClientStep {
  const { clientKey, storedKey, serverKey } = keysOf(hash, salted);
  const unproved = `c=${encodeBase64(binding)},r=${nonce}`;
  const transcript = encodeUtf8(`${bare},${serverFirst},${unproved}`);
  const proof = xor(clientKey, hash.hmac(storedKey, transcript));
  return respond(encodeUtf8(`${unproved},p=${encodeBase64(proof)}`), false, (message) =>
    readServerFinal(textOfMessage(message), hash.hmac(serverKey, transcript)),
  );
}

/** RFC 5802 5: "If the two are different, the client MUST consider the authentication exchange to be unsuccessful". */
function readServerFinal(message: string, expected: Uint8Array): ClientStep {
  if (attributes(message, 'e') !== null) return giveUp('refused');
  const [verifier] = attributes(message, 'v') ?? [];
  const signature = verifier === undefined ? null : decodeBase64(verifier);
  if (signature === null) return giveUp('malformed');
  return equal(expected, signature) ? lastResponse(EMPTY) : giveUp('impostor');
}
