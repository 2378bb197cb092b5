import { fstatSync, openSync, read, readSync } from 'node:fs';
import { type MessageFacts, scanMessage } from '@ehlo/engine';
import type { Message } from '#adapter';
import { EXIT } from './exit-codes.ts';

/** The message can't be read; the text says why. */
export class MessageError extends Error {
  readonly exit: number = EXIT.unreadable;
}

/** A header by which the message cannot be sent, because its recipients are not certain. The text says why. */
export class HeaderError extends Error {}

/** What is to be sent. */
export interface Letter {
  readonly message: Message;
  /** Known of a file, which is read twice; standard input comes once. */
  readonly facts: MessageFacts | undefined;
  /** Octets, if they are known. */
  readonly octets: number | null;
}

const BLOCK = 65_536;

/** Where a message is read from: a file, as often as one likes, or standard input, once. */
export type Source =
  | { readonly type: 'file'; readonly name: string; blocks(): Iterable<Uint8Array>; stream(): AsyncIterable<Uint8Array> }
  | { readonly type: 'input'; stream(): AsyncIterable<Uint8Array> };

/** The message of a source. Throws `MessageError` if it can't be read. */
export function openLetter(source: Source): Letter {
  if (source.type === 'input') return { message: filled(source.stream()), facts: undefined, octets: null };
  const letter = letterOf(source.blocks(), source.stream);
  if (letter.octets === 0) throw new MessageError(`${source.name} is empty: there is no message in it`);
  return letter;
}

/** The octets of a stream, of which there have to be some: a command that has failed, and writes nothing, does not want nothing to be sent. */
async function* filled(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let isEmpty = true;
  for await (const bytes of stream) {
    isEmpty = false;
    yield bytes;
  }
  if (isEmpty) throw new Error('standard input is empty');
}

/** What is to be sent, from its octets and a way to have them again. */
export function letterOf(
  octets: Iterable<Uint8Array>,
  message: () => AsyncIterable<Uint8Array>,
): Letter & { readonly longestLine: number } {
  const { octets: size, ...facts } = scanMessage(octets);
  return { message, facts, octets: size, longestLine: facts.longestLine };
}

/** Opens a file, or standard input. Throws `MessageError` if it can't be read. */
export function openSource(file: string | undefined): Source {
  if (file === undefined || file === '-') {
    if (isStandardInputDirectory()) throw new MessageError("standard input can't be read: it is a directory");
    return { type: 'input', stream: () => process.stdin };
  }
  // Opened once, and left open until the process ends: what is sent is what was scanned, whatever becomes of the name.
  const handle = readable(file, () => {
    const opened = openSync(file, 'r');
    // What comes only once would be gone when it is scanned.
    if (!fstatSync(opened).isFile()) throw new Error('it is no file; give it as standard input');
    return opened;
  });
  return { type: 'file', name: file, blocks: () => blocks(handle, file), stream: () => stream(handle, file) };
}

/** A source that can be read as often as one likes: what comes only once is kept. */
export async function repeatable(source: Source, signal: AbortSignal): Promise<Source> {
  if (source.type === 'file') return source;
  const octets = await readInput(signal);
  const stream = async function* (): AsyncGenerator<Uint8Array, void, void> {
    yield octets;
  };
  return { type: 'file', name: 'standard input', blocks: () => [octets], stream };
}

/** All of standard input. Throws `MessageError` if it can't be read, and the reason of the signal as soon as that is given. */
export async function readInput(signal: AbortSignal): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const input = process.stdin[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, unknown>;
  for (let part = await unlessAborted(input.next(), signal); part.done !== true; part = await unlessAborted(input.next(), signal))
    parts.push(part.value);
  return Buffer.concat(parts);
}

/** Throws the reason of the signal as soon as it is given; what else is thrown is standard input's. */
export async function unlessAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', abort);
  });
  try {
    return await Promise.race([result, aborted]);
  } catch (error) {
    if (error instanceof HeaderError || signal.aborted) throw error;
    throw new MessageError(`standard input can't be read: ${(error as Error).message}`);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function readable<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new MessageError(code === 'ENOENT' ? `there is no file ${file}` : `${file} can't be read: ${message}`);
  }
}

/** Whether standard input is a directory, which would read as an empty message. */
export function isStandardInputDirectory(): boolean {
  try {
    return fstatSync(0).isDirectory();
  } catch {
    // Not every console can be asked: then it is none.
    return false;
  }
}

function* blocks(handle: number, file: string): Generator<Uint8Array, void, void> {
  const block = new Uint8Array(BLOCK);
  for (let at = 0, size = 1; size > 0; at += size) {
    size = readable(file, () => readSync(handle, block, 0, BLOCK, at));
    if (size > 0) yield block.subarray(0, size);
  }
}

/** The same, as they are wanted. A stream of Node's would close the file when it is left, and nothing could be sent a second time. */
async function* stream(handle: number, file: string): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0, size = 1; size > 0; at += size) {
    const block = new Uint8Array(BLOCK);
    size = await new Promise<number>((resolve, reject) =>
      read(handle, block, 0, BLOCK, at, (error, taken) =>
        error === null ? resolve(taken) : reject(new MessageError(`${file} can't be read: ${error.message}`)),
      ),
    );
    if (size > 0) yield block.subarray(0, size);
  }
}
