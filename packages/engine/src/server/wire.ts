import { decodeUtf8, formatReply, type Reply } from '@ehlo/grammar';
import { printable } from '../escape.ts';
import type { Policy } from './options.ts';

/** The replies of a policy as octets, each encoded once. Replies without a text get one when they are sent. */
export function wiresOf(replies: Policy['replies'], extensions: ReadonlySet<string>): Map<Reply, Uint8Array> {
  const fixed = Object.values<Reply>(replies).filter(({ lines }) => lines[0] !== '');
  return new Map(fixed.map((reply) => [reply, formatted(reply, extensions, false)]));
}

/** A reply as octets; with `utf8`, the client takes that (RFC 6531 3.7.4). */
export function encoded(reply: Reply, { wires, extensions }: Policy, utf8: boolean): Uint8Array {
  return wires.get(reply) ?? formatted(reply, extensions, utf8);
}

function formatted(reply: Reply, extensions: ReadonlySet<string>, utf8: boolean): Uint8Array {
  return formatReply(extensions.has('ENHANCEDSTATUSCODES') ? reply : { code: reply.code, lines: reply.lines }, utf8);
}

/** A reply without its enhanced code: RFC 2034 3 (4) has none in the greeting and in "any response to HELO or EHLO". */
export function bare(reply: Reply): Reply {
  if (reply.enhanced === undefined) return reply;
  const { enhanced: _, ...rest } = reply;
  return rest;
}

/** A reply as lines fit for a log: it may hold UTF-8. */
export function shownLines(wire: Uint8Array): string[] {
  return decodeUtf8(wire, 0, wire.length).split('\r\n').slice(0, -1).map(printable);
}
