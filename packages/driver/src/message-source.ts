import { type Capabilities, kindOf, type MessageFacts, SmtpUsageError, scanMessage } from '@ehlo/engine';
import { isStream, Pieces, type Stream } from './pieces.ts';
import { nextTurn } from './turns.ts';

/**
 * A message, whole or in pieces of any size; text is sent as UTF-8. What is given must not be changed until the message is sent. A stream is
 * the session's from then on: whatever becomes of the message, it is read to its end or closed.
 */
export type Content = string | Uint8Array | Stream;

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
/** Octets that are read ahead of what is taken, and the most room that short pieces are put together in. */
const BLOCK = 65_536;
/** Fewer octets than these wait for more, so that they need not be written one by one… */
const FEW = 4096;
/** … but only so many milliseconds. */
const SOON = 1;
/**
 * So many octets are read, and others have a turn of the loop. A source that has its octets at hand gives them in microtasks, and a network
 * that takes them at once never makes the client wait: then nothing else would be heard till the message is out, be it the server's end,
 * a signal that aborts, or another connection.
 */
const SHARE = 262_144;

const CR = 0x0d;
const NO_ROOM: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

/** A message on its way out of its source: it is opened, and then taken block by block. */
export class MessageSource {
  readonly #message: Message;
  #facts: MessageFacts | null = null;
  #pieces: Pieces | null = null;
  /** What was read and not yet taken. */
  #blocks: Uint8Array[] = [];
  /** Where short pieces are put together; what is filled of it is the last block. More of them get more room. */
  #room: Uint8Array = NO_ROOM;
  #most: number = FEW;
  #filled = 0;
  /** Octets that were read and not yet taken. */
  #octets = 0;
  /** All of the message, where a stream was so short that it is known. */
  #whole: readonly Uint8Array[] | null = null;
  #state: 'idle' | 'reading' | 'ended' | 'stopped' = 'idle';
  #failure: { readonly error: unknown } | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Few octets have waited long enough. */
  #due = false;
  /** Octets that were read since others had a turn. */
  #unshared = 0;
  /** Called when there is something to take, by whom nothing was there for. */
  #wake: (() => void) | null = null;

  /** Throws `SmtpUsageError` `bad-argument` for what can be no message. */
  constructor(message: Message) {
    if (typeof message !== 'function' && !isWhole(message) && !isStream(message as unknown))
      throw new SmtpUsageError(
        'bad-argument',
        `the message is ${kindOf(message)}; it must be a text, octets, a stream, or a function that gives one`,
      );
    this.#message = message;
    if (typeof message !== 'function' && !isWhole(message)) this.#pieces = new Pieces(message);
  }

  /** What is known of the message; null until it is open. */
  get facts(): MessageFacts | null {
    return this.#facts;
  }

  /** Makes it ready: it is scanned, a stream as far as it is read ahead. What is `known` is believed, and nothing is read ahead then. */
  async open(capabilities: Capabilities, known?: MessageFacts): Promise<void> {
    const message = this.#message;
    const content = typeof message === 'function' ? await message(constraintsOf(capabilities)) : message;
    if (isWhole(content)) {
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
      if (bytes.length > 0) this.#blocks.push(bytes);
      this.#octets = bytes.length;
      this.#state = 'ended';
      this.#facts = { ...scanMessage(bytes), ...known };
      return;
    }
    this.#pieces ??= new Pieces(content);
    if (this.#state === 'stopped') return this.#pieces.stop();
    if (known !== undefined) {
      this.#facts = known;
      return this.#fill();
    }
    while (this.#state === 'idle' && this.#octets < SPOOL) await this.#read();
    this.#close();
    if (this.#state === 'ended') this.#whole = [...this.#blocks];
    this.#facts = this.#whole === null ? factsOfBeginning(this.#blocks) : scanMessage(this.#blocks);
  }

  /**
   * Takes the next octets: what there is, short pieces put together. Null at the end; undefined if there is nothing yet: then `wake` is
   * called. Throws what the source has failed with.
   */
  take(wake: () => void): Uint8Array | null | undefined {
    if (this.#failure !== null) throw this.#failure.error;
    const ready = this.#octets >= FEW || this.#due || this.#state === 'ended';
    this.#wake = ready ? null : wake;
    let next: Uint8Array | undefined;
    if (ready) {
      this.#due = false;
      if (this.#blocks.length === 0) this.#close();
      next = this.#blocks.shift();
      this.#octets -= next?.length ?? 0;
    }
    this.#fill();
    return next ?? (this.#state === 'ended' ? null : undefined);
  }

  /** Whether nothing but the end is left. */
  get ended(): boolean {
    return this.#state === 'ended' && this.#octets === 0;
  }

  /** No more of it is wanted: its stream is closed, whether or not it was opened. */
  stop(): void {
    clearTimeout(this.#timer);
    if (this.#state !== 'ended') this.#state = 'stopped';
    this.#pieces?.stop();
  }

  /** The same message once more; null if it came only once. */
  again(): MessageSource | null {
    if (isRepeatable(this.#message)) return new MessageSource(this.#message);
    return this.#whole === null ? null : new MessageSource(this.#whole);
  }

  /** Reads ahead of what is taken, as far as there is room. */
  #fill(): void {
    if (this.#state !== 'idle' || this.#pieces === null || this.#octets >= BLOCK) return;
    this.#read().then(
      () => {
        if (this.#state === 'stopped') return;
        if (this.#octets >= FEW || this.#state === 'ended') this.#arrived();
        else
          this.#timer ??= setTimeout(() => {
            this.#timer = undefined;
            this.#due = this.#octets > 0;
            this.#arrived();
          }, SOON);
        this.#fill();
      },
      (error: unknown) => {
        this.#failure = { error };
        this.#arrived();
      },
    );
  }

  async #read(): Promise<void> {
    this.#state = 'reading';
    const piece = await this.#pieces!.next();
    this.#unshared += piece?.length ?? 0;
    if (this.#unshared >= SHARE) {
      this.#unshared = 0;
      await nextTurn();
    }
    // It may have been stopped meanwhile.
    if (this.#state !== 'reading') return;
    this.#state = 'idle';
    if (piece === null) this.#end();
    else this.#add(piece);
  }

  #arrived(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  /** Keeps a piece: a long one as it is, a short one behind others. */
  #add(piece: Uint8Array): void {
    this.#octets += piece.length;
    if (piece.length >= FEW) {
      this.#close();
      this.#blocks.push(piece);
      return;
    }
    if (this.#filled + piece.length > this.#room.length) {
      this.#close();
      this.#room = new Uint8Array(this.#most);
      this.#most = Math.min(BLOCK, 4 * this.#most);
    }
    this.#room.set(piece, this.#filled);
    this.#filled += piece.length;
  }

  /** Makes a block of what has been put together; the rest of the room is for what comes. */
  #close(): void {
    if (this.#filled > 0) this.#blocks.push(this.#room.subarray(0, this.#filled));
    this.#room = this.#room.subarray(this.#filled);
    this.#filled = 0;
  }

  #end(): void {
    this.#close();
    clearTimeout(this.#timer);
    this.#state = 'ended';
  }
}

function isWhole(content: Content): content is string | Uint8Array {
  return typeof content === 'string' || content instanceof Uint8Array;
}

/** Whether a message can be made more than once. */
export function isRepeatable(message: Message): boolean {
  return typeof message === 'function' || isWhole(message) || Array.isArray(message);
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
