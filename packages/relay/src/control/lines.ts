// Answers with one line of JSON for each item, at the speed of their reader.

import type { ServerResponse } from 'node:http';

/** Ours: characters that are gathered before they are written. */
const CHUNK = 16_384;

/** Writes lines as they come; if the reader leaves, their source is ended. */
export async function sendLines(response: ServerResponse, lines: AsyncIterable<object>): Promise<void> {
  response.setHeader('content-type', 'application/x-ndjson; charset=utf-8');
  let text = '';
  for await (const line of lines) {
    if (response.destroyed) return;
    text += `${JSON.stringify(line)}\n`;
    if (text.length < CHUNK) continue;
    await written(response, text);
    text = '';
  }
  response.end(text);
}

/** Writes octets as they come. */
export async function sendOctets(response: ServerResponse, octets: AsyncIterable<Uint8Array>): Promise<void> {
  response.setHeader('content-type', 'message/rfc822');
  for await (const bytes of octets) {
    if (response.destroyed) return;
    await written(response, bytes);
  }
  response.end();
}

async function written(response: ServerResponse, bytes: string | Uint8Array): Promise<void> {
  if (response.write(bytes) || response.destroyed) return;
  await new Promise<void>((done) => {
    const over = (): void => {
      response.off('drain', over).off('close', over);
      done();
    };
    response.on('drain', over).on('close', over);
  });
}
