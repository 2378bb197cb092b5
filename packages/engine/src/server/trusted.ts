import { formatAddressLiteral } from '@ehlo/grammar';
import type { Forwarded, Peer } from '../facts.ts';

/** What XCLIENT may tell, as Postfix names it. */
export const XCLIENT_ATTRIBUTES = ['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO', 'LOGIN'] as const;

/** What XFORWARD may tell, as Postfix names it. */
export const XFORWARD_ATTRIBUTES = ['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO', 'IDENT', 'SOURCE'] as const;

type Attributes = ReadonlyMap<string, string>;

/** Values by which a proxy says that an attribute is not known to it. */
const UNKNOWN: ReadonlySet<string> = new Set(['[UNAVAILABLE]', '[TEMPUNAVAIL]', '']);

/** How each value is spelled. Xtext may hide controls; none gets through (a log could be forged by them). */
const FORMS: { readonly [name: string]: (value: string) => boolean } = {
  NAME: isName,
  HELO: isName,
  IDENT: isName,
  LOGIN: (value) => /^\P{Cc}{1,255}$/u.test(value),
  ADDR: (value) => addressOf(value) !== null,
  PORT: isPort,
  PROTO: (value) => /^E?SMTP$/i.test(value),
  SOURCE: (value) => /^(?:LOCAL|REMOTE)$/i.test(value),
};

/** The first attribute that is not known or has no value of its kind; null if all are valid. */
export function badAttribute(attributes: Attributes, known: readonly string[]): string | null {
  for (const [name, value] of attributes) {
    if (!known.includes(name) || !(UNKNOWN.has(value.toUpperCase()) || FORMS[name]!(value))) return name;
  }
  return null;
}

/** The peer as XCLIENT tells it; what it does not tell stays, but the port of a new address is 0 unless it is told. */
export function toldPeer(peer: Peer, attributes: Attributes): Peer {
  const [name, helo, protocol, address, port] = ['NAME', 'HELO', 'PROTO', 'ADDR', 'PORT'].map((key) => known(attributes, key));
  return {
    address: attributes.has('ADDR') ? (addressOf(address ?? '') ?? '') : peer.address,
    port: attributes.has('PORT') || attributes.has('ADDR') ? Number(port ?? 0) : peer.port,
    ...(name === undefined ? {} : { name }),
    ...(helo === undefined ? {} : { helo }),
    ...(protocol === undefined ? {} : { protocol: protocol.toUpperCase() }),
  };
}

/** Who the client is, as XCLIENT tells it; null if it has not authenticated. */
export function toldIdentity(attributes: Attributes): string | null {
  return known(attributes, 'LOGIN') ?? null;
}

/** What XFORWARD tells; what it does not tell stays. */
export function toldForwarded(before: Forwarded | null, attributes: Attributes): Forwarded {
  const told: { -readonly [name in keyof Forwarded]: Forwarded[name] | undefined } = { ...before };
  for (const key of attributes.keys()) {
    const value = known(attributes, key);
    if (key === 'ADDR') told.address = value === undefined ? undefined : addressOf(value)!;
    else if (key === 'PORT') told.port = value === undefined ? undefined : Number(value);
    else if (key === 'NAME') told.name = value;
    else if (key === 'HELO') told.helo = value;
    else if (key === 'PROTO') told.protocol = value?.toUpperCase();
    else if (key === 'IDENT') told.ident = value;
    else told.source = value?.toUpperCase() as 'LOCAL' | 'REMOTE' | undefined;
  }
  return Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined)) as Forwarded;
}

function known(attributes: Attributes, name: string): string | undefined {
  const value = attributes.get(name);
  return value === undefined || UNKNOWN.has(value.toUpperCase()) ? undefined : value;
}

/** `192.0.2.1` or `IPV6:2001:db8::1`, without the prefix; null if it is neither. */
function addressOf(value: string): string | null {
  const address = value.replace(/^ipv6:/i, '');
  return formatAddressLiteral(address) === null || address.includes('%') ? null : address;
}

function isName(value: string): boolean {
  return /^[!-~]{1,255}$/.test(value);
}

function isPort(value: string): boolean {
  return /^[0-9]{1,5}$/.test(value) && Number(value) <= 65_535;
}
