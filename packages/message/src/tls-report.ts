// What a TLS report says (RFC 8460 4), and how it is written.

/** What a sender tells of its TLS connections to a domain (RFC 8460 4.4). Times are milliseconds since 1970-01-01T00:00Z. */
export interface TlsReport {
  readonly organization: string;
  readonly start: number;
  readonly end: number;
  /** An address. */
  readonly contact: string;
  readonly id: string;
  readonly policies: readonly TlsPolicy[];
}

export interface TlsPolicy {
  /** `tlsa`, `sts` or `no-policy-found`; others are kept, and told. */
  readonly type: string;
  /** The policy, a line or a record each (RFC 8460 4.5). */
  readonly lines: readonly string[];
  readonly domain: string;
  readonly mxHosts: readonly string[];
  /** Sessions. */
  readonly successful: number;
  readonly failed: number;
  readonly failures: readonly TlsFailure[];
}

export interface TlsFailure {
  /** RFC 8460 4.3, e.g. `certificate-expired`. */
  readonly result: string;
  readonly sendingIp?: string;
  readonly receivingHost?: string;
  readonly receivingHelo?: string;
  readonly receivingIp?: string;
  readonly sessions: number;
  /** A URI. */
  readonly more?: string;
  readonly reason?: string;
}

/** The stable name of a way in which a TLS report differs from RFC 8460 4.4. */
export type TlsDeviation =
  | 'byte-order-mark'
  | 'one-policy'
  | 'text-for-list'
  | 'text-for-number'
  | 'odd-number'
  | 'odd-kind'
  | 'odd-name'
  | 'odd-date'
  | 'missing'
  | 'policy-type'
  | 'result-type'
  | 'control'
  | 'cut';

/**
 * Writes the JSON of a TLS report.
 *
 * @example
 * ```ts
 * import { formatTlsReport } from '@ehlo/message/report';
 * formatTlsReport({ organization: 'Example', start: 0, end: 86_399_000, contact: 'tls@example.org', id: '1', policies: [] })
 * // → '{"organization-name":"Example","date-range":{"start-datetime":"1970-01-01T00:00:00Z","end-datetime":"1970-01-01T23:59:59Z"},"contact-info":"tls@example.org","report-id":"1","policies":[]}'
 * ```
 */
export function formatTlsReport({ organization, start, end, contact, id, policies }: TlsReport): string {
  return JSON.stringify({
    'organization-name': organization,
    'date-range': { 'start-datetime': timeOf(start), 'end-datetime': timeOf(end) },
    'contact-info': contact,
    'report-id': id,
    policies: policies.map((one) => ({
      policy: { 'policy-type': one.type, 'policy-string': one.lines, 'policy-domain': one.domain, 'mx-host': one.mxHosts },
      summary: { 'total-successful-session-count': one.successful, 'total-failure-session-count': one.failed },
      'failure-details': one.failures.map((failure) => ({
        'result-type': failure.result,
        'sending-mta-ip': failure.sendingIp,
        'receiving-mx-hostname': failure.receivingHost,
        'receiving-mx-helo': failure.receivingHelo,
        'receiving-ip': failure.receivingIp,
        'failed-session-count': failure.sessions,
        'additional-information': failure.more,
        'failure-reason-code': failure.reason,
      })),
    })),
  });
}

/** RFC 3339 5.6, in UTC, without parts of a second. */
function timeOf(time: number): string {
  return new Date(time).toISOString().replace('.000Z', 'Z');
}

/**
 * What the mail that carries a TLS report says (RFC 8460 5.1, 5.3): fields of its header, types, and the name of the file.
 *
 * @example
 * ```ts
 * import { tlsReportMail } from '@ehlo/message/report';
 * const mail = tlsReportMail(
 *   { organization: 'Example', start: 0, end: 86_399_000, contact: 'tls@mx.example.org', id: '1', policies: [] },
 *   { domain: 'example.net', compressed: true },
 * );
 * [mail.filename, mail.fields[0]]
 * // → ['mx.example.org!example.net!0!86399.json.gz', ['Subject', 'Report Domain: example.net Submitter: mx.example.org Report-ID: <1@mx.example.org>']]
 * ```
 */
export function tlsReportMail(
  report: TlsReport,
  { domain, compressed, uniqueId }: { readonly domain: string; readonly compressed: boolean; readonly uniqueId?: string },
): {
  readonly fields: readonly (readonly [name: string, text: string])[];
  /** The Content-Type of the mail, without its boundary. */
  readonly type: string;
  /** The Content-Type of the report's part. */
  readonly partType: string;
  readonly filename: string;
} {
  // RFC 8460 5.3: the submitter is the domain of the contact.
  const submitter = report.contact.slice(report.contact.lastIndexOf('@') + 1);
  const id = report.id.includes('@') ? report.id : `${report.id}@${submitter}`;
  const unique = uniqueId === undefined ? '' : `!${uniqueId}`;
  const seconds = (time: number): number => Math.floor(time / 1000);
  return {
    fields: [
      ['Subject', `Report Domain: ${domain} Submitter: ${submitter} Report-ID: <${id.replaceAll(/[^\w!#$%&'*+/=?^`{|}~.@-]/g, '_')}>`],
      ['TLS-Report-Domain', domain],
      ['TLS-Report-Submitter', submitter],
    ],
    type: 'multipart/report; report-type="tlsrpt"',
    partType: compressed ? 'application/tlsrpt+gzip' : 'application/tlsrpt+json',
    filename: `${submitter}!${domain}!${seconds(report.start)}!${seconds(report.end)}${unique}.json${compressed ? '.gz' : ''}`,
  };
}
