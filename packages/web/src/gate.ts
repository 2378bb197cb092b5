import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { Refused } from './answer.ts';

/** Who may ask. */
export interface GateOptions {
  /** A name by which the page is reached, beside `localhost` and addresses. */
  readonly name?: string;
  /** The one user; default: whoever reaches it. */
  readonly user?: { readonly name: string; readonly password: string };
}

/** A request that changes nothing. */
export function isReading(method: string | undefined): boolean {
  return method === 'GET' || method === 'HEAD';
}

/**
 * Refuses what no page of this server and no program would ask: another name than it has (a page elsewhere whose name leads here), and a change
 * that a page elsewhere has sent.
 */
export function checkRequest({ method, headers }: IncomingMessage, { name, user }: GateOptions, open: boolean): void {
  const host = hostOf(`http://${headers.host ?? ''}/`);
  if (host === null || !(isAddress(host) || host === 'localhost' || host === name?.toLowerCase()))
    throw new Refused(421, 'this server is reached by its address, by localhost, or by the name of --web-name');
  if (!isReading(method)) {
    const { origin, 'sec-fetch-site': site } = headers;
    if (site !== undefined && site !== 'same-origin' && site !== 'none')
      throw new Refused(403, 'a page of another site can change nothing here');
    if (origin !== undefined && !isOwn(origin, headers.host!)) throw new Refused(403, 'a page of another origin can change nothing here');
  }
  if (user !== undefined && !open && !isUser(headers.authorization, user)) throw new Refused(401, 'a user and a password are needed');
}

/** The host of an address, in small letters and without brackets; null if it is none. */
function hostOf(url: string): string | null {
  try {
    const { hostname, username, pathname } = new URL(url);
    return username === '' && pathname === '/' ? hostname.replace(/^\[|\]$/g, '') : null;
  } catch {
    return null;
  }
}

/** The parser of URLs makes addresses of what looks like one: `0x7f.1` is one, too. */
function isAddress(host: string): boolean {
  return isIP(host) !== 0;
}

/** A proxy in front may have another scheme, and no other host. */
function isOwn(origin: string, host: string): boolean {
  try {
    const { protocol, host: own } = new URL(origin);
    return (protocol === 'http:' || protocol === 'https:') && own === new URL(`${protocol}//${host}/`).host;
  } catch {
    return false;
  }
}

function isUser(authorization: string | undefined, { name, password }: NonNullable<GateOptions['user']>): boolean {
  const [, credentials = ''] = /^Basic ([A-Za-z0-9+/=]{1,1000})$/i.exec(authorization ?? '') ?? [];
  return timingSafeEqual(digest(Buffer.from(credentials, 'base64')), digest(Buffer.from(`${name}:${password}`)));
}

/** Of one length, whatever it is of. */
function digest(octets: Uint8Array): Uint8Array {
  return createHash('sha256').update(octets).digest();
}
