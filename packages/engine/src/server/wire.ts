import { decodeUtf8, formatReply, type Reply } from '@ehlo/grammar';
import { printable } from '../escape.ts';
import type { Policy } from './policy.ts';
import { LMTP_REPLIES, REPLIES } from './replies.ts';

/** The replies that are the same in every session, encoded once. */
const WIRE: ReadonlyMap<Reply, Uint8Array> = new Map(
  [...Object.values<Reply>(REPLIES), ...Object.values<Reply>(LMTP_REPLIES)]
    .filter(({ lines }) => lines[0] !== '' && !lines[0]!.startsWith('%'))
    .map((reply) => [reply, formatReply(reply)]),
);

/** A reply as octets; with `utf8`, the client takes that (RFC 6531 3.7.4). */
export function encoded(reply: Reply, { extensions }: Policy, utf8: boolean): Uint8Array {
  if (!extensions.has('ENHANCEDSTATUSCODES')) return formatReply({ code: reply.code, lines: reply.lines }, utf8);
  return WIRE.get(reply) ?? formatReply(reply, utf8);
}

/** A reply without its enhanced code. */
export function bare(reply: Reply): Reply {
  if (reply.enhanced === undefined) return reply;
  const { enhanced: _, ...rest } = reply;
  return rest;
}

/** A reply as lines fit for a log: it may hold UTF-8. */
export function shownLines(wire: Uint8Array): string[] {
  return decodeUtf8(wire, 0, wire.length).split('\r\n').slice(0, -1).map(printable);
}
