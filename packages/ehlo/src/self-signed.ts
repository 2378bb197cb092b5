import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const DAY_MS = 86_400_000;

// Tags of DER (X.690), and object identifiers as they are encoded.
const BOOLEAN = 0x01;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OID = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const SET = 0x31;
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
const COMMON_NAME = '550403';
const ECDSA_WITH_SHA256 = '2a8648ce3d040302';
const BASIC_CONSTRAINTS = '551d13';
const KEY_USAGE = '551d0f';
const EXTENDED_KEY_USAGE = '551d25';
const SUBJECT_ALT_NAME = '551d11';
const SERVER_AUTH = '2b06010505070301';

/**
 * A self-signed certificate, for a year unless `days` says otherwise, and its key, both in PEM: for these names and this IPv4 address, the first
 * name its subject's. With days below zero it has expired as long ago.
 */
export function selfSigned(names: readonly string[], address: string, days = 365): { readonly key: string; readonly cert: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const now = Date.now();
  const algorithm = der(SEQUENCE, oid(ECDSA_WITH_SHA256));
  // RFC 5280 A.1: a common name has at most 64 characters.
  const commonName = Buffer.from(names[0]!.slice(0, 64));
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, oid(COMMON_NAME), der(UTF8_STRING, commonName))));
  const altNames = [...names.map((one) => der(DNS_NAME, Buffer.from(one))), der(IP_ADDRESS, Buffer.from(address.split('.').map(Number)))];
  // RFC 5280 4.1
  const signed = der(
    SEQUENCE,
    der(VERSION, der(INTEGER, Buffer.of(2))),
    // Positive, with no octet too many.
    der(INTEGER, Buffer.of(0x40), randomBytes(15)),
    algorithm,
    name,
    // An hour ago: clocks differ.
    der(SEQUENCE, time(now + Math.min(0, days - 1) * DAY_MS - DAY_MS / 24), time(now + days * DAY_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(
      EXTENSIONS,
      der(
        SEQUENCE,
        extension(BASIC_CONSTRAINTS, true, der(SEQUENCE)),
        // digitalSignature: the first bit, seven are unused.
        extension(KEY_USAGE, true, der(BIT_STRING, Buffer.of(7, 0x80))),
        extension(EXTENDED_KEY_USAGE, false, der(SEQUENCE, oid(SERVER_AUTH))),
        extension(SUBJECT_ALT_NAME, false, der(SEQUENCE, ...altNames)),
      ),
    ),
  );
  const signature = sign('sha256', signed, { key: privateKey, dsaEncoding: 'der' });
  const certificate = der(SEQUENCE, signed, algorithm, der(BIT_STRING, Buffer.of(0), signature));
  const lines = certificate.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}

function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat(content);
  const { length } = bytes;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...head), bytes]);
}

function oid(hex: string): Buffer {
  return der(OID, Buffer.from(hex, 'hex'));
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return der(SEQUENCE, oid(id), ...(critical ? [der(BOOLEAN, Buffer.of(0xff))] : []), der(OCTET_STRING, value));
}

/** RFC 5280 4.1.2.5: UTCTime until 2049, GeneralizedTime from 2050. */
function time(ms: number): Buffer {
  const text = new Date(ms).toISOString().replace(/[-:T]|\.[0-9]+/g, '');
  return text < '2050' ? der(UTC_TIME, Buffer.from(text.slice(2))) : der(GENERALIZED_TIME, Buffer.from(text));
}
