// `ehlo send -t`: the envelope of a message from its own header.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { isHostName, type Mailbox, NULL_PATH, parseMailbox } from '@ehlo/grammar';
import {
  addDate,
  addFrom,
  addMessageId,
  type Edit,
  HARMLESS,
  type HeaderDeviation,
  type HeaderDraft,
  MessageEditor,
  removeBcc,
  removeReturnPath,
} from '@ehlo/message';
import { type EnvelopeProblem, envelopeOf } from '@ehlo/message/envelope';
import { ADDRESS_DEVIATIONS, HEADER_DEVIATIONS } from '@ehlo/message/words';
import { HeaderError, type Letter, letterOf, type Source, unlessAborted } from './send-message.ts';

/** Whom a message comes from and goes to, as texts. */
export interface TextEnvelope {
  readonly reversePath: string;
  readonly recipients: readonly string[];
}

/** A message, and the envelope that its header asks for. */
export interface HeaderLetter extends Letter {
  readonly envelope: TextEnvelope;
}

/**
 * Opens a message with its recipients in the header (RFC 5321 Appendix B), as `sendmail -t` does. When it is sent, Bcc and Return-Path are removed,
 * and Date, Message-ID and From are added if missing. `from` is the reverse-path, if given. Throws `MessageError` if the message can't be
 * read, and `HeaderError` if a recipient or the sender is not certain.
 */
export async function openHeaderLetter(source: Source, from: string | undefined, signal: AbortSignal): Promise<HeaderLetter> {
  const finder = new EnvelopeFinder(from === undefined ? null : mailboxOf(from));
  if (source.type === 'file') {
    const letter = letterOf(editedBlocks(source.blocks(), finder), () => edited(source.stream(), finder));
    return { ...letter, envelope: finder.envelope };
  }
  const message = edited(source.stream(), finder);
  // The header comes first, and only once.
  const head = await unlessAborted(message.next(), signal);
  const whole = async function* (): AsyncGenerator<Uint8Array, void, void> {
    if (head.done !== true) yield head.value;
    yield* message;
  };
  return { message: whole(), facts: undefined, octets: null, envelope: finder.envelope };
}

function mailboxOf(address: string): Mailbox {
  if (address === '') return NULL_PATH;
  const parsed = parseMailbox(address);
  if (!parsed.ok) throw new Error(`--from is no address: ${parsed.message}`);
  return parsed.value;
}

/** An edit that finds the envelope before the others change the header. Done twice it does the same. */
class EnvelopeFinder implements Edit {
  readonly name = 'envelope';
  readonly #identity: Mailbox | null;
  readonly #now = new Date();
  readonly #id = randomUUID();
  #envelope: TextEnvelope | null = null;

  constructor(identity: Mailbox | null) {
    this.#identity = identity;
  }

  get envelope(): TextEnvelope {
    if (this.#envelope === null) throw new HeaderError('there is no header');
    return this.#envelope;
  }

  apply(draft: HeaderDraft): void {
    const found = envelopeOf(draft.fields, this.#identity === null ? {} : { identity: this.#identity });
    const [problem] = found.problems;
    if (problem !== undefined) throw new HeaderError(problemText(problem));
    const sender = found.reversePath!;
    if (sender.address === '' && draft.named('From').length === 0) throw new HeaderError('there is no From, and no sender to make one of');
    this.#envelope = { reversePath: sender.address, recipients: found.recipients.map(({ address }) => address) };
    const date = { date: this.#now.getTime(), offset: -this.#now.getTimezoneOffset() };
    const edits = [removeReturnPath(), removeBcc(), addDate(date), addMessageId(`<${this.#id}@${idDomain(sender.domain)}>`)];
    if (sender.address !== '') edits.push(addFrom(sender));
    for (const edit of edits) edit.apply(draft);
    if (draft.notes.some(({ edit, refused }) => edit === 'remove-bcc' && refused !== null))
      throw new HeaderError('Bcc is signed, and can not be taken out: the others would see it');
  }
}

function problemText({ code, field, message }: EnvelopeProblem): string {
  const where = field === null ? '' : `${field}: `;
  return `${where}${inWords(message)}${code === 'no-sender' || code === 'several-authors' ? ' (--from names the sender)' : ''}`;
}

const WORDS: { readonly [name: string]: { readonly what: string } } = { ...ADDRESS_DEVIATIONS, ...HEADER_DEVIATIONS };

/** What is said of a deviation by its name alone. */
function inWords(message: string): string {
  const name = /\(([a-z0-9-]+)\)$/.exec(message)?.[1] ?? '';
  return WORDS[name] === undefined ? message : `${WORDS[name].what} (${name})`;
}

/** A name of this host or, where it has none, of the sender's; RFC 5322 3.6.4 wants one that makes the identifier unique. */
export function idDomain(domain: string): string {
  const own = hostname();
  if (own.includes('.') && isHostName(own)) return own;
  return isHostName(domain) && !domain.startsWith('[') ? domain : 'localhost.localdomain';
}

/** Deviations that may be tolerated: line ends are corrected when the message is sent; the others do not change how the recipients are read. */
const TAKEN: ReadonlySet<HeaderDeviation> = new Set([...HARMLESS, 'bare-lf']);

async function* edited(chunks: AsyncIterable<Uint8Array>, edit: Edit): AsyncGenerator<Uint8Array, void, void> {
  const editor = new MessageEditor([edit], { tolerate: TAKEN });
  for await (const chunk of chunks) {
    editor.push(chunk);
    yield* octetsOf(editor);
  }
  editor.end();
  yield* octetsOf(editor);
}

function* editedBlocks(blocks: Iterable<Uint8Array>, edit: Edit): Generator<Uint8Array, void, void> {
  const editor = new MessageEditor([edit], { tolerate: TAKEN });
  for (const block of blocks) {
    editor.push(block);
    yield* octetsOf(editor);
  }
  editor.end();
  yield* octetsOf(editor);
}

function* octetsOf(editor: MessageEditor): Generator<Uint8Array, void, void> {
  for (let event = editor.next(); event !== null; event = editor.next()) {
    if (event.type === 'octets') yield event.bytes;
    else if (event.type === 'refused') throw new HeaderError(`the header can not be taken: ${inWords(event.message)}`);
  }
}
