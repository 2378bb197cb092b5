import { formatAddressLiteral } from './address.ts';
import { formatDate } from './date.ts';
import { addressLiteral, domain, hostName } from './domain.ts';
import type { Mailbox } from './mailbox.ts';
import { formatPath } from './path.ts';
import { octets, type Rule } from './rule.ts';

/** What a `Received` field tells (RFC 5321 4.4). */
export interface Received {
  /** FROM: the name that the client gave in EHLO or HELO. */
  readonly helo: string;
  /** The client's IP address, from the connection; undefined where there is none (a Unix socket). */
  readonly address?: string | undefined;
  /** The client's host name, if the address was looked up. */
  readonly host?: string | undefined;
  /** BY: the name of this server. */
  readonly by: string;
  /** WITH: a registered protocol name, e.g. `ESMTPS` (RFC 3848). */
  readonly protocol: string;
  /** ID: an Atom by which this server knows the message. */
  readonly id?: string | undefined;
  /** FOR: the recipient, to be given only if there is exactly one (RFC 5321 4.4, 7.2); `<Postmaster>` without a domain is left out. */
  readonly recipient?: Mailbox | undefined;
  /** TLS: the cipher suite by its registered name (RFC 8314 4.3), e.g. `TLS_AES_128_GCM_SHA256`; another spelling is left out. */
  readonly tls?: string | undefined;
  /** PRIORITY: -9 to 9 (RFC 6710 4.1). */
  readonly priority?: number | undefined;
  /** A comment in front of the date: what this server changed in the message, e.g. `Date added` (RFC 5321 6.4). ASCII; the rest becomes `?`. */
  readonly comment?: string | undefined;
  /** Milliseconds since 1970-01-01T00:00Z. */
  readonly date: number;
  /** The server's offset from UT in minutes, east positive. */
  readonly offset?: number;
}

/**
 * Writes a `Received` field as RFC 5321 4.4 defines a Time-stamp-line, folded, its CRLF included.
 *
 * A name that is no Domain (`free-form-hello`) cannot stand in it: the client's address takes its place.
 *
 * @example
 * ```ts
 * import { formatReceived } from '@ehlo/grammar/trace';
 * formatReceived({ helo: 'client.example', address: '192.0.2.1', by: 'mx.example', protocol: 'ESMTP', date: 0 })
 * // → 'Received: from client.example ([192.0.2.1])\r\n\tby mx.example with ESMTP;\r\n\tThu, 1 Jan 1970 00:00:00 +0000\r\n'
 * ```
 */
export function formatReceived(facts: Received): string {
  const literal = facts.address === undefined ? null : formatAddressLiteral(facts.address);
  const id = facts.id === undefined ? '' : ` id ${facts.id}`;
  // 4.4: `For = CFWS "FOR" FWS ( Path / Mailbox )`: <Postmaster>, which has no domain, is neither.
  const { recipient } = facts;
  const whom = recipient === undefined || recipient.domain === '' ? '' : `\r\n\tfor ${formatPath(recipient)}`;
  const tls = facts.tls !== undefined && CIPHER.test(facts.tls) ? `\r\n\ttls ${facts.tls}` : '';
  const priority = facts.priority === undefined ? '' : `\r\n\tpriority ${facts.priority}`;
  const comment = facts.comment === undefined ? '' : `\r\n\t(${facts.comment.replaceAll(/[^ -~]/g, '?').replaceAll(/[()\\]/g, '\\$&')})`;
  const clauses = `with ${facts.protocol}${id}${whom}${tls}${priority}${comment}`;
  const date = formatDate({ date: facts.date, offset: facts.offset ?? 0, leap: false });
  return `Received: from ${fromDomain(facts, literal)}\r\n\tby ${byDomain(facts.by)} ${clauses};\r\n\t${date}\r\n`;
}

/** RFC 8314 4.3: `tls-cipher = tls-cipher-name / tls-cipher-hex`. */
const CIPHER = /^(?:[A-Za-z][A-Za-z0-9_]*|0x[0-9A-Fa-f]{4})$/;

/** `Extended-Domain = Domain / ( Domain FWS "(" TCP-info ")" ) / ( address-literal FWS "(" TCP-info ")" )`. */
function fromDomain(facts: Received, literal: string | null): string {
  if (literal === null) return byDomain(facts.helo);
  const host = facts.host !== undefined && meets(domain, facts.host) ? `${facts.host} ` : '';
  return `${meets(hostName, facts.helo) ? facts.helo : literal} (${host}${literal})`;
}

/** As above; an address literal is never without its TCP-info. */
function byDomain(name: string): string {
  if (meets(domain, name)) return name;
  return meets(addressLiteral, name) ? `${name} (${name})` : 'localhost';
}

function meets(rule: Rule, text: string): boolean {
  const bytes = octets(text);
  return rule(bytes, 0, bytes.length) === bytes.length;
}

/** Writes the `Return-Path` field of RFC 5321 4.4, its CRLF included. */
export function formatReturnPath(reversePath: Mailbox): string {
  return `Return-Path: ${formatPath(reversePath)}\r\n`;
}
