// Reports that are owed to a sender: test-vectors/message/reports.json.
import { readFileSync } from 'node:fs';
import { latin1, octets } from '@ehlo/grammar';
import { expect, test } from 'vitest';
import {
  composeReport,
  contentOf,
  type DeliveryReport,
  type OriginalMessage,
  type RecipientStatus,
  type ReportInit,
  readReport,
  type Typed,
} from '../src/report.ts';

type Spelled<T, K extends keyof T> = Omit<T, K> & { readonly [name in K]?: string };
type Recipient = Spelled<RecipientStatus, 'originalRecipient' | 'finalRecipient' | 'remoteMta' | 'diagnostic' | 'willRetryUntil'>;
interface Original extends Pick<OriginalMessage, 'smtpUtf8'> {
  readonly header: readonly string[];
  readonly body: readonly string[];
  readonly bodyType?: OriginalMessage['body'];
}
interface Case {
  readonly name: string;
  readonly report: Omit<ReportInit, 'date' | 'original' | 'status'> & {
    readonly date: string;
    readonly original: Original;
    readonly status: { readonly envelopeId?: string; readonly recipients: readonly Recipient[] };
  };
  readonly makes: ({ readonly content: readonly string[] } & { readonly [name: string]: unknown }) | null;
}

const url = new URL('../../../test-vectors/message/reports.json', import.meta.url);
const { reports } = JSON.parse(readFileSync(url, 'utf8')) as { readonly reports: readonly Case[] };

function typed(text: string): Typed {
  const at = text.indexOf('; ');
  return { type: text.slice(0, at), text: text.slice(at + 2) };
}

function recipientOf({ originalRecipient, finalRecipient, remoteMta, diagnostic, willRetryUntil, ...rest }: Recipient): RecipientStatus {
  const given = Object.entries({ originalRecipient, remoteMta, diagnostic }).filter(([, text]) => text !== undefined);
  const until = willRetryUntil === undefined ? {} : { willRetryUntil: Date.parse(willRetryUntil) };
  return {
    ...rest,
    finalRecipient: typed(finalRecipient!),
    ...Object.fromEntries(given.map(([name, text]) => [name, typed(text!)])),
    ...until,
  };
}

const text = (bytes: Uint8Array): string => latin1(bytes, 0, bytes.length);

test.each(reports.map((one): [string, Case] => [one.name, one]))('%s', (_, { report, makes }) => {
  const { header, body, bodyType, smtpUtf8 } = report.original;
  const whole = octets([...header, '', ...body].join('\r\n'));
  const known = { ...(bodyType === undefined ? {} : { body: bodyType }), ...(smtpUtf8 === undefined ? {} : { smtpUtf8 }) };
  const original = { header: octets(`${header.join('\r\n')}\r\n`), size: whole.length, ...known };
  const status = { ...report.status, recipients: report.status.recipients.map(recipientOf) };
  const made = composeReport({ ...report, date: Date.parse(report.date), status, original });
  if (made === null || makes === null) return expect(made).toBe(makes);
  const { head: _head, tail: _tail, ...said } = made;
  const content = [...contentOf(made, [whole])].map(text).join('');
  expect({ ...said, content: content.split('\r\n') }).toEqual(makes);
  // What was written is read as it was meant.
  const read = readReport(octets(content)) as DeliveryReport;
  expect(read.recipients).toEqual(status.recipients);
  expect([read.envelopeId, read.original?.part, read.deviations]).toEqual([status.envelopeId, made.returns, []]);
});
