// Values of every kind that the grammar reads and writes, canonical: what a parser gives.
import fc from 'fast-check';
import {
  type Command,
  encodeUtf8,
  type Mailbox,
  type MailParameters,
  NULL_PATH,
  type Path,
  parseMailbox,
  type RcptParameters,
} from '../src/index.ts';

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const of = (alphabet: string, minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength });

/** Printable ASCII, the space included. */
export const printable = (minLength = 0, maxLength = 30): fc.Arbitrary<string> =>
  fc.string({ unit: 'grapheme-ascii', minLength, maxLength });
/** Characters beyond ASCII that are in no case a control. */
const beyond = fc.constantFrom('é', 'ü', 'ß', '中', '文', 'ſ', 'ı', '😀', '𐍈', 'ÿ', 'Ā');
const label = fc.oneof(
  of(LETTERS, 1, 8),
  fc.tuple(of(LETTERS, 1, 3), of(`-${LETTERS}`, 0, 3), of(LETTERS, 1, 3)).map((parts) => parts.join('')),
);
export const domain = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.'));
const uDomain = fc.tuple(fc.array(beyond, { minLength: 1, maxLength: 3 }), domain).map(([label, rest]) => `${label.join('')}.${rest}`);
export const ipv4 = fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }).map((numbers) => numbers.join('.'));
const ipv6 = fc.oneof(
  fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 }).map((groups) => groups.map((group) => group.toString(16)).join(':')),
  fc.constantFrom('::', '::1', '2001:db8::1', '::ffff:192.0.2.1', 'fe80::1:2'),
);
const literal = fc.oneof(
  ipv4.map((address) => `[${address}]`),
  ipv6.map((address) => `[IPv6:${address}]`),
);
export const hostName = fc.oneof(domain, literal);
const localPart = fc.oneof(
  of(`${LETTERS}!#$%&'*+-/=?^_\`{|}~`, 1, 12),
  printable(0, 20),
  fc.constantFrom('a@b', '.', 'a..b', '"', '\\', '\\"', ' ', ''),
);
const uLocalPart = fc.tuple(localPart, beyond, localPart).map((parts) => parts.join(''));

/** How a local part may be written in quotes: each octet with a backslash, or without where none is needed. */
export const spelling = (local: string): fc.Arbitrary<string> =>
  fc.array(fc.boolean(), { minLength: local.length, maxLength: local.length }).map((escaped) => {
    const spelt = Array.from(local, (character, k) =>
      /["\\]/.test(character) || (escaped[k] && /[ -~]/.test(character)) ? `\\${character}` : character,
    );
    return `"${spelt.join('')}"`;
  });

export const mailbox: fc.Arbitrary<Mailbox> = fc
  .oneof(fc.tuple(localPart, fc.oneof(domain, literal)), fc.tuple(uLocalPart, uDomain))
  .map(([local, host]) => {
    const parsed = parseMailbox(encodeUtf8(`"${local.replaceAll(/["\\]/g, '\\$&')}"@${host}`));
    if (!parsed.ok) throw new Error(`${local} @ ${host}`);
    return parsed.value;
  });
const asciiMailbox: fc.Arbitrary<Mailbox> = mailbox.filter(({ address }) => /^[ -~]*$/.test(address));

export const path = (kind: 'reverse' | 'forward'): fc.Arbitrary<Path> => {
  const full = mailbox.map((one) => ({ ...one, route: [] }));
  const short: Path = kind === 'reverse' ? NULL_PATH : { localPart: 'Postmaster', domain: '', address: 'Postmaster', route: [] };
  return fc.oneof({ weight: 9, arbitrary: full }, { weight: 1, arbitrary: fc.constant(short) });
};

const dateTime = fc
  .tuple(
    fc.date({ min: new Date('0000-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true }),
    fc.constantFrom('Z', '+01:30', '-23:59'),
  )
  .map(([date, zone]) => date.toISOString().replace(/\.[0-9]+Z$/, zone));

/** As HOLDUNTIL is written (RFC 4865 3). */
const utc = dateTime.filter((moment) => moment.endsWith('Z'));

const word = of(LETTERS, 1, 10);
const optional = <T extends object>(model: { [K in keyof T]-?: fc.Arbitrary<Exclude<T[K], undefined>> }): fc.Arbitrary<T> =>
  fc.record(model, { requiredKeys: [] }) as unknown as fc.Arbitrary<T>;

const deliverBy = fc
  .record({
    seconds: fc.integer({ min: -999_999_999, max: 999_999_999 }),
    mode: fc.constantFrom('R' as const, 'N' as const),
    trace: fc.boolean(),
  })
  .map((by) => (by.mode === 'R' ? { ...by, seconds: Math.max(1, Math.abs(by.seconds)) } : by));

/** A name of no control and, but for utf-8, of ASCII; encoded in at most 500 characters. */
const originalRecipient = fc.oneof(
  fc.record({ type: fc.constantFrom('rfc822', 'x400', 'x-a+b'), address: printable(0, 60) }),
  fc.record({
    type: fc.constant('utf-8'),
    address: fc.array(fc.oneof(beyond, printable(1, 1)), { minLength: 1, maxLength: 20 }).map((all) => all.join('')),
  }),
);

/** HOLDFOR and HOLDUNTIL exclude each other (RFC 4865 4); addresses beyond ASCII need SMTPUTF8 (RFC 6531 3.4). */
export const mailParameters: fc.Arbitrary<MailParameters> = fc
  .tuple(
    optional<Omit<MailParameters, 'unknown'>>({
      size: fc.nat(Number.MAX_SAFE_INTEGER),
      body: fc.constantFrom('7BIT', '8BITMIME', 'BINARYMIME'),
      auth: fc.oneof(
        fc.constant(''),
        asciiMailbox.map(({ address }) => address),
      ),
      ret: fc.constantFrom('FULL', 'HDRS'),
      envid: printable(1, 33),
      by: deliverBy,
      holdFor: fc.integer({ min: 1, max: 999_999_999 }),
      holdUntil: utc,
      mtPriority: fc.integer({ min: -9, max: 9 }),
      requireTls: fc.constant(true),
      smtpUtf8: fc.constant(true),
    }),
    fc.boolean(),
  )
  .map(([{ holdFor, holdUntil, ...rest }, until]) => {
    if (until) return holdUntil === undefined ? rest : { ...rest, holdUntil };
    return holdFor === undefined ? rest : { ...rest, holdFor };
  });

export const rcptParameters: fc.Arbitrary<RcptParameters> = optional<Omit<RcptParameters, 'unknown'>>({
  notify: fc.oneof(fc.constant('NEVER' as const), fc.array(fc.constantFrom('SUCCESS', 'FAILURE', 'DELAY'), { minLength: 1, maxLength: 3 })),
  orcpt: originalRecipient,
  rrvs: fc.oneof(fc.record({ since: dateTime }), fc.record({ since: dateTime, action: fc.constantFrom('C', 'R') })),
});

const text = fc.oneof(
  word,
  printable(0, 12).map((inside) => `"${inside.replaceAll(/["\\]/g, '\\$&')}"`),
);
const uText = fc.oneof(
  text,
  fc.tuple(word, beyond).map((parts) => parts.join('')),
);
const attribute = fc.tuple(of(`${LETTERS.slice(26)}-_`, 1, 12), printable());

/** Every verb, with any arguments that its grammar allows. */
export const COMMANDS: { readonly [verb in Command['verb']]: fc.Arbitrary<Command> } = {
  EHLO: hostName.map((name) => ({ verb: 'EHLO', name })),
  LHLO: hostName.map((name) => ({ verb: 'LHLO', name })),
  HELO: domain.map((name) => ({ verb: 'HELO', name })),
  MAIL: fc.tuple(path('reverse'), mailParameters).map(([reversePath, given]) => {
    const parameters: MailParameters = /^[ -~]*$/.test(reversePath.address) ? given : { ...given, smtpUtf8: true };
    return { verb: 'MAIL', reversePath, parameters };
  }),
  RCPT: fc.tuple(path('forward'), rcptParameters).map(([forwardPath, parameters]) => ({ verb: 'RCPT', forwardPath, parameters })),
  DATA: fc.constant({ verb: 'DATA' }),
  RSET: fc.constant({ verb: 'RSET' }),
  QUIT: fc.constant({ verb: 'QUIT' }),
  STARTTLS: fc.constant({ verb: 'STARTTLS' }),
  VRFY: fc.record({ verb: fc.constant('VRFY'), argument: uText, smtpUtf8: fc.boolean() }),
  EXPN: fc.record({ verb: fc.constant('EXPN'), argument: uText, smtpUtf8: fc.boolean() }),
  HELP: fc.record({ verb: fc.constant('HELP'), argument: fc.oneof(fc.constant(''), text) }),
  NOOP: fc.record({ verb: fc.constant('NOOP'), argument: fc.oneof(fc.constant(''), text) }),
  AUTH: fc.record({
    verb: fc.constant('AUTH'),
    mechanism: of(`${LETTERS.slice(26)}-_`, 1, 20),
    initial: fc.oneof(fc.constant(null), fc.uint8Array()),
  }),
  BDAT: fc.record({ verb: fc.constant('BDAT'), size: fc.nat(Number.MAX_SAFE_INTEGER), last: fc.boolean() }),
  ETRN: fc.record({ verb: fc.constant('ETRN'), option: fc.constantFrom('', '@', '#'), node: domain }),
  XCLIENT: fc.array(attribute, { minLength: 1 }).map((all) => ({ verb: 'XCLIENT', attributes: new Map(all) })),
  XFORWARD: fc.array(attribute, { minLength: 1 }).map((all) => ({ verb: 'XFORWARD', attributes: new Map(all) })),
  SEND: fc.record({ verb: fc.constant('SEND'), argument: word }),
  SOML: fc.record({ verb: fc.constant('SOML'), argument: word }),
  SAML: fc.record({ verb: fc.constant('SAML'), argument: word }),
  TURN: fc.constant({ verb: 'TURN', argument: '' }),
  ATRN: fc.record({ verb: fc.constant('ATRN'), argument: word }),
  BURL: fc.record({ verb: fc.constant('BURL'), argument: word }),
};
