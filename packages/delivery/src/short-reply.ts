import type { Reply } from '@ehlo/grammar';
import type { Said } from './job.ts';

/** Ours: lines of a reply that are kept, and characters of them all. The server writes it, at any length; it is kept once for each recipient. */
const LINES = 10;
const CHARACTERS = 2000;

/** A reply as it is kept: its first lines. One that is short stays as it is. */
export function shortReply(reply: Reply): Reply {
  return isShort(reply) ? reply : { ...reply, lines: firstOf(reply.lines) };
}

/** What was said, with its reply as it is kept. */
export function shortSaid(said: Said): Said {
  const { reply } = said;
  return reply === undefined || isShort(reply) ? said : { ...said, reply: shortReply(reply) };
}

function isShort({ lines }: Reply): boolean {
  let room = CHARACTERS;
  for (const line of lines) room -= line.length;
  return room >= 0 && lines.length <= LINES;
}

function firstOf(lines: readonly string[]): readonly string[] {
  const first: string[] = [];
  let room = CHARACTERS;
  for (const line of lines.slice(0, LINES)) {
    if (room <= 0) break;
    // No half of a surrogate pair.
    first.push(line.slice(0, room).replace(/[\ud800-\udbff]$/, ''));
    room -= line.length;
  }
  return first;
}
