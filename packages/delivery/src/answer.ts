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

/** Ours: records of one answer that are kept. Of a host with two families, twice as many addresses. */
const MOST_MX = 100;
const MOST_ADDRESSES = 10;
const MOST_TLSA = 20;
const MOST_TXT = 20;
/** Ours: characters of a text that is kept. */
const MOST_TEXT = 1024;

/** RFC 7672 2.1.1: an answer that is none, or that can't be believed. */
export function isBad({ status, security }: DnsAnswer): boolean {
  return status === 'failed' || security === 'bogus' || security === 'indeterminate';
}

/** The answer itself, or where it is long what is kept of it: whoever writes a zone does not fill the memory of those who send mail there. */
export function shortened(answer: DnsAnswer, settings: DeliverySettings): DnsAnswer {
  const { mx, addresses, tlsa, txt } = answer;
  const texts = txt?.some((one) => one.length > MOST_TEXT) ? txt.filter((one) => one.length <= MOST_TEXT) : txt;
  const left = beyond(mx, MOST_MX) + beyond(addresses, MOST_ADDRESSES) + beyond(tlsa, MOST_TLSA) + beyond(texts, MOST_TXT);
  if (left === 0 && texts === txt) return answer;
  return {
    ...answer,
    left: (answer.left ?? 0) + left,
    ...(mx && { mx: best(mx, settings) }),
    ...(addresses && { addresses: addresses.slice(0, MOST_ADDRESSES) }),
    ...(tlsa && { tlsa: tlsa.slice(0, MOST_TLSA) }),
    ...(texts && { txt: texts.slice(0, MOST_TXT) }),
  };
}

function beyond(list: readonly unknown[] | undefined, most: number): number {
  return list === undefined ? 0 : Math.max(0, list.length - most);
}

/** RFC 5321 5.1: the lowest numbers, and of equals this host first: its place says which others are left out. */
function best(mx: readonly Mx[], settings: DeliverySettings): readonly Mx[] {
  const isOwn = ({ exchange }: Mx): boolean => isOwnName(exchange, settings);
  const sorted = [...mx.filter(isOwn), ...mx.filter((one) => !isOwn(one))].sort((a, b) => a.preference - b.preference);
  return sorted.slice(0, MOST_MX);
}

/** For how long an answer is used again; what failed is not kept (RFC 2308 7 allows five minutes). */
export function keptFor({ status, ttl }: DnsAnswer, settings: DeliverySettings): number {
  if (status === 'failed') return 0;
  const { least, most, empty } = settings.ttl;
  return Math.min(Math.max(ttl * 1000, least), status === 'found' ? most : empty);
}
