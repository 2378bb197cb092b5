import { latin1, parseVerb } from '@ehlo/grammar';

/** The longest line that is shown. */
const SHOWN = 200;

/**
 * A command line as it may stand in a log (design law: no secret in an event): what follows AUTH is masked, and so is every line
 * behind a broken AUTH until a verb is understood, for it may be a password. Odd octets are escaped.
 */
export function showLine(bytes: Uint8Array, from: number, to: number, suspicious: boolean): string {
  const text = latin1(bytes, from, Math.min(to, from + SHOWN));
  if (/^auth/i.test(text))
    return /^auth +[\w-]{1,20}(?= |$)/i.exec(text)?.[0].concat(/^auth +[\w-]{1,20} *$/i.test(text) ? '' : ' ***') ?? 'AUTH ***';
  if (suspicious && parseVerb(bytes, from, to) === null) return '***';
  return escaped(text) + (to - from > SHOWN ? '…' : '');
}

/** A response in an AUTH exchange: only a cancellation is shown. */
export function showResponse(bytes: Uint8Array, from: number, to: number): string {
  return to - from === 1 && bytes[from] === ASTERISK ? '*' : '***';
}

const ASTERISK = 0x2a;

function escaped(text: string): string {
  return text.replaceAll(/[^ -~]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
