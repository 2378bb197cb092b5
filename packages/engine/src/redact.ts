import { latin1, parseVerb } from '@ehlo/grammar';
import { escaped } from './escape.ts';

/** The longest line that is shown. */
const SHOWN = 200;

/** Mechanisms that are known by name. Any other word behind AUTH may be a credential whose mechanism was left out. */
const MECHANISMS: ReadonlySet<string> = new Set(
  (
    'ANONYMOUS CRAM-MD5 DIGEST-MD5 EXTERNAL GSS-SPNEGO GSSAPI KERBEROS_V4 LOGIN NTLM OAUTHBEARER OTP PLAIN SCRAM-SHA-1 ' +
    'SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-256-PLUS SCRAM-SHA-512 SCRAM-SHA-512-PLUS XOAUTH XOAUTH2'
  ).split(' '),
);

/** Whether a line is AUTH or was meant to be: what follows it may be a password. */
export function looksLikeAuth(bytes: Uint8Array, from: number, to: number): boolean {
  const end = Math.min(to, from + SHOWN);
  let i = from;
  while (i < end && bytes[i]! <= SP) i++;
  return i < end && (bytes[i]! | 0x20) === LETTER_A && latin1(bytes, i, Math.min(to, i + 4)).toUpperCase() === 'AUTH';
}

/**
 * A command line as it may stand in a log (design law: no secret in an event): what follows AUTH is masked, and so is every line
 * behind it until another verb is understood, for it may be a password. Odd octets are escaped.
 */
export function showLine(bytes: Uint8Array, from: number, to: number, suspicious: boolean): string {
  const text = latin1(bytes, from, Math.min(to, from + SHOWN));
  if (looksLikeAuth(bytes, from, to)) {
    const [named, mechanism = ''] = /^auth +([\w-]{1,20})(?= |$)/i.exec(text) ?? [''];
    if (!MECHANISMS.has(mechanism.toUpperCase())) return 'AUTH ***';
    return text.slice(named.length).trim() === '' ? named : `${named} ***`;
  }
  if (suspicious && parseVerb(bytes, from, to) === null) return '***';
  return escaped(text) + (to - from > SHOWN ? '…' : '');
}

const SP = 0x20;
const LETTER_A = 0x61;

/** A response in an AUTH exchange: only a cancellation is shown. */
export function showResponse(bytes: Uint8Array, from: number, to: number): string {
  return to - from === 1 && bytes[from] === ASTERISK ? '*' : '***';
}

const ASTERISK = 0x2a;
