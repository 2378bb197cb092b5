// The PROXY protocol has no ABNF: its headers are written here by an encoder of our own, from the protocol's text, and read back.
import { isIPv4, isIPv6 } from 'node:net';
import { formatProxy, type ProxyHeader, parseProxy } from '@ehlo/grammar/proxy';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { mutate, randomFrom } from '../src/abnf/arbitrary.ts';

const RUNS = 5000;
const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
/** What is ever waited for: 107 octets of version 1; of version 2 the fixed 16 and our limit of 4096. */
const MOST = { 1: 107, 2: 16 + 4096 };
const seen = { headers: 0, mutations: 0, accepted: 0 };

afterAll(() => console.log(`PROXY headers: ${JSON.stringify(seen)}`));

/** A header as it is meant, and as it stands on the wire. */
interface Case {
  readonly wire: number[];
  readonly expected: Omit<ProxyHeader, 'version'> | 'refused';
}

const port = fc.nat(65_535);
const ipv4 = fc.array(fc.nat(255), { minLength: 4, maxLength: 4 });
/** Groups with many zeros, so that they are compressed. */
const ipv6 = fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 });
const lower = (groups: readonly number[]): string => groups.map((group) => group.toString(16)).join(':');
const two = (value: number): number[] => [value >>> 8, value & 0xff];
const ascii = (text: string): number[] => Array.from(text, (octet) => octet.charCodeAt(0));
const nothing = { local: false, family: 'UNKNOWN', source: null, destination: null, tlvs: [] } as const;

/** Section 2.1, human-readable. */
const version1: fc.Arbitrary<Case> = fc.oneof(
  fc.tuple(ipv4, ipv4, port, port).map(([from, to, fromPort, toPort]) => {
    const [source, destination] = [from.join('.'), to.join('.')];
    return line('TCP4', source, destination, fromPort, toPort);
  }),
  fc.tuple(ipv6, ipv6, port, port).map(([from, to, fromPort, toPort]) => line('TCP6', lower(from), lower(to), fromPort, toPort)),
  fc
    .constantFrom('', ' ', ' ffff:: ffff:: 1 2', ' anything at all')
    .map((rest) => ({ wire: ascii(`PROXY UNKNOWN${rest}\r\n`), expected: nothing })),
);

function line(family: 'TCP4' | 'TCP6', from: string, to: string, fromPort: number, toPort: number): Case {
  const ends = { source: { address: from, port: fromPort }, destination: { address: to, port: toPort } };
  return { wire: ascii(`PROXY ${family} ${from} ${to} ${fromPort} ${toPort}\r\n`), expected: { ...nothing, family, ...ends } };
}

/** Section 2.2, binary: type-length-values of any type but the checksum, which comes below. */
const tlv = fc.record({ type: fc.nat(255).filter((type) => type !== 3), value: fc.uint8Array({ maxLength: 40 }) });

/** Address family and transport protocol in one octet, with the octets of an address and of a port. */
const FAMILIES = [
  { octet: 0x11, family: 'TCP4', address: ipv4, port: 2 },
  { octet: 0x12, family: 'UDP4', address: ipv4, port: 2 },
  { octet: 0x21, family: 'TCP6', address: ipv6.map((groups) => groups.flatMap(two)), port: 2 },
  { octet: 0x22, family: 'UDP6', address: ipv6.map((groups) => groups.flatMap(two)), port: 2 },
  { octet: 0x31, family: 'UNIX_STREAM', address: unixPath(), port: 0 },
  { octet: 0x32, family: 'UNIX_DGRAM', address: unixPath(), port: 0 },
] as const;

const version2: fc.Arbitrary<Case> = fc.oneof(
  ...FAMILIES.map(({ octet, family, address, port: portOctets }) =>
    fc
      .tuple(address, address, port, port, fc.array(tlv, { maxLength: 4 }), fc.boolean(), fc.nat(4))
      .map(([from, to, fromPort, toPort, tlvs, checked, at]) => {
        const ports = portOctets === 0 ? [] : [...two(fromPort), ...two(toPort)];
        const end = (octets: readonly number[], number: number) => ({ address: text(octets), port: portOctets === 0 ? 0 : number });
        const ends = { source: end(from, fromPort), destination: end(to, toPort) };
        return binary(0x21, octet, [...from, ...to, ...ports], tlvs, checked ? at : -1, { local: false, family, ...ends });
      }),
  ),
  // UNKNOWN has no addresses; what LOCAL carries is not looked at.
  fc.array(tlv, { maxLength: 3 }).map((tlvs) => binary(0x21, 0x00, [], tlvs, -1, nothing)),
  fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 60 })).map(([octet, rest]) => ({
    wire: [...SIGNATURE, 0x20, octet, ...two(rest.length), ...rest],
    expected: { ...nothing, local: true },
  })),
  fc.constantFrom(0x13, 0x01, 0x41, 0xff).map((octet): Case => ({ wire: [...SIGNATURE, 0x21, octet, 0, 0], expected: 'refused' })),
  // What is told stands in logs: no control, and no octet of a C1 one.
  fc.tuple(fc.constantFrom(0x0a, 0x0d, 0x1b, 0x7f, 0x9b, 0xff), fc.nat(106), fc.boolean()).map(([octet, at, source]): Case => {
    const path = [...new Array<number>(at).fill(0x61), octet, ...new Array<number>(107 - at).fill(0x61)];
    const other = new Array<number>(108).fill(0);
    return { wire: [...SIGNATURE, 0x21, 0x31, 0, 216, ...(source ? [...path, ...other] : [...other, ...path])], expected: 'refused' };
  }),
  fc.constantFrom(0x22, 0x11, 0x2f).map((octet): Case => ({ wire: [...SIGNATURE, octet, 0x11, 0, 0], expected: 'refused' })),
);

function unixPath(): fc.Arbitrary<number[]> {
  return fc.string({ unit: fc.constantFrom('/', 'a', '.', 's'), maxLength: 108 }).map((path) => ascii(path.padEnd(108, '\0')));
}

function text(octets: readonly number[]): string {
  if (octets.length === 4) return octets.join('.');
  if (octets.length === 16)
    return lower(Array.from({ length: 8 }, (_, k) => ((octets[2 * k] as number) << 8) | (octets[2 * k + 1] as number)));
  return String.fromCharCode(...octets).replace(/\0.*/s, '');
}

type Tlvs = ProxyHeader['tlvs'];

function binary(
  command: number,
  family: number,
  addresses: number[],
  tlvs: Tlvs,
  checkAt: number,
  expected: Omit<ProxyHeader, 'version' | 'tlvs'>,
): Case {
  const parts = tlvs.map(({ type, value }) => [type, ...two(value.length), ...value]);
  const at = Math.min(checkAt, parts.length);
  if (at >= 0) parts.splice(at, 0, [3, 0, 4, 0, 0, 0, 0]);
  const rest = [...addresses, ...parts.flat()];
  const wire = [...SIGNATURE, command, family, ...two(rest.length), ...rest];
  if (at < 0) return { wire, expected: { ...expected, tlvs } };
  // Section 2.2.3: CRC-32C over the whole header with the field as zeros, most significant octet first.
  const sum = crc32c(wire);
  const octets = [sum >>> 24, (sum >>> 16) & 0xff, (sum >>> 8) & 0xff, sum & 0xff];
  wire.splice(16 + addresses.length + parts.slice(0, at).flat().length + 3, 4, ...octets);
  const listed = [...tlvs];
  listed.splice(at, 0, { type: 3, value: Uint8Array.from(octets) });
  return { wire, expected: { ...expected, tlvs: listed } };
}

/** By a table, where the parser goes bit by bit (RFC 3720 B.4 has its test vectors). */
function crc32c(octets: readonly number[]): number {
  let sum = -1;
  for (const octet of octets) sum = (TABLE[(sum ^ octet) & 0xff] as number) ^ (sum >>> 8);
  return ~sum >>> 0;
}

const TABLE = Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

test('the checksum of the encoder is CRC-32C', () => {
  expect(crc32c(new Array<number>(32).fill(0))).toBe(0x8a9136aa);
  expect(crc32c(new Array<number>(32).fill(0xff))).toBe(0x62a8ab43);
});

test.each([
  ['version 1', version1, 1],
  ['version 2', version2, 2],
] as const)(
  '%s: every header is read as it is meant, needs its last octet, and leaves what follows',
  (_, cases, version) => {
    const property = fc.property(
      cases,
      fc.uint8Array({ maxLength: 20 }),
      fc.nat(),
      fc.uint8Array({ minLength: 12, maxLength: 12 }),
      ({ wire, expected }, rest, cut, source) => {
        seen.headers++;
        const bytes = Uint8Array.of(...wire, ...rest);
        const parsed = parseProxy(bytes);
        if (expected === 'refused') {
          expect(parsed?.ok).toBe(false);
          return;
        }
        expect(parsed).toMatchObject({ ok: true, value: { length: wire.length } });
        if (!parsed?.ok) return;
        expect(canonical(parsed.value.header)).toEqual(canonical({ version, ...expected }));
        expect(parseProxy(bytes.subarray(0, cut % wire.length))).toBeNull();
        // Asked for one version, the other is refused at the first octet that tells them apart.
        expect(parseProxy(bytes, version)).toEqual(parsed);
        expect(parseProxy(bytes, version === 1 ? 2 : 1)?.ok).toBe(false);
        again(parsed.value.header);
        mutated(bytes.subarray(0, wire.length), source);
      },
    );
    fc.assert(property, { numRuns: RUNS, seed: 2, interruptAfterTimeLimit: 60_000 });
  },
  120_000,
);

test('what is no header is refused at its first wrong octet, and what is endless after a bound', () => {
  for (const version of [1, 2, null] as const) {
    const property = fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const parsed = parseProxy(bytes, version);
      if (parsed === null) expect(bytes.length).toBeLessThan(MOST[2]);
    });
    fc.assert(property, { numRuns: 1000, seed: 3 });
  }
  expect(parseProxy(Uint8Array.from(ascii(`PROXY UNKNOWN${' '.repeat(94)}`)))).toMatchObject({ ok: false, offset: 107 });
  expect(parseProxy(Uint8Array.of(...SIGNATURE, 0x21, 0x11, ...two(4097)))).toMatchObject({ ok: false, offset: 14 });
  expect(parseProxy(Uint8Array.of(...SIGNATURE, 0x21, 0x11, ...two(4096)))).toBeNull();
  expect(parseProxy(Uint8Array.from(ascii('PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n')))?.ok).toBe(false);
  expect(parseProxy(Uint8Array.from(ascii('PROXY TCP4 1.2.3.4 1.2.3.4 01 1\r\n')))?.ok).toBe(false);
});

/** What is read is written, and read again as the same; with a checksum of its own too. */
function again(header: ProxyHeader): void {
  const parsed = parseProxy(formatProxy(header));
  expect(parsed?.ok && parsed.value.header).toEqual(header);
  if (header.version === 1 || header.local) return;
  const checked = parseProxy(formatProxy(header, true));
  expect(checked?.ok && checked.value.header.tlvs.filter(({ type }) => type !== 3)).toEqual(header.tlvs.filter(({ type }) => type !== 3));
  expect(checked?.ok && { ...checked.value.header, tlvs: header.tlvs }).toEqual(header);
}

/** A mutation is refused, waited for within bounds, or read as a header whose parts are what they say. */
function mutated(wire: Uint8Array, source: Uint8Array): void {
  seen.mutations++;
  const bytes = mutate(wire, randomFrom(source));
  const parsed = parseProxy(bytes);
  if (parsed === null) return expect(bytes.length).toBeLessThan(bytes[0] === 0x50 ? MOST[1] : MOST[2]);
  if (!parsed.ok) return expect(parsed.offset).toBeLessThanOrEqual(bytes.length);
  seen.accepted++;
  const { header, length } = parsed.value;
  expect(length).toBeLessThanOrEqual(Math.min(bytes.length, MOST[header.version]));
  for (const end of [header.source, header.destination]) {
    if (end === null) continue;
    expect(end.port).toBeLessThanOrEqual(65_535);
    if (/4$/.test(header.family)) expect(end.address).toMatch(/^[0-9.]+$/);
    if (/6$/.test(header.family)) expect(isIPv6(end.address)).toBe(true);
  }
}

/** IPv6 addresses by what they are, not how they are spelt. */
function canonical(header: ProxyHeader): unknown {
  const end = (one: ProxyHeader['source']) =>
    one === null || isIPv4(one.address) || !isIPv6(one.address) ? one : { ...one, address: new URL(`http://[${one.address}]`).hostname };
  return {
    ...header,
    source: end(header.source),
    destination: end(header.destination),
    tlvs: header.tlvs.map(({ type, value }) => [type, ...value]),
  };
}

test('a header in a Buffer of Node, whose slices share its memory: its checksum is found right, and nothing is written to it', () => {
  // As HAProxy has sent it, with a checksum and a unique id.
  const wire = Buffer.from('0d0a0d0a000d0a515549540a211100177f0000017f000001e4b232620300049369a05a05000130', 'hex');
  const before = new Uint8Array(wire);
  const parsed = parseProxy(wire);
  expect(parsed?.ok && parsed.value.header.tlvs).toEqual([
    { type: 3, value: Uint8Array.of(0x93, 0x69, 0xa0, 0x5a) },
    { type: 5, value: Uint8Array.of(0x30) },
  ]);
  expect(new Uint8Array(wire)).toEqual(before);
  wire.fill(0);
  expect(parsed?.ok && parsed.value.header.tlvs[1]?.value).toEqual(Uint8Array.of(0x30));
});
