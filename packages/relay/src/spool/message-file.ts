// A message as a file: a first line with lengths and checksums, a line for each job, the content. It never changes once it has its name.

import { crc32 } from 'node:zlib';
import type { Job } from '@ehlo/delivery';
import type { DiskFile } from './disk.ts';
import { hex, type Span } from './record.ts';
import { SpoolError } from './spool-error.ts';

const MAGIC = 'ehlo-spool-1';
/** MAGIC, octets and CRC-32 of the lines of jobs, octets and CRC-32 of the content, LF: all in hexadecimal digits. */
const HEAD = new RegExp(`^${MAGIC} ([0-9a-f]{8}) ([0-9a-f]{8}) ([0-9a-f]{12}) ([0-9a-f]{8})\n$`);
const HEAD_LENGTH = MAGIC.length + 1 + 8 + 1 + 8 + 1 + 12 + 1 + 8 + 1;
/** Read and written at once. */
const BLOCK = 65_536;
/** As much as the lines of most messages have. */
const FIRST_READ = 4096;
const LF = 0x0a;

/** What stands in front of the content. */
export interface MessageHead {
  readonly jobs: readonly (Span & { readonly job: Job })[];
  readonly content: Span & { readonly crc: number };
}

/** Writes a message from end to end, a block at a time. Its first line is written last, where it does not fit into one block. */
export async function writeMessage(
  file: Pick<DiskFile, 'write'>,
  jobs: readonly Job[],
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<readonly Span[]> {
  const lines = jobs.map((job) => Buffer.from(`${JSON.stringify(job)}\n`));
  const front = Buffer.concat([Buffer.alloc(HEAD_LENGTH), ...lines]);
  const block = new Block(file, front);
  let octets = 0;
  let crc = 0;
  for await (const bytes of content) {
    crc = crc32(bytes, crc);
    octets += bytes.length;
    await block.add(bytes);
  }
  const head = `${MAGIC} ${hex(front.length - HEAD_LENGTH, 8)} ${hex(crc32(front.subarray(HEAD_LENGTH)), 8)} ${hex(octets, 12)} ${hex(crc, 8)}\n`;
  await block.end(Buffer.from(head, 'latin1'));
  let at = HEAD_LENGTH;
  return lines.map(({ length }) => {
    at += length;
    return { at: at - length, length };
  });
}

/** Reads what stands in front of the content, and whether the file is as long as it says. Rejects with `damaged`. */
export async function readHead(file: DiskFile): Promise<MessageHead> {
  const head = await readFront(file);
  const { at, length } = head.content;
  if ((await file.size()) !== at + length) throw damaged(`it is not as long as its first line says, ${at + length} octets`);
  return head;
}

/** The same of a file whose content may be another. */
export async function readFront(file: DiskFile): Promise<MessageHead> {
  const first = Buffer.alloc(FIRST_READ);
  const got = await file.read(first, 0);
  const [, ...numbers] = HEAD.exec(first.toString('latin1', 0, Math.min(got, HEAD_LENGTH))) ?? [];
  const [octets, crc, length, contentCrc] = numbers.map((digits) => Number.parseInt(digits, 16));
  if (octets === undefined || length === undefined) throw damaged('its first line is not one of a spool');
  const at = HEAD_LENGTH + octets;
  let lines = first.subarray(HEAD_LENGTH, at);
  if (at > first.length) {
    // No checksum is of the length itself.
    if (at > (await file.size())) throw damaged('it is not as long as its first line says');
    lines = Buffer.alloc(octets);
    await file.read(lines, HEAD_LENGTH);
  }
  if (crc32(lines) !== crc) throw damaged('the lines of its jobs have another checksum');
  return { jobs: jobsOf(lines), content: { at, length, crc: contentCrc! } };
}

/** The job on a line of the file. Rejects with `damaged`. */
export async function readJob(file: DiskFile, { at, length }: Span): Promise<Job> {
  const line = Buffer.alloc(length);
  await file.read(line, at);
  try {
    return JSON.parse(line.toString()) as Job;
  } catch (error) {
    throw damaged(`the line of a job at octet ${at} can not be read`, error);
  }
}

/** The content, a block at a time. It throws with `damaged` before its end where the octets are not those that were written. */
export async function* readContent(file: DiskFile): AsyncGenerator<Uint8Array> {
  const { content } = await readHead(file);
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

function jobsOf(lines: Buffer): MessageHead['jobs'] {
  const jobs: MessageHead['jobs'][number][] = [];
  for (let at = 0; at < lines.length; ) {
    const next = lines.indexOf(LF, at) + 1;
    jobs.push({ at: HEAD_LENGTH + at, length: next - at, job: JSON.parse(lines.toString('utf8', at, next)) as Job });
    at = next;
  }
  return jobs;
}

function damaged(what: string, cause?: unknown): SpoolError {
  return new SpoolError('damaged', what, cause);
}
