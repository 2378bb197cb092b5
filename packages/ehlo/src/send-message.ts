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

/** The message that a file holds, or standard input. Throws `MessageError` if it can't be read. */
export function openLetter(file: string | undefined): Letter {
  if (file === undefined || file === '-') return standardInput();
  try {
    // Opened once, and left open until the process ends: what is sent is what was scanned, whatever becomes of the name.
    const handle = openSync(file, 'r');
    // What comes only once would be gone when it is scanned.
    if (!fstatSync(handle).isFile()) throw new Error('it is no file; give it as standard input');
    const { octets, ...facts } = scanMessage(blocks(handle));
    const message = (): ReadStream => createReadStream(file, { fd: handle, autoClose: false, start: 0, highWaterMark: BLOCK });
    return { message, facts, octets };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new MessageError(code === 'ENOENT' ? `there is no file ${file}` : `${file} can't be read: ${message}`);
  }
}

function standardInput(): Letter {
  if (isStandardInputDirectory()) throw new MessageError("standard input can't be read: it is a directory");
  return { message: process.stdin, facts: undefined, octets: null };
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

function* blocks(handle: number): Generator<Uint8Array, void, void> {
  const block = new Uint8Array(BLOCK);
  for (let at = 0, size = 1; size > 0; at += size) {
    size = readSync(handle, block, 0, BLOCK, at);
    if (size > 0) yield block.subarray(0, size);
  }
}
