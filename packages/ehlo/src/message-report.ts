import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { describeEnhanced } from '@ehlo/grammar/codes';
import { type Field, fieldValue } from '@ehlo/message';
import { parseTlsReport, type Report } from '@ehlo/message/report';
import { REPORT_DEVIATIONS, TLS_DEVIATIONS } from '@ehlo/message/words';
import { deviations, type ShownDeviation } from './message-fields.ts';

/** What a report says (RFC 3464, RFC 5965, RFC 8460), as JSON can hold it. */
export interface ShownReport {
  readonly type: Report['type'];
  /** Its own fields, by the names that `@ehlo/message/report` gives them; times as texts; each `status` with its `meaning` beside it. */
  readonly content: { readonly [name: string]: unknown } | null;
  /** Why the content of a TLS report can't be read; null if it can. */
  readonly failure: string | null;
  /** For people. */
  readonly text: string;
  /** The fields of the message that it is about, as far as they came back. */
  readonly original: { readonly part: string; readonly fields: readonly { readonly name: string; readonly value: string }[] } | null;
  readonly deviations: readonly ShownDeviation[];
}

/** Ours: octets of a TLS report that was compressed. */
const MOST_UNPACKED = 16_777_216;

/** A report for people and programs. */
export async function shownReport(report: Report): Promise<ShownReport> {
  const told = deviations(report.deviations, REPORT_DEVIATIONS);
  if (report.type === 'tlsrpt') {
    const { media, domain = null, submitter = null } = report;
    const common = { type: report.type, text: report.text, original: null };
    const json = media === 'application/tlsrpt+gzip' ? await unpacked(report.content) : report.content;
    const parsed = typeof json === 'string' ? null : parseTlsReport(json);
    if (parsed === null || !parsed.ok)
      return { ...common, content: { domain, submitter }, failure: parsed === null ? String(json) : parsed.message, deviations: told };
    const all = [...told, ...deviations(parsed.deviations, TLS_DEVIATIONS)];
    return { ...common, content: { domain, submitter, ...asJson(parsed.value) }, failure: null, deviations: all };
  }
  const { type, text, original, deviations: _, ...content } = report;
  const fields = original?.fields.map((field: Field) => ({ name: field.name, value: fieldValue(field) })) ?? [];
  return {
    type,
    content: asJson(content),
    failure: null,
    text,
    original: original && { part: original.part, fields },
    deviations: told,
  };
}

/** The octets that gzip packed; or why there are none. */
async function unpacked(content: Uint8Array): Promise<Uint8Array | string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const part of Readable.from([content]).pipe(createGunzip()) as AsyncIterable<Uint8Array>) {
      length += part.length;
      if (length > MOST_UNPACKED) return `more than ${MOST_UNPACKED} octets when it is decompressed`;
      parts.push(part);
    }
  } catch {
    return 'it is not compressed by gzip, or cut';
  }
  return Buffer.concat(parts);
}

const TIMES: ReadonlySet<string> = new Set(['arrival', 'lastAttempt', 'willRetryUntil', 'start', 'end']);

function asJson(value: object): { readonly [name: string]: unknown } {
  const pairs = Object.entries(value).flatMap(([name, entry]: [string, unknown]): [string, unknown][] => {
    if (typeof entry === 'number' && TIMES.has(name)) return [[name, new Date(entry).toISOString()]];
    const own: [string, unknown] = [name, inJson(entry)];
    return name === 'status' && typeof entry === 'string' ? [own, ['meaning', describeEnhanced(entry)?.text ?? null]] : [own];
  });
  return Object.fromEntries(pairs);
}

function inJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inJson);
  return typeof value === 'object' && value !== null ? asJson(value) : value;
}
