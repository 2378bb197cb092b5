import { ANY_HEADER, type Field, fieldValue, HeaderReader, isNamed, unfold } from '@ehlo/message';
import { ANY_ADDRESS, parseAddressList } from '@ehlo/message/address';
import { parseUnstructured } from '@ehlo/message/encoded-word';
import type { DecodeCharset } from '@ehlo/message/mime';
import { partsOf } from '@ehlo/testing';

/** A mailbox of a header. */
export interface Person {
  /** Empty where there is none. */
  readonly name: string;
  readonly address: string;
}

/** A mail in a list. */
export interface MailSummary {
  readonly id: string;
  /** When it was stored: milliseconds since 1970. */
  readonly received: number;
  readonly read: boolean;
  /** Octets of its file. */
  readonly size: number;
  /** Fields of its header, decoded. */
  readonly from: readonly Person[];
  readonly to: readonly Person[];
  readonly cc: readonly Person[];
  readonly replyTo: readonly Person[];
  readonly subject: string;
  readonly messageId: string;
  /** The envelope; null where nothing tells of it any more. */
  readonly reversePath: string | null;
  readonly forwardPaths: readonly string[];
  /** Files that come with it, as far as its first octets tell. */
  readonly attachments: number;
  /** The beginning of its text. */
  readonly snippet: string;
  /** The session that brought it, in this run of the server; else null. */
  readonly session: number | null;
  /** The reply that the client was given, of LMTP those for each recipient, a line each; null where none is known. */
  readonly outcome: string | null;
}

/** Octets of a message that a summary is made of. */
export const HEAD = 65_536;

/** Ours: mailboxes of a mail, characters of a field, and of the snippet. */
const PEOPLE = 100;
const FIELD = 500;
const SNIPPET = 240;

/** What the beginning of a message says of it. */
export function described(head: Uint8Array): Omit<MailSummary, 'id' | 'received' | 'read' | 'size' | 'session' | 'outcome'> {
  const fields = fieldsOf(head);
  const values = (name: string): string[] => fields.filter((field) => isNamed(field, name)).map((field) => unstructured(field));
  const people = (name: string): Person[] =>
    fields
      .filter((field) => isNamed(field, name))
      .flatMap((field) => peopleOf(field))
      .slice(0, PEOPLE);
  const parts = partsOf(head);
  const [text] = parts.filter(({ type, disposition }) => type.startsWith('text/') && disposition !== 'attachment');
  const said = text === undefined ? '' : text.type === 'text/html' ? withoutTags(text.text()) : text.text();
  const files = parts.filter(
    ({ disposition, filename }) => disposition === 'attachment' || (filename !== null && disposition !== 'inline'),
  );
  return {
    from: people('From'),
    to: people('To'),
    cc: people('Cc'),
    replyTo: people('Reply-To'),
    subject: (values('Subject')[0] ?? '').slice(0, FIELD),
    messageId: (values('Message-ID')[0] ?? '').slice(0, FIELD),
    // What final delivery has put on top (RFC 5321 4.4), and ours beside it.
    reversePath: values('Return-Path').map(withoutBrackets)[0] ?? null,
    forwardPaths: values('X-Envelope-To').slice(0, PEOPLE).map(withoutBrackets),
    attachments: files.length,
    snippet: said.slice(0, 4000).replaceAll(/\s+/g, ' ').trim().slice(0, SNIPPET),
  };
}

/** The values of each field of a header, decoded, by the names as they are first written. */
export function valuesOf(message: Uint8Array): { readonly [name: string]: readonly string[] } {
  const names: Map<string, string> = new Map();
  const values: { [name: string]: string[] } = Object.create(null) as { [name: string]: string[] };
  for (const field of fieldsOf(message)) {
    const name = names.get(field.name.toLowerCase()) ?? field.name;
    names.set(name.toLowerCase(), name);
    values[name] = [...(values[name] ?? []), unstructured(field)];
  }
  return values;
}

function fieldsOf(head: Uint8Array): readonly Field[] {
  const reader = new HeaderReader({ tolerate: ANY_HEADER });
  reader.push(head);
  reader.end();
  const fields: Field[] = [];
  for (let event = reader.next(); event !== null; event = reader.next()) if (event.type === 'field') fields.push(event.field);
  return fields;
}

function unstructured(field: Field): string {
  return parseUnstructured(fieldValue(field), { decode }).value.trim();
}

function peopleOf(field: Field): Person[] {
  const line = unfold(field);
  const parsed = parseAddressList(line.raw.subarray(line.valueAt), { tolerate: ANY_ADDRESS, decode });
  if (!parsed.ok) return [{ name: '', address: unstructured(field).slice(0, FIELD) }];
  return parsed.value
    .flatMap((one) => (one.type === 'group' ? one.members : [one]))
    .map(({ name, address }) => ({ name: (name ?? '').slice(0, FIELD), address: address.slice(0, FIELD) }));
}

function withoutBrackets(path: string): string {
  return path.replace(/^<|>$/g, '').slice(0, FIELD);
}

const decode: DecodeCharset = (octets, charset) => {
  try {
    return new TextDecoder(charset).decode(octets);
  } catch {
    return null;
  }
};

/** Words of HTML, for a list: nothing that is shown by it is taken for HTML again. */
function withoutTags(html: string): string {
  return html
    .slice(0, 16_384)
    .replaceAll(/<(style|script|head|title)\b[^<]*(?:<(?!\/\1)[^<]*)*<\/\1[^>]*>/gi, ' ')
    .replaceAll(/<[^<>]*>/g, ' ')
    .replaceAll(/&nbsp;/g, ' ');
}

/** A search: words that all have to be there; `from:`, `to:`, `subject:` and `is:` look at one thing. */
export function searched(query: string): (mail: MailSummary) => boolean {
  const terms = Array.from(
    query.slice(0, 500).matchAll(/(?:(from|to|subject|is|has):)?(?:"([^"]*)"|(\S+))/gi),
    ([, field, quoted, word]) => ({
      field: field?.toLowerCase() ?? '',
      word: (quoted ?? word ?? '').toLowerCase(),
    }),
  );
  return (mail) => terms.every(({ field, word }) => FIELDS[field]!(mail, word));
}

const has = (word: string, ...texts: readonly string[]): boolean => texts.some((text) => text.toLowerCase().includes(word));

const said = (people: readonly Person[]): readonly string[] => people.flatMap(({ name, address }) => [name, address]);

const FIELDS: { readonly [field: string]: (mail: MailSummary, word: string) => boolean } = {
  '': ({ from, to, subject, snippet, reversePath, forwardPaths, messageId }, word) =>
    has(word, ...said(from), ...said(to), subject, snippet, messageId, reversePath ?? '', ...forwardPaths),
  from: ({ from, reversePath }, word) => has(word, ...said(from), reversePath ?? ''),
  to: ({ to, cc, forwardPaths }, word) => has(word, ...said(to), ...said(cc), ...forwardPaths),
  subject: ({ subject }, word) => has(word, subject),
  is: ({ read }, word) => (word === 'unread' ? !read : word === 'read' ? read : false),
  has: ({ attachments }, word) => word.startsWith('attachment') && attachments > 0,
};
