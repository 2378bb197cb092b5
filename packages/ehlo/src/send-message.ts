import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
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

/** The message that a file holds, or standard input. Throws `MessageError` if the file can't be read. */
export function openLetter(file: string | undefined): Letter {
  if (file === undefined || file === '-') return { message: process.stdin, facts: undefined, octets: null };
  try {
    const { octets, ...facts } = scanMessage(blocks(file));
    return { message: () => createReadStream(file, { highWaterMark: BLOCK }), facts, octets };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new MessageError(code === 'ENOENT' ? `there is no file ${file}` : `${file} can't be read: ${message}`);
  }
}

function* blocks(file: string): Generator<Uint8Array, void, void> {
  const handle = openSync(file, 'r');
  try {
    // What comes only once would be gone when it is scanned.
    if (!fstatSync(handle).isFile()) throw new Error('it is no file; give it as standard input');
    const block = new Uint8Array(BLOCK);
    for (let size = readSync(handle, block); size > 0; size = readSync(handle, block)) yield block.subarray(0, size);
  } finally {
    closeSync(handle);
  }
}
