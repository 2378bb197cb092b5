import { type EditNote, HeaderDraft, type LineEnd } from './draft.ts';
import type { Edit } from './edits.ts';
import type { Field } from './field.ts';
import { type HeaderEvent, HeaderReader, type HeaderReaderOptions } from './header-reader.ts';
import { joined } from './octets.ts';

const CR = 0x0d;
const LF = 0x0a;

/** What a message editor gives, in the order of the message. */
export type EditorEvent =
  /** The header is read and edited; its octets come next. `fields` are those that it has now. */
  | { readonly type: 'edited'; readonly notes: readonly EditNote[]; readonly fields: readonly Field[] }
  /** Octets of the edited message. */
  | { readonly type: 'octets'; readonly bytes: Uint8Array }
  | { readonly type: 'end' }
  /** The header is rejected: no octet of the message was output. */
  | Extract<HeaderEvent, { readonly type: 'refused' }>;

/**
 * Edits the header of a message while the message passes through. The header is buffered to its end, within the limits; the body is passed on
 * as views, and not examined. What no edit changes is output unchanged, however the input was divided.
 *
 * Signed fields are left as they are, and reported in `edited` before any octet: a program that must not send such a field (a Bcc) stops there.
 *
 * @example
 * ```ts
 * import { addDate, MessageEditor, removeBcc } from '@ehlo/message';
 * const editor = new MessageEditor([removeBcc(), addDate({ date: 0 })]);
 * editor.push(new TextEncoder().encode('To: a@example.org\r\nBcc: b@example.org\r\n\r\ntext\r\n'));
 * editor.end();
 * let text = '';
 * for (let event = editor.next(); event !== null; event = editor.next())
 *   if (event.type === 'octets') text += new TextDecoder().decode(event.bytes);
 * text
 * // → 'To: a@example.org\r\nDate: Thu, 1 Jan 1970 00:00:00 +0000\r\n\r\ntext\r\n'
 * ```
 */
export class MessageEditor {
  readonly #reader: HeaderReader;
  readonly #edits: readonly Edit[];
  readonly #events: EditorEvent[] = [];
  #strays: Uint8Array[] = [];
  #fields: Field[] = [];

  /** The edits are done in this order; the time and every id are given to them. */
  constructor(edits: readonly Edit[], options: HeaderReaderOptions = {}) {
    this.#edits = edits;
    this.#reader = new HeaderReader(options);
  }

  /** The next octets of the message. Those of the header are copied; those of the body are lent until `next` has given them. */
  push(bytes: Uint8Array): void {
    this.#reader.push(bytes);
  }

  /** There are no more octets. */
  end(): void {
    this.#reader.end();
  }

  /**
   * What comes next; null: push more, or it is over.
   *
   * @throws {RangeError} if an edit of the program's (`sign`) gives what is no field
   */
  next(): EditorEvent | null {
    while (this.#events.length === 0) {
      const event = this.#reader.next();
      if (event === null) return null;
      if (event.type === 'field') this.#fields.push(event.field);
      else if (event.type === 'stray') this.#strays.push(event.raw);
      else if (event.type === 'end-of-header') this.#edit(event.blankLine);
      else this.#events.push(event.type === 'body' ? { type: 'octets', bytes: event.bytes } : event);
    }
    return this.#events.shift()!;
  }

  #edit(blankLine: Uint8Array): void {
    const draft = new HeaderDraft(this.#fields, lineEndOf(this.#fields, blankLine));
    for (const edit of this.#edits) edit.apply(draft);
    const { fields, notes, lineEnd } = draft;
    const end = lineEnd === '\n' ? [LF] : [CR, LF];
    const parts: (Uint8Array | readonly number[])[] = [];
    // Lines before the first field stay there: behind another field they would be read as a part of it, or as the body.
    const whole = [...this.#strays, ...fields.map(({ raw }) => raw)];
    for (const [i, raw] of whole.entries()) {
      parts.push(raw);
      // A message may end within its last field (RFC 5322 3.5).
      if (i < whole.length - 1 && raw.at(-1) !== LF) parts.push(end);
    }
    // Without a field the first line of the body would be read as one, or as that of a mailbox file.
    if (fields.length === 0 && this.#fields.length > 0 && blankLine.length === 0) parts.push(end);
    parts.push(blankLine);
    this.#events.push({ type: 'edited', notes, fields });
    const header = joined(parts);
    if (header.length > 0) this.#events.push({ type: 'octets', bytes: header });
    this.#strays = [];
    this.#fields = [];
  }
}

/** As the first line of the header ends; CRLF if none does. */
function lineEndOf(fields: readonly Field[], blankLine: Uint8Array): LineEnd {
  const first = fields[0]?.raw ?? blankLine;
  const lf = first.indexOf(LF);
  return lf >= 0 && first[lf - 1] !== CR ? '\n' : '\r\n';
}
