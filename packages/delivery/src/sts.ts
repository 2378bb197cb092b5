// MTA-STS (RFC 8461): the record, the policy, and what is kept of it.

import type { EpochMs } from './job.ts';
import { put } from './maps.ts';
import { nameKey } from './names.ts';

export interface StsPolicy {
  readonly mode: 'enforce' | 'testing' | 'none';
  /** Names, and `*.name` for one label in front. */
  readonly mx: readonly string[];
  /** Milliseconds. */
  readonly maxAge: number;
  /** Its lines, for reports (RFC 8460 4.5). */
  readonly lines: readonly string[];
}

/** What is kept of a domain. */
export interface KeptPolicy {
  /** The id of the record by which it was fetched. */
  readonly id: string;
  readonly policy: StsPolicy;
  readonly fetched: EpochMs;
}

/**
 * The id of the record of a domain (RFC 8461 3.1): records that do not begin with `v=STSv1;` are ignored; null: there is none, or there
 * are several, or it has no id.
 *
 * @example
 * ```ts
 * import { parseStsRecord } from '@ehlo/delivery';
 * parseStsRecord(['v=spf1 -all', 'v=STSv1; id=20160831085700Z;'])
 * // → '20160831085700Z'
 * ```
 */
export function parseStsRecord(txt: readonly string[]): string | null {
  const records = txt.filter((one) => /^v=STSv1[ \t]*;/.test(one));
  if (records.length !== 1) return null;
  return /;[ \t]*id[ \t]*=[ \t]*([A-Za-z0-9]{1,32})[ \t]*(?:;|$)/.exec(records[0]!)?.[1] ?? null;
}

const MOST_AGE = 31_557_600;
const MX = /^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.(?!$)|$))+$/;

/**
 * Reads a policy (RFC 8461 3.2): if a key comes several times, the first counts, of `mx` all; unknown keys are ignored; null: it is not a policy.
 *
 * @example
 * ```ts
 * import { parseStsPolicy } from '@ehlo/delivery';
 * parseStsPolicy('version: STSv1\nmode: enforce\nmx: *.example.com\nmax_age: 604800\n')?.mx
 * // → ['*.example.com']
 * ```
 */
export function parseStsPolicy(text: string): StsPolicy | null {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const fields = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, Math.max(colon, 0)).trim(), line.slice(colon + 1).trim()];
  });
  const first = (key: string): string | undefined => fields.find(([name]) => name === key)?.[1];
  const mode = first('mode');
  const age = first('max_age') ?? '';
  const mx = fields.filter(([name]) => name === 'mx').map(([, value]) => nameKey(value));
  if (first('version') !== 'STSv1' || (mode !== 'enforce' && mode !== 'testing' && mode !== 'none')) return null;
  if (!/^\d{1,10}$/.test(age) || !mx.every((one) => MX.test(one))) return null;
  // 3.2: "mx … required unless mode is none".
  if (mode !== 'none' && mx.length === 0) return null;
  return { mode, mx, maxAge: Math.min(Number(age), MOST_AGE) * 1000, lines };
}

/**
 * Whether a host is one that a policy names (RFC 8461 4.1): `*.` stands for one label.
 *
 * @example
 * ```ts
 * import { isStsHost } from '@ehlo/delivery';
 * ['mx.example.com', 'example.com', 'a.mx.example.com'].map((host) => isStsHost(host, ['*.example.com']))
 * // → [true, false, false]
 * ```
 */
export function isStsHost(host: string, patterns: readonly string[]): boolean {
  const name = nameKey(host);
  return patterns.some((one) => (one.startsWith('*.') ? name.slice(Math.max(name.indexOf('.'), 0)) === one.slice(1) : name === one));
}

/** Ours: a fetch that failed is not repeated sooner (RFC 8461 3.3 proposes five minutes); and a policy is fetched anew a day before it must be. */
const FETCH_AGAIN = 5 * 60_000;
const REFRESH = 86_400_000;

/** Policies that were fetched. What it holds should outlive the process: a cached policy counts though it can't be fetched now (RFC 8461 3.3). */
export class PolicyBook {
  readonly #kept: Map<string, KeptPolicy>;
  readonly #failed = new Map<string, EpochMs>();
  readonly #most: number;

  constructor(entries: Iterable<readonly [domain: string, kept: KeptPolicy]> = [], most = 100_000) {
    this.#kept = new Map(entries);
    this.#most = most;
  }

  /** What counts for a domain at a time; null: nothing. */
  at(domain: string, now: EpochMs): KeptPolicy | null {
    const kept = this.#kept.get(domain);
    return kept === undefined || now >= kept.fetched + kept.policy.maxAge ? null : kept;
  }

  /** Whether the policy is to be fetched, the record having this id. */
  wants(domain: string, id: string, now: EpochMs): boolean {
    const kept = this.at(domain, now);
    if (kept?.id === id && now < kept.fetched + REFRESH) return false;
    return now >= (this.#failed.get(domain) ?? Number.NEGATIVE_INFINITY) + FETCH_AGAIN;
  }

  set(domain: string, kept: KeptPolicy): void {
    this.#failed.delete(domain);
    // The one that was fetched longest ago goes first.
    this.#kept.delete(domain);
    put(this.#kept, domain, kept, this.#most);
  }

  failed(domain: string, now: EpochMs): void {
    put(this.#failed, domain, now, this.#most);
  }

  /** To be written down. */
  entries(): IterableIterator<[domain: string, kept: KeptPolicy]> {
    return this.#kept.entries();
  }
}
