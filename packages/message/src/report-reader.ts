import { encodeUtf8 } from '@ehlo/grammar';
import { type PartHeader, PartReader } from './multipart.ts';
import { withRoom } from './octets.ts';
import type { ReportDeviation } from './report-deviation.ts';
import { formalReport, type KeptPart, toldReport } from './report-forms.ts';
import type { Report } from './report-kinds.ts';

/** How much of a report is kept, in octets. Ours. */
export interface ReportLimits {
  /** Of the text for people. Default 65,536. */
  readonly text: number;
  /** Of the part for programs, as it is encoded. Default 1,048,576. */
  readonly status: number;
  /** Of the header of the message that was returned. Default 65,536. */
  readonly original: number;
}

/** The limits where nothing is said. */
export const REPORT_LIMITS: ReportLimits = { text: 65_536, status: 1_048_576, original: 65_536 };

/** What a part is read as; parts of no kind are passed over. */
const KINDS: ReadonlyMap<string, 'status' | 'header' | 'message' | 'text'> = new Map([
  ['message/delivery-status', 'status'],
  ['message/global-delivery-status', 'status'],
  ['message/feedback-report', 'status'],
  ['application/tlsrpt+json', 'status'],
  ['application/tlsrpt+gzip', 'status'],
  ['text/rfc822-headers', 'header'],
  ['message/rfc822-headers', 'header'],
  ['message/global-headers', 'header'],
  ['message/rfc822', 'message'],
  ['message/global', 'message'],
  ['text/plain', 'text'],
]);

/** A part as far as it is kept. */
class Kept implements KeptPart {
  readonly header: PartHeader;
  readonly #limit: number;
  #held: Uint8Array = new Uint8Array(256);
  #length = 0;
  #whole = true;

  constructor(header: PartHeader, limit: number) {
    this.header = header;
    this.#limit = limit;
  }

  get octets(): Uint8Array {
    return this.#held.subarray(0, this.#length);
  }

  get whole(): boolean {
    return this.#whole;
  }

  /** False if it is more than is kept. */
  add(bytes: Uint8Array): boolean {
    const part = bytes.subarray(0, this.#limit - this.#length);
    const needed = this.#length + part.length;
    this.#held = withRoom(this.#held, this.#length, needed);
    this.#held.set(part, this.#length);
    this.#length = needed;
    this.#whole = this.#whole && part.length === bytes.length;
    return this.#whole;
  }
}

/**
 * Reads a message as a stream, and says what report it is: a delivery status (RFC 3464, RFC 6533) or what stands for one, a complaint
 * (RFC 5965), or a TLS report (RFC 8460). No octet makes it throw; it keeps no more than its limits say, however long the message is that
 * was returned.
 *
 * @example
 * ```ts
 * import { ReportReader } from '@ehlo/message/report';
 * const reader = new ReportReader();
 * reader.push(new TextEncoder().encode('Subject: hello\r\n\r\ntext\r\n'));
 * reader.end()
 * // → null
 * ```
 */
export class ReportReader {
  readonly #limits: ReportLimits;
  readonly #parts: PartReader;
  #top: PartHeader | null = null;
  #text: Kept | null = null;
  #status: Kept | null = null;
  #original: Kept | null = null;
  /** What the octets that come belong to. */
  #current: Kept | null = null;
  #cut = false;
  #unclosed = false;
  #wordsAsStatus = false;

  constructor(limits: Partial<ReportLimits> = {}) {
    this.#limits = { ...REPORT_LIMITS, ...limits };
    this.#parts = new PartReader({
      part: (header) => this.#part(header),
      content: (bytes) => this.#content(bytes),
      end: (found) => {
        this.#unclosed = found.has('no-close-delimiter');
      },
    });
  }

  /** The next octets of the message; they are lent until this returns. */
  push(bytes: Uint8Array): void {
    this.#parts.push(bytes);
  }

  /** There are no more: the report; null if it is none. */
  end(): Report | null {
    this.#parts.end();
    if (this.#top === null) return null;
    const found = new Set<ReportDeviation>();
    if (this.#unclosed) found.add('unclosed');
    if (this.#cut) found.add('cut');
    if (this.#wordsAsStatus) found.add('words-as-status');
    const parts = { top: this.#top, text: this.#text, original: this.#original };
    const report = (this.#status === null ? null : formalReport(parts, this.#status, found)) ?? toldReport(parts, found);
    return report === null ? null : { ...report, deviations: [...found].sort() };
  }

  #part(header: PartHeader): void {
    const first = this.#top === null;
    this.#top ??= header;
    this.#current = null;
    const kind = KINDS.get(header.content.type);
    // A message that is nothing but another one, or a status, is no report.
    if (kind === undefined || (first && kind !== 'text')) return;
    const kept = new Kept(header, this.#limits[kind === 'header' || kind === 'message' ? 'original' : kind]);
    if (kind === 'text') {
      if (this.#text === null) this.#current = this.#text = kept;
    } else if (kind === 'status') {
      // Some put their words into a part of that type, too.
      const words = this.#status !== null && formalReport({ top: this.#top, text: null, original: null }, this.#status, new Set()) === null;
      if (words) {
        this.#wordsAsStatus = true;
        this.#text ??= this.#status;
      }
      if (this.#status === null || words) this.#current = this.#status = kept;
    } else if (this.#original === null) this.#current = this.#original = kept;
  }

  #content(bytes: Uint8Array): void {
    // Of the message that was returned, no more than the header is wanted.
    if (this.#current !== null && !this.#current.add(bytes) && this.#current !== this.#original) this.#cut = true;
  }
}

/**
 * Says what report a message is, read whole; null if it is none.
 *
 * @example
 * ```ts
 * import { readReport } from '@ehlo/message/report';
 * const report = readReport([
 *   'From: MAILER-DAEMON@mx.example', 'Subject: failure notice', '',
 *   'Hi. This is the mail program at mx.example.', 'I was not able to deliver your message.', '',
 *   '<joe@example.org>:', 'Sorry, no mailbox here by that name. (#5.1.1)', '',
 * ].join('\r\n'));
 * report?.type === 'delivery-status' && [report.recipients[0]?.finalRecipient.text, report.recipients[0]?.status, report.deviations]
 * // → ['joe@example.org', '5.1.1', ['no-status-part', 'qsbmf']]
 * ```
 */
export function readReport(message: Uint8Array | string, limits: Partial<ReportLimits> = {}): Report | null {
  const reader = new ReportReader(limits);
  reader.push(typeof message === 'string' ? encodeUtf8(message) : message);
  return reader.end();
}
