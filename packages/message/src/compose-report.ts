import { encodeUtf8, isHostName, POSTEL, parsePath, REVERSE_PATH } from '@ehlo/grammar';
import { formatDate, textOf } from '@ehlo/grammar/imf';
import {
  DELIVERY_ACTIONS,
  type DeliveryAction,
  type DeliveryStatus,
  formatDeliveryStatus,
  formatField,
  gravestAction,
  type RecipientStatus,
} from './delivery-status.ts';
import { encodeQuotedPrintable } from './transfer.ts';

/** Servers accept reverse-paths beyond the letter of the grammar: their senders get reports, too. */
const TAKEN = { tolerate: POSTEL, utf8: true };

/** The message of which a report tells. */
export interface OriginalMessage {
  /** Its header, with line ends of CRLF. */
  readonly header: Uint8Array;
  /** Octets of the whole message. */
  readonly size: number;
  /** What MAIL said of it: BODY (RFC 6152, RFC 3030). Default 7BIT. */
  readonly body?: '7BIT' | '8BITMIME' | 'BINARYMIME';
  /** Whether it was sent with SMTPUTF8 (RFC 6531). */
  readonly smtpUtf8?: boolean;
}

/** What a report is made of. Nothing is taken from a clock or a random source. */
export interface ReportInit {
  /** The reverse-path of the original message: an address, or a path in angle brackets. */
  readonly reversePath: string;
  /** Without a Reporting-MTA, `host` is it. */
  readonly status: DeliveryStatus;
  /** The name of the host that reports: fully qualified, if it has such a name. */
  readonly host: string;
  /** Milliseconds since 1970-01-01T00:00Z. */
  readonly date: number;
  /** The host's offset from UT in minutes, east positive. Default 0. */
  readonly offset?: number;
  /** Without angle brackets. */
  readonly messageId: string;
  /** RFC 2046 5.1.1; no line of the original may begin with it behind two hyphens. */
  readonly boundary: string;
  /** RET of MAIL (RFC 3461 4.3). Default FULL (RFC 6522 3). */
  readonly ret?: 'FULL' | 'HDRS';
  readonly original?: OriginalMessage;
  /** Octets of the largest original that is returned whole (RFC 3461 6.2). Ours; default 65,536. */
  readonly limit?: number;
  /** Whether the way back takes 8BITMIME. Default false: what would need it is encoded, or left out (RFC 6522 3). */
  readonly eightBit?: boolean;
  /** Default `postmaster` at `host` (RFC 3464 2). */
  readonly from?: string;
  /** Plain text in place of ours, lines ending with LF or CRLF. */
  readonly text?: string;
  readonly subject?: string;
}

/** A report, ready to be sent. */
export interface ComposedReport {
  /** RFC 3464 2: the null reverse-path, so that no report of a report is ever made. */
  readonly reversePath: '';
  /** The sender of the original. */
  readonly recipients: readonly [string];
  /** What MAIL is to say of it. */
  readonly body: '7BIT' | '8BITMIME';
  readonly smtpUtf8: boolean;
  /** What is returned of the original. */
  readonly returns: 'message' | 'header' | 'nothing';
  /** The octets before the original, if that is returned as a message; else all but `tail`. */
  readonly head: Uint8Array;
  /** The octets behind it. */
  readonly tail: Uint8Array;
}

/**
 * Makes the report of RFC 3464 that a sender is owed (RFC 5321 6.1), as RFC 3461 6 wants it; null if the original has a null reverse-path, to
 * which nothing is ever sent. The original is returned whole only if something has failed, RET asks for it, it is no longer than `limit`
 * and it passes the way back as it stands; else its header is.
 *
 * Throws a `RangeError` for what no report can say: see `formatDeliveryStatus`; a boundary that is none or that stands in a header.
 *
 * @example
 * ```ts
 * import { composeReport } from '@ehlo/message/report';
 * const report = composeReport({
 *   reversePath: '<@relay.example:ann@example.org>',
 *   status: { recipients: [{ finalRecipient: { type: 'rfc822', text: 'joe@example.net' }, action: 'failed', status: '5.1.1' }] },
 *   host: 'mx.example.net', date: 0, messageId: '1@mx.example.net', boundary: 'b1',
 *   original: { header: new TextEncoder().encode('Subject: hello\r\n'), size: 1e9 },
 * });
 * [report?.reversePath, report?.recipients, report?.returns]
 * // → ['', ['ann@example.org'], 'header']
 * ```
 */
export function composeReport(init: ReportInit): ComposedReport | null {
  const { reversePath, host, boundary, original, eightBit = false } = init;
  const path = parsePath(encodeUtf8(reversePath.startsWith('<') ? reversePath : `<${reversePath}>`), REVERSE_PATH, TAKEN);
  if (!path.ok) throw new RangeError(`RFC 5321 4.1.2: no such reverse-path: ${path.message}`);
  const recipient = path.value.address;
  if (recipient === '') return null;
  if (!BOUNDARY.test(boundary)) throw new RangeError('RFC 2046 5.1.1: a boundary has 1 to 70 of certain characters, the last one no space');
  const qualified = isHostName(host) && (host.includes('.') || host.startsWith('['));
  // RFC 3461 6.3 (b).
  const status = { ...init.status, reportingMta: init.status.reportingMta ?? { type: qualified ? 'dns' : 'x-local-hostname', text: host } };
  const returns = returnedOf(init);
  const machine = statusPart(status, eightBit);
  const human = textPart(init.text ?? textFor(status, host, returns), eightBit);
  const returned = original === undefined ? '' : returnedPart(original, returns, eightBit);
  const from = init.from ?? `Mail Delivery System <postmaster@${host}>`;
  const header = [
    formatField('From', from),
    formatField('To', `<${recipient}>`),
    formatField('Subject', init.subject ?? SUBJECTS[gravestAction(status)]),
    formatField('Date', formatDate({ date: init.date, offset: init.offset ?? 0, leap: false })),
    formatField('Message-ID', `<${init.messageId}>`),
    // RFC 3834 5.2: an answer that no person has written, to a message.
    formatField('Auto-Submitted', 'auto-replied'),
    formatField('MIME-Version', '1.0'),
    `Content-Type: multipart/report; report-type=delivery-status;\r\n boundary="${boundary}"\r\n`,
  ].join('');
  const parts = [human, machine, returned].filter((part) => part !== '');
  if (parts.some((part) => `\r\n${part}`.includes(`\r\n--${boundary}`)))
    throw new RangeError('RFC 2046 5.1.1: the boundary stands in a part');
  const head = `${header}\r\n${parts.map((part) => `--${boundary}\r\n${part}`).join('\r\n')}`;
  const tail = `\r\n--${boundary}--\r\n`;
  return {
    reversePath: '',
    recipients: [recipient],
    body: !ASCII.test(head) || (returns === 'message' && original?.body === '8BITMIME') ? '8BITMIME' : '7BIT',
    smtpUtf8: !ASCII.test(header),
    returns,
    head: encodeUtf8(head),
    tail: encodeUtf8(tail),
  };
}

/**
 * The octets of a report: `original` is that of which `composeReport` was told, where it is returned whole, and else not looked at.
 *
 * @example
 * ```ts
 * import { composeReport, contentOf } from '@ehlo/message/report';
 * const original = new TextEncoder().encode('Subject: hello\r\n\r\ntext\r\n');
 * const report = composeReport({
 *   reversePath: 'ann@example.org',
 *   status: { recipients: [{ finalRecipient: { type: 'rfc822', text: 'joe@example.net' }, action: 'failed', status: '5.1.1' }] },
 *   host: 'mx.example.net', date: 0, messageId: '1@mx.example.net', boundary: 'b1',
 *   original: { header: original.subarray(0, 16), size: original.length },
 * });
 * report && [...contentOf(report, [original])].length
 * // → 3
 * ```
 */
export function* contentOf({ head, tail, returns }: ComposedReport, original: Iterable<Uint8Array> = []): Generator<Uint8Array> {
  yield head;
  if (returns === 'message') yield* original;
  yield tail;
}

/** RFC 2046 5.1.1. */
const BOUNDARY = /^[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]$/;
const ASCII = /^\p{ASCII}*$/u;

/** Ours. */
const LIMIT = 65_536;

/** RFC 3461 6.2: the full message for a failure, if RET is FULL and it is no longer than we like. */
function returnedOf({ status, ret = 'FULL', original, limit = LIMIT, eightBit = false }: ReportInit): ComposedReport['returns'] {
  if (original === undefined) return 'nothing';
  const failed = status.recipients.some(({ action }) => action === 'failed');
  // RFC 6522 3: what the way back may not take is not returned as it stands. RFC 2046 5.2.1: a message/rfc822 has no encoding.
  const { body = '7BIT', smtpUtf8 = false } = original;
  const passes = body === '7BIT' ? eightBit || !smtpUtf8 : body === '8BITMIME' && eightBit;
  return failed && ret === 'FULL' && original.size <= limit && passes ? 'message' : 'header';
}

const SUBJECTS: { readonly [action in DeliveryAction]: string } = {
  failed: 'Your message could not be delivered',
  delayed: 'Your message is delayed',
  expanded: 'Your message was delivered and passed on',
  relayed: 'Your message was passed on',
  delivered: 'Your message was delivered',
};

const SAID: { readonly [action in DeliveryAction]: string } = {
  failed: 'It could not be delivered to:',
  delayed: 'It could not be delivered yet, and will be tried again: nothing needs to be\r\ndone. It waits for:',
  expanded: 'It was delivered, and passed on to others, at:',
  relayed: 'It was passed on to a system that may not report what becomes of it, for:',
  delivered: 'It was delivered to:',
};

const RETURNED: { readonly [returns in ComposedReport['returns']]: string } = {
  message: '\r\nThe message is attached.\r\n',
  header: '\r\nThe header of the message is attached.\r\n',
  nothing: '',
};

/** What people read: plain text, lines of 78 octets where they can. */
function textFor(status: DeliveryStatus, host: string, returns: ComposedReport['returns']): string {
  const groups = DELIVERY_ACTIONS.map((action) => status.recipients.filter((one) => one.action === action));
  const said = groups.filter((group) => group.length > 0).map((group) => `\r\n${SAID[group[0]!.action]}\r\n${group.map(lineFor).join('')}`);
  return `This is the mail system of ${host}. It tells of a message that you sent.\r\n${said.join('')}${RETURNED[returns]}`;
}

function lineFor({ finalRecipient, originalRecipient, diagnostic, remoteMta }: RecipientStatus): string {
  const { text } = originalRecipient ?? finalRecipient;
  const via = text === finalRecipient.text ? '' : ` (by ${finalRecipient.text})`;
  const said = diagnostic === undefined ? '' : wrapped(`${remoteMta === undefined ? '' : `${remoteMta.text} said: `}${diagnostic.text}`);
  return `\r\n  <${text}>${via}\r\n${said}`;
}

/** Lines of 72 characters where they can; RFC 5322 2.1.1: of no more than 998 octets. */
function wrapped(text: string): string {
  const lines = text.replaceAll(/\S{240}(?=\S)/gu, '$& ').match(/\S{73,}|\S.{0,71}(?= |$)/gu) ?? [];
  return lines.map((line) => `    ${line}\r\n`).join('');
}

/** RFC 6522 3, 1: the part for people. */
function textPart(text: string, eightBit: boolean): string {
  const canonical = text.replaceAll(/\r\n|\r|\n/g, '\r\n');
  const short = !/[^\n]{990}/.test(canonical);
  if (ASCII.test(canonical) && short) return `Content-Type: text/plain; charset=us-ascii\r\n\r\n${canonical}`;
  const plain = eightBit && encodeUtf8(canonical).length < 990 && short;
  const encoding = plain ? '8bit' : 'quoted-printable';
  const body = plain ? canonical : encodeQuotedPrintable(encodeUtf8(canonical));
  return `Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}`;
}

/**
 * RFC 3464 2.1, RFC 6533 4.1: a message/delivery-status where that can say it all, the addresses by their encoding too; else a
 * message/global-delivery-status, encoded if the way back takes no 8 bits.
 */
function statusPart(status: DeliveryStatus, eightBit: boolean): string {
  const all = formatDeliveryStatus(status, { global: true });
  const recipients = status.recipients.map((one) => ({ ...one, finalRecipient: NOBODY, originalRecipient: NOBODY }));
  const sayable =
    ASCII.test(formatDeliveryStatus({ ...status, recipients }, { global: true })) &&
    !status.recipients.some((one) => one.localized?.length);
  if (sayable && (!eightBit || ASCII.test(all))) return `Content-Type: message/delivery-status\r\n\r\n${formatDeliveryStatus(status)}`;
  const type = 'Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding';
  return eightBit ? `${type}: 8bit\r\n\r\n${all}` : `${type}: quoted-printable\r\n\r\n${encodeQuotedPrintable(encodeUtf8(all))}`;
}

const NOBODY = { type: 'rfc822', text: 'x' } as const;

/** RFC 6522 3, 3: the header of the part with the original, and the original itself if it is its header alone (RFC 6522 4, RFC 6533 4.3). */
function returnedPart(
  { header, body = '7BIT', smtpUtf8 = false }: OriginalMessage,
  returns: ComposedReport['returns'],
  eightBit: boolean,
): string {
  if (returns === 'message') {
    const encoding = body === '7BIT' && !smtpUtf8 ? '' : 'Content-Transfer-Encoding: 8bit\r\n';
    return `Content-Type: message/${smtpUtf8 ? 'global' : 'rfc822'}\r\n${encoding}\r\n`;
  }
  const text = textOf(header);
  const fields = `${text.split(/\r\n\r\n/)[0]!.replace(/\r\n$/, '')}\r\n`;
  const type = `Content-Type: ${smtpUtf8 ? 'message/global-headers' : 'text/rfc822-headers'}\r\n`;
  if (ASCII.test(fields)) return `${type}\r\n${fields}`;
  const octets = encodeUtf8(fields);
  // Octets that are no UTF-8 are kept by their encoding.
  const utf8 = encodeUtf8(text).length === header.length && encodeUtf8(text).every((octet, i) => octet === header[i]);
  if (eightBit && utf8) return `${type}Content-Transfer-Encoding: 8bit\r\n\r\n${fields}`;
  return `${type}Content-Transfer-Encoding: quoted-printable\r\n\r\n${encodeQuotedPrintable(utf8 ? octets : headerOctets(header))}`;
}

/** The octets of a header without the blank line behind it. */
function headerOctets(header: Uint8Array): Uint8Array {
  let end = header.length;
  while (end > 1 && header[end - 1] === 0x0a && header[end - 2] === 0x0d && header[end - 3] === 0x0a) end -= 2;
  return header.subarray(0, end);
}
