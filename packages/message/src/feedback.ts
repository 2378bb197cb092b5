import type { Parsed } from '@ehlo/grammar';
import { failure, textOf } from '@ehlo/grammar/imf';
import type { ExtensionField, Typed } from './delivery-status.ts';
import { judged } from './judged.ts';
import { dateOf, hostOf, present } from './parse-delivery-status.ts';
import { ANY_REPORT, type ReportDeviation } from './report-deviation.ts';
import { fieldGroups, withoutComment } from './status-fields.ts';

/** The content of a `message/feedback-report` (RFC 5965 3): the report of a receiver about a message that a user complained about. */
export interface Feedback {
  /** In small letters: `abuse`, `fraud`, `virus`, `not-spam`, `opt-out`, `auth-failure`, `other`; others are taken for `other` by RFC 5965 3.5. */
  readonly feedbackType: string;
  readonly userAgent?: string;
  readonly version?: string;
  /** The addresses of the original's envelope, as they stand there, without angle brackets; `''` for the null reverse-path. */
  readonly originalMailFrom?: string;
  readonly originalRcptTo?: readonly string[];
  readonly originalEnvelopeId?: string;
  readonly arrival?: number;
  readonly reportingMta?: Typed;
  readonly sourceIp?: string;
  /** How many incidents one report stands for; 1 where nothing is said. */
  readonly incidents: number;
  readonly authenticationResults?: readonly string[];
  readonly reportedDomains?: readonly string[];
  readonly reportedUris?: readonly string[];
  readonly extensions?: readonly ExtensionField[];
}

/**
 * Reads the content of a `message/feedback-report`. Every deviation is taken and told, unless `tolerate` names those that are. It fails where
 * there is no field at all.
 *
 * @example
 * ```ts
 * import { parseFeedback } from '@ehlo/message/report';
 * const parsed = parseFeedback('Feedback-Type: abuse\r\nUser-Agent: Loop/1.0\r\nVersion: 1\r\nSource-IP: 192.0.2.1\r\n');
 * parsed.ok && [parsed.value.feedbackType, parsed.value.sourceIp, parsed.deviations]
 * // → ['abuse', '192.0.2.1', []]
 * ```
 */
export function parseFeedback(
  content: Uint8Array | string,
  tolerate: ReadonlySet<ReportDeviation> = ANY_REPORT,
): Parsed<Feedback, ReportDeviation> {
  const found = new Set<ReportDeviation>();
  const groups = fieldGroups(typeof content === 'string' ? content : textOf(content), found);
  if (groups.length === 0) return failure('syntax', RULE, SECTION, 0, 'a field was expected');
  if (groups.length > 1) found.add('extra-blank-line');
  const values = new Map<string, string[]>();
  for (const [name, text] of groups.flatMap(({ all }) => all)) {
    const small = name.toLowerCase();
    const same = values.get(small);
    if (same === undefined) values.set(small, [text]);
    else same.push(text);
  }
  const one = (name: string): string | undefined => {
    const all = values.get(name);
    if (all !== undefined && all.length > 1) found.add('repeated-field');
    return all?.[0];
  };
  const type = withoutComment(one('feedback-type') ?? '').toLowerCase();
  if (type === '') found.add('no-feedback-type');
  const userAgent = one('user-agent');
  const version = one('version');
  if (userAgent === undefined || version === undefined) found.add('no-user-agent');
  const from = one('original-mail-from');
  const arrival = dateOf(one('arrival-date') ?? one('received-date'), found);
  const ip = one('source-ip');
  const incidents = one('incidents');
  const extensions = groups.flatMap(({ all }) => all).filter(([name]) => !KNOWN.has(name.toLowerCase()));
  const value: Feedback = {
    feedbackType: type === '' ? 'other' : type,
    incidents: incidents !== undefined && /^[1-9]\d{0,9}$/.test(incidents) ? Number(incidents) : 1,
    ...present({
      userAgent,
      version,
      originalMailFrom: from === undefined ? undefined : bare(from, found),
      originalRcptTo: values.get('original-rcpt-to')?.map((text) => bare(text, found)),
      originalEnvelopeId: one('original-envelope-id'),
      arrival,
      reportingMta: hostOf(one('reporting-mta'), found),
      sourceIp: ip === undefined ? undefined : withoutComment(ip).replace(/^\[(?:ipv6:)?([^\]]*)\]$/i, '$1'),
      authenticationResults: values.get('authentication-results'),
      reportedDomains: values.get('reported-domain')?.map(withoutComment),
      reportedUris: values.get('reported-uri'),
      extensions: extensions.length === 0 ? undefined : extensions,
    }),
  };
  return judged(value, found, tolerate, RULE, SECTION);
}

const RULE = 'feedback-report';
const SECTION = '5965 3.5';

const KNOWN: ReadonlySet<string> = new Set([
  'feedback-type',
  'user-agent',
  'version',
  'original-mail-from',
  'original-rcpt-to',
  'original-envelope-id',
  'arrival-date',
  'received-date',
  'reporting-mta',
  'source-ip',
  'incidents',
  'authentication-results',
  'reported-domain',
  'reported-uri',
]);

/** RFC 5965 3.2: `"<" [ addr-spec ] ">"`, a path; some write the address alone. */
function bare(text: string, found: Set<ReportDeviation>): string {
  const path = withoutComment(text);
  const inside = /^<([^<>]*)>$/.exec(path)?.[1];
  if (inside === undefined) found.add('odd-address');
  return inside ?? path;
}
