import { decodeUtf8, utf8NonAscii } from './rule.ts';

/** The text that octets spell in UTF-8; each octet that does not belong to it becomes U+FFFD (RFC 3629 4). */
export function textOf(bytes: Uint8Array, from = 0): string {
  let text = '';
  let run = from;
  for (let i = from; i < bytes.length; ) {
    const end = bytes[i]! < 0x80 ? i + 1 : utf8NonAscii(bytes, i, bytes.length);
    if (end >= 0) i = end;
    else {
      text += `${decodeUtf8(bytes, run, i)}\ufffd`;
      run = ++i;
    }
  }
  return text + decodeUtf8(bytes, run, bytes.length);
}

/** Whether octets are UTF-8, all of them. */
export function isUtf8(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i]! < 0x80) continue;
    const end = utf8NonAscii(bytes, i, bytes.length);
    if (end < 0) return false;
    i = end - 1;
  }
  return true;
}
