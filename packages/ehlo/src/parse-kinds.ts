import {
  type CommandDialect,
  domain,
  type Failure,
  FORWARD_PATH,
  formatCommand,
  formatEhlo,
  formatGreeting,
  formatPath,
  formatReply,
  hostName,
  type Mailbox,
  type Parsed,
  parseAddressLiteral,
  parseCommand,
  parseEhlo,
  parseGreeting,
  parseMailbox,
  parsePath,
  parseReply,
  parseVerb,
  REVERSE_PATH,
  type Rule,
} from '@ehlo/grammar';
import { describeEnhanced, formatEnhanced, parseEnhanced } from '@ehlo/grammar/codes';
import { formatProxy, type ProxyPrefix, parseProxy } from '@ehlo/grammar/proxy';
import { EVERYDAY, formatReturnPath, parseReceived, parseReturnPath, TRACE_LETTER } from '@ehlo/grammar/trace';

/** A kind of text that `ehlo parse` reads. */
export interface Kind {
  readonly name: string;
  readonly what: string;
  /** Whether CRLF belongs to it; a text without is given one. */
  readonly lines: boolean;
  readonly parse: (bytes: Uint8Array, dialect: CommandDialect) => Parsed<unknown, string>;
  /** The canonical form, without the last CRLF; null where there is none. */
  readonly canonical: (value: never) => string | null;
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).replace(/\r\n$/, '');

const whole =
  (rule: Rule, name: string, section: string) =>
  (bytes: Uint8Array, { utf8 }: CommandDialect): Parsed<string> => {
    const end = rule(bytes, 0, bytes.length, utf8);
    if (end === bytes.length) return { ok: true, value: text(bytes), deviations: [] };
    return failure(name, section, end < 0 ? ~end : end, `not a valid ${name.toLowerCase()}`);
  };

const failure = (rule: string, section: string, offset: number, message: string): Failure => ({
  ok: false,
  code: 'syntax',
  rule,
  section,
  offset,
  message,
});

/** Every kind, by the name that `--as` takes. */
export const KINDS: readonly Kind[] = [
  { name: 'command', what: 'a command line', lines: false, parse: parseCommand, canonical: (value) => text(formatCommand(value)) },
  { name: 'mailbox', what: 'local-part@domain', lines: false, parse: parseMailbox, canonical: ({ address }: Mailbox) => address },
  {
    name: 'path',
    what: 'a reverse-path: <address> or <>',
    lines: false,
    parse: (bytes, dialect) => parsePath(bytes, REVERSE_PATH, dialect),
    canonical: formatPath,
  },
  {
    name: 'forward-path',
    what: 'a forward-path: <address> or <Postmaster>',
    lines: false,
    parse: (bytes, dialect) => parsePath(bytes, FORWARD_PATH, dialect),
    canonical: formatPath,
  },
  {
    name: 'domain',
    what: 'a domain',
    lines: false,
    parse: whole(domain, 'Domain', 'RFC 5321 4.1.2'),
    canonical: (value: string) => value.toLowerCase(),
  },
  {
    name: 'host',
    what: 'a domain or an address literal',
    lines: false,
    parse: (bytes, dialect) => {
      const parsed = whole(hostName, 'address-literal', 'RFC 5321 4.1.3')(bytes, dialect);
      return parsed.ok && parsed.value.startsWith('[') ? { ...parsed, value: parseAddressLiteral(parsed.value) } : parsed;
    },
    canonical: () => null,
  },
  {
    name: 'reply',
    what: 'a reply of any number of lines',
    lines: true,
    parse: (bytes) => parseReply(bytes),
    canonical: (value) => text(formatReply(value)),
  },
  { name: 'ehlo', what: 'the answer to EHLO', lines: true, parse: parseEhlo, canonical: (value) => text(formatEhlo(value)) },
  {
    name: 'greeting',
    what: 'what a server says first',
    lines: true,
    parse: (bytes) => parseGreeting(bytes),
    canonical: (value) => text(formatGreeting(value)),
  },
  {
    name: 'enhanced',
    what: 'an enhanced status code',
    lines: false,
    parse: (bytes) => {
      const code = parseEnhanced(text(bytes));
      if (code === null) return failure('status-code', 'RFC 3463 2', 0, 'not an enhanced status code');
      return { ok: true, value: { ...code, meaning: describeEnhanced(text(bytes)) }, deviations: [] };
    },
    canonical: formatEnhanced,
  },
  {
    name: 'received',
    what: 'a Received field',
    lines: true,
    parse: (bytes, { tolerate }) => parseReceived(bytes, tolerate.size === 0 ? TRACE_LETTER : EVERYDAY),
    canonical: () => null,
  },
  {
    name: 'return-path',
    what: 'a Return-Path field',
    lines: true,
    parse: (bytes) => parseReturnPath(bytes),
    canonical: (value) => formatReturnPath(value).trimEnd(),
  },
  {
    name: 'proxy',
    what: 'a PROXY header',
    lines: true,
    parse: (bytes) => parseProxy(bytes) ?? failure('proxy-header', 'PROXY protocol 2', bytes.length, 'the header is not whole'),
    canonical: ({ header }: ProxyPrefix) => text(formatProxy(header)),
  },
];

/** The kind that a text most likely is. */
export function guessKind(bytes: Uint8Array): Kind {
  const start = String.fromCharCode(...bytes.subarray(0, 64));
  const name =
    parseVerb(bytes) !== null
      ? 'command'
      : (GUESSES.find(([pattern]) => pattern.test(start))?.[1] ?? (bytes.includes(0x40) ? 'mailbox' : 'command'));
  return KINDS.find((kind) => kind.name === name)!;
}

const GUESSES: readonly (readonly [RegExp, string])[] = [
  [/^PROXY |^\r\n\r\n\0/, 'proxy'],
  [/^received:/i, 'received'],
  [/^return-path:/i, 'return-path'],
  [/^[245]\.[0-9]+\.[0-9]+$/, 'enhanced'],
  [/^[0-9]{3}(?:[ -]|$|\r)/, 'reply'],
  [/^<postmaster>$/i, 'forward-path'],
  [/^</, 'path'],
  [/^\[/, 'host'],
];
