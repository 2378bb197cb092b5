// A message as a file: a first line with lengths, a line for each job, the content. It never changes once it has its name.

import { crc32 } from 'node:zlib';
import type { Job } from '@ehlo/delivery';
import type { DiskFile } from './disk.ts';
import { hex, type Span, seal, unseal } from './record.ts';
import { SpoolError } from './spool-error.ts';

const MAGIC = 'ehlo-spool-1 ';
/** Octets of the lines of jobs, octets and CRC-32 of the content, in hexadecimal digits. Before it stand MAGIC and its checksum. */
const NUMBERS = /^ ([0-9a-f]{8}) ([0-9a-f]{12}) ([0-9a-f]{8})$/;
const HEAD_LENGTH = headLine(0, 0, 0).length;
/** Read and written at once. */
const BLOCK = 65_536;
/** As much as the lines of most messages have. */
const FIRST_READ = 4096;
const LF = 0x0a;

/** What the first line says. */
interface Head {
  /** Octets of the lines of jobs. */
  readonly lines: number;
  readonly content: Span & { readonly crc: number };
}

/** What stands in front of the content, as far as it is as it was written. */
export interface MessageFront {
  readonly jobs: readonly (Span & { readonly job: Job })[];
  /** What of it is not, or that the file is not as long as it was; null: nothing. */
  readonly why: string | null;
}

/** Writes a message from end to end, a block at a time. Its first line is written last, where it does not fit into one block. */
export async function writeMessage(
  file: Pick<DiskFile, 'write'>,
  jobs: readonly Job[],
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<readonly Span[]> {
  const lines = jobs.map((job) => seal(` ${JSON.stringify(job)}`));
  const front = Buffer.concat([Buffer.alloc(HEAD_LENGTH), ...lines]);
  const block = new Block(file, front);
  let octets = 0;
  let crc = 0;
  for await (const bytes of content) {
    crc = crc32(bytes, crc);
    octets += bytes.length;
    await block.add(bytes);
  }
  await block.end(headLine(front.length - HEAD_LENGTH, octets, crc));
  let at = HEAD_LENGTH;
  return lines.map(({ length }) => {
    at += length;
    return { at: at - length, length };
  });
}

/** Reads as much as can be read of what stands in front of the content. */
export async function readFront(file: DiskFile): Promise<MessageFront> {
  const first = Buffer.alloc(FIRST_READ);
  const head = headOf(first.subarray(0, Math.min(HEAD_LENGTH, await file.read(first, 0))));
  // Where the lines end is not known then, and content may look like one.
  if (head === null) return { jobs: [], why: BAD_HEAD };
  const { at, length } = head.content;
  let lines = first.subarray(HEAD_LENGTH, at);
  if (at > first.length) {
    lines = Buffer.alloc(head.lines);
    await file.read(lines, HEAD_LENGTH);
  }
  const { jobs, why } = jobsOf(lines);
  return { jobs, why: (await file.size()) === at + length ? why : lengthOf(head) };
}

/** The job on a line of the file. Rejects with `damaged`. */
export async function readJob(file: DiskFile, { at, length }: Span): Promise<Job> {
  const line = Buffer.alloc(length);
  await file.read(line, at);
  const text = unseal(line);
  if (text === null) throw damaged(lineAt(at));
  return JSON.parse(text) as Job;
}

/** The content, a block at a time. It throws with `damaged` before its end where the octets are not those that were written. */
export async function* readContent(file: DiskFile): AsyncGenerator<Uint8Array> {
  const first = Buffer.alloc(HEAD_LENGTH);
  await file.read(first, 0);
  const head = headOf(first);
  if (head === null) throw damaged(BAD_HEAD);
  const { content } = head;
  if ((await file.size()) !== content.at + content.length) throw damaged(lengthOf(head));
  let crc = 0;
  for (let done = 0; done < content.length; ) {
    const block = Buffer.allocUnsafeSlow(Math.min(BLOCK, content.length - done));
    await file.read(block, content.at + done);
    done += block.length;
    crc = crc32(block, crc);
    if (done === content.length && crc !== content.crc) throw damaged('its content has another checksum');
    yield block;
  }
}

/** Gathers octets until a block is full, so that a small message is one write. */
class Block {
  readonly #file: Pick<DiskFile, 'write'>;
  #parts: Uint8Array[];
  #length: number;
  #at = 0;

  constructor(file: Pick<DiskFile, 'write'>, front: Uint8Array) {
    this.#file = file;
    this.#parts = [front];
    this.#length = front.length;
  }

  async add(bytes: Uint8Array): Promise<void> {
    // Who gives them may use them again.
    this.#parts.push(Buffer.from(bytes));
    this.#length += bytes.length;
    if (this.#length >= BLOCK) await this.#write();
  }

  async end(head: Uint8Array): Promise<void> {
    if (this.#at === 0) this.#parts[0]!.set(head);
    else await this.#file.write(head, 0);
    if (this.#length > 0) await this.#write();
  }

  async #write(): Promise<void> {
    const octets = Buffer.concat(this.#parts);
    await this.#file.write(octets, this.#at);
    this.#at += octets.length;
    this.#parts = [];
    this.#length = 0;
  }
}

const BAD_HEAD = 'its first line is not as a spool has written it';

function lengthOf({ content: { at, length } }: Head): string {
  return `it is not as long as its first line says, ${at + length} octets`;
}

function lineAt(at: number): string {
  return `the line of a job at octet ${at} is not as it was written`;
}

function headLine(lines: number, octets: number, crc: number): Buffer {
  return Buffer.concat([Buffer.from(MAGIC), seal(` ${hex(lines, 8)} ${hex(octets, 12)} ${hex(crc, 8)}`)]);
}

function headOf(line: Buffer): Head | null {
  if (line.toString('latin1', 0, MAGIC.length) !== MAGIC) return null;
  const [, ...digits] = NUMBERS.exec(unseal(line.subarray(MAGIC.length)) ?? '') ?? [];
  const [lines, length, crc] = digits.map((one) => Number.parseInt(one, 16));
  if (lines === undefined || length === undefined || crc === undefined) return null;
  return { lines, content: { at: HEAD_LENGTH + lines, length, crc } };
}

function jobsOf(lines: Buffer): MessageFront {
  const jobs: MessageFront['jobs'][number][] = [];
  let why: string | null = null;
  for (let at = 0; at < lines.length; ) {
    const lf = lines.indexOf(LF, at);
    const next = lf === -1 ? lines.length : lf + 1;
    const text = unseal(lines.subarray(at, next));
    if (text === null) why ??= lineAt(HEAD_LENGTH + at);
    else jobs.push({ at: HEAD_LENGTH + at, length: next - at, job: JSON.parse(text) as Job });
    at = next;
  }
  return { jobs, why };
}

function damaged(what: string): SpoolError {
  return new SpoolError('damaged', what);
}
