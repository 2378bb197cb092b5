import { decodeBase64, encodeBase64, encodeUtf8 } from '@ehlo/grammar';
import { SmtpUsageError } from '../error.ts';
import { type AuthWords, Redactor, WITHHELD } from '../redact.ts';
import { Secret } from '../secret.ts';
import type { ClientCore } from './core.ts';
import type { ClientExchange } from './exchange.ts';
import type { ClientFeature } from './features.ts';
import { notHalfOpen, notLeaving } from './guards.ts';
import type { ClientRow, ClientTrigger, Rows } from './row.ts';

/** AUTH (RFC 4954): the commands and replies. The responses are made by the mechanism. */
export interface AuthFeature extends ClientFeature {
  readonly name: 'auth';
  /** What it adds to the table of the session. */
  readonly client: Rows<ClientTrigger, ClientRow>;
  /** Checks what an exchange would begin with. */
  exchange(mechanism: string, initial: Uint8Array | null, words: AuthWords): ClientExchange;
  /** Checks a response. */
  encoded(response: Uint8Array): string;
}

/** RFC 5321 4.5.3.1.4: a command line; RFC 4954 4: a line of the exchange, of 12288 octets. Both without their CRLF. */
const LONGEST_COMMAND = 510;
const LONGEST_RESPONSE = 12_286;

const authNotOffered = (core: ClientCore): boolean => !core.offers('AUTH');
const authNotDone = ({ authenticated }: ClientCore): boolean => authenticated === null;
/** The connection is less safe than the option `credentials` wants. */
const notProtected = ({ options: { credentials = 'verified' }, tls }: ClientCore): boolean =>
  credentials !== 'cleartext' && (tls === null || (credentials !== 'encrypted' && tls.peerCertificate?.authorized !== true));
const challengeRefused = (core: ClientCore): boolean => fault(core) !== null;
/** The AUTH line had no room for the initial response. */
const initialUnsaid = ({ exchange }: ClientCore): boolean => exchange!.response !== null;

function sayAuth(core: ClientCore): void {
  const { mechanism, words, written, response } = core.exchange!;
  core.redactor ??= new Redactor();
  core.redactor.begin(words);
  if (response !== null) core.redactor.say(response);
  if (written !== '') core.exchange!.response = null;
  const line = `AUTH ${mechanism}`;
  core.ask('AUTH', line + written, null, 0, written === '' ? line : `${line} ${WITHHELD}`);
}

function sayResponse(core: ClientCore): void {
  const response = core.exchange!.response!;
  core.exchange!.response = null;
  core.redactor!.say(response);
  core.ask('AUTH', encoded(response), null, 0, WITHHELD);
}

/** RFC 4954 4: "If the client wishes to cancel the authentication exchange, it issues a line with a single "*"." */
function sayCancel(core: ClientCore): void {
  core.ask('AUTH', '*');
}

function countChallenge({ exchange }: ClientCore): void {
  exchange!.challenges++;
}

function tellChallenge(core: ClientCore): void {
  core.events.push({ type: 'challenge', mechanism: core.exchange!.mechanism, data: new Secret(challenge(core)!) });
}

function tellChallengeRefused(core: ClientCore): void {
  core.events.push({ type: 'fault', code: fault(core)!, line: `334 ${WITHHELD}` });
}

function takeIdentity(core: ClientCore): void {
  const { mechanism } = core.exchange!;
  core.authenticated = mechanism;
  core.events.push({ type: 'authenticated', mechanism, reply: core.reply });
}

function tellAuthRefused({ events, reply, withheld }: ClientCore): void {
  events.push({ type: 'reply', verb: 'AUTH', reply, ...(withheld === null ? {} : { withheld: new Secret(encodeUtf8(withheld)) }) });
}

function endExchange(core: ClientCore): void {
  core.exchange = null;
  core.redactor!.end();
}

/** What AUTH adds to the order of a session (RFC 4954 4). */
export const AUTH_ROWS: Rows<ClientTrigger, ClientRow> = {
  authenticate: [
    { from: ['ready'], guards: [notLeaving, notHalfOpen, authNotOffered], misuse: 'not-offered' },
    { from: ['ready'], guards: [notLeaving, notHalfOpen, authNotDone, notProtected], misuse: 'unprotected' },
    { from: ['ready'], guards: [notLeaving, notHalfOpen, authNotDone], effects: [sayAuth], to: 'auth' },
  ],
  'AUTH challenge': [
    {
      from: ['auth'],
      guards: [challengeRefused],
      effects: [tellChallengeRefused, sayCancel],
      to: 'cancelled',
    },
    { from: ['auth'], guards: [initialUnsaid], effects: [countChallenge, sayResponse] },
    { from: ['auth'], effects: [countChallenge, tellChallenge], to: 'challenge' },
  ],
  respond: [{ from: ['challenge'], effects: [sayResponse], to: 'auth' }],
  cancel: [{ from: ['challenge'], effects: [sayCancel], to: 'cancelled' }],
  AUTH: [{ from: ['auth'], effects: [takeIdentity, endExchange], to: 'ready' }],
  'AUTH refused': [{ from: ['auth', 'cancelled'], effects: [endExchange, tellAuthRefused], to: 'ready' }],
};

/** Names AUTH among the features of a client session, so that `authenticate` works. */
export const AUTH: AuthFeature = { name: 'auth', client: AUTH_ROWS, exchange, encoded };

function exchange(mechanism: string, initial: Uint8Array | null, words: AuthWords): ClientExchange {
  // RFC 4422 3.1
  if (!/^[A-Z0-9_-]{1,20}$/.test(mechanism)) throw new SmtpUsageError('bad-argument', 'not the name of a SASL mechanism');
  // "=" is a response of no octets.
  const written = initial === null ? '' : initial.length === 0 ? ' =' : ` ${encoded(initial)}`;
  const fits = `AUTH ${mechanism}${written}`.length <= LONGEST_COMMAND;
  return { mechanism, words, written: fits ? written : '', response: initial, challenges: 0 };
}

function challenge({ reply }: ClientCore): Uint8Array | null {
  return decodeBase64(encodeUtf8(reply.lines.join('')));
}

function fault(core: ClientCore): 'base64' | 'too-many-challenges' | null {
  if (challenge(core) === null) return 'base64';
  return core.exchange!.challenges >= core.limits.challenges ? 'too-many-challenges' : null;
}

function encoded(bytes: Uint8Array): string {
  const text = encodeBase64(bytes);
  if (text.length > LONGEST_RESPONSE) throw new SmtpUsageError('bad-argument', 'the response is too long for a line');
  return text;
}
