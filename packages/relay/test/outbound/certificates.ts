// Certificates as a test wants them: chains, names, dates, constraints.
import { generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';

const DAY_MS = 86_400_000;
const SEQUENCE = 0x30;
const OID = {
  commonName: '550403',
  ecdsaSha256: '2a8648ce3d040302',
  basic: '551d13',
  usage: '551d0f',
  purposes: '551d25',
  names: '551d11',
};

export interface Made {
  readonly cert: string;
  readonly key: string;
  readonly der: Uint8Array;
  readonly spki: Uint8Array;
  readonly privateKey: KeyObject;
  readonly subject: string;
}

export interface Wanted {
  readonly subject: string;
  /** Alternative names. */
  readonly names?: readonly string[];
  /** Default: itself. */
  readonly issuer?: Made;
  /** An authority, for so many others below it. */
  readonly ca?: boolean | number;
  /** Days until it expires, from now on; below zero: it has. */
  readonly days?: number;
  /** OIDs of purposes, in DER. Default: of servers. */
  readonly purpose?: string;
  /** An extension that is critical, and that nobody knows. */
  readonly odd?: true;
  /** The bits of key usage. */
  readonly usage?: number;
}

export function certificate({
  subject,
  names = [],
  issuer,
  ca = false,
  days = 30,
  purpose = '2b06010505070301',
  odd,
  usage,
}: Wanted): Made {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const algorithm = der(SEQUENCE, oid(OID.ecdsaSha256));
  const length = typeof ca === 'number' ? [der(0x02, Buffer.of(ca))] : [];
  const basic = ca === false ? der(SEQUENCE) : der(SEQUENCE, der(0x01, Buffer.of(0xff)), ...length);
  const alternative = names.map((name) =>
    /^[\d.]+$/.test(name) ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name)),
  );
  const end = Date.now() + days * DAY_MS;
  const signed = der(
    SEQUENCE,
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.of(0x40), randomBytes(15)),
    algorithm,
    name(issuer?.subject ?? subject),
    der(SEQUENCE, time(Math.min(Date.now(), end) - DAY_MS), time(end)),
    name(subject),
    spki,
    der(
      0xa3,
      der(
        SEQUENCE,
        extension(OID.basic, true, basic),
        // digitalSignature; keyCertSign.
        extension(OID.usage, true, der(0x03, Buffer.of(0, usage ?? (ca === false ? 0x80 : 0x04)))),
        ...(ca === false ? [extension(OID.purposes, false, der(SEQUENCE, oid(purpose)))] : []),
        ...(alternative.length === 0 ? [] : [extension(OID.names, false, der(SEQUENCE, ...alternative))]),
        ...(odd ? [extension('2a030405', true, der(0x05))] : []),
      ),
    ),
  );
  const octets = der(SEQUENCE, signed, algorithm, der(0x03, Buffer.of(0), sign('sha256', signed, issuer?.privateKey ?? privateKey)));
  const cert = new X509Certificate(octets).toString();
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { cert, key, der: octets, spki, privateKey, subject };
}

function name(text: string): Buffer {
  return der(SEQUENCE, der(0x31, der(SEQUENCE, oid(OID.commonName), der(0x0c, Buffer.from(text)))));
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return der(SEQUENCE, oid(id), ...(critical ? [der(0x01, Buffer.of(0xff))] : []), der(0x04, value));
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

/** RFC 5280 4.1.2.5.2. */
function time(ms: number): Buffer {
  const text = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
  return der(0x18, Buffer.from(text));
}

function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat(content);
  const { length } = bytes;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...head), bytes]);
}
