import { decodeUtf8, encodeUtf8 } from '@ehlo/grammar';
import type { StubReply } from './stub.ts';

/** The octets of a reply; null where it has none of its own. */
export function replyOctets({ code, enhanced, text, raw }: StubReply): Uint8Array {
  if (raw !== undefined) return encodeUtf8(raw);
  const lines = text === undefined ? [null] : typeof text === 'string' ? [text] : text;
  const said = lines.map((line, i) => {
    const words = [enhanced, line].filter((one) => one !== undefined && one !== null).join(' ');
    const more = i < lines.length - 1;
    // RFC 5321 4.2: "Reply-line = ... Reply-code [ SP textstring ] CRLF".
    return `${code}${more ? '-' : words === '' && line === null ? '' : ' '}${words}\r\n`;
  });
  return encodeUtf8(said.join(''));
}

/** Whether a session goes on as if this had accepted what was asked. */
export function accepts({ code, raw }: StubReply): boolean {
  return /^[23]/.test(raw ?? String(code));
}

const LF = 0x0a;
const HYPHEN = 0x2d;

/** Octets of whole replies, one after the other, cut into each. */
export function splitReplies(bytes: Uint8Array): Uint8Array[] {
  const replies: Uint8Array[] = [];
  for (let from = 0, line = 0; line < bytes.length; ) {
    const lf = bytes.indexOf(LF, line);
    const end = lf < 0 ? bytes.length : lf + 1;
    // RFC 5321 4.2.1: a hyphen behind the code says that more lines follow.
    const more = bytes[line + 3] === HYPHEN;
    line = end;
    if (more) continue;
    replies.push(bytes.subarray(from, end));
    from = end;
  }
  return replies;
}

/** A reply that accepts, with more lines. */
export function withLines(reply: Uint8Array, added: readonly string[]): Uint8Array {
  const lines = linesOf(reply);
  const code = lines[0]?.slice(0, 3) ?? '';
  if (!code.startsWith('2')) return reply;
  const texts = [...lines.map((line) => line.slice(4)), ...added];
  return octetsOf(texts.map((text, i) => `${code}${i < texts.length - 1 ? '-' : ' '}${text}`));
}

/** Octets of lines, without their ends. */
export function linesOf(bytes: Uint8Array): string[] {
  const lines = decodeUtf8(bytes, 0, bytes.length).split('\r\n');
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

/** And back. */
export function octetsOf(lines: readonly string[]): Uint8Array {
  return encodeUtf8(lines.map((line) => `${line}\r\n`).join(''));
}
