// The forms in which a report comes: with a part for programs, or as a text for people.

import { encodeUtf8, latin1 } from '@ehlo/grammar';
import { textOf } from '@ehlo/grammar/imf';
import { toldAction, toldRecipients } from './bounce-text.ts';
import { parameterOf } from './content-fields.ts';
import { gravestAction, type RecipientStatus } from './delivery-status.ts';
import { parseFeedback } from './feedback.ts';
import { type Field, fieldValue, isNamed } from './field.ts';
import { ANY_HEADER } from './header-deviation.ts';
import { HeaderReader } from './header-reader.ts';
import type { PartHeader } from './multipart.ts';
import { generalStatus, parseDeliveryStatus } from './parse-delivery-status.ts';
import type { ReportDeviation } from './report-deviation.ts';
import type { DeliveryReport, Report, ReturnedMessage } from './report-kinds.ts';
import { decodeTransfer } from './transfer.ts';

/** A part, and as many of its octets as are kept. */
export interface KeptPart {
  readonly header: PartHeader;
  readonly octets: Uint8Array;
  /** Whether those are all. */
  readonly whole: boolean;
}

/** What a message has. */
export interface KeptParts {
  readonly top: PartHeader;
  /** The first text for people. */
  readonly text: KeptPart | null;
  readonly original: KeptPart | null;
}

/** A report with a part for programs; null if that says nothing. What is odd is told in `found`. */
export function formalReport(parts: KeptParts, status: KeptPart, found: Set<ReportDeviation>): Report | null {
  const { top } = parts;
  const { type } = status.header.content;
  const content = decoded(status);
  const common = { text: textIn(parts.text), original: returned(parts.original), deviations: [] };
  let report: Report | null = null;
  if (type === 'message/feedback-report') {
    const parsed = parseFeedback(content);
    if (parsed.ok) report = { type: 'feedback-report', ...parsed.value, ...common };
    if (parsed.ok) for (const one of parsed.deviations) found.add(one);
  } else if (type === 'application/tlsrpt+json' || type === 'application/tlsrpt+gzip') {
    const domain = textOfField(top.fields, 'TLS-Report-Domain');
    const submitter = textOfField(top.fields, 'TLS-Report-Submitter');
    const { text } = common;
    const told = { ...(domain === undefined ? {} : { domain }), ...(submitter === undefined ? {} : { submitter }) };
    report = { type: 'tlsrpt', media: type, content, ...told, text, deviations: [] };
  } else {
    const parsed = parseDeliveryStatus(content, { global: type === 'message/global-delivery-status' });
    if (parsed.ok) report = { type: 'delivery-status', ...parsed.value, action: gravestAction(parsed.value), ...common };
    if (parsed.ok) for (const one of parsed.deviations) found.add(one);
    const encoding = textOfField(status.header.fields, 'Content-Transfer-Encoding') ?? '7bit';
    if (parsed.ok && type === 'message/delivery-status' && encoding.toLowerCase() !== '7bit') found.add('encoded-status');
  }
  if (report === null) return null;
  if (top.content.type !== 'multipart/report') found.add('not-multipart-report');
  else if (parameterOf(top.content, 'report-type')?.toLowerCase() !== report.type) found.add('report-type');
  if (report.type === 'delivery-status') lookAtReversePath(top.fields, found);
  return report;
}

/** RFC 3464 2: a report has the null reverse-path, which the last host writes down. */
function lookAtReversePath(fields: readonly Field[], found: Set<ReportDeviation>): void {
  const path = textOfField(fields, 'Return-Path');
  if (path !== undefined && path.replaceAll(/\s+/g, '') !== '<>') found.add('reverse-path');
}

/** Who writes reports as texts: in From, an address or a name of a mail system. */
const SYSTEM =
  /mailer-?daemon|mail-?daemon|postmaster|mail (?:delivery|server|router|administrator)|delivery (?:sub)?system|system administrator|mdaemon/i;
/** What other programs send by themselves, and people. */
const NO_REPORT =
  /out of (?:the )?office|auto(?:matic)?[ -]?(?:reply|response)|vacation|holiday|confirm|verif|challenge|digest|^\s*(?:re|fwd?):/i;

/**
 * A report that is a text: one whose header names recipients, one in the form of QSBMF, or one that a mail system wrote, with words that say
 * that mail has failed or is late, and with addresses. Null for all else.
 */
export function toldReport(parts: KeptParts, found: Set<ReportDeviation>): DeliveryReport | null {
  const { fields, content } = parts.top;
  const text = textIn(parts.text);
  const reportType = parameterOf(content, 'report-type')?.toLowerCase() ?? '';
  if (content.type === 'multipart/report' && reportType !== '' && reportType !== 'delivery-status') return null;
  if (NO_REPORT.test(textOfField(fields, 'Subject') ?? '') || textOfField(fields, 'List-Id') !== undefined) return null;
  const named = addressesIn(textOfField(fields, 'X-Failed-Recipients') ?? '');
  const qsbmf = /^\s*Hi\. This is the /.test(text);
  if (named.length === 0 && !qsbmf && !SYSTEM.test(textOfField(fields, 'From') ?? '')) return null;
  const action = toldAction(`${textOfField(fields, 'Subject') ?? ''}\n${text}`) ?? (named.length > 0 || qsbmf ? 'failed' : null);
  if (action === null) return null;
  const told = (qsbmf ? qsbmfRecipients : toldRecipients)(text, action);
  const recipients = named.length === 0 ? told.recipients : named.map((address) => recipientOf(address, told.recipients, action));
  if (recipients.length === 0) return null;
  found.add('no-status-part');
  if (named.length > 0) found.add('failed-recipients-field');
  else if (qsbmf) found.add('qsbmf');
  lookAtReversePath(fields, found);
  const original = returned(parts.original) ?? copyIn(text, told.originalAt);
  return { type: 'delivery-status', recipients, action, text, original, deviations: [] };
}

/** QSBMF: a recipient is the start of a paragraph, in angle brackets, before a colon; a paragraph that begins with a hyphen ends the report. */
function qsbmfRecipients(text: string, action: RecipientStatus['action']): ReturnType<typeof toldRecipients> {
  const end = /^-/m.exec(text)?.index ?? text.length;
  const paragraphs = text.slice(0, end).split(/\n[ \t]*\r?\n/);
  const about = paragraphs.filter((paragraph) => /^\s*<[^\n]*>:[ \t]*(?:\r?\n|$)/.test(paragraph));
  const { recipients } = toldRecipients(about.join('\n\n'), action);
  const line = end === text.length ? -1 : text.indexOf('\n', end) + 1;
  return { recipients, originalAt: line === 0 ? -1 : line };
}

function recipientOf(address: string, told: readonly RecipientStatus[], action: RecipientStatus['action']): RecipientStatus {
  const same = told.find(({ finalRecipient }) => finalRecipient.text.toLowerCase() === address.toLowerCase());
  return same ?? { finalRecipient: { type: 'rfc822', text: address }, action, status: generalStatus(action) };
}

/** Ours: no report names more. */
const MOST = 1000;

function addressesIn(list: string): string[] {
  const all = list.split(/[\s,;]+/).map((one) => one.replace(/^<|>$/g, ''));
  return [...new Set(all.filter((one) => /^[^@]+@[^@]+$/.test(one)))].slice(0, MOST);
}

function returned(part: KeptPart | null): ReturnedMessage | null {
  if (part === null) return null;
  const fields = fieldsIn(decoded(part), part.whole);
  return {
    part: part.header.content.type === 'message/rfc822' || part.header.content.type === 'message/global' ? 'message' : 'header',
    fields,
  };
}

/** The copy of the message behind a text. */
function copyIn(text: string, at: number): ReturnedMessage | null {
  if (at < 0) return null;
  const fields = fieldsIn(encodeUtf8(text.slice(at).replace(/^\s+/, '')), true);
  return fields.length === 0 ? null : { part: 'message', fields };
}

/** The fields that octets begin with; the last one only if they are all. */
function fieldsIn(bytes: Uint8Array, whole: boolean): Field[] {
  const reader = new HeaderReader({ tolerate: ANY_HEADER });
  reader.push(bytes);
  if (whole) reader.end();
  const fields: Field[] = [];
  for (let event = reader.next(); event !== null; event = reader.next()) if (event.type === 'field') fields.push(event.field);
  return fields;
}

function decoded(part: KeptPart): Uint8Array {
  return decodeTransfer(part.octets, textOfField(part.header.fields, 'Content-Transfer-Encoding') ?? '');
}

/** The text of a part: of ISO 8859-1 octet by octet, else UTF-8 as far as it is that. */
function textIn(part: KeptPart | null): string {
  if (part === null) return '';
  const bytes = decoded(part);
  const charset = parameterOf(part.header.content, 'charset')?.toLowerCase() ?? '';
  return charset === 'iso-8859-1' || charset === 'windows-1252' ? latin1(bytes, 0, bytes.length) : textOf(bytes);
}

function textOfField(fields: readonly Field[], name: string): string | undefined {
  const field = fields.find((one) => isNamed(one, name));
  return field === undefined ? undefined : fieldValue(field);
}
