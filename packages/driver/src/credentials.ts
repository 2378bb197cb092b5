import { type AuthWords, kindOf, SmtpUsageError } from '@ehlo/engine';
import { ClientError } from './client-error.ts';
import type { Credentials } from './client-sasl.ts';
import type { Hidden } from './sasl.ts';

type Text = string | Hidden<string>;

/** What a client has to show: as a text, or as a `Secret` of `@ehlo/sasl`. */
export interface GivenCredentials {
  /** The name of the user. */
  readonly user?: string;
  /** The password, as a text or a `Secret`. */
  readonly password?: Text;
  /** An OAuth 2.0 access token, in place of a password; or what gives one, asked anew for each connection, for tokens expire. */
  readonly token?: Text | (() => Text | Promise<Text>);
  /** The identity to act as, if it is not the user. RFC 4422 3.4.1. */
  readonly authzid?: string;
}

/** What `auth` may hold: of which kinds, and how these are called. */
const KINDS = {
  user: [['a string'], 'a string'],
  authzid: [['a string'], 'a string'],
  password: [['a string', 'a Secret'], 'a string or a Secret'],
  token: [['a string', 'a Secret', 'a function'], 'a string, a Secret or a function'],
} as const;

/** Throws `SmtpUsageError` `bad-argument` where the mechanisms are none or a credential is of the wrong kind, and never says what it is. */
export function checkCredentials(auth: { readonly [name in keyof typeof KINDS | 'mechanisms']?: unknown }): void {
  checkMechanisms(auth.mechanisms, 'client');
  if ((auth.mechanisms as unknown[]).length === 0) bad('auth.mechanisms is empty: name those that may be used, such as [scram(), plain()]');
  const isSecret = auth.password !== undefined || auth.token !== undefined;
  for (const [name, [kinds, must]] of Object.entries(KINDS)) {
    const value = auth[name as keyof typeof KINDS];
    // What is undefined is absent. The only secret that is named is meant to be there, such as one of the environment.
    const isMissed = !isSecret && name in auth && (name === 'password' || name === 'token');
    if (value === undefined && !isMissed) continue;
    const kind = secretOrKind(value);
    if (!(kinds as readonly string[]).includes(kind)) bad(`auth.${name} is ${kind}; it must be ${must}`);
  }
}

/** Throws `SmtpUsageError` `bad-argument` where these are no mechanisms that have this side. Of a server they may be names, all of them. */
export function checkMechanisms(mechanisms: unknown, side: 'client' | 'server'): void {
  if (!Array.isArray(mechanisms))
    bad(`auth.mechanisms is ${kindOf(mechanisms)}; it must be a list of mechanisms, such as [scram(), plain()]`);
  const all: unknown[] = mechanisms.flat();
  if (side === 'server' && all.every((mechanism) => typeof mechanism === 'string')) return;
  for (const mechanism of all) {
    if (typeof mechanism === 'function') bad(`auth.mechanisms has the function ${mechanism.name}: call it, [${mechanism.name}()]`);
    if (typeof (mechanism as { readonly [name in typeof side]?: unknown } | null)?.[side] !== 'function')
      bad('auth.mechanisms has what is no mechanism: import them from @ehlo/sasl');
  }
}

function bad(text: string): never {
  throw new SmtpUsageError('bad-argument', text);
}

/** The kind of a value that should be a credential, without showing the value. */
function secretOrKind(value: unknown): string {
  return typeof value === 'object' && value !== null && 'expose' in value ? 'a Secret' : kindOf(value);
}

/** The credentials as mechanisms take them; a promise where a token has to be asked for. */
export function exposed({ user, authzid, password, token }: GivenCredentials): Credentials | Promise<Credentials> {
  const known = {
    ...(user === undefined ? {} : { user }),
    ...(authzid === undefined ? {} : { authzid }),
    ...(password === undefined ? {} : { password: textOf(password) }),
  };
  if (typeof token === 'function') return tokenOf(token).then((given) => ({ ...known, token: given }));
  return token === undefined ? known : { ...known, token: textOf(token) };
}

/** Rejects with `ClientError`; the error that the program threw is its cause, and is not reported. */
async function tokenOf(give: () => unknown): Promise<string> {
  let given: unknown;
  try {
    given = await give();
  } catch (cause) {
    throw new ClientError('auth-failed', 'auth.token has thrown: there is no token', { stage: 'auth', cause });
  }
  const kind = secretOrKind(given);
  if (kind === 'a string' || kind === 'a Secret') return textOf(given as Text);
  throw new ClientError('auth-failed', `auth.token gives ${kind}; it must give a string or a Secret`, { stage: 'auth' });
}

function textOf(text: Text): string {
  return typeof text === 'string' ? text : text.expose();
}

/** What of the credentials is no secret, and what is. */
export function wordsOf({ user, authzid, password, token }: Credentials): AuthWords {
  return {
    names: [user, authzid].filter((name) => name !== undefined),
    secrets: [password, token].filter((secret) => secret !== undefined),
  };
}
