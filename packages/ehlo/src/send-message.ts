import { createReadStream, fstatSync, openSync, type ReadStream, readSync } from 'node:fs';
import { type MessageFacts, scanMessage } from '@ehlo/engine';
import type { Message } from '#adapter';

/** The message can't be read; the text says why. */
export class MessageError extends Error {}

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
  | { readonly type: 'file'; blocks(): Iterable<Uint8Array>; stream(): AsyncIterable<Uint8Array> }
  | { readonly type: 'input'; stream(): AsyncIterable<Uint8Array> };

/** The message that a file holds, or standard input. Throws `MessageError` if it can't be read. */
export function openLetter(file: string | undefined): Letter {
  const source = openSource(file);
  if (source.type === 'input') return { message: filled(source.stream()), facts: undefined, octets: null };
  const letter = letterOf(source.blocks(), source.stream);
  if (letter.octets === 0) throw new MessageError(`${file} is empty: there is no message in it`);
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
export function letterOf(octets: Iterable<Uint8Array>, message: () => AsyncIterable<Uint8Array>): Letter {
  const { octets: size, ...facts } = scanMessage(octets);
  return { message, facts, octets: size };
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
  const stream = (): ReadStream => createReadStream(file, { fd: handle, autoClose: false, start: 0, highWaterMark: BLOCK });
  return { type: 'file', blocks: () => blocks(handle, file), stream };
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
