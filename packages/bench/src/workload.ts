import { octets } from '@ehlo/grammar';

/** A reply, and after how many lines it is due. */
export interface Answer {
  readonly lines: number;
  readonly code: number;
}

/** Octets that go out in one write, and the replies that they get. */
export interface Write {
  readonly bytes: Uint8Array;
  readonly answers: readonly Answer[];
}

/** What a client does on a connection that is kept: the opening, the cycle again and again, the closing. Same for all servers. */
export interface Workload {
  readonly opening: readonly Write[];
  readonly cycle: readonly Write[];
  readonly closing: readonly Write[];
  /** Content that one cycle brings. */
  readonly messages: number;
  readonly octets: number;
}

/** A message as content, and how it goes over the wire: dots stuffed, its end included. */
export interface Message {
  readonly content: Uint8Array;
  readonly wire: Uint8Array;
}

const EHLO: Write = said('EHLO client.example\r\n', 250);
const MAIL: Write = said('MAIL FROM:<sender@client.example>\r\n', 250);
const RCPT: Write = said('RCPT TO:<recipient@bench.example>\r\n', 250);
const DATA: Write = said('DATA\r\n', 354);
const RSET: Write = said('RSET\r\n', 250);
const QUIT: Write = said('QUIT\r\n', 221);

/** The client waits for each reply before it goes on. */
export function sequential(message: Message): Workload {
  return { opening: [EHLO], cycle: [MAIL, RCPT, DATA, end(message)], closing: [], ...brings(message) };
}

/** RFC 2920: one write and one read per message; the next transaction's commands go out with the end of the last one's data. */
export function pipelined(message: Message): Workload {
  const commands = joined(MAIL, RCPT, DATA);
  return { opening: [EHLO, commands], cycle: [joined(end(message), commands)], closing: [end(message)], ...brings(message) };
}

/** RFC 3030: the message in chunks of 64 KiB, each behind its BDAT. */
export function inChunks({ content }: Message, binary: boolean): Workload {
  const mail = binary ? said('MAIL FROM:<sender@client.example> BODY=BINARYMIME\r\n', 250) : MAIL;
  const chunks: Write[] = [];
  for (let at = 0; at < content.length; at += 65_536) {
    const chunk = content.subarray(at, at + 65_536);
    const last = at + chunk.length === content.length ? ' LAST' : '';
    chunks.push({ bytes: concat([octets(`BDAT ${chunk.length}${last}\r\n`), chunk]), answers: [{ lines: 1, code: 250 }] });
  }
  return { opening: [EHLO], cycle: [mail, RCPT, ...chunks], closing: [], messages: 1, octets: content.length };
}

/** 102 commands in one write. */
export function commands(): Workload {
  const recipients = Array.from({ length: 100 }, () => RCPT);
  return { opening: [EHLO], cycle: [joined(MAIL, ...recipients, RSET)], closing: [], messages: 0, octets: 0 };
}

/** Greeting, EHLO and QUIT; between them a message, if there is one. */
export function session(message?: Message): Workload {
  if (message === undefined) return { opening: [EHLO], cycle: [QUIT], closing: [], messages: 0, octets: 0 };
  return { opening: [EHLO], cycle: [MAIL, RCPT, DATA, end(message), QUIT], closing: [], ...brings(message) };
}

/** Lines that are the same but for their count, up to `size` octets on the wire. */
export function lines(line: string, size: number): Message {
  const text = octets(`${line}\r\n`);
  const count = Math.floor(size / text.length);
  const stuffed = line.startsWith('.') ? 1 : 0;
  const content = repeated(text.subarray(stuffed), count);
  return { content, wire: concat([repeated(text, count), octets('.\r\n')]) };
}

export type Shape = 'lines76' | 'dots76' | 'dots4' | 'prose' | 'nolf';

/** Shapes of message bodies, a line each, as they stand on the wire. */
export const SHAPES: { readonly [shape in Shape]: string } = {
  lines76: 'x'.repeat(76),
  dots76: `..${'x'.repeat(74)}`,
  dots4: '..',
  prose: 'The quick brown fox jumps over the lazy dog. It does so daily, e.g. at 7.30 a.m.',
  nolf: 'x'.repeat(65_534),
};

/** 1 KiB of content: a header and lines of 76. */
export function small(): Message {
  const header = 'From: <sender@client.example>\r\nTo: <recipient@bench.example>\r\nSubject: bench\r\n\r\n';
  const line = `${SHAPES.lines76}\r\n`;
  const full = header + line.repeat(12);
  const text = `${full}${'x'.repeat(1024 - full.length - 2)}\r\n`;
  return { content: octets(text), wire: octets(`${text}.\r\n`) };
}

/** The replies of a part of a workload, in the terms of the floor. */
export function answersOf(writes: readonly Write[]): Answer[] {
  return writes.flatMap(({ answers }) => answers);
}

export function sizeOf(writes: readonly Write[]): number {
  return writes.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

function said(line: string, code: number): Write {
  return { bytes: octets(line), answers: [{ lines: 1, code }] };
}

/** The message itself, of which the last line is answered. */
function end({ wire }: Message): Write {
  return { bytes: wire, answers: [{ lines: wire.reduce((count, octet) => count + (octet === 0x0a ? 1 : 0), 0), code: 250 }] };
}

function joined(...writes: readonly Write[]): Write {
  return { bytes: concat(writes.map(({ bytes }) => bytes)), answers: answersOf(writes) };
}

function brings({ content }: Message): { readonly messages: number; readonly octets: number } {
  return { messages: 1, octets: content.length };
}

function repeated(bytes: Uint8Array, count: number): Uint8Array {
  return Buffer.alloc(bytes.length * count, bytes);
}
