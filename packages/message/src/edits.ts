import { ANY_DATE, type DateTime, encodeUtf8, formatDate, type Mailbox, messageId, OBSOLETE_DATE, parseDate } from '@ehlo/grammar/imf';
import { formatReceived, formatReturnPath, type Received } from '@ehlo/grammar/trace';
import type { HeaderDraft } from './draft.ts';
import { type Field, fieldValue } from './field.ts';
import { FOLD_AT, foldField, isLonger, LONGEST_LINE } from './fold.ts';
import { type MessageIdDeviation, parseMessageIds } from './message-id.ts';

/** A change of a header that can be asked for. */
export interface Edit {
  /** By which what it did is told. */
  readonly name: string;
  apply(draft: HeaderDraft): void;
}

/** A moment as `formatDate` writes it. */
export type Moment = Pick<DateTime, 'date'> & Partial<DateTime>;

/**
 * At final delivery: `Return-Path` at the very top, in the place of those that are there (RFC 5321 4.4). One that is signed stays below.
 *
 * @example
 * ```ts
 * import { MessageEditor, returnPath } from '@ehlo/message';
 * const editor = new MessageEditor([returnPath({ localPart: 'ann', domain: 'example.org', address: 'ann@example.org' })]);
 * editor.push(new TextEncoder().encode('Return-Path: <old@example.org>\r\nSubject: x\r\n\r\n'));
 * const edited = editor.next();
 * edited?.type === 'edited' && edited.fields.map(({ raw }) => new TextDecoder().decode(raw))
 * // → ['Return-Path: <ann@example.org>\r\n', 'Subject: x\r\n']
 * ```
 */
export function returnPath(reversePath: Mailbox): Edit {
  const name = 'return-path';
  return {
    name,
    apply(draft) {
      for (const field of draft.named('Return-Path')) draft.remove(name, field);
      draft.trace(name, formatReturnPath(reversePath));
    },
  };
}

/** Removes `Return-Path`: for programs that send mail, or receive it from other systems (RFC 5321 4.4). */
export function removeReturnPath(): Edit {
  return removal('remove-return-path', ['Return-Path']);
}

/**
 * `Received` in front of all others (RFC 5321 4.4), below a Return-Path of an edit before. A comment in it tells what was mended by
 * edits before it (6.4).
 */
export function received(facts: Received): Edit {
  const name = 'received';
  return {
    name,
    apply(draft) {
      const changes = draft.notes.filter((note) => note.refused === null && MENDED.has(note.edit));
      const comment = changes.length === 0 ? facts.comment : changes.map(({ field, change }) => `${field} ${change}`).join(', ');
      const behind = draft.notes.some(({ edit, change }) => edit === 'return-path' && change === 'added') ? 1 : 0;
      draft.trace(name, formatReceived({ ...facts, comment }), behind);
    },
  };
}

/** The edits that make another message of it. */
const MENDED: ReadonlySet<string> = /* @__PURE__ */ new Set([
  'add-from',
  'add-date',
  'correct-date',
  'add-message-id',
  'set-sender',
  'fold',
  'sign',
]);

/**
 * Without `Bcc` and `Resent-Bcc`; with an empty Bcc if no To and no Cc is there (RFC 5321 Appendix B). A Bcc that is signed stays, and is
 * told: such a message is not to be sent to the others.
 */
export function removeBcc(): Edit {
  const name = 'remove-bcc';
  return {
    name,
    apply(draft) {
      removal(name, ['Bcc', 'Resent-Bcc']).apply(draft);
      if (['To', 'Cc', 'Bcc'].every((one) => draft.named(one).length === 0)) draft.add(name, 'Bcc:\r\n');
    },
  };
}

/** RFC 6409 8.2, RFC 5321 6.4: `Date`, if there is none. The offset of local time is 0 where none is given. */
export function addDate(now: Moment): Edit {
  const name = 'add-date';
  return {
    name,
    apply(draft) {
      if (draft.named('Date').length === 0) draft.add(name, `Date: ${formatDate({ offset: 0, leap: false, ...now })}\r\n`);
    },
  };
}

/**
 * RFC 6409 8.2: rewrites a `Date` that does not conform to RFC 5322 (4.3 included) but can be understood. One that cannot be understood is
 * left as it is.
 */
export function correctDate(): Edit {
  const name = 'correct-date';
  return {
    name,
    apply(draft) {
      for (const field of draft.named('Date')) {
        const value = fieldValue(field);
        if (parseDate(value, OBSOLETE_DATE).ok) continue;
        const read = parseDate(value, ANY_DATE);
        if (read.ok) draft.replace(name, field, `${field.name}: ${formatDate(read.value)}\r\n`);
        else draft.leave(name, 'replaced', field, 'unreadable');
      }
    },
  };
}

/**
 * RFC 6409 8.3, RFC 5321 6.4: `Message-ID`, if there is none, and in the place of one that is no msg-id (RFC 5322 3.6.4).
 *
 * @throws {RangeError} if `id` is no msg-id with its angle brackets
 */
export function addMessageId(id: string): Edit {
  const octets = encodeUtf8(id);
  if (messageId(octets, 0, octets.length) !== octets.length) throw new RangeError('no message id: <left@right> was expected');
  const name = 'add-message-id';
  const text = `Message-ID: ${id}\r\n`;
  return {
    name,
    apply(draft) {
      const fields = draft.named('Message-ID');
      if (fields.length === 0) draft.add(name, text);
      for (const field of fields) if (!isMessageId(field)) draft.replace(name, field, text);
    },
  };
}

/**
 * Folds fields that have a line of more than `longest` octets, at 78 where white space is (RFC 5322 2.1.1, 2.2.3); others stay as they are.
 * A field with a longer word than 998 octets can not be folded, and is told.
 */
export function foldLines(longest: number = LONGEST_LINE): Edit {
  const name = 'fold';
  return {
    name,
    apply(draft) {
      for (const field of draft.fields) {
        if (!isLonger(field.raw, longest)) continue;
        const folded = foldField(field.raw, field.valueAt, Math.max(longest, FOLD_AT), draft.lineEnd);
        if (folded === null || folded.length > field.raw.length) draft.fold(name, field, folded);
      }
    },
  };
}

/**
 * RFC 6409 8.5: puts a signature on top, in front of those that are there (RFC 6376 5.6). `signer` is given the fields as they are by then,
 * and gives the whole field with its CRLF, or null for none. It comes behind the edits of what it signs, and before those of trace. Who
 * signs with promises edits first, and sends the signature in front of what came out.
 */
export function sign(signer: (fields: readonly Uint8Array[]) => string | null): Edit {
  const name = 'sign';
  return {
    name,
    apply(draft) {
      const text = signer(draft.fields.map(({ raw }) => raw));
      if (text !== null) draft.add(name, text, 0);
    },
  };
}

/** Without the fields of these names. */
function removal(name: string, fields: readonly string[]): Edit {
  return {
    name,
    apply(draft) {
      for (const field of fields.flatMap((one) => draft.named(one))) draft.remove(name, field);
    },
  };
}

/** RFC 5322 3.6.4, 4.5.4: what every reader is to take as an identifier. */
const ID_FORMS: ReadonlySet<MessageIdDeviation> = /* @__PURE__ */ new Set<MessageIdDeviation>(['old-space', 'old-characters', 'quoted-id']);

function isMessageId(field: Field): boolean {
  const parsed = parseMessageIds(fieldValue(field), ID_FORMS);
  return parsed.ok && parsed.value.length === 1;
}
