import { decodeBase64 } from './base64.ts';
import type { Deviation } from './deviation.ts';
import { DIALECT, type Dialect } from './dialect.ts';
import { addressLiteral, domain, hostName } from './domain.ts';
import type { MailParameters, RcptParameters } from './extension.ts';
import { string } from './mailbox.ts';
import { parseParameters } from './parameter.ts';
import { FORWARD_PATH, intolerable, looseDomain, type Path, type PathKind, pathAt, pathEnd, REVERSE_PATH } from './path.ts';
import { type Failure, failure, type Parsed, success } from './result.ts';
import { byteAt, COLON, classAt, EQUALS, HT, HYPHEN, LET_DIG, latin1, octets, PRINTABLE, SP, skip, word } from './rule.ts';

/** A command line, understood. */
export type Command =
  | { readonly verb: 'EHLO' | 'HELO'; readonly name: string }
  | { readonly verb: 'MAIL'; readonly reversePath: Path; readonly parameters: MailParameters }
  | { readonly verb: 'RCPT'; readonly forwardPath: Path; readonly parameters: RcptParameters }
  | { readonly verb: 'DATA' | 'RSET' | 'QUIT' | 'STARTTLS' }
  | { readonly verb: 'VRFY' | 'EXPN' | 'HELP' | 'NOOP'; readonly argument: string }
  | { readonly verb: 'AUTH'; readonly mechanism: string; readonly initial: Uint8Array | null }
  | { readonly verb: 'SEND' | 'SOML' | 'SAML' | 'TURN' | 'BDAT'; readonly argument: string };

export type Verb = Command['verb'];

/** A line being read: everything up to `to` is the command without its CRLF. */
interface Line {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
  readonly dialect: Dialect;
  readonly found: Deviation[];
}

type ArgumentParser = (line: Line, verb: never, from: number) => Command | Failure;

/** Every verb of RFC 5321 4.1.1 and of the extensions, with the reader of its argument. */
const ARGUMENTS: ReadonlyMap<Verb, ArgumentParser> = new Map<Verb, ArgumentParser>([
  ['EHLO', hello],
  ['HELO', hello],
  ['MAIL', mail],
  ['RCPT', rcpt],
  ['DATA', nothing],
  ['RSET', nothing],
  ['QUIT', nothing],
  ['VRFY', text],
  ['EXPN', text],
  ['HELP', optionalText],
  ['NOOP', optionalText],
  ['STARTTLS', nothing],
  ['AUTH', auth],
  // RFC 5321 F.1, F.6, and RFC 3030: known by name.
  ['SEND', anything],
  ['SOML', anything],
  ['SAML', anything],
  ['TURN', anything],
  ['BDAT', anything],
]);

/** The verbs by their first four letters, which no two share. */
const VERBS: ReadonlyMap<number, Verb> = new Map([...ARGUMENTS.keys()].map((verb) => [initials(octets(verb), 0), verb]));

/** Four letters in capitals, as one number; of other octets, any number. */
function initials(bytes: Uint8Array, from: number): number {
  return ((bytes[from]! & 0xdf) << 24) | ((bytes[from + 1]! & 0xdf) << 16) | ((bytes[from + 2]! & 0xdf) << 8) | (bytes[from + 3]! & 0xdf);
}

/** The verb at the start of a command line, in capitals; null if it is none that is known. */
export function parseVerb(bytes: Uint8Array, from = 0, to: number = bytes.length): Verb | null {
  const verb = VERBS.get(initials(bytes, from));
  return verb !== undefined && word(bytes, from, to, verb) === verbEnd(bytes, from, to) ? verb : null;
}

/**
 * Parses a command line of RFC 5321 4.1.1, given without its CRLF.
 *
 * @example
 * ```ts
 * import { octets, parseCommand } from '@ehlo/grammar';
 * const parsed = parseCommand(octets('MAIL FROM:<> SIZE=1000'));
 * parsed.ok && parsed.value.verb === 'MAIL' && parsed.value.parameters
 * // → { size: 1000 }
 * ```
 *
 * @example
 * ```ts
 * import { octets, parseCommand } from '@ehlo/grammar';
 * parseCommand(octets('RCPT TO:<joe@>'))
 * // → { ok: false, code: 'syntax', rule: 'Forward-path', section: 'RFC 5321 4.1.1.3', offset: 13, message: 'not a valid recipient address' }
 * ```
 */
export function parseCommand(bytes: Uint8Array, dialect: Dialect = DIALECT, from = 0, to: number = bytes.length): Parsed<Command> {
  const verb = parseVerb(bytes, from, to);
  if (verb === null) return failure('unknown-verb', 'command', '5321 4.1.1', 0, 'command not recognized');
  const end = from + verb.length;
  const found: Deviation[] = [];
  const line: Line = { bytes, from, to: trimmed(bytes, end, to, dialect, found), dialect, found };
  const parsed = ARGUMENTS.get(verb)!(line, verb as never, end);
  if (!('ok' in parsed)) return success(parsed, found);
  return from === 0 ? parsed : { ...parsed, offset: parsed.offset - from };
}

function verbEnd(bytes: Uint8Array, from: number, to: number): number {
  let i = from;
  while ((classAt(bytes, i, to) & LET_DIG) !== 0 || byteAt(bytes, i, to) === HYPHEN) i++;
  return i;
}

/** RFC 5321 4.1.1: "receivers SHOULD tolerate trailing white space before the terminating <CRLF>". */
function trimmed(bytes: Uint8Array, from: number, to: number, dialect: Dialect, found: Deviation[]): number {
  let end = to;
  while (end > from && (bytes[end - 1] === SP || bytes[end - 1] === HT)) end--;
  if (end === to || !dialect.tolerate.has('trailing-white-space')) return to;
  found.push('trailing-white-space');
  return end;
}

/** RFC 5321 4.1.1: verbs and their arguments are parted by one SP. Returns where the argument begins, or `~i`. */
function space(line: Line, i: number): number {
  if (byteAt(line.bytes, i, line.to) !== SP) return ~i;
  let end = i + 1;
  if (byteAt(line.bytes, end, line.to) !== SP || !line.dialect.tolerate.has('extra-space')) return end;
  while (byteAt(line.bytes, end, line.to) === SP) end++;
  line.found.push('extra-space');
  return end;
}

/** RFC 5321 4.1.1.1: `"EHLO" SP ( Domain / address-literal )`, `"HELO" SP Domain`. */
function hello(line: Line, verb: 'EHLO' | 'HELO', from: number): Command | Failure {
  const { bytes, to, dialect, found } = line;
  const start = space(line, from);
  if (start < 0) return failure('syntax', verb.toLowerCase(), '5321 4.1.1.1', ~start, `${verb} needs the name of the client`);
  const strict = (verb === 'EHLO' ? hostName : domain)(bytes, start, to);
  if (strict === to && to - start <= 255) return { verb, name: latin1(bytes, start, to) };
  const offset = strict < 0 ? ~strict : strict;
  const deviations: Deviation[] = [];
  const end = looseHello(bytes, start, to, verb, deviations);
  if (end < 0) return failure('syntax', verb.toLowerCase(), '5321 4.1.1.1', offset, 'not a valid domain or address literal');
  const refused = intolerable(deviations, dialect, offset, verb.toLowerCase());
  if (refused !== null) return refused;
  found.push(...deviations);
  return { verb, name: latin1(bytes, start, end) };
}

/** A name with known deviations; its end, or -1 if it holds what can't be shown. */
function looseHello(bytes: Uint8Array, start: number, to: number, verb: 'EHLO' | 'HELO', found: Deviation[]): number {
  if (skip(bytes, start, to, PRINTABLE) !== to || start === to) return -1;
  let nameEnd = start;
  while (nameEnd < to && bytes[nameEnd] !== SP) nameEnd++;
  const before = found.length;
  if (nameEnd - start > 255) found.push('long-domain');
  if (hostName(bytes, start, nameEnd) !== nameEnd && looseDomain(bytes, start, nameEnd, found) !== nameEnd) {
    found.length = before;
    found.push('free-form-hello');
    return to;
  }
  if (verb === 'HELO' && addressLiteral(bytes, start, nameEnd) === nameEnd) found.push('literal-in-helo');
  if (nameEnd < to) found.push('text-after-hello');
  return nameEnd;
}

/** RFC 5321 4.1.1.2: `"MAIL FROM:" Reverse-path [SP Mail-parameters]`. */
function mail(line: Line, _verb: never, from: number): Command | Failure {
  const read = pathAndParameters(line, from, 'FROM', REVERSE_PATH, 'MAIL');
  return 'ok' in read ? read : { verb: 'MAIL', reversePath: read.path, parameters: read.parameters };
}

/** RFC 5321 4.1.1.3: `"RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path ) [SP Rcpt-parameters]`. */
function rcpt(line: Line, _verb: never, from: number): Command | Failure {
  const read = pathAndParameters(line, from, 'TO', FORWARD_PATH, 'RCPT');
  return 'ok' in read ? read : { verb: 'RCPT', forwardPath: read.path, parameters: read.parameters };
}

interface PathAndParameters {
  readonly path: Path;
  readonly parameters: MailParameters & RcptParameters;
}

function pathAndParameters(
  line: Line,
  from: number,
  preposition: string,
  kind: PathKind,
  verb: 'MAIL' | 'RCPT',
): PathAndParameters | Failure {
  const { bytes, to, dialect, found } = line;
  const section = verb === 'MAIL' ? '5321 4.1.1.2' : '5321 4.1.1.3';
  const start = space(line, from);
  let i = start < 0 ? start : word(bytes, start, to, preposition);
  if (i >= 0 && byteAt(bytes, i, to) === SP && dialect.tolerate.has('space-before-colon')) {
    found.push('space-before-colon');
    i = skipSpace(bytes, i, to);
  }
  if (i < 0 || byteAt(bytes, i, to) !== COLON) {
    return failure('syntax', verb.toLowerCase(), section, i < 0 ? ~i : i, `the form is ${verb} ${preposition}:<address>`);
  }
  i++;
  if (byteAt(bytes, i, to) === SP && dialect.tolerate.has('space-after-colon')) {
    found.push('space-after-colon');
    i = skipSpace(bytes, i, to);
  }
  const end = pathEnd(bytes, i, to, kind, dialect, found);
  if (typeof end !== 'number') return end;
  const parameters = end === to ? NO_PARAMETERS : parseParameters(bytes, end, to, verb, dialect);
  return parameters.ok ? { path: pathAt(bytes, i, end), parameters: parameters.value } : parameters;
}

const NO_PARAMETERS = { ok: true, value: {} } as const;

function skipSpace(bytes: Uint8Array, from: number, to: number): number {
  let i = from;
  while (byteAt(bytes, i, to) === SP) i++;
  return i;
}

/** RFC 5321 4.1.1: DATA, RSET, QUIT "are specified as not permitting parameters"; RFC 3207 4: nor does STARTTLS. */
function nothing(line: Line, verb: 'DATA' | 'RSET' | 'QUIT' | 'STARTTLS', from: number): Command | Failure {
  if (from === line.to) return { verb };
  return failure('unexpected-argument', verb.toLowerCase(), '5321 4.1.1', from, `${verb} takes no argument`);
}

/** RFC 5321 4.1.1.6, 4.1.1.7: `"VRFY" SP String`, `"EXPN" SP String`. */
function text(line: Line, verb: 'VRFY' | 'EXPN' | 'HELP' | 'NOOP', from: number): Command | Failure {
  const { bytes, to, dialect, found } = line;
  const section = SECTIONS[verb];
  const start = space(line, from);
  if (start < 0) return failure('syntax', verb.toLowerCase(), section, ~start, `${verb} needs an argument`);
  const strict = string(bytes, start, to);
  if (strict !== to) {
    const offset = strict < 0 ? ~strict : strict;
    const shown = skip(bytes, start, to, PRINTABLE);
    if (shown !== to || start === to) return failure('syntax', 'String', '5321 4.1.2', Math.max(offset, shown), 'not printable ASCII text');
    const refused = intolerable(['free-text-argument'], dialect, offset, 'String');
    if (refused !== null) return refused;
    found.push('free-text-argument');
  }
  return { verb, argument: latin1(bytes, start, to) };
}

const SECTIONS = { VRFY: '5321 4.1.1.6', EXPN: '5321 4.1.1.7', HELP: '5321 4.1.1.8', NOOP: '5321 4.1.1.9' } as const;

/** RFC 5321 4.1.1.8, 4.1.1.9: `"HELP" [ SP String ]`, `"NOOP" [ SP String ]`. */
function optionalText(line: Line, verb: 'HELP' | 'NOOP', from: number): Command | Failure {
  return from === line.to ? { verb, argument: '' } : text(line, verb, from);
}

/** RFC 4954 4: `AUTH mechanism [initial-response]`; "=" is an initial response of no octets. */
function auth(line: Line, verb: 'AUTH', from: number): Command | Failure {
  const { bytes, to } = line;
  const start = space(line, from);
  if (start < 0) return failure('syntax', 'auth', '4954 4', ~start, 'the form is AUTH mechanism [initial-response]');
  let end = start;
  while (MECHANISM.has(byteAt(bytes, end, to))) end++;
  if (end === start || end - start > 20)
    return failure('syntax', 'sasl-mech', '4422 3.1', Math.min(end, start + 20), 'not a mechanism name');
  const mechanism = latin1(bytes, start, end).toUpperCase();
  if (end === to) return { verb, mechanism, initial: null };
  const response = space(line, end);
  if (response < 0 || response === to) return failure('syntax', 'auth', '4954 4', end, 'the form is AUTH mechanism [initial-response]');
  if (to === response + 1 && bytes[response] === EQUALS) return { verb, mechanism, initial: new Uint8Array(0) };
  const initial = decodeBase64(bytes, response, to);
  return initial === null ? failure('base64', 'initial-response', '4954 4', response, 'not valid base64') : { verb, mechanism, initial };
}

/** RFC 4422 3.1: `mech-char = UPPER-ALPHA / DIGIT / HYPHEN / UNDERSCORE`; RFC 4954 4.1 shows clients that write small letters. */
const MECHANISM: ReadonlySet<number> = new Set(
  Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', (letter) => letter.charCodeAt(0)),
);

function anything(line: Line, verb: 'SEND' | 'SOML' | 'SAML' | 'TURN' | 'BDAT', from: number): Command | Failure {
  const end = skip(line.bytes, from, line.to, PRINTABLE);
  return end === line.to
    ? { verb, argument: latin1(line.bytes, from, end).trim() }
    : failure('syntax', 'command', '5321 4.1.1', end, 'not printable ASCII text');
}
