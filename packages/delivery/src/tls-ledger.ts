// What TLS reports tell (RFC 8460): sessions by day, domain and policy, counted as they are tried.

import type { TlsPolicy } from '@ehlo/message/report';
import type { EpochMs } from './job.ts';
import { entryOf } from './maps.ts';
import type { TlsResult } from './records.ts';

/** One session that was tried, with what TLS it had. */
export interface TlsEvent {
  readonly at: EpochMs;
  readonly domain: string;
  /** RFC 8460 4.2. */
  readonly type: 'tlsa' | 'sts' | 'no-policy-found';
  /** The policy as it was found, a line or a record each. */
  readonly lines: readonly string[];
  readonly mxHosts: readonly string[];
  readonly host: string;
  readonly address: string;
  /** Null: it was as the policy wants it. */
  readonly result: TlsResult | null;
}

/** What is reported of one domain: what `formatTlsReport` of `@ehlo/message/report` takes as `policies`, with the time between. */
export interface TlsDomainReport {
  readonly domain: string;
  readonly start: EpochMs;
  readonly end: EpochMs;
  readonly policies: readonly TlsPolicy[];
}

interface Count {
  readonly event: TlsEvent;
  successful: number;
  failed: number;
  readonly failures: Map<string, { readonly event: TlsEvent & { readonly result: TlsResult }; sessions: number }>;
}

const DAY = 86_400_000;
/** Ours: what is kept of one day. */
const MOST_DOMAINS = 100_000;
/** Ours: of one domain in one day. Sessions under further ones are not counted: what happened under one policy is not said of another. */
const MOST_POLICIES = 10;
/** Ours: kinds of failures that are told one by one; all are counted. */
const MOST_FAILURES = 100;

/** Counts sessions; a day is taken out when it is over (RFC 8460 4.1: reports are by days of UTC). */
export class TlsLedger {
  readonly #days = new Map<number, Map<string, Map<string, Count>>>();
  /** When the oldest day is over, which came first; infinite where nothing is counted. */
  due: EpochMs = Number.POSITIVE_INFINITY;

  add(event: TlsEvent): void {
    const day = Math.floor(event.at / DAY);
    const domains = entryOf(this.#days, day, () => new Map<string, Map<string, Count>>());
    if (this.#days.size === 1) this.due = endOf(day);
    if (!domains.has(event.domain) && domains.size >= MOST_DOMAINS) return;
    const policies = entryOf(domains, event.domain, () => new Map<string, Count>());
    const key = event.lines.length === 0 ? event.type : `${event.type}\n${event.lines.join('\n')}`;
    if (!policies.has(key) && policies.size >= MOST_POLICIES) return;
    const count = entryOf(policies, key, (): Count => ({ event, successful: 0, failed: 0, failures: new Map() }));
    const { result } = event;
    if (result === null) {
      count.successful++;
      return;
    }
    count.failed++;
    const which = `${result} ${event.host} ${event.address}`;
    const failure = count.failures.get(which) ?? { event: { ...event, result }, sessions: 0 };
    if (count.failures.size < MOST_FAILURES || count.failures.has(which)) count.failures.set(which, failure);
    failure.sessions++;
  }

  /** What is to be reported of the days that are over; it is not kept. */
  take(now: EpochMs): readonly TlsDomainReport[] {
    const over = [...this.#days].filter(([day]) => endOf(day) <= now);
    for (const [day] of over) this.#days.delete(day);
    this.due = endOf(this.#days.keys().next().value ?? Number.POSITIVE_INFINITY);
    return over.flatMap(([day, domains]) => {
      return [...domains].map(([domain, policies]) => {
        return { domain, start: day * DAY, end: endOf(day) - 1000, policies: [...policies.values()].map(policyCount) };
      });
    });
  }
}

function endOf(day: number): EpochMs {
  return (day + 1) * DAY;
}

function policyCount({ event, successful, failed, failures }: Count): TlsPolicy {
  const { type, lines, domain, mxHosts } = event;
  const list = [...failures.values()].map(({ event: { result, host, address }, sessions }) => {
    return { result, receivingHost: host, receivingIp: address, sessions };
  });
  return { type, lines, domain, mxHosts, successful, failed, failures: list };
}

/**
 * Where the reports of a domain go (RFC 8460 3): the `rua` of its only record `v=TLSRPTv1`; none if there is no such record, or several.
 *
 * @example
 * ```ts
 * import { parseTlsrptRecord } from '@ehlo/delivery';
 * parseTlsrptRecord(['v=TLSRPTv1;rua=mailto:tls@example.com,https://tls.example.com/v1'])
 * // → ['mailto:tls@example.com', 'https://tls.example.com/v1']
 * ```
 */
export function parseTlsrptRecord(txt: readonly string[]): readonly string[] {
  const records = txt.filter((one) => /^v=TLSRPTv1[ \t]*;/.test(one));
  const rua = records.length === 1 ? /;[ \t]*rua[ \t]*=([^;]*)/.exec(records[0]!)?.[1] : undefined;
  return (rua ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => /^(?:mailto:|https:\/\/)./.test(one));
}
