// What `ehlo send` connects with.
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { domainToASCII } from 'node:url';
import { CHUNKING, CLIENT_LIMITS, type ClientLimitName, type ClientLimitOptions } from '@ehlo/engine';
import { isHostName } from '@ehlo/grammar';
import { cramMd5, login, plain, SHA1, SHA256, SHA512, scram } from '@ehlo/sasl';
import type { ClientAuth, ConnectOptions } from '#adapter';
import { findPassword } from './password.ts';
import { type SendCommandOptions, SendError } from './send-options.ts';

/** The options of `connect`, by those of the command. Throws `SendError` for what can't go together. */
export async function connectOptions(options: SendCommandOptions, signal: AbortSignal): Promise<ConnectOptions> {
  const { server, tls, tlsCa, tlsInsecure, lmtp, pipelining, chunking, timeout, allowCleartextAuth } = options;
  const implicitTls = tls === 'implicit';
  if (lmtp && 'host' in server && server.port === null)
    throw new SendError('LMTP has no port of its own: give --server host:port, or a Unix socket');
  if (!lmtp && 'path' in server) throw new SendError('a Unix socket is for LMTP: give --lmtp, or --server host[:port]');
  if (tls === 'none' && (tlsCa !== undefined || tlsInsecure)) throw new SendError('--tls none needs neither --tls-ca nor --tls-insecure');
  const auth = await authOptions(options);
  if (auth !== null && tls === 'none' && !allowCleartextAuth)
    throw new SendError('the password would cross the network in clear: leave out --tls none, or give --allow-cleartext-auth');
  const name = options.hostname ?? ownName();
  if (name !== null && !isHostName(name)) throw new SendError('--hostname must be a domain name or an address literal such as [192.0.2.1]');
  const port = 'host' in server ? (server.port ?? (implicitTls ? 465 : 25)) : 0;
  return {
    ...('host' in server ? { host: server.host, port } : { path: server.path }),
    ...(name === null ? {} : { hostname: name }),
    ...(lmtp ? { protocol: 'lmtp' } : {}),
    ...(tls === undefined || tls === 'implicit' ? {} : { starttls: tls === 'none' ? 'off' : tls }),
    implicitTls,
    tls: {
      ...(tlsCa === undefined ? {} : { ca: readCa(tlsCa) }),
      // Whoever names authorities wants them asked.
      ...(tlsInsecure ? { rejectUnauthorized: false } : tlsCa === undefined ? {} : { rejectUnauthorized: true }),
    },
    ...(auth === null ? {} : { auth, credentials: allowCleartextAuth ? 'cleartext' : tlsInsecure ? 'encrypted' : 'verified' }),
    pipelining,
    toAscii: domainToASCII,
    ...(chunking ? { features: [CHUNKING] } : {}),
    ...(timeout === undefined ? {} : { limits: timeLimits(timeout), connectTimeout: timeout }),
    signal,
  };
}

/** Best first. */
const MECHANISMS = [scram(SHA256), scram(SHA512), scram(SHA1), cramMd5(), plain(), login()].flat();

async function authOptions({
  authUser,
  authPasswordFile,
  authMechanism,
  allowCleartextAuth,
}: SendCommandOptions): Promise<ClientAuth | null> {
  if (authUser === undefined) {
    const stray =
      authPasswordFile !== undefined
        ? '--auth-password-file'
        : authMechanism !== undefined
          ? '--auth-mechanism'
          : allowCleartextAuth
            ? '--allow-cleartext-auth'
            : null;
    if (stray !== null) throw new SendError(`${stray} needs --auth-user, the name of the user`);
    return null;
  }
  const wanted = authMechanism?.toUpperCase();
  const mechanisms = MECHANISMS.filter(({ name }) => wanted === undefined || name === wanted);
  if (mechanisms.length === 0) throw new SendError(`--auth-mechanism is one of ${MECHANISMS.map(({ name }) => name).join(', ')}`);
  return { mechanisms, user: authUser, password: await findPassword(authUser, authPasswordFile) };
}

/** The same time for every phase; but QUIT, whose answer changes nothing, is not waited for any longer than ever. */
function timeLimits(timeout: number): ClientLimitOptions {
  const names = (Object.keys(CLIENT_LIMITS) as ClientLimitName[]).filter((name) => CLIENT_LIMITS[name].unit === 'milliseconds');
  const quitTimeout = Math.min(timeout, CLIENT_LIMITS.quitTimeout.value);
  return { ...Object.fromEntries(names.map((name) => [name, timeout])), quitTimeout };
}

function readCa(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new SendError(`--tls-ca: ${(error as Error).message}`);
  }
}

/** RFC 5321 4.1.4: a name that others can look up; null where this machine has none. */
function ownName(): string | null {
  const own = hostname();
  return own.includes('.') && isHostName(own) ? own : null;
}
