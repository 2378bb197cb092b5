import { latin1, octets, parseReply, type Reply } from '@ehlo/grammar';

/** Where mail data that begins at `from` ends: behind the first CRLF "." CRLF, the CRLF before the data included (RFC 5321 4.1.1.4); -1: not here. */
export function dataEnd(stream: string, from: number): number {
  const found = `\r\n${stream.slice(from)}`.indexOf('\r\n.\r\n');
  return found < 0 ? -1 : from + found + 3;
}

/** What mail data without its end says: a dot at the beginning of a line is dropped (RFC 5321 4.5.2). */
function unstuff(data: string): string {
  return data
    .split('\r\n')
    .map((line) => (line.startsWith('.') ? line.slice(1) : line))
    .join('\r\n');
}

/** The content of mail data that stands before its end, `from` to `end`. */
export function contentOf(stream: string, from: number, end: number): string {
  return unstuff(stream.slice(from, end - '.\r\n'.length));
}

/** A message of whole lines as it has to be sent, its end included. */
export function stuff(message: string): string {
  const lines = message.split('\r\n');
  if (lines.pop() !== '') throw new Error('the last line has no end');
  return [...lines.map((line) => (line.startsWith('.') ? `.${line}` : line)), '.', ''].join('\r\n');
}

/** The replies that an output is made of. Throws where it is none. */
export function repliesOf(output: string): Reply[] {
  const replies: Reply[] = [];
  let from = 0;
  while (from < output.length) {
    const last = /(?:^|\r\n)[0-9]{3}[^-][^\r\n]*\r\n/g;
    last.lastIndex = from === 0 ? 0 : from - 2;
    const found = last.exec(output);
    if (found === null) throw new Error(`no whole reply: ${JSON.stringify(output.slice(from))}`);
    const end = found.index + found[0].length;
    const wire = octets(output.slice(from, end));
    const parsed = parseReply(octets(inAscii(wire)));
    if (!parsed.ok) throw new Error(`${parsed.message}: ${JSON.stringify(latin1(wire, 0, wire.length))}`);
    for (const line of output.slice(from, end).split('\r\n')) {
      // RFC 5321 4.5.3.1.5
      if (line.length + 2 > 512) throw new Error(`a reply line of ${line.length + 2} octets`);
    }
    replies.push(parsed.value);
    from = end;
  }
  return replies;
}

/** RFC 6531 3.7.4: replies may hold UTF-8, and nothing else beyond ASCII. Throws where it is broken. */
function inAscii(wire: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(wire).replaceAll(/\P{ASCII}/gu, '?');
}
