import type { Parsed } from '@ehlo/grammar';
import { type Failure, failure, textOf } from '@ehlo/grammar/imf';
import { judged } from './judged.ts';
import type { TlsDeviation, TlsFailure, TlsPolicy, TlsReport } from './tls-report.ts';

/** All of them. */
export const ANY_TLS: ReadonlySet<TlsDeviation> = /* @__PURE__ */ new Set<TlsDeviation>([
  'byte-order-mark',
  'one-policy',
  'text-for-list',
  'text-for-number',
  'odd-number',
  'odd-kind',
  'odd-name',
  'odd-date',
  'missing',
  'policy-type',
  'result-type',
  'control',
  'cut',
]);

/** Octets of a report. RFC 8460 5.2 knows a limit of ten megabytes, compressed or not. */
const RULE = 'JSON Report Format';
const SECTION = '8460 4.4';

const LARGEST = 16_777_216;
/** Ours: policies and failures of a report. */
const MOST = 10_000;

const POLICY_TYPES: ReadonlySet<string> = new Set(['tlsa', 'sts', 'no-policy-found']);
const RESULTS: ReadonlySet<string> = new Set([
  'starttls-not-supported',
  'certificate-host-mismatch',
  'certificate-expired',
  'certificate-not-trusted',
  'validation-failure',
  'tlsa-invalid',
  'dnssec-invalid',
  'dane-required',
  'sts-policy-fetch-error',
  'sts-policy-invalid',
  'sts-webpki-invalid',
]);

/**
 * Reads the JSON of a TLS report; a compressed one is for the caller to decompress, with a limit. Every deviation is taken and told, unless
 * `tolerate` names those that are. It fails where the text is no JSON object, or has more than 16,777,216 octets.
 *
 * @example
 * ```ts
 * import { parseTlsReport } from '@ehlo/message/report';
 * const parsed = parseTlsReport('{"organization-name":"Example","policies":[{"policy":{"policy-type":"sts"},"summary":{"total-failure-session-count":2}}]}');
 * parsed.ok && [parsed.value.organization, parsed.value.policies[0]?.failed, parsed.deviations]
 * // → ['Example', 2, ['missing']]
 * ```
 */
export function parseTlsReport(
  content: Uint8Array | string,
  tolerate: ReadonlySet<TlsDeviation> = ANY_TLS,
): Parsed<TlsReport, TlsDeviation> {
  const refused = (message: string): Failure => failure('syntax', RULE, SECTION, 0, message);
  if (content.length > LARGEST) return refused(`a report of no more than ${LARGEST} octets was expected`);
  const text = typeof content === 'string' ? content : textOf(content);
  const found = new Set<TlsDeviation>();
  if (text.startsWith('\ufeff')) found.add('byte-order-mark');
  let json: unknown;
  try {
    json = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch {
    return refused('JSON was expected');
  }
  if (!isObject(json)) return refused('an object was expected');
  const value = reportOf(new Members(json, found), found);
  return judged(value, found, tolerate, RULE, SECTION);
}

function reportOf(top: Members, found: Set<TlsDeviation>): TlsReport {
  const range = top.object('date-range');
  const all = top.list('policies').map((one) => new Members(isObject(one) ? one : {}, found));
  if (all.length > MOST) found.add('cut');
  let room = MOST;
  const policies = all.slice(0, MOST).map((member): TlsPolicy => {
    const policy = member.object('policy');
    const summary = member.object('summary');
    const type = policy.text('policy-type') ?? '';
    if (!POLICY_TYPES.has(type) && type !== '') found.add('policy-type');
    const details = member.list('failure-details', false);
    if (details.length > room) found.add('cut');
    const failures = details.slice(0, room).map((one) => failureOf(new Members(isObject(one) ? one : {}, found), found));
    room -= failures.length;
    return {
      type,
      lines: policy.texts('policy-string', ['policy-strings']),
      domain: policy.text('policy-domain') ?? '',
      mxHosts: policy.texts('mx-host', ['mx-host-pattern', 'mx-hosts']),
      successful: summary.number('total-successful-session-count', ['total-success-session-count']),
      failed: summary.number('total-failure-session-count', ['total-failed-session-count']),
      failures,
    };
  });
  return {
    organization: top.text('organization-name') ?? '',
    start: range.time('start-datetime'),
    end: range.time('end-datetime'),
    contact: (top.text('contact-info') ?? '').replace(/^mailto:/i, ''),
    id: top.text('report-id') ?? '',
    policies,
  };
}

function failureOf(member: Members, found: Set<TlsDeviation>): TlsFailure {
  const result = member.text('result-type') ?? '';
  if (!RESULTS.has(result) && result !== '') found.add('result-type');
  const optional = {
    sendingIp: member.text('sending-mta-ip', [], false),
    receivingHost: member.text('receiving-mx-hostname', ['receiving-mx-host'], false),
    receivingHelo: member.text('receiving-mx-helo', [], false),
    receivingIp: member.text('receiving-ip', [], false),
    more: member.text('additional-information', ['additional-info-uri', 'additional-information-uri'], false),
    reason: member.text('failure-reason-code', ['failure-error-code', 'failure-code'], false),
  };
  const given = Object.entries(optional).filter(([, value]) => value !== undefined);
  return { result, sessions: member.number('failed-session-count', ['session-count']), ...Object.fromEntries(given) };
}

type Json = { readonly [name: string]: unknown };

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The members of an object, as what they should be. */
class Members {
  readonly #json: Json;
  readonly #found: Set<TlsDeviation>;

  constructor(json: Json, found: Set<TlsDeviation>) {
    this.#json = json;
    this.#found = found;
  }

  text(name: string, others: readonly string[] = [], required = true): string | undefined {
    const value = this.#get(name, others, required);
    if (value === undefined) return undefined;
    if (typeof value === 'number') return String(value);
    return typeof value === 'string' ? this.#clean(value) : this.#odd();
  }

  texts(name: string, others: readonly string[]): readonly string[] {
    const value = this.#get(name, others, false) ?? [];
    if (Array.isArray(value)) {
      if (value.some((one) => typeof one !== 'string')) this.#found.add('odd-kind');
      return value.filter((one) => typeof one === 'string').map((one) => this.#clean(one));
    }
    if (typeof value !== 'string') return this.#odd() ?? [];
    if (value !== '') this.#found.add('text-for-list');
    return value === '' ? [] : [this.#clean(value)];
  }

  number(name: string, others: readonly string[]): number {
    const value = this.#get(name, others, true);
    if (typeof value === 'string' && /^\d{1,15}$/.test(value)) {
      this.#found.add('text-for-number');
      return Number(value);
    }
    if (value === undefined) return 0;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    this.#found.add('odd-number');
    return 0;
  }

  time(name: string): number {
    const text = this.text(name);
    if (text === undefined) return 0;
    if (!RFC3339.test(text)) this.#found.add('odd-date');
    // A date alone begins at midnight UTC; a time without a zone is of UTC, too.
    const time = /^\d{4}-\d\d-\d\d(?:[Tt ]|$)/.test(text)
      ? Date.parse(`${text.slice(0, 10)}${text.length > 10 ? `T${zoned(text.slice(11))}` : ''}`)
      : Number.NaN;
    if (!Number.isNaN(time)) return time;
    this.#found.add('odd-date');
    return 0;
  }

  object(name: string): Members {
    const value = this.#get(name, [], true);
    if (value !== undefined && !isObject(value)) this.#odd();
    return new Members(isObject(value) ? value : {}, this.#found);
  }

  list(name: string, required = true): readonly unknown[] {
    const value = this.#get(name, [], required);
    if (value === undefined) return [];
    if (Array.isArray(value)) {
      if (value.some((one) => !isObject(one))) this.#found.add('odd-kind');
      return value.filter(isObject);
    }
    if (!isObject(value)) return this.#odd() ?? [];
    this.#found.add('one-policy');
    return [value];
  }

  /** A member by its name, or by one that is used for it. */
  #get(name: string, others: readonly string[], required: boolean): unknown {
    const used = [name, ...others].find((one) => Object.hasOwn(this.#json, one));
    if (used !== undefined && used !== name) this.#found.add('odd-name');
    const value = used === undefined ? undefined : (this.#json[used] ?? undefined);
    if (used !== undefined && value === undefined) this.#found.add('odd-kind');
    if (used === undefined && required) this.#found.add('missing');
    return value;
  }

  #clean(text: string): string {
    const clean = text.replaceAll(/\p{Cc}/gu, ' ');
    if (clean !== text) this.#found.add('control');
    return clean;
  }

  #odd(): undefined {
    this.#found.add('odd-kind');
  }
}

/** RFC 3339 5.6: `date-time`. */
const RFC3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** A time that has a zone. */
function zoned(time: string): string {
  const upper = time.trim().toUpperCase();
  return /(?:Z|[+-]\d\d:?\d\d)$/.test(upper) ? upper : `${upper}Z`;
}
