// What the floors of connections that wait say.
import { Buffer } from 'node:buffer';

const LF = 0x0a;
const REPLY = '250 bench.example\r\n';

export const GREETING: Uint8Array = Buffer.from('220 bench.example\r\n');

export function repliesTo(bytes: Uint8Array): Uint8Array {
  let lines = 0;
  for (const octet of bytes) if (octet === LF) lines++;
  return Buffer.from(REPLY.repeat(lines));
}
