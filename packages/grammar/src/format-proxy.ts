import { parseAddressLiteral } from './address.ts';
import { crc32c, type ProxyEnd, type ProxyHeader } from './parse-proxy.ts';
import { octets } from './rule.ts';

const COMMANDS: { readonly [family in ProxyHeader['family']]: number } = {
  UNKNOWN: 0x00,
  TCP4: 0x11,
  UDP4: 0x12,
  TCP6: 0x21,
  UDP6: 0x22,
  UNIX_STREAM: 0x31,
  UNIX_DGRAM: 0x32,
};

/** Writes a PROXY header; with `checksum` a version 2 header gets a CRC-32C of its own. */
export function formatProxy(header: ProxyHeader, checksum = false): Uint8Array {
  const { version, local, family, source, destination } = header;
  if (version === 1) {
    if (source === null || destination === null) return octets('PROXY UNKNOWN\r\n');
    return octets(`PROXY ${family} ${source.address} ${destination.address} ${source.port} ${destination.port}\r\n`);
  }
  const tlvs = header.tlvs
    .filter(({ type }) => type !== 0x03 || !checksum)
    .flatMap(({ type, value }) => [type, value.length >> 8, value.length & 0xff, ...value]);
  const ends = source === null || destination === null ? [] : addresses(family, source, destination);
  const rest = [...ends, ...tlvs, ...(checksum ? [0x03, 0, 4, 0, 0, 0, 0] : [])];
  const whole = Uint8Array.from([
    ...octets('\r\n\r\n\0\r\nQUIT\n'),
    local ? 0x20 : 0x21,
    COMMANDS[family],
    rest.length >> 8,
    rest.length & 0xff,
    ...rest,
  ]);
  if (checksum) {
    const crc = crc32c(whole);
    whole.set([crc >>> 24, (crc >>> 16) & 0xff, (crc >>> 8) & 0xff, crc & 0xff], whole.length - 4);
  }
  return whole;
}

function addresses(family: ProxyHeader['family'], source: ProxyEnd, destination: ProxyEnd): number[] {
  if (family.startsWith('UNIX'))
    return [source, destination].flatMap(({ address }) => [...octets(address.slice(0, 108).padEnd(108, '\0'))]);
  const ips = [source, destination].flatMap(({ address }) => {
    const literal = parseAddressLiteral(address.includes(':') ? `[IPv6:${address}]` : `[${address}]`);
    return literal === null || literal.kind === 'general' ? [] : literal.octets;
  });
  return [...ips, ...[source, destination].flatMap(({ port }) => [port >> 8, port & 0xff])];
}
