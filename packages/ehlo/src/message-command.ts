import { createReadStream } from 'node:fs';
import { jsonLine } from './json-line.ts';
import { messageText } from './message-text.ts';
import { readMessage } from './read-message.ts';
import { isStandardInputDirectory, MessageError } from './send-message.ts';

/** The options of `ehlo message`. */
export interface MessageCommandOptions {
  readonly json: boolean;
}

/** Shows a message as a tree. Returns whether it is valid. Throws `MessageError` if it can't be read. */
export async function messageCommand(
  file: string | undefined,
  { json }: MessageCommandOptions,
  write: (text: string) => void,
): Promise<boolean> {
  const message = await readMessage(chunksOf(file));
  write(json ? `${jsonLine(message)}\n` : messageText(message));
  return message.valid;
}

async function* chunksOf(file: string | undefined): AsyncGenerator<Uint8Array, void, void> {
  const standard = file === undefined || file === '-';
  if (standard && isStandardInputDirectory()) throw new MessageError("standard input can't be read: it is a directory");
  try {
    yield* (standard ? process.stdin : createReadStream(file, { highWaterMark: 65_536 })) as AsyncIterable<Uint8Array>;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new MessageError(code === 'ENOENT' ? `there is no file ${file}` : `${file ?? 'standard input'} can't be read: ${message}`);
  }
}
