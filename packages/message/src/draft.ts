import { encodeUtf8 } from '@ehlo/grammar/imf';
import { type Field, isNamed } from './field.ts';
import { covers, type Signature, signaturesOf } from './signature.ts';

/** Why an edit left a field as it was. */
export type EditReason =
  /** A signature covers it, or says that no field of the name is there: it would no longer hold. */
  | 'signed'
  /** Its value can not be read. */
  | 'unreadable'
  /** A line has no white space at which it could be folded. */
  | 'no-place-to-fold';

/** What an edit did to a field, or why it did not. */
export interface EditNote {
  /** The edit by its name, e.g. `add-date`. */
  readonly edit: string;
  readonly change: 'added' | 'removed' | 'replaced' | 'folded';
  /** The name of the field. */
  readonly field: string;
  /** Octets from the start of the message to the field; null for one that is added. */
  readonly offset: number | null;
  /** Null: it was done. */
  readonly refused: EditReason | null;
  /** The signatures that forbid it. Of a trace field, which has to be there: those that no longer hold. */
  readonly signatures: readonly Signature[];
}

export type LineEnd = '\r\n' | '\n';

/** `name ":" value CRLF`, folded or not: one field, whatever its value says. */
const ONE_FIELD = /^([!-9;-~]+):(?:[^\r\n]|\r\n[ \t])*\r\n$/;

/**
 * The fields of a header while they are edited. Every change of a field that a signature covers is left undone, and told (RFC 6376 5.4, RFC
 * 6409 8); edits see what the edits before them have done.
 */
export class HeaderDraft {
  readonly lineEnd: LineEnd;
  readonly #signatures: readonly Signature[];
  readonly #notes: EditNote[] = [];
  #fields: Field[];

  constructor(fields: readonly Field[], lineEnd: LineEnd) {
    this.#fields = [...fields];
    this.#signatures = signaturesOf(fields);
    this.lineEnd = lineEnd;
  }

  /** From the top. */
  get fields(): readonly Field[] {
    return this.#fields;
  }

  /** What was done so far, and what was not. */
  get notes(): readonly EditNote[] {
    return this.#notes;
  }

  named(name: string): readonly Field[] {
    return this.#fields.filter((field) => isNamed(field, name));
  }

  /**
   * A field of trace, in front of the field `at`. It is added whatever was signed: RFC 5321 4.4 requires it.
   *
   * @throws {RangeError} if the text is not one whole field that ends with CRLF
   */
  trace(edit: string, text: string, at = 0): void {
    const field = this.#read(text);
    this.#add(edit, field, at, this.#forbid(field.name, at), null);
  }

  /** A field at the top or, where none of its name is signed, at the end. As `trace`, but nothing signed is broken. */
  add(edit: string, text: string, at: number = this.#fields.length): void {
    const field = this.#read(text);
    const signatures = this.#forbid(field.name, at);
    this.#add(edit, field, at, signatures, signatures.length > 0 ? 'signed' : null);
  }

  remove(edit: string, field: Field): void {
    if (this.#may(edit, 'removed', field)) this.#fields = this.#fields.filter((other) => other !== field);
  }

  /** As `add` in the place of a field. */
  replace(edit: string, field: Field, text: string): void {
    const { raw, valueAt } = this.#read(text);
    if (this.#may(edit, 'replaced', field)) this.#put(field, { ...field, raw, valueAt, deviations: [] });
  }

  /** The same field on other lines; null where one can not be folded. */
  fold(edit: string, field: Field, raw: Uint8Array | null): void {
    if (raw === null) this.leave(edit, 'folded', field, 'no-place-to-fold');
    else if (this.#may(edit, 'folded', field)) this.#put(field, { ...field, raw });
  }

  /** Tells that an edit does nothing. */
  leave(edit: string, change: EditNote['change'], { name, offset }: Field, refused: EditReason): void {
    this.#notes.push({ edit, change, field: name, offset, refused, signatures: [] });
  }

  #put(field: Field, other: Field): void {
    this.#fields = this.#fields.map((one) => (one === field ? other : one));
  }

  #add(edit: string, field: Field, at: number, signatures: readonly Signature[], refused: EditReason | null): void {
    if (refused === null) this.#fields.splice(at, 0, field);
    this.#notes.push({ edit, change: 'added', field: field.name, offset: null, refused, signatures });
  }

  #may(edit: string, change: EditNote['change'], field: Field): boolean {
    const at = this.#fields.indexOf(field);
    const own = this.#signatures.filter((signature) => signature.field === field);
    const signatures = [...own, ...this.#forbid(field.name, at + 1)];
    const refused = signatures.length > 0 ? 'signed' : null;
    this.#notes.push({ edit, change, field: field.name, offset: field.offset, refused, signatures });
    return refused === null;
  }

  /** The signatures that cover a field of this name above the one at `at`. */
  #forbid(name: string, at: number): readonly Signature[] {
    const below = this.#fields.slice(at).filter((field) => isNamed(field, name)).length;
    return this.#signatures.filter((signature) => covers(signature, name, below));
  }

  /** A field of the program's, with the line ends of the message. */
  #read(text: string): Field {
    const name = ONE_FIELD.exec(text)?.[1];
    if (name === undefined) throw new RangeError('not one header field that ends with CRLF');
    const raw = encodeUtf8(this.lineEnd === '\n' ? text.replaceAll('\r\n', '\n') : text);
    return { name, raw, offset: 0, valueAt: name.length + 1, deviations: [] };
  }
}
