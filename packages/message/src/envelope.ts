import { type Mailbox, mailboxKey, NULL_PATH, parseMailbox } from '@ehlo/grammar';
import { parseReturnPath } from '@ehlo/grammar/trace';
import { type AddressOptions, type NamedMailbox, parseAddressList } from './address-list.ts';
import { type Field, isNamed, unfold } from './field.ts';

export interface EnvelopeOptions extends AddressOptions {
  /** The sender's address as the system knows it (RFC 5321 Appendix B): it takes precedence over all fields. */
  readonly identity?: Mailbox;
}

/** What is wrong with the envelope of a header. */
export interface EnvelopeProblem {
  readonly code: /** No recipient was found. */
    | 'no-recipients'
    /** No address for errors was found. */
    | 'no-sender'
    /** A field cannot be parsed: its addresses are not in the envelope. */
    | 'unreadable'
    /** An address is not valid in SMTP (RFC 5321 4.1.2), e.g. it has no domain; it is left out. */
    | 'no-mailbox'
    /** From has several mailboxes, and there is no Sender (RFC 5322 3.6.2): the first one is taken. */
    | 'several-authors';
  /** The name of the field, and where it stands in the message; null where none is there. */
  readonly field: string | null;
  readonly offset: number | null;
  readonly message: string;
}

/** An envelope as a header has it. */
export interface HeaderEnvelope {
  /** `address` is empty for `<>`; null where there is none. */
  readonly reversePath: Mailbox | null;
  /** Where the reverse-path comes from. */
  readonly source: 'identity' | 'Return-Path' | 'Sender' | 'From' | 'Resent-Sender' | 'Resent-From' | null;
  /** Each mailbox once, in the order of To, Cc, Bcc. */
  readonly recipients: readonly Mailbox[];
  /** Whether it is that of the most recent Resent- fields (RFC 5322 3.6.6). */
  readonly resent: boolean;
  /** Whether an address or the header goes beyond ASCII: the message needs SMTPUTF8 (RFC 6531 3.2). */
  readonly smtputf8: boolean;
  /** Empty: the envelope is complete. Otherwise recipients may be missing, and the program decides. */
  readonly problems: readonly EnvelopeProblem[];
}

/**
 * The envelope of a message that comes with none (RFC 5321 Appendix B): recipients are all mailboxes of To, Cc and Bcc, groups included; errors
 * go to the identity of the system, else to Return-Path, Sender or From. Of a message that was resent the most recent block of Resent- fields
 * says it (RFC 5322 3.6.6), and nothing else. Bcc is to be taken out then: `removeBcc`.
 *
 * @example
 * ```ts
 * import { HeaderReader, type Field } from '@ehlo/message';
 * import { envelopeOf } from '@ehlo/message/envelope';
 * const reader = new HeaderReader();
 * reader.push(new TextEncoder().encode('From: Ann <ann@example.org>\r\nTo: Friends: bob@example.net, carl@example.net;\r\nBcc: dora@example.net\r\n\r\n'));
 * const fields: Field[] = [];
 * for (let event = reader.next(); event !== null; event = reader.next()) if (event.type === 'field') fields.push(event.field);
 * const { reversePath, recipients } = envelopeOf(fields);
 * [reversePath?.address, ...recipients.map(({ address }) => address)]
 * // → ['ann@example.org', 'bob@example.net', 'carl@example.net', 'dora@example.net']
 * ```
 */
export function envelopeOf(fields: readonly Field[], options: EnvelopeOptions = {}): HeaderEnvelope {
  const problems: EnvelopeProblem[] = [];
  const block = lastResent(fields);
  const resent = block.length > 0;
  const prefix = resent ? 'Resent-' : '';
  const named = (name: string): readonly Field[] => (resent ? block : fields).filter((field) => isNamed(field, `${prefix}${name}`));
  const read = (name: string): readonly Mailbox[] => named(name).flatMap((field) => mailboxesOf(field, options, problems));

  const recipients = new Map(['To', 'Cc', 'Bcc'].flatMap(read).map((mailbox) => [mailboxKey(mailbox), mailbox]));
  if (recipients.size === 0) problems.push(problem('no-recipients', null, `no address in ${prefix}To, ${prefix}Cc or ${prefix}Bcc`));

  const sender = (): Pick<HeaderEnvelope, 'reversePath' | 'source'> => {
    if (options.identity !== undefined) return { reversePath: options.identity, source: 'identity' };
    // In a message that is resent, it is the address for errors of the first sending.
    const path = resent ? null : returnPathOf(fields);
    if (path !== null) return { reversePath: path, source: 'Return-Path' };
    const [responsible] = read('Sender');
    if (responsible !== undefined) return { reversePath: responsible, source: `${prefix}Sender` };
    const [author, ...others] = read('From');
    if (author === undefined) {
      problems.push(problem('no-sender', null, `no address in ${prefix}Sender or ${prefix}From`));
      return { reversePath: null, source: null };
    }
    if (others.length > 0) problems.push(problem('several-authors', named('From')[0]!, `several mailboxes, and no ${prefix}Sender`));
    return { reversePath: author, source: `${prefix}From` };
  };

  const { reversePath, source } = sender();
  const all = [...recipients.values()];
  const smtputf8 = fields.some(({ raw }) => raw.some((octet) => octet >= 0x80)) || [...all, reversePath].some(isBeyondAscii);
  return { reversePath, source, recipients: all, resent, smtputf8, problems };
}

/**
 * RFC 5322 3.6.6: the fields of a block stand together, and the most recent block comes first. A name that is there already, or trace, begins
 * the one before.
 */
function lastResent(fields: readonly Field[]): readonly Field[] {
  const block: Field[] = [];
  const names = new Set<string>();
  for (const field of fields) {
    const name = field.name.toLowerCase();
    if (block.length > 0 && (names.has(name) || name === 'received' || name === 'return-path')) break;
    if (!name.startsWith('resent-')) continue;
    names.add(name);
    block.push(field);
  }
  return block;
}

function mailboxesOf(field: Field, options: AddressOptions, problems: EnvelopeProblem[]): readonly Mailbox[] {
  const { raw, valueAt } = unfold(field);
  const parsed = parseAddressList(raw.subarray(valueAt), options);
  if (!parsed.ok) {
    // RFC 5322 3.6.3: Bcc may be empty.
    const empty = isNamed(field, 'Bcc') || isNamed(field, 'Resent-Bcc') ? isBlank(field) : false;
    if (!empty) problems.push(problem('unreadable', field, parsed.message));
    return [];
  }
  const all = parsed.value.flatMap((one): readonly NamedMailbox[] => (one.type === 'group' ? one.members : [one]));
  return all.flatMap((one) => {
    const mailbox = parseMailbox(one.address);
    if (mailbox.ok) return [mailbox.value];
    problems.push(problem('no-mailbox', field, mailbox.message));
    return [];
  });
}

function isBlank({ raw, valueAt }: Field): boolean {
  return raw.subarray(valueAt).every((octet) => octet === 0x20 || octet === 0x09 || octet === 0x0d || octet === 0x0a);
}

/** Of the first Return-Path that can be read. */
function returnPathOf(fields: readonly Field[]): Mailbox | null {
  for (const field of fields.filter((one) => isNamed(one, 'Return-Path'))) {
    const parsed = parseReturnPath(unfold(field).raw);
    if (parsed.ok) return parsed.value.address === '' ? NULL_PATH : parsed.value;
  }
  return null;
}

function isBeyondAscii(mailbox: Mailbox | null): boolean {
  return mailbox !== null && /[^\0-\x7f]/.test(mailbox.address);
}

function problem(code: EnvelopeProblem['code'], field: Field | null, message: string): EnvelopeProblem {
  return { code, field: field?.name ?? null, offset: field?.offset ?? null, message };
}
