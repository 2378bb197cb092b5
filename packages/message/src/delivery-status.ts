// What a delivery status says (RFC 3464 2), and its text.
import { decodeUtf8Address, encodeUtf8, encodeUtf8Address } from '@ehlo/grammar';
import { formatDate } from '@ehlo/grammar/imf';

/** What was done for a recipient (RFC 3464 2.3.3). `delayed` and `expanded` are not the last word. */
export type DeliveryAction = 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded';

/** Gravest first. */
export const DELIVERY_ACTIONS: readonly DeliveryAction[] = ['failed', 'delayed', 'expanded', 'relayed', 'delivered'];

/** An address, a host or a diagnostic with the registered name of its type (RFC 3464 2.1.2). */
export interface Typed {
  /** In small letters, e.g. `rfc822`, `utf-8`, `dns`, `smtp`, `x-local-hostname`. */
  readonly type: string;
  /** As it was written; an address of type `utf-8` with its characters themselves (RFC 6533 3). */
  readonly text: string;
}

/** A field that no standard knows, or one of another: its name and its text. */
export type ExtensionField = readonly [name: string, text: string];

/** What became of a message for one recipient (RFC 3464 2.3). Times are milliseconds since 1970-01-01T00:00Z. */
export interface RecipientStatus {
  /** ORCPT of RCPT, decoded; only if it was given (RFC 3461 6.3 d). */
  readonly originalRecipient?: Typed;
  /** The address of RCPT, as it was accepted (RFC 3461 6.3 e). */
  readonly finalRecipient: Typed;
  readonly action: DeliveryAction;
  /** RFC 3463, e.g. `5.1.1`. */
  readonly status: string;
  /** The host that gave the diagnostic; without it, the reporting one did (RFC 3464 2.3.6). */
  readonly remoteMta?: Typed;
  /** The reply itself; the lines of one that has several are joined by a space (RFC 3461 9.2). */
  readonly diagnostic?: Typed;
  /** The diagnostic in other languages (RFC 6533 4.1). */
  readonly localized?: readonly { readonly language: string; readonly text: string }[];
  readonly lastAttempt?: number;
  readonly finalLogId?: string;
  /** Only of `delayed` (RFC 3464 2.3.9). */
  readonly willRetryUntil?: number;
  readonly extensions?: readonly ExtensionField[];
}

/** The content of a `message/delivery-status` (RFC 3464 2.1) or `message/global-delivery-status` (RFC 6533 4.1). */
export interface DeliveryStatus {
  /** ENVID of MAIL, decoded; only if it was given (RFC 3461 6.3 a). */
  readonly envelopeId?: string;
  readonly reportingMta?: Typed;
  /** Who translated the report of another mail system (RFC 3464 2.2.3). */
  readonly gateway?: Typed;
  readonly receivedFromMta?: Typed;
  readonly arrival?: number;
  readonly extensions?: readonly ExtensionField[];
  readonly recipients: readonly RecipientStatus[];
}

/**
 * Writes a delivery status, its lines folded at 78. With `global` it is a `message/global-delivery-status` and may hold UTF-8; without, an
 * address beyond ASCII is written as utf-8-addr-xtext (RFC 6533 3), and elsewhere a character beyond ASCII is `?`.
 *
 * Throws a `RangeError` for what no delivery status can say: no Reporting-MTA, no recipient, a `willRetryUntil` without `delayed`, a status
 * or a name of another form, and CR, LF or NUL anywhere.
 *
 * @example
 * ```ts
 * import { formatDeliveryStatus } from '@ehlo/message/report';
 * formatDeliveryStatus({
 *   reportingMta: { type: 'dns', text: 'mx.example.org' },
 *   recipients: [{ finalRecipient: { type: 'rfc822', text: 'joe@example.org' }, action: 'failed', status: '5.1.1' }],
 * })
 * // → 'Reporting-MTA: dns; mx.example.org\r\n\r\nFinal-Recipient: rfc822; joe@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n'
 * ```
 */
export function formatDeliveryStatus(status: DeliveryStatus, { global = false }: { readonly global?: boolean } = {}): string {
  if (status.reportingMta === undefined) throw new RangeError('RFC 3464 2.2.2: a delivery status has a Reporting-MTA');
  if (status.recipients.length === 0) throw new RangeError('RFC 3464 2.1: a delivery status has a recipient');
  const message = fields(global, [
    ['Original-Envelope-Id', status.envelopeId],
    ['Reporting-MTA', typed(status.reportingMta)],
    ['DSN-Gateway', typed(status.gateway)],
    ['Received-From-MTA', typed(status.receivedFromMta)],
    ['Arrival-Date', dated(status.arrival)],
    ...(status.extensions ?? []),
  ]);
  return [message, ...status.recipients.map((one) => fields(global, recipientFields(one, global)))].join('\r\n');
}

/** The gravest action of all recipients. */
export function gravestAction({ recipients }: DeliveryStatus): DeliveryAction {
  return DELIVERY_ACTIONS.find((action) => recipients.some((one) => one.action === action)) ?? 'failed';
}

function recipientFields(one: RecipientStatus, global: boolean): readonly (readonly [name: string, text: string | undefined])[] {
  if (!DELIVERY_ACTIONS.includes(one.action)) throw new RangeError('RFC 3464 2.3.3: no such action');
  if (!STATUS_CODE.test(one.status)) throw new RangeError('RFC 3464 2.3.4: a status is of the form 5.1.1');
  if (one.willRetryUntil !== undefined && one.action !== 'delayed') throw new RangeError('RFC 3464 2.3.9: Will-Retry-Until is for delays');
  return [
    ['Original-Recipient', address(one.originalRecipient, global)],
    ['Final-Recipient', address(one.finalRecipient, global)],
    ['Action', one.action],
    ['Status', one.status],
    ['Remote-MTA', typed(one.remoteMta)],
    ['Diagnostic-Code', typed(one.diagnostic)],
    // RFC 6533 4.1: the field is the global status's own.
    ...(global ? (one.localized ?? []) : []).map(({ language, text }) => ['Localized-Diagnostic', `${language}; ${text}`] as const),
    ['Last-Attempt-Date', dated(one.lastAttempt)],
    ['Final-Log-ID', one.finalLogId],
    ['Will-Retry-Until', dated(one.willRetryUntil)],
    ...(one.extensions ?? []),
  ];
}

/** RFC 3464 2.3.4, RFC 3463 2: three numbers without leading zeros. */
export const STATUS_CODE: RegExp = /^[245]\.(?:0|[1-9]\d{0,2})\.(?:0|[1-9]\d{0,2})$/;

/** RFC 3464 2.1.2: `atom`; RFC 5322 2.2: a name of a field. */
const TYPE = /^[\w!#$%&'*+/=?^`{|}~-]+$/;
const NAME = /^[!-9;-~]+$/;

function typed(value: Typed | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (!TYPE.test(value.type)) throw new RangeError('RFC 3464 2.1.2: a type is an atom');
  return `${value.type}; ${value.text}`;
}

/** RFC 6533 3: an address beyond ASCII is of type utf-8; in ASCII it is written as utf-8-addr-xtext; one that can't be stays as it is. */
function address(value: Typed | undefined, global: boolean): string | undefined {
  if (value === undefined) return undefined;
  const type = value.type === 'rfc822' && /\P{ASCII}/u.test(value.text) ? 'utf-8' : value.type;
  if (global || type !== 'utf-8') return typed({ type, text: value.text });
  const encoded = encodeUtf8Address(value.text);
  return typed({ type, text: decodeUtf8Address(encoded) === value.text ? encoded : value.text });
}

function dated(time: number | undefined): string | undefined {
  return time === undefined ? undefined : formatDate({ date: time, offset: 0, leap: false });
}

function fields(global: boolean, all: readonly (readonly [name: string, text: string | undefined])[]): string {
  return all
    .map(([name, text]) => (text === undefined ? '' : formatField(name, global ? text : text.replaceAll(/\P{ASCII}/gu, '?'))))
    .join('');
}

/** RFC 5322 2.1.1: what a line should be, and must. */
const SHOULD = 78;
const MUST = 998;

/**
 * A field, folded before spaces so that its lines keep to 78 octets where they can. A word of more than 998 is cut by a fold, which a reader
 * takes for a space.
 */
export function formatField(name: string, text: string): string {
  if (!NAME.test(name)) throw new RangeError('RFC 5322 2.2: the name of a field is printable ASCII without a colon');
  if (['\0', '\r', '\n'].some((control) => text.includes(control)))
    throw new RangeError('RFC 5322 2.2: CR, LF and NUL can not stand in a field');
  let out = `${name}:`;
  let length = out.length;
  // Words with the spaces before them.
  for (const word of ` ${text}`.match(/[ \t]*[^ \t]+/g) ?? []) {
    const octets = encodeUtf8(word).length;
    if (length + octets > SHOULD && length > name.length + 1) {
      out += '\r\n';
      length = 0;
    }
    if (length + octets <= MUST) out += word;
    else out += pieces(word, MUST - length, MUST - 1).join('\r\n ');
    length += octets;
  }
  return `${out}\r\n`;
}

/** A word in pieces of so many octets, characters whole. */
function pieces(word: string, first: number, then: number): string[] {
  const all: string[] = [];
  let piece = '';
  let length = 0;
  for (const character of word) {
    const octets = encodeUtf8(character).length;
    if (length + octets > (all.length === 0 ? first : then)) {
      all.push(piece);
      piece = '';
      length = 0;
    }
    piece += character;
    length += octets;
  }
  return [...all, piece];
}
