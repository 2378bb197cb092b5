import { ascii, decodeUtf8, encodeUtf8 } from './bytes.ts';
import { readSaslName, saslName } from './gs2.ts';
import type { ClientContext, ClientStep, Mechanism, OauthProblem, ServerStep, TokenClaim } from './mechanism.ts';
import { userName } from './names.ts';
import { Secret } from './secret.ts';
import { checkSettings, type Rules, TEXT_RULE } from './settings.ts';
import { challenge, EMPTY, giveUp, refuse, respond, succeed, textOf } from './steps.ts';

/** What a client is told whose token is not taken (RFC 7628 3.2.2). */
export interface OauthOptions {
  /** The scope that a token needs. RFC 7628 3.2.2. */
  readonly scope?: string;
  /** The `https` URL of the OpenID provider's configuration. RFC 7628 3.2.2. */
  readonly openidConfiguration?: string;
}

const OAUTH_RULES: Rules = { scope: TEXT_RULE, openidConfiguration: TEXT_RULE };

/** Separates key/value pairs (RFC 7628 3.1), and alone says: I have seen that I failed (3.2.3). */
const SEPARATOR = '\x01';

/**
 * OAUTHBEARER (RFC 7628): an OAuth 2.0 access token. Only under TLS. Throws a `RangeError` for an option that is misspelt or wrong.
 */
export function oauthBearer(options: OauthOptions = {}): Mechanism {
  checkSettings(options, OAUTH_RULES);
  return {
    name: 'OAUTHBEARER',
    clientFirst: true,
    bound: false,
    reveals: true,
    asks: ['verify'],
    suits: hasToken,
    client: ({ credentials: { user = '', token = '' }, host, port }) => {
      const bearer = textOf(token);
      const name = user === '' ? '' : userName(user);
      if (!isToken(bearer) || name === null || (host !== undefined && !VALUE.test(host))) return giveUp('credentials');
      const pairs = [
        `n,${name === '' ? '' : `a=${saslName(name)}`},`,
        ...(host === undefined ? [] : [`host=${host}`]),
        ...(port === undefined ? [] : [`port=${port}`]),
        `auth=Bearer ${bearer}`,
      ];
      return showToken(pairs.join(SEPARATOR), ascii(SEPARATOR));
    },
    server: () => challenge(EMPTY, (response) => readToken(readBearer(response), options)),
  };
}

/**
 * XOAUTH2: the same as OAUTHBEARER in an older form, that the large providers of mail have. Only under TLS. Throws as that does.
 */
export function xoauth2(options: OauthOptions = {}): Mechanism {
  checkSettings(options, OAUTH_RULES);
  return {
    name: 'XOAUTH2',
    clientFirst: true,
    bound: false,
    reveals: true,
    asks: ['verify'],
    suits: (context) => hasToken(context) && (context.credentials.user ?? '') !== '',
    client: ({ credentials: { user = '', token = '' } }) => {
      const bearer = textOf(token);
      const name = userName(user);
      if (!isToken(bearer) || name === null) return giveUp('credentials');
      return showToken([`user=${name}`, `auth=Bearer ${bearer}`].join(SEPARATOR), EMPTY);
    },
    server: () => challenge(EMPTY, (response) => readToken(readXoauth2(response), options)),
  };
}

function hasToken({ credentials: { token } }: ClientContext): boolean {
  return token !== undefined;
}

/** A challenge says what was wrong, and wants an answer before the refusal. */
function showToken(message: string, acknowledgement: Uint8Array): ClientStep {
  const response = encodeUtf8(message + SEPARATOR + SEPARATOR);
  return respond(response, true, (problem) => ({
    ...respond(acknowledgement, false, () => giveUp('unexpected')),
    problem: decodeUtf8(problem) ?? '',
  }));
}

const VALUE = /^[!-~]+$/;

/** RFC 6750 2.1. */
function isToken(text: string): boolean {
  return /^[A-Za-z0-9._~+/-]+=*$/.test(text);
}

type Read = { readonly claim: TokenClaim } | { readonly reason: 'malformed' | 'no-token' };

function readToken(read: Read, options: OauthOptions): ServerStep {
  if ('claim' in read) {
    return {
      type: 'verify',
      claim: read.claim,
      next: (user, problem) => (user === null ? invalidToken({ ...options, ...problem }) : succeed(user, null)),
    };
  }
  // RFC 7628 4.3: a client without a token asks in this way what one would need.
  return read.reason === 'no-token' ? invalidToken(options) : refuse('malformed');
}

/** RFC 7628 3.2.2: the error in JSON as a challenge; 3.2.3: whatever the client answers, it has failed. */
function invalidToken({ status = 'invalid_token', scope, openidConfiguration }: OauthProblem): ServerStep {
  const error = { status, schemes: 'bearer', scope, 'openid-configuration': openidConfiguration };
  return challenge(encodeUtf8(JSON.stringify(error)), () => refuse('credentials'));
}

const MALFORMED: Read = { reason: 'malformed' };

/** RFC 7628 3.1: client-resp = gs2-header kvsep *kvpair kvsep. */
function readBearer(response: Uint8Array): Read {
  const [header = '', ...pairs] = (decodeUtf8(response) ?? '').split(SEPARATOR);
  const user = /^[ny],(?:a=([^,]+))?,$/.exec(header);
  if (user === null) return MALFORMED;
  const name = user[1] === undefined ? '' : readSaslName(user[1]);
  return name === null ? MALFORMED : claimOf(name, pairs);
}

function readXoauth2(response: Uint8Array): Read {
  const [user = '', ...pairs] = (decodeUtf8(response) ?? '').split(SEPARATOR);
  return user.startsWith('user=') ? claimOf(user.slice(5), pairs) : MALFORMED;
}

/** RFC 7628 3.1: kvpair. */
const PAIR = /^([A-Za-z]+)=([\t\n\r -~]*)$/;

/** The pairs, and two empty texts behind the two separators at the end. */
function claimOf(user: string, pairs: readonly string[]): Read {
  if (pairs.length < 3 || pairs.at(-1) !== '' || pairs.at(-2) !== '') return MALFORMED;
  const values = new Map<string, string>();
  for (const pair of pairs.slice(0, -2)) {
    const [, key, value] = PAIR.exec(pair) ?? [];
    if (key === undefined || value === undefined || values.has(key)) return MALFORMED;
    values.set(key, value);
  }
  const name = user === '' ? '' : userName(user);
  const [host = null, port = null, auth] = [values.get('host'), values.get('port'), values.get('auth')];
  if (name === null || auth === undefined || (port !== null && !/^[1-9][0-9]{0,4}$/.test(port))) return MALFORMED;
  if (auth === '') return { reason: 'no-token' };
  // RFC 7628 4: "method names are case insensitive".
  const [, token] = /^bearer +([!-~]+)$/i.exec(auth) ?? [];
  if (token === undefined || !isToken(token)) return MALFORMED;
  return { claim: { type: 'token', user: name, token: new Secret(token), host, port: port === null ? null : Number(port) } };
}
