// What reports there are.
import type { DeliveryAction, DeliveryStatus } from './delivery-status.ts';
import type { Feedback } from './feedback.ts';
import type { Field } from './field.ts';
import type { ReportDeviation } from './report-deviation.ts';

/** What came back of the message. */
export interface ReturnedMessage {
  /** Its header alone (RFC 6522 4), or the whole message. */
  readonly part: 'header' | 'message';
  /** The fields of its header. */
  readonly fields: readonly Field[];
}

/** What became of a message (RFC 3464). */
export interface DeliveryReport extends DeliveryStatus {
  readonly type: 'delivery-status';
  /** The gravest action of all recipients. */
  readonly action: DeliveryAction;
  /** The text for people, without its encoding. */
  readonly text: string;
  readonly original: ReturnedMessage | null;
  readonly deviations: readonly ReportDeviation[];
}

/** A complaint (RFC 5965). */
export interface FeedbackReport extends Feedback {
  readonly type: 'feedback-report';
  readonly text: string;
  readonly original: ReturnedMessage | null;
  readonly deviations: readonly ReportDeviation[];
}

/** A mail with a TLS report (RFC 8460 5.3). */
export interface TlsReportMail {
  readonly type: 'tlsrpt';
  /** `application/tlsrpt+gzip`: to be decompressed, with a limit, before `parseTlsReport` reads it. */
  readonly media: 'application/tlsrpt+json' | 'application/tlsrpt+gzip';
  readonly content: Uint8Array;
  /** TLS-Report-Domain and TLS-Report-Submitter. */
  readonly domain?: string;
  readonly submitter?: string;
  readonly text: string;
  readonly deviations: readonly ReportDeviation[];
}

export type Report = DeliveryReport | FeedbackReport | TlsReportMail;
