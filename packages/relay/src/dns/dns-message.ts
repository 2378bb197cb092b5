// A query and its answer as octets (RFC 1035 4), by `dns-packet`.

import { randomInt } from 'node:crypto';
import { domainToASCII } from 'node:url';
import type { DnsAnswer, LookupOrder } from '@ehlo/delivery';
import { type Answer, AUTHENTIC_DATA, type DecodedPacket, decode, encode, type OptAnswer, RECURSION_DESIRED } from 'dns-packet';

/** What a name has of a type: a `dns` fact without the number of its order. */
export type LookupAnswer = Omit<DnsAnswer, 'type' | 'to'>;

type DnsRecord = Exclude<Answer, OptAnswer>;

/** What is looked up. */
export type DnsQuestion = Pick<LookupOrder, 'name' | 'rr'>;

/** The answer for a name that could not be looked up. */
export const NO_ANSWER: LookupAnswer = { status: 'failed', security: 'indeterminate', ttl: 0 };

/** A name that the DNS can't have is not there. */
export const NO_NAME: LookupAnswer = { status: 'nxdomain', security: 'insecure', ttl: 0 };

/** Ours: aliases that are followed within one answer. */
const MOST_ALIASES = 16;

/** RFC 9715 3: what passes networks in one piece. */
const UDP_SIZE = 1232;

/** RFC 1035 2.3.4: labels of 1 to 63 octets, 255 in all with their lengths. Others than ASCII have their A-labels (RFC 5891 4.4). */
const NAME = /^(?=.{1,253}$)[!-\-/-~]{1,63}(?:\.[!-\-/-~]{1,63})*$/;

/** A name as it is looked up; null: the DNS can't have it. */
export function dnsName(name: string): string | null {
  const ascii = /^\p{ASCII}*$/u.test(name) ? name : domainToASCII(name);
  return NAME.test(ascii) ? ascii : null;
}

/** A query with its number, drawn at random (RFC 5452 9.2). */
export function queryOf({ name, rr }: DnsQuestion): { readonly id: number; readonly octets: Uint8Array } {
  const id = randomInt(0x10000);
  const octets = encode({
    type: 'query',
    id,
    // RFC 6840 5.7: AD in a query asks whether the answer is authentic, without its signatures.
    flags: RECURSION_DESIRED | AUTHENTIC_DATA,
    questions: [{ name, type: rr }],
    additionals: [
      { name: '.', type: 'OPT', udpPayloadSize: UDP_SIZE, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] },
    ],
  });
  return { id, octets };
}

/** The response to a query; null: octets that are none, or another's (RFC 5452 9.1). */
export function responseOf(octets: Uint8Array, id: number, { name, rr }: DnsQuestion): Response | null {
  let packet: Response;
  try {
    packet = decode(Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength)) as Response;
  } catch {
    return null;
  }
  const asked = packet.questions?.[0];
  const isOurs = packet.flag_qr && packet.id === id && packet.questions?.length === 1 && asked?.type === rr;
  return isOurs && keyOf(asked.name) === keyOf(name) ? packet : null;
}

/** `rcode` is what the types of `dns-packet` leave out. */
export type Response = DecodedPacket & { readonly rcode: string };

/** The answer in a response. With `trusted` its AD bit is trusted: the path to the validating resolver is safe. */
export function answerOf(packet: Response, { name, rr }: DnsQuestion, trusted: boolean): LookupAnswer {
  // The AD bit of an untrusted resolver is ignored: names still resolve, but no TLSA record is looked up (RFC 7672 2.1.1).
  const security = trusted && packet.flag_ad ? 'secure' : 'insecure';
  // SERVFAIL is what a resolver says of an answer that is bogus, too (RFC 4035 5.5): it counts as no answer.
  if (packet.rcode !== 'NOERROR' && packet.rcode !== 'NXDOMAIN') return { ...NO_ANSWER, security };
  const { owner, ttl, records } = recordsOf(withoutOptions(packet.answers), name, rr);
  const alias = owner === keyOf(name) ? {} : { alias: owner };
  if (records.length > 0)
    return { status: 'found', security, ttl: Math.min(ttl, ...records.map(ttlOf)), ...alias, ...READERS[rr](records) };
  const negative = negativeTtl(withoutOptions(packet.authorities));
  if (packet.rcode === 'NXDOMAIN') return { status: 'nxdomain', security, ttl: negative, ...alias };
  // Only an alias: the caller looks its target up.
  if (owner !== keyOf(name) && negative === 0) return { status: 'found', security, ttl, ...alias };
  return { status: 'empty', security, ttl: negative, ...alias };
}

type Readers = { readonly [rr in LookupOrder['rr']]: (records: readonly DnsRecord[]) => Partial<LookupAnswer> };

const READERS: Readers = {
  A: (records) => ({ addresses: records.map(({ data }) => String(data)) }),
  AAAA: (records) => ({ addresses: records.map(({ data }) => String(data)) }),
  // The alias itself, which says whether its zone is signed (RFC 7672 2.1.3).
  CNAME: (records) => ({ alias: keyOf(String(records[0]!.data)) }),
  MX: (records) => ({
    mx: records.map(({ data }) => {
      const { preference = 0, exchange } = data as { preference?: number; exchange: string };
      return { preference, exchange: exchange === '.' ? '' : exchange.replace(/\.$/, '') };
    }),
  }),
  TLSA: (records) => ({
    tlsa: records.map(({ data }) => {
      const { usage, selector, matchingType, certificate } = data as {
        usage: number;
        selector: number;
        matchingType: number;
        certificate: Buffer;
      };
      return { usage, selector, matching: matchingType, data: certificate.toString('hex') };
    }),
  }),
  // RFC 7208 3.3, RFC 8461 3.1: the strings of a record are joined.
  TXT: (records) => ({ txt: records.map(({ data }) => (Array.isArray(data) ? data : [data]).map(String).join('')) }),
};

/** The records of a type at the end of the chain of CNAMEs that a response has (RFC 1034 3.6.2), whose TTL is that of its shortest link. */
function recordsOf(
  answers: readonly DnsRecord[],
  name: string,
  rr: LookupOrder['rr'],
): { owner: string; ttl: number; records: readonly DnsRecord[] } {
  let owner = keyOf(name);
  let ttl = Number.POSITIVE_INFINITY;
  for (let hops = 0; hops < MOST_ALIASES; hops++) {
    const records = answers.filter((one) => one.type === rr && keyOf(one.name) === owner);
    const link = answers.find((one) => one.type === 'CNAME' && keyOf(one.name) === owner);
    if (records.length > 0 || link === undefined) return { owner, ttl, records };
    ttl = Math.min(ttl, ttlOf(link));
    owner = keyOf(String(link.data));
  }
  return { owner, ttl, records: [] };
}

/** RFC 2308 5: the lesser of the SOA record's TTL and its MINIMUM field; 0 where there is none. */
function negativeTtl(authorities: readonly DnsRecord[]): number {
  const soa = authorities.find((one) => one.type === 'SOA');
  if (soa === undefined) return 0;
  return Math.min(ttlOf(soa), (soa.data as { minimum?: number }).minimum ?? 0);
}

/** RFC 2181 8: a TTL with the highest bit set counts as zero. */
function ttlOf(record: DnsRecord): number {
  const { ttl = 0 } = record;
  return ttl < 0 || ttl > 0x7fffffff ? 0 : ttl;
}

/** RFC 6891 6.1.1: OPT is no record of a name. */
function withoutOptions(records: readonly Answer[] = []): readonly DnsRecord[] {
  return records.filter((one): one is DnsRecord => one.type !== 'OPT');
}

/** A name as it is compared: in small letters (RFC 4343), without a dot at the end. */
function keyOf(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
