// What a session is given to send: the content of a message, made 7-bit where it has to be, whose end waits.

import { SevenBitConverter, SevenBitSurvey } from '@ehlo/message/seven-bit';

/**
 * Content that ends when `begun` says yes, and breaks off with an error if it says no. It may be read as often as needed: a signature that stands in
 * front of a message covers all of it.
 */
export function heldContent(open: () => AsyncIterable<Uint8Array>, begun: Promise<boolean>): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => held(open(), begun) };
}

async function* held(content: AsyncIterable<Uint8Array>, begun: Promise<boolean>): AsyncGenerator<Uint8Array> {
  yield* content;
  if (!(await begun)) throw new Error('the attempt could not be written down');
}

/** RFC 6152 3: two passes over the same octets, of which neither keeps more than a line and a header. */
export async function* sevenBit(open: () => AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const survey = new SevenBitSurvey();
  for await (const bytes of open()) survey.push(bytes);
  const way = survey.end();
  if (way.cannot !== null) throw new Error(`it can not be made 7-bit: ${way.cannot}`);
  const converter = new SevenBitConverter(way);
  for await (const bytes of open()) {
    converter.push(bytes);
    for (let out = converter.next(); out !== null; out = converter.next()) yield out;
  }
  converter.end();
  for (let out = converter.next(); out !== null; out = converter.next()) yield out;
}
