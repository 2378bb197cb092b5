import { decodeUtf8Address, type Parsed } from '@ehlo/grammar';
import { failure, octetsOf, parseDate, textOf } from '@ehlo/grammar/imf';
import {
  DELIVERY_ACTIONS,
  type DeliveryAction,
  type DeliveryStatus,
  type ExtensionField,
  type RecipientStatus,
  STATUS_CODE,
  type Typed,
} from './delivery-status.ts';
import { trimmed } from './field.ts';
import { judged } from './judged.ts';
import { ANY_REPORT, type ReportDeviation } from './report-deviation.ts';
import { type FieldGroup, fieldGroups, withoutComment } from './status-fields.ts';

/**
 * Reads the content of a `message/delivery-status` (RFC 3464 2.1) or, with `global`, of a `message/global-delivery-status` (RFC 6533 4.1).
 * Every deviation is taken and told, unless `tolerate` names those that are. It fails where no recipient is named.
 *
 * @example
 * ```ts
 * import { parseDeliveryStatus } from '@ehlo/message/report';
 * const parsed = parseDeliveryStatus('Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: joe@example.org\r\nAction: Failed\r\nStatus: 5.1.1\r\n');
 * parsed.ok && [parsed.value.recipients[0]?.finalRecipient, parsed.deviations]
 * // → [{ type: 'rfc822', text: 'joe@example.org' }, ['no-type']]
 * ```
 */
export function parseDeliveryStatus(
  content: Uint8Array | string,
  { tolerate = ANY_REPORT, global = false }: { readonly tolerate?: ReadonlySet<ReportDeviation>; readonly global?: boolean } = {},
): Parsed<DeliveryStatus, ReportDeviation> {
  const text = typeof content === 'string' ? content : textOf(content);
  const found = new Set<ReportDeviation>();
  if (!global && /\P{ASCII}/u.test(text)) found.add('non-ascii');
  const [first, ...rest] = split(fieldGroups(text, found), found);
  const message = first === undefined || isRecipient(first) ? undefined : first;
  const groups = message === undefined && first !== undefined ? [first, ...rest] : rest;
  if (message === undefined || !message.fields.has('reporting-mta')) found.add('no-reporting-mta');
  const recipients = groups.map((group) => recipientOf(group, found)).filter((one) => one !== null);
  if (recipients.length === 0) return failure('syntax', RULE, SECTION, octetsOf(content).length, 'a recipient was expected');
  const value: DeliveryStatus = { ...messageOf(message, found), recipients };
  return judged(value, found, tolerate, RULE, SECTION);
}

const RULE = 'delivery-status-content';
const SECTION = '3464 2.1';

const PER_MESSAGE: ReadonlySet<string> = new Set([
  'original-envelope-id',
  'reporting-mta',
  'dsn-gateway',
  'received-from-mta',
  'arrival-date',
]);
const PER_RECIPIENT: ReadonlySet<string> = new Set([
  'original-recipient',
  'final-recipient',
  'action',
  'status',
  'remote-mta',
  'diagnostic-code',
  'localized-diagnostic',
  'last-attempt-date',
  'final-log-id',
  'will-retry-until',
]);

function isRecipient({ fields }: FieldGroup): boolean {
  return ['final-recipient', 'original-recipient', 'action'].some((name) => fields.has(name));
}

/**
 * Groups as they were meant: a second Original- or Final-Recipient begins a recipient (RFC 3464 2.3), and so does the first behind fields of
 * the message; a group without a recipient belongs to the one before.
 */
function split(groups: readonly FieldGroup[], found: Set<ReportDeviation>): FieldGroup[] {
  const meant: Meant[] = [];
  for (const { all, fields } of groups) {
    const before = meant.at(-1);
    // The message's own fields come first: what is behind them, and behind a recipient, may be more of that recipient.
    const more = meant.length > 1 && before !== undefined && !NAMES.some((name) => fields.has(name)) && isMoreOf(before, fields);
    if (more) found.add('extra-blank-line');
    let current = more ? before : meantAt(meant);
    for (const [name, text] of all) {
      const small = name.toLowerCase();
      if (NAMES.includes(small) && beginsAnother(small, current)) {
        found.add('missing-blank-line');
        current = meantAt(meant);
      }
      current.all.push([name, text]);
      if (!current.fields.has(small)) current.fields.set(small, text);
      current.ofMessage &&= PER_MESSAGE.has(small);
    }
  }
  return meant;
}

/** A group as it was meant. */
interface Meant {
  readonly fields: Map<string, string>;
  readonly all: (readonly [name: string, text: string])[];
  /** Whether it has no field but the message's. */
  ofMessage: boolean;
}

function meantAt(meant: Meant[]): Meant {
  const one: Meant = { fields: new Map(), all: [], ofMessage: true };
  meant.push(one);
  return one;
}

const NAMES: readonly string[] = ['original-recipient', 'final-recipient'];

/** Fields of a recipient, of which the group before has none. */
function isMoreOf(before: Meant, fields: ReadonlyMap<string, string>): boolean {
  const names = [...fields.keys()].filter((name) => PER_RECIPIENT.has(name));
  return names.length > 0 && !names.some((name) => before.fields.has(name));
}

function beginsAnother(name: string, { fields, ofMessage }: Meant): boolean {
  if (ofMessage) return fields.size > 0;
  const told = fields.has('action') || fields.has('status');
  return told && (fields.has(name) || fields.has('final-recipient'));
}

function messageOf(group: FieldGroup | undefined, found: Set<ReportDeviation>): Omit<DeliveryStatus, 'recipients'> {
  if (group === undefined) return {};
  const { fields } = group;
  return present({
    envelopeId: fields.get('original-envelope-id'),
    reportingMta: hostOf(fields.get('reporting-mta'), found),
    gateway: hostOf(fields.get('dsn-gateway'), found),
    receivedFromMta: hostOf(fields.get('received-from-mta'), found),
    arrival: dateOf(fields.get('arrival-date'), found),
    extensions: extensionsOf(group, PER_MESSAGE, found),
  });
}

function recipientOf(group: FieldGroup, found: Set<ReportDeviation>): RecipientStatus | null {
  const { fields } = group;
  const original = addressOf(fields.get('original-recipient'), found);
  const last = addressOf(fields.get('final-recipient'), found);
  const finalRecipient = last ?? original;
  if (finalRecipient === undefined) {
    // Fields of no recipient, such as those that a gateway appends.
    if (isRecipient(group) || fields.has('status')) found.add('no-recipient');
    return null;
  }
  if (last === undefined) found.add('no-final-recipient');
  const diagnostic = typedOf(fields.get('diagnostic-code'), 'smtp', found);
  const { action, status } = fateOf(fields.get('action'), fields.get('status'), diagnostic?.text ?? '', found);
  const until = dateOf(fields.get('will-retry-until'), found);
  if (until !== undefined && action !== 'delayed') found.add('misplaced-field');
  const localized = group.all.filter(([name]) => name.toLowerCase() === 'localized-diagnostic').map(([, text]) => localizedOf(text));
  if (localized.includes(null)) found.add('misplaced-field');
  const kept = localized.filter((one) => one !== null);
  return {
    ...present({ originalRecipient: original }),
    finalRecipient,
    action,
    status,
    ...present({
      remoteMta: hostOf(fields.get('remote-mta'), found),
      diagnostic,
      localized: kept.length === 0 ? undefined : kept,
      lastAttempt: dateOf(fields.get('last-attempt-date'), found),
      finalLogId: fields.get('final-log-id'),
      willRetryUntil: action === 'delayed' ? until : undefined,
      extensions: extensionsOf(group, PER_RECIPIENT, found),
    }),
  };
}

function localizedOf(text: string): { readonly language: string; readonly text: string } | null {
  const semicolon = text.indexOf(';');
  return semicolon < 0 ? null : { language: trimmed(text.slice(0, semicolon)), text: trimmed(text.slice(semicolon + 1)) };
}

/** What is defined of it. */
export function present<T extends object>(all: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function extensionsOf(group: FieldGroup, known: ReadonlySet<string>, found: Set<ReportDeviation>): readonly ExtensionField[] | undefined {
  const seen = new Set<string>();
  for (const [name] of group.all) {
    const small = name.toLowerCase();
    if (known.has(small) && small !== 'localized-diagnostic' && seen.has(small)) found.add('repeated-field');
    seen.add(small);
  }
  const rest = group.all.filter(([name]) => !known.has(name.toLowerCase()));
  return rest.length === 0 ? undefined : rest;
}

/** RFC 3464 2.1.2: `type ";" *text`. */
function typedOf(text: string | undefined, type: string, found: Set<ReportDeviation>): Typed | undefined {
  if (text === undefined) return undefined;
  const semicolon = text.indexOf(';');
  const before = withoutComment(text.slice(0, Math.max(semicolon, 0)));
  if (semicolon >= 0 && /^[^\s@()<>[\]:;\\",.]+$/.test(before))
    return { type: before.toLowerCase(), text: trimmed(text.slice(semicolon + 1)) };
  found.add('no-type');
  if (text === '') return undefined;
  return { type, text: before === '' ? trimmed(text.slice(semicolon + 1)) : text };
}

/** RFC 3464 2.3.5: the name of a host, without what is told beside it. */
export function hostOf(text: string | undefined, found: Set<ReportDeviation>): Typed | undefined {
  const host = typedOf(text, 'dns', found);
  return host === undefined ? undefined : { type: host.type, text: withoutComment(host.text) };
}

function addressOf(text: string | undefined, found: Set<ReportDeviation>): Typed | undefined {
  const typed = typedOf(text, 'rfc822', found);
  if (typed === undefined) return undefined;
  const bare = withoutComment(typed.text);
  const inside = /<([^<>]*)>$/.exec(bare)?.[1] ?? bare;
  const address = typed.type === 'rfc822' || typed.type === 'utf-8' ? trimmed(inside) : typed.text;
  if (address !== typed.text) found.add('odd-address');
  if (address === '') return undefined;
  if (typed.type !== 'utf-8') return { type: typed.type, text: address };
  // RFC 6533 3: what is no utf-8-enc-addr stays as it is.
  return { type: 'utf-8', text: decodeUtf8Address(address) ?? address };
}

/** What other words for an action mean, by how they begin. */
const SYNONYMS: readonly (readonly [RegExp, DeliveryAction])[] = [
  [/^(?:fail|undeliver|un-?able|bounce|reject|error|dropped|expired|non-?deliver)/, 'failed'],
  [/^(?:delay|defer|transient|retry|warning|queued)/, 'delayed'],
  [/^(?:deliver|success|accept|sent)/, 'delivered'],
  [/^(?:relay|forward)/, 'relayed'],
  [/^expand/, 'expanded'],
];

/** RFC 3464 2.3.3, 2.3.4: what was done, and why; one stands for the other where it is missing. */
function fateOf(
  actionField: string | undefined,
  statusField: string | undefined,
  diagnostic: string,
  found: Set<ReportDeviation>,
): { readonly action: DeliveryAction; readonly status: string } {
  const word = withoutComment(actionField ?? '').toLowerCase();
  const known = DELIVERY_ACTIONS.find((action) => action === word) ?? SYNONYMS.find(([start]) => start.test(word))?.[1];
  const written = withoutComment(statusField ?? '');
  const code = STATUS_CODE.test(written) ? written : statusIn(written);
  if (actionField === undefined) found.add('no-action');
  else if (known !== word) found.add('odd-action');
  if (statusField === undefined) found.add('no-status');
  else if (code !== written) found.add('odd-status');
  const quoted = code ?? statusIn(diagnostic);
  const action = known ?? actionOf(quoted);
  return { action, status: quoted ?? generalStatus(action) };
}

function actionOf(status: string | null): DeliveryAction {
  return status?.startsWith('2') ? 'delivered' : status?.startsWith('4') ? 'delayed' : 'failed';
}

/** RFC 3461 6.3 (g): what is said where nothing more is known. */
export function generalStatus(action: DeliveryAction): string {
  return action === 'failed' ? '5.0.0' : action === 'delayed' ? '4.0.0' : '2.0.0';
}

/** The enhanced code in a text, or what its reply code says of it: 5.0.0 of 550. Null where there is neither. */
export function statusIn(text: string): string | null {
  const enhanced = /(?:^|[^\d.])([245])\.0{0,2}(\d{1,3})\.0{0,2}(\d{1,3})(?!\.?\d)/.exec(text);
  if (enhanced !== null) return `${enhanced[1]}.${Number(enhanced[2])}.${Number(enhanced[3])}`;
  const reply = /(?:^|[^\d.])([245])[0-5]\d(?=[\s:;,#)"'-]|$)/.exec(text);
  return reply === null ? null : `${reply[1]}.0.0`;
}

/** Dates as they come. */
export function dateOf(text: string | undefined, found: Set<ReportDeviation>): number | undefined {
  if (text === undefined) return undefined;
  const parsed = parseDate(text);
  if (!parsed.ok || parsed.deviations.length > 0) found.add('odd-date');
  return parsed.ok ? parsed.value.date : undefined;
}
