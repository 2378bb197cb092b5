import { type Capabilities, type MessageFacts, scanMessage } from '@ehlo/engine';

/** A message, whole or in pieces of any size; text is sent as UTF-8. What is given must not be changed until the message is sent. */
export type Content =
  | string
  | Uint8Array
  | Iterable<string | Uint8Array>
  | AsyncIterable<string | Uint8Array>
  | ReadableStream<string | Uint8Array>;

/** A message, or a function that makes it when it is known what the server takes. It may be called more than once. */
export type Message = Content | ((constraints: Constraints) => Content | Promise<Content>);

/** What a server takes. */
export interface Constraints {
  /** Octets of the largest message; infinite if the server names none (RFC 1870). */
  readonly size: number;
  /** Octets beyond ASCII in the body (RFC 6152). */
  readonly eightBit: boolean;
  /** UTF-8 in the header and in addresses (RFC 6531). */
  readonly smtpUtf8: boolean;
  /** Any octets at all (RFC 3030); the session needs the feature `CHUNKING`, too. */
  readonly binary: boolean;
  /** All that the server has said. */
  readonly capabilities: Capabilities;
}

/** Octets of a stream that are read ahead, so that what is declared is what the message is. */
const SPOOL = 1_048_576;

const CR = 0x0d;

/** A message that is ready to be sent. */
export class MessageSource {
  readonly facts: MessageFacts;
  /** Whether the same message can be made again. */
  readonly again: boolean;
  /** What is known to come next, read ahead; null stands for the end. */
  readonly #ahead: (Uint8Array | null)[];
  readonly #rest: AsyncIterator<Uint8Array> | null;
  #reading = false;
  #failure: { readonly error: unknown } | null = null;

  constructor(facts: MessageFacts, again: boolean, ahead: readonly Uint8Array[], rest: AsyncIterator<Uint8Array> | null) {
    this.facts = facts;
    this.again = again;
    this.#ahead = rest === null ? [...ahead, null] : [...ahead];
    this.#rest = rest;
  }

  /** Takes the next octets; null at the end; undefined if they are not here yet: then `wake` is called. Throws what the source has failed with. */
  take(wake: () => void): Uint8Array | null | undefined {
    if (this.#ahead.length < 2) this.#read(wake);
    const next = this.#ahead.shift();
    if (next === undefined && this.#failure !== null) throw this.#failure.error;
    return next;
  }

  /** Whether nothing but the end is left. */
  get ended(): boolean {
    return this.#ahead[0] === null;
  }

  /** No more of it is wanted. */
  stop(): void {
    this.#rest?.return?.()?.catch(() => {});
  }

  #read(wake: () => void): void {
    if (this.#rest === null || this.#reading || this.#failure !== null || this.#ahead.at(-1) === null) return;
    this.#reading = true;
    this.#rest.next().then(
      ({ done, value }) => {
        this.#reading = false;
        this.#ahead.push(done === true ? null : value);
        wake();
      },
      (error: unknown) => {
        this.#failure = { error };
        wake();
      },
    );
  }
}

/** Makes a message ready: it is scanned, a stream as far as it is read ahead. `facts` are believed, and nothing is read ahead then. */
export async function openMessage(message: Message, capabilities: Capabilities, facts?: MessageFacts): Promise<MessageSource> {
  const content = typeof message === 'function' ? await message(constraintsOf(capabilities)) : message;
  if (typeof content === 'string' || content instanceof Uint8Array) {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    return new MessageSource({ ...scanMessage(bytes), ...facts }, true, bytes.length === 0 ? [] : [bytes], null);
  }
  const again = isRepeatable(message);
  const pieces = piecesOf(content);
  if (facts !== undefined) return new MessageSource(facts, again, [], pieces);
  const ahead: Uint8Array[] = [];
  for (let octets = 0; octets < SPOOL; ) {
    const { done, value } = await pieces.next();
    if (done === true) return new MessageSource(scanMessage(ahead), again, ahead, null);
    ahead.push(value);
    octets += value.length;
  }
  return new MessageSource(factsOfBeginning(ahead), again, ahead, pieces);
}

/** Whether a message can be made more than once. */
export function isRepeatable(message: Message): boolean {
  return typeof message === 'function' || typeof message === 'string' || message instanceof Uint8Array || Array.isArray(message);
}

/** What the beginning of a message says of all of it. */
function factsOfBeginning(beginning: readonly Uint8Array[]): MessageFacts {
  const { body, smtpUtf8, bareCr, bareLf } = scanMessage(beginning);
  // A CR at the cut may have its LF behind it.
  const bare = bareCr + bareLf - (beginning.at(-1)?.at(-1) === CR ? 1 : 0);
  return {
    ...(body === '8BITMIME' ? { body } : {}),
    ...(smtpUtf8 ? { smtpUtf8 } : {}),
    ...(bare > 0 ? { bareLineEnds: true } : {}),
  };
}

function constraintsOf(capabilities: Capabilities): Constraints {
  const { extensions } = capabilities;
  const size = Number(extensions.get('SIZE')?.[0] ?? 0);
  return {
    size: size > 0 ? size : Number.POSITIVE_INFINITY,
    eightBit: extensions.has('8BITMIME'),
    smtpUtf8: extensions.has('SMTPUTF8'),
    binary: extensions.has('BINARYMIME') && extensions.has('CHUNKING'),
    capabilities,
  };
}

/** The pieces of a stream as octets, none of them empty. */
async function* piecesOf(content: Exclude<Content, string | Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const encoder = new TextEncoder();
  for await (const piece of iterable(content)) {
    const bytes = typeof piece === 'string' ? encoder.encode(piece) : piece;
    if (!(bytes instanceof Uint8Array)) throw new TypeError('a piece of a message is a string or a Uint8Array');
    if (bytes.length > 0) yield bytes;
  }
}

function iterable(content: Exclude<Content, string | Uint8Array>): AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array> {
  // Not every runtime iterates its streams.
  return Symbol.asyncIterator in content || Symbol.iterator in content ? content : chunksOf(content);
}

async function* chunksOf(stream: ReadableStream<string | Uint8Array>): AsyncGenerator<string | Uint8Array, void, void> {
  const reader = stream.getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
  } finally {
    await reader.cancel();
  }
}
