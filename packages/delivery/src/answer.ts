// What is kept of a DNS answer, and for how long.

import type { DnsAnswer } from './fact.ts';
import type { EpochMs } from './job.ts';
import { isOwnName } from './mx.ts';
import type { Mx } from './records.ts';
import type { DeliverySettings } from './settings.ts';

/** An answer, and until when it holds. */
export interface KeptAnswer {
  readonly answer: DnsAnswer;
  readonly until: EpochMs;
}

/** Ours: records of one answer that are kept. A host with addresses of both families has twice as many. */
const MOST = { mx: 100, addresses: 10, tlsa: 20, txt: 20 };
const NONE: readonly never[] = [];

/** RFC 7672 2.1.1: no answer, or an answer that can't be trusted. */
export function isBad({ status, security }: DnsAnswer): boolean {
  return status === 'failed' || security === 'bogus' || security === 'indeterminate';
}

/** The answer; of a long one only a part is kept, so that the owner of a zone can't fill the memory of those who send mail there. */
export function shortened(answer: DnsAnswer, settings: DeliverySettings): DnsAnswer {
  const long = longOf(answer);
  if (long === null) return answer;
  const all = long === 'mx' ? sorted(answer.mx!, settings) : answer[long]!;
  return { ...answer, [long]: all.slice(0, MOST[long]), left: (answer.left ?? 0) + all.length - MOST[long] };
}

/** The list of an answer that is too long; it has one. */
function longOf({ mx = NONE, addresses = NONE, tlsa = NONE, txt = NONE }: DnsAnswer): keyof typeof MOST | null {
  if (mx.length > MOST.mx) return 'mx';
  if (addresses.length > MOST.addresses) return 'addresses';
  if (tlsa.length > MOST.tlsa) return 'tlsa';
  return txt.length > MOST.txt ? 'txt' : null;
}

/** RFC 5321 5.1: the lowest numbers first, and of equals this host: its place says which others are left out. */
function sorted(mx: readonly Mx[], settings: DeliverySettings): readonly Mx[] {
  const rank = new Map(mx.map((one) => [one, one.preference - (isOwnName(one.exchange, settings) ? 0.5 : 0)]));
  return [...mx].sort((a, b) => rank.get(a)! - rank.get(b)!);
}

/** For how long an answer is used again; what failed is not kept (RFC 2308 7 allows five minutes). */
export function keptFor({ status, ttl }: DnsAnswer, settings: DeliverySettings): number {
  if (status === 'failed') return 0;
  const { least, most, empty } = settings.ttl;
  return Math.min(Math.max(ttl * 1000, least), status === 'found' ? most : empty);
}
