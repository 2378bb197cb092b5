import {
  type Capabilities,
  checkOptions,
  kindOf,
  type MessageFacts,
  type MessageScan,
  SmtpUsageError,
  scanMessage,
  type TableOf,
  type TransactionPaths,
} from '@ehlo/engine';
import { OTHER_NAMES } from './other-names.ts';
import { isStream, type Stream, StreamReader } from './stream-reader.ts';

/**
 * A message, whole or as a stream of blocks of any size; text is sent as UTF-8. What is given must not be changed until the message is sent. A
 * stream belongs to the session from then on: it is read to its end or closed, whatever the outcome.
 */
export type Content = string | Uint8Array | Stream;

/**
 * A message that is made for each transaction, such as one whose signature binds the envelope (DKIM2), or one that is generated while it is
 * sent. Its facts must be given before.
 */
export interface TailoredMessage {
  /** `size`, `body` (`'7BIT'` or `'8BITMIME'`) and `smtpUtf8` are what MAIL declares: say them of the signed message, where you know them. */
  readonly facts: MessageFacts;
  /**
   * Called once in each transaction, when the server waits for the message: each RCPT has been answered by then, with BDAT, too. What it throws,
   * or its promise rejects with, gives the message up, without its end. The server waits a few minutes at the most.
   */
  content(transaction: TransactionPaths): Content | Promise<Content>;
}

/** A message, what makes it for each transaction, or a function that gives one of them when it is known what the server takes, each time it is called. */
export type Message = Content | TailoredMessage | ((constraints: Constraints) => Awaitable<Content | TailoredMessage>);

type Awaitable<T> = T | Promise<T>;

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

const CR = 0x0d;
const NO_ROOM: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

/** A message on its way out of its source: it is opened, and then taken block by block. */
export class MessageSource {
  readonly #message: Message;
  #facts: MessageFacts | null = null;
  /** What makes it for a transaction. */
  #tailor: TailoredMessage | null = null;
  #reader: StreamReader | null = null;
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
  /** Called when octets arrive after none were available. */
  #wake: (() => void) | null = null;

  /** Throws `SmtpUsageError` `bad-argument` for what can be no message. */
  constructor(message: Message) {
    this.#message = message;
    if (typeof message === 'function' || isWhole(message)) return;
    if (isStream(message)) this.#reader = new StreamReader(message);
    else if (isTailored(message)) checkOptions(FACTS, message.facts, OTHER_NAMES, 'message.facts');
    else
      throw new SmtpUsageError(
        'bad-argument',
        `the message is ${kindOf(message)}; it must be a text, octets, a stream, { facts, content(transaction) }, or a function that gives one`,
      );
  }

  /** What is known of the message; null until it is open. */
  get facts(): MessageFacts | null {
    return this.#facts;
  }

  /** Makes it ready now, where that needs nothing to be waited for: a text or octets. Whether it did. */
  openAtOnce(known?: MessageFacts): boolean {
    const message = this.#message;
    if (typeof message === 'function' || !isWhole(message)) return false;
    this.#facts = { ...scanMessage(this.#hold(message)), ...known };
    return true;
  }

  /** Makes it ready: it is scanned, a stream as far as it is read ahead. What is `known` is believed, and nothing is read ahead then. */
  async open(capabilities: Capabilities, known?: MessageFacts): Promise<void> {
    if (this.openAtOnce(known)) return;
    const message = this.#message;
    const content = typeof message === 'function' ? await message(constraintsOf(capabilities)) : message;
    if (isTailored(content)) {
      this.#tailor = content;
      this.#facts = { ...content.facts, ...known };
      return;
    }
    if (isWhole(content)) {
      this.#facts = { ...scanMessage(this.#hold(content)), ...known };
      return;
    }
    this.#reader ??= new StreamReader(content);
    if (this.#state === 'stopped') return this.#reader.stop();
    if (known !== undefined) {
      this.#facts = known;
      return this.#fill();
    }
    while (this.#state === 'idle' && this.#octets < SPOOL) await this.#read();
    this.#close();
    if (this.#state === 'ended') this.#whole = [...this.#blocks];
    this.#facts = this.#whole === null ? factsOfBeginning(this.#blocks) : scanMessage(this.#blocks);
  }

  /** Whether it is made for each transaction. */
  get isTailored(): boolean {
    return this.#tailor !== null;
  }

  /** The server waits for it, in this transaction: what is made for it is made now. */
  begin(transaction: TransactionPaths): void {
    const tailor = this.#tailor!;
    new Promise<Content>((resolve) => resolve(tailor.content(transaction))).then(
      (content) => {
        if (isWhole(content)) this.#hold(content);
        else this.#reader = new StreamReader(content);
        if (this.#state === 'stopped') this.#reader?.stop();
        else if (this.#state === 'ended') this.#arrived();
        else this.#fill();
      },
      (error: unknown) => {
        this.#failure = { error };
        this.#arrived();
      },
    );
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
    this.#reader?.stop();
  }

  /** The same message once more; null if it came only once. */
  again(): MessageSource | null {
    if (isRepeatable(this.#message)) return new MessageSource(this.#message);
    return this.#whole === null ? null : new MessageSource(this.#whole);
  }

  /** All of it. */
  #hold(content: string | Uint8Array): Uint8Array {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    if (bytes.length > 0) this.#blocks.push(bytes);
    this.#octets = bytes.length;
    if (this.#state !== 'stopped') this.#state = 'ended';
    return bytes;
  }

  /** Reads ahead of what is taken, as far as there is room. */
  #fill(): void {
    if (this.#state !== 'idle' || this.#reader === null || this.#octets >= BLOCK) return;
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
    const piece = await this.#reader!.next();
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

  /** Keeps a piece: a long one as it is, a short one together with others. */
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

/** What `scanMessage` finds is given as it is, with what no plan asks for. */
export const FACTS: TableOf<Omit<MessageScan, 'body'> & MessageFacts> = {
  size: [0],
  octets: [0],
  body: ['7BIT', '8BITMIME', 'BINARYMIME'],
  smtpUtf8: 'switch',
  bareLineEnds: 'switch',
  bareCr: [0],
  bareLf: [0],
  nul: [0],
  longestLine: [0],
};

function isTailored(message: Content | TailoredMessage): message is TailoredMessage {
  return typeof message === 'object' && message !== null && 'content' in message && typeof message.content === 'function';
}

function isWhole(content: Content | TailoredMessage): content is string | Uint8Array {
  return typeof content === 'string' || content instanceof Uint8Array;
}

/** Whether a message can be made more than once. */
export function isRepeatable(message: Message): boolean {
  return typeof message === 'function' || isWhole(message) || isTailored(message) || Array.isArray(message);
}

/** What follows for the whole message from its beginning. */
function factsOfBeginning(beginning: readonly Uint8Array[]): MessageFacts {
  const { body, smtpUtf8, bareCr, bareLf } = scanMessage(beginning);
  // A CR at the cut may have its LF after it.
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
