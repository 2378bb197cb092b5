import { ipv4Address, ipv6Address } from './domain.ts';
import { type Failure, failure, type Parsed, success } from './result.ts';
import { CR, LF, latin1, octets } from './rule.ts';

/** An end of the connection that a proxy speaks for. */
export interface ProxyEnd {
  /** IP address, or the path of a Unix socket. */
  readonly address: string;
  /** 0 for a Unix socket. */
  readonly port: number;
}

/** A type-length-value of a version 2 header. */
export interface ProxyTlv {
  readonly type: number;
  readonly value: Uint8Array;
}

export type ProxyFamily = 'TCP4' | 'TCP6' | 'UDP4' | 'UDP6' | 'UNIX_STREAM' | 'UNIX_DGRAM' | 'UNKNOWN';

/** What a proxy says before the first octet of the connection (The PROXY protocol, versions 1 and 2, of HAProxy). */
export interface ProxyHeader {
  readonly version: 1 | 2;
  /** The proxy opened the connection for itself, e.g. to see whether the server lives; the ends are its own. */
  readonly local: boolean;
  readonly family: ProxyFamily;
  /** Null where it is not told (LOCAL, UNKNOWN): the connection's own ends count. */
  readonly source: ProxyEnd | null;
  readonly destination: ProxyEnd | null;
  readonly tlvs: readonly ProxyTlv[];
}

/** A header, and how many octets it took; what follows belongs to the connection. */
export interface ProxyPrefix {
  readonly header: ProxyHeader;
  readonly length: number;
}

const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n';
const FIXED = 16;
/** Section 2.1: "107 chars" are enough for the worst case of version 1, CRLF included. */
const LONGEST_V1 = 107;
/** Ours: what a version 2 header may hold after its fixed part; the protocol's own limit is 65535. */
const LONGEST_V2 = 4096;

/** Family and protocol of a version 2 header, with the octets of one address. */
const FAMILIES: ReadonlyMap<number, readonly [family: ProxyFamily, size: number]> = new Map<number, readonly [ProxyFamily, number]>([
  [0x00, ['UNKNOWN', 0]],
  [0x11, ['TCP4', 4]],
  [0x12, ['UDP4', 4]],
  [0x21, ['TCP6', 16]],
  [0x22, ['UDP6', 16]],
  [0x31, ['UNIX_STREAM', 108]],
  [0x32, ['UNIX_DGRAM', 108]],
]);

/** TLV of a CRC-32C over the whole header. */
const CRC32C = 0x03;

/**
 * Reads a PROXY header from what has arrived so far. Gives null while more octets are needed: at most 107 (version 1) or 4112
 * (version 2) are ever waited for.
 *
 * @example
 * ```ts
 * import { octets } from '@ehlo/grammar';
 * import { parseProxy } from '@ehlo/grammar/proxy';
 * const parsed = parseProxy(octets('PROXY TCP4 192.0.2.1 192.0.2.2 4321 25\r\nEHLO x\r\n'));
 * parsed?.ok && [parsed.value.header.source, parsed.value.length]
 * // → [{ address: '192.0.2.1', port: 4321 }, 40]
 * ```
 */
export function parseProxy(bytes: Uint8Array, version: 1 | 2 | null = null): Parsed<ProxyPrefix> | null {
  const v2 = prefix(bytes, SIGNATURE);
  const v1 = prefix(bytes, 'PROXY ');
  if (v2 === bytes.length && v2 < SIGNATURE.length && version !== 1) return null;
  if (v1 === bytes.length && v1 < 'PROXY '.length && version !== 2) return null;
  if (v2 === SIGNATURE.length && version !== 1) return parseV2(bytes);
  if (v1 === 'PROXY '.length && version !== 2) return parseV1(bytes);
  return bad(Math.max(version === 2 ? 0 : v1, version === 1 ? 0 : v2), 'not a PROXY header');
}

function bad(offset: number, message: string): Failure {
  return failure('syntax', 'proxy-header', 'PROXY protocol 2', offset, message);
}

/** How many octets agree with the text. */
function prefix(bytes: Uint8Array, text: string): number {
  let i = 0;
  while (i < bytes.length && i < text.length && bytes[i] === text.charCodeAt(i)) i++;
  return i;
}

/** Section 2.1: `PROXY TCP4|TCP6 source destination port port CRLF`, or `PROXY UNKNOWN` and anything. */
function parseV1(bytes: Uint8Array): Parsed<ProxyPrefix> | null {
  const end = bytes.subarray(0, LONGEST_V1).indexOf(LF);
  if (end < 0) return bytes.length < LONGEST_V1 ? null : bad(LONGEST_V1, 'a version 1 header has at most 107 octets');
  if (bytes[end - 1] !== CR) return bad(end, 'a version 1 header ends with CR LF');
  const line = latin1(bytes, 0, end - 1);
  const length = end + 1;
  const unknown = { version: 1, local: false, family: 'UNKNOWN', source: null, destination: null, tlvs: [] } as const;
  if (/^PROXY UNKNOWN(?: |$)/.test(line)) return success({ header: unknown, length });
  const match = /^PROXY (TCP[46]) (\S+) (\S+) (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4})$/.exec(line);
  if (match === null) return bad('PROXY '.length, 'a version 1 header names a family, two addresses and two ports');
  const [, family, from, to, fromPort, toPort] = match as unknown as [string, 'TCP4' | 'TCP6', string, string, string, string];
  const rule = family === 'TCP4' ? ipv4Address : ipv6Address;
  const whole = [from, to].every((address) => rule(octets(address), 0, address.length) === address.length);
  if (!whole || Number(fromPort) > 65_535 || Number(toPort) > 65_535)
    return bad('PROXY TCP4 '.length, 'not an address and port of this family');
  const source = { address: from, port: Number(fromPort) };
  const destination = { address: to, port: Number(toPort) };
  return success({ header: { version: 1, local: false, family, source, destination, tlvs: [] }, length });
}

/** Section 2.2: signature, version and command, family and protocol, length, addresses, TLVs. */
function parseV2(bytes: Uint8Array): Parsed<ProxyPrefix> | null {
  if (bytes.length < FIXED) return null;
  const command = bytes[12]!;
  if (command >> 4 !== 2 || (command & 0x0f) > 1) return bad(12, 'version 2 and the command LOCAL or PROXY were expected');
  const size = (bytes[14]! << 8) | bytes[15]!;
  if (size > LONGEST_V2) return bad(14, `the header is longer than ${LONGEST_V2} octets`);
  const length = FIXED + size;
  const local = (command & 0x0f) === 0;
  // LOCAL: "the receiver must accept this connection as valid and must use the real connection endpoints" and skip the rest.
  const [family, each] = FAMILIES.get(bytes[13]!) ?? (local ? (['UNKNOWN', 0] as const) : ([null, 0] as const));
  if (family === null) return bad(13, 'not a known address family and protocol');
  const ports = each === 0 || each === 108 ? 0 : 2;
  const addresses = local ? 0 : 2 * (each + ports);
  if (addresses > size) return bad(14, 'the header is too short for its addresses');
  if (bytes.length < length) return null;
  const header = bytes.subarray(0, length);
  const unprinted = each === 108 && !local ? unprintable(header) : -1;
  if (unprinted >= 0) return bad(unprinted, 'a path of a Unix socket has an octet that is not printable');
  const tlvs = local ? [] : parseTlvs(header, FIXED + addresses);
  if (tlvs === null) return bad(FIXED + addresses, 'a type-length-value goes beyond the header');
  if (!checksumAgrees(header, tlvs)) return bad(FIXED + addresses, 'the CRC-32C of the header is wrong');
  const portAt = FIXED + 2 * each;
  const ends = local || each === 0 ? null : [end(header, FIXED, each, portAt), end(header, FIXED + each, each, portAt + 2)];
  const value = {
    version: 2,
    local,
    family: local ? 'UNKNOWN' : family,
    source: ends?.[0] ?? null,
    destination: ends?.[1] ?? null,
    tlvs,
  } as const;
  return success({ header: value, length });
}

/** The first octet of the paths that is no printable ASCII, or -1: what a header tells stands in logs. A path ends at its first NUL. */
function unprintable(header: Uint8Array): number {
  for (const start of [FIXED, FIXED + 108]) {
    for (let i = start; i < start + 108 && header[i] !== 0; i++) if (header[i]! < 0x20 || header[i]! > 0x7e) return i;
  }
  return -1;
}

function parseTlvs(header: Uint8Array, from: number): ProxyTlv[] | null {
  const tlvs: ProxyTlv[] = [];
  for (let i = from; i < header.length; ) {
    const size = i + 3 <= header.length ? (header[i + 1]! << 8) | header[i + 2]! : header.length;
    if (i + 3 + size > header.length) return null;
    tlvs.push({ type: header[i]!, value: new Uint8Array(header.subarray(i + 3, i + 3 + size)) });
    i += 3 + size;
  }
  return tlvs;
}

function end(header: Uint8Array, at: number, size: number, portAt: number): ProxyEnd {
  const octets = header.subarray(at, at + size);
  if (size === 108) return { address: latin1(octets, 0, octets.includes(0) ? octets.indexOf(0) : size), port: 0 };
  const port = (header[portAt]! << 8) | header[portAt + 1]!;
  return { address: size === 4 ? octets.join('.') : ipv6Text(octets), port };
}

/** RFC 5952 4: small letters, no leading zeros, the longest run of two zero groups or more as "::". */
function ipv6Text(octets: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, k) => ((octets[2 * k]! << 8) | octets[2 * k + 1]!).toString(16));
  let [best, bestLength] = [-1, 1];
  for (let k = 0; k < 8; k++) {
    let run = 0;
    while (groups[k + run] === '0') run++;
    if (run > bestLength) [best, bestLength] = [k, run];
  }
  if (best < 0) return groups.join(':');
  return `${groups.slice(0, best).join(':')}::${groups.slice(best + bestLength).join(':')}`;
}

/** Section 2.2.3: computed with the field itself as zeros. No checksum agrees with everything. */
function checksumAgrees(header: Uint8Array, tlvs: readonly ProxyTlv[]): boolean {
  const tlv = tlvs.find(({ type }) => type === CRC32C);
  if (tlv === undefined) return true;
  if (tlv.value.length !== 4) return false;
  let after = 0;
  for (const { value } of tlvs.slice(tlvs.indexOf(tlv) + 1)) after += 3 + value.length;
  // Not by slice: that of a Buffer of Node shares its memory.
  const blank = new Uint8Array(header);
  blank.fill(0, header.length - after - 4, header.length - after);
  const [a, b, c, d] = tlv.value as unknown as [number, number, number, number];
  return crc32c(blank) === ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

/** CRC-32C (Castagnoli), bit by bit: headers are short and rare. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}
