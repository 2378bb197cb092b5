import { type Failure, formatPath } from '@ehlo/grammar';
import { parseReceived, parseReturnPath, TRACE_DEVIATIONS } from '@ehlo/grammar/trace';
import { type Field, fieldValue, signaturesOf, unfold } from '@ehlo/message';
import { type Address, ANY_ADDRESS, parseAddressList, parseNamedMailbox } from '@ehlo/message/address';
import { ANY_DATE, DATE_DEVIATIONS, parseDate } from '@ehlo/message/date';
import { parseUnstructured } from '@ehlo/message/encoded-word';
import { parseDeliveredTo } from '@ehlo/message/loops';
import { parseMessageIds } from '@ehlo/message/message-id';
import {
  listIdOf,
  listUrisOf,
  parseAuthenticationResults,
  parseAutoSubmitted,
  parseContentType,
  parseDisposition,
  parseTransferEncoding,
} from '@ehlo/message/mime';
import { ADDRESS_DEVIATIONS, HEADER_DEVIATIONS, MESSAGE_ID_DEVIATIONS, MIME_DEVIATIONS, WORD_DEVIATIONS } from '@ehlo/message/words';

/** Something odd, by its stable name. */
export interface ShownDeviation {
  readonly name: string;
  readonly what: string;
  /** The danger of accepting it; null if none is known. */
  readonly danger: string | null;
}

/** A field of a header. */
export interface ShownField {
  readonly name: string;
  /** Octets from the start of its header to the field, and its own, line ends included. */
  readonly offset: number;
  readonly octets: number;
  /** Unfolded. */
  readonly value: string;
  /** Where it is defined; null where this program knows no standard that does so. */
  readonly standard: string | null;
  readonly meaning: string;
  /** What the value says; null if it can't be read. */
  readonly parsed: unknown;
  /** The same for people, where it is not the value itself. */
  readonly says: string | null;
  readonly failure: { readonly rule: string; readonly section: string; readonly offset: number; readonly message: string } | null;
  readonly deviations: readonly ShownDeviation[];
}

interface Reading {
  readonly parsed: unknown;
  readonly says: string | null;
  readonly deviations: readonly ShownDeviation[];
}

type Reader = (field: Field, value: Uint8Array) => Reading | Failure;

interface Kind {
  readonly standard: string;
  readonly meaning: string;
  readonly read: Reader;
}

type Words = { readonly [name: string]: string | { readonly what: string; readonly danger: string } };

/** Deviations with their words. */
export function deviations(names: Iterable<string>, words: Words): ShownDeviation[] {
  return [...names].map((name) => {
    const about = words[name]!;
    return typeof about === 'string' ? { name, what: about, danger: null } : { name, ...about };
  });
}

/** What a field says, by the standard that defines it. */
export function shownField(field: Field): ShownField {
  const line = unfold(field);
  const kind = KINDS.get(field.name.toLowerCase());
  const read = (kind?.read ?? text)(line, line.raw.subarray(line.valueAt));
  const failed = 'code' in read ? read : null;
  const reading = 'code' in read ? { parsed: null, says: null, deviations: [] } : read;
  return {
    name: field.name,
    offset: field.offset,
    octets: field.raw.length,
    value: fieldValue(field),
    standard: kind?.standard ?? null,
    meaning: kind?.meaning ?? 'a field of no standard that is known here (RFC 5322 3.6.8)',
    parsed: reading.parsed,
    says: reading.says,
    failure: failed && { rule: failed.rule, section: failed.section, offset: failed.offset, message: failed.message },
    deviations: [...deviations(field.deviations, HEADER_DEVIATIONS), ...reading.deviations],
  };
}

const ADDRESS_WORDS: Words = { ...ADDRESS_DEVIATIONS, ...WORD_DEVIATIONS };

const addresses: Reader = (field, value) => {
  // RFC 5322 3.6.3: Bcc may be empty.
  if (fieldValue(field) === '' && /^(?:resent-)?bcc$/i.test(field.name)) return { parsed: [], says: null, deviations: [] };
  const parsed = parseAddressList(value, { tolerate: ANY_ADDRESS, decode });
  if (!parsed.ok) return parsed;
  return { parsed: parsed.value, says: parsed.value.map(addressText).join('; '), deviations: deviations(parsed.deviations, ADDRESS_WORDS) };
};

const oneMailbox: Reader = (field, value) => {
  const parsed = parseNamedMailbox(value, { tolerate: ANY_ADDRESS, decode });
  return parsed.ok ? addresses(field, value) : parsed;
};

function addressText(one: Address): string {
  if (one.type === 'group') return `group ${one.name}: ${one.members.length === 0 ? 'nobody' : one.members.map(addressText).join('; ')}`;
  return one.name === null ? one.address : `${one.name} <${one.address}>`;
}

const date: Reader = (_, value) => {
  const parsed = parseDate(value, ANY_DATE);
  if (!parsed.ok) return parsed;
  const says = new Date(parsed.value.date).toISOString();
  return { parsed: { ...parsed.value, date: says }, says, deviations: deviations(parsed.deviations, DATE_DEVIATIONS) };
};

const ids: Reader = (_, value) => {
  const parsed = parseMessageIds(value);
  if (!parsed.ok) return parsed;
  const known = parsed.value.map(({ id }) => id);
  return {
    parsed: known,
    says: known.length > 1 ? `${known.length} messages` : null,
    deviations: deviations(parsed.deviations, MESSAGE_ID_DEVIATIONS),
  };
};

const oneId: Reader = (field, value) => {
  const parsed = parseMessageIds(value);
  if (!parsed.ok || parsed.value.length === 1) return ids(field, value);
  return {
    ok: false,
    code: 'syntax',
    rule: 'msg-id',
    section: 'RFC 5322 3.6.4',
    offset: 0,
    message: 'exactly one identifier was expected',
  };
};

const text: Reader = (field, value) => {
  const parsed = parseUnstructured(value, { decode });
  const says = parsed.value.trim();
  return { parsed: says, says: says === fieldValue(field) ? null : says, deviations: deviations(parsed.deviations, WORD_DEVIATIONS) };
};

/** What stands there is the value itself. */
const plain: Reader = (field) => ({ parsed: fieldValue(field), says: null, deviations: [] });

const received: Reader = ({ raw }) => {
  const parsed = parseReceived(raw);
  if (!parsed.ok) return parsed;
  const { date, clauses, ...others } = parsed.value;
  return {
    parsed: {
      ...others,
      clauses: [...clauses].map(([name, value]) => ({ name, value })),
      date: date === null ? null : new Date(date).toISOString(),
    },
    says: null,
    deviations: deviations(parsed.deviations, TRACE_DEVIATIONS),
  };
};

const returnPath: Reader = ({ raw }) => {
  const parsed = parseReturnPath(raw);
  if (!parsed.ok) return parsed;
  return { parsed: parsed.value.address, says: formatPath(parsed.value), deviations: deviations(parsed.deviations, TRACE_DEVIATIONS) };
};

const deliveredTo: Reader = (field) => {
  const parsed = parseDeliveredTo(fieldValue(field));
  return parsed.ok ? { parsed: parsed.value.address, says: null, deviations: deviations(parsed.deviations, DELIVERED_TO_WORDS) } : parsed;
};

const DELIVERED_TO_WORDS: Words = { 'angle-brackets': 'angle brackets around the address (RFC 9228 4 has none)' };

/** A field of MIME by its parser. */
function mime<T>(
  parse: (value: Uint8Array) => { readonly ok: true; readonly value: T; readonly deviations: readonly string[] } | Failure,
): Reader {
  return (_, value) => {
    const parsed = parse(value);
    return parsed.ok ? { parsed: parsed.value, says: null, deviations: deviations(parsed.deviations, MIME_DEVIATIONS) } : parsed;
  };
}

const listId: Reader = (_, value) => {
  const id = listIdOf(value);
  if (id !== null) return { parsed: id, says: null, deviations: [] };
  return {
    ok: false,
    code: 'syntax',
    rule: 'list-id',
    section: 'RFC 2919 2',
    offset: 0,
    message: 'an identifier with a dot in it was expected',
  };
};

const listUris: Reader = (_, value) => ({ parsed: listUrisOf(value), says: null, deviations: [] });

/** RFC 6376 3.5; RFC 8617 4.1.2: the signer, and the signed fields. The signature itself is not verified: no key is looked up. */
const signature: Reader = (field) => {
  const [one] = signaturesOf([field]);
  const { domain = '', selector = '', signs = new Map<string, number>(), bodyLength = null } = one ?? {};
  const fields = [...signs].map(([name, times]) => ({ name, times }));
  const names = fields.map(({ name, times }) => (times === 1 ? name : `${name} (${times})`)).join(', ');
  const says = `${domain} signs ${names === '' ? 'no field' : names}${bodyLength === null ? '' : `, ${bodyLength} octets of the body`}`;
  return { parsed: { domain, selector, fields, bodyLength }, says, deviations: [] };
};

/** Charsets that the library leaves to its caller. */
function decode(octets: Uint8Array, charset: string): string | null {
  try {
    return new TextDecoder(charset).decode(octets);
  } catch {
    return null;
  }
}

/** RFC 5322 3.6.6: what a field is where its name begins with `Resent-`. */
const RESENT = ['Date', 'From', 'Sender', 'To', 'Cc', 'Bcc', 'Message-ID'];

/** name; where it is defined; what it says; how its value is read */
const ROWS: readonly (readonly [names: string, standard: string, meaning: string, read: Reader])[] = [
  ['Return-Path', 'RFC 5321 4.4', 'where failures go; final delivery puts it at the top, once', returnPath],
  ['Received', 'RFC 5321 4.4', 'each host that takes the message puts one on top', received],
  ['Delivered-To', 'RFC 9228 4', 'an address to which it was delivered', deliveredTo],
  ['Date', 'RFC 5322 3.6.1', 'when its author finished it; exactly one', date],
  ['From', 'RFC 5322 3.6.2', 'its authors; exactly one', addresses],
  ['Sender', 'RFC 5322 3.6.2', 'who sent it, where that is not the one author; one at the most', oneMailbox],
  ['Reply-To', 'RFC 5322 3.6.2', 'where answers are wanted; one at the most', addresses],
  ['To', 'RFC 5322 3.6.3', 'to whom it is written; one at the most', addresses],
  ['Cc', 'RFC 5322 3.6.3', 'who gets a copy; one at the most', addresses],
  ['Bcc', 'RFC 5322 3.6.3', 'who gets a copy that the others are not to know of; one at the most', addresses],
  ['Message-ID', 'RFC 5322 3.6.4', 'its identifier; one at the most', oneId],
  ['In-Reply-To', 'RFC 5322 3.6.4', 'what it answers; one at the most', ids],
  ['References', 'RFC 5322 3.6.4', 'the messages before it; one at the most', ids],
  ['Subject', 'RFC 5322 3.6.5', 'what it is about; one at the most', text],
  ['Comments', 'RFC 5322 3.6.5', 'a remark', text],
  ['Keywords', 'RFC 5322 3.6.5', 'words to find it by', text],
  ['MIME-Version', 'RFC 2045 4', 'it is made by the rules of MIME', plain],
  ['Content-Type', 'RFC 2045 5', 'what the content is', mime(parseContentType)],
  ['Content-Transfer-Encoding', 'RFC 2045 6', 'how the content is encoded', mime(parseTransferEncoding)],
  ['Content-ID', 'RFC 2045 7', 'the identifier of a part', oneId],
  ['Content-Description', 'RFC 2045 8', 'what a part is, for people', text],
  ['Content-Disposition', 'RFC 2183 2', 'whether a part is shown or kept as a file', mime(parseDisposition)],
  ['Content-Language', 'RFC 3282 2', 'the language of the content', plain],
  ['Auto-Submitted', 'RFC 3834 5', 'whether a program sent it by itself', mime(parseAutoSubmitted)],
  ['Authentication-Results', 'RFC 8601 2.2', 'what a host found when it checked who sent it', mime(parseAuthenticationResults)],
  ['Received-SPF', 'RFC 7208 9.1', 'whether the host that sent it may do so', plain],
  ['DKIM-Signature', 'RFC 6376 3.5', 'a signature of a domain over fields and body', signature],
  ['ARC-Message-Signature', 'RFC 8617 4.1.2', 'the signature of a host on the way over fields and body', signature],
  ['ARC-Authentication-Results', 'RFC 8617 4.1.1', 'what a host on the way found when it checked', plain],
  ['ARC-Seal', 'RFC 8617 4.1.3', 'the signature of a host on the way over the seals before it', plain],
  ['List-Id', 'RFC 2919 3', 'the identifier of the mailing list', listId],
  [
    'List-Help List-Unsubscribe List-Subscribe List-Post List-Owner List-Archive',
    'RFC 2369 3',
    'where the mailing list is asked for that',
    listUris,
  ],
  ['List-Unsubscribe-Post', 'RFC 8058 3.1', 'unsubscribing needs no more than one POST', plain],
  ['TLS-Report-Domain TLS-Report-Submitter', 'RFC 8460 5.3', 'whom a TLS report is about, and from', plain],
];

const KINDS: ReadonlyMap<string, Kind> = new Map(
  ROWS.flatMap(([names, standard, meaning, read]) =>
    names.split(' ').flatMap((name): [string, Kind][] => {
      const own: [string, Kind] = [name.toLowerCase(), { standard, meaning, read }];
      if (!RESENT.includes(name)) return [own];
      const again: Kind = { standard: 'RFC 5322 3.6.6', meaning: `${name} of who sent it again`, read };
      return [own, [`resent-${own[0]}`, again]];
    }),
  ),
);
