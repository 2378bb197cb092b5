import type { CommandDialect } from './command-dialect.ts';
import type { Command, Verb } from './commands.ts';
import type { Deviation } from './deviation.ts';
import type { Dialect } from './dialect.ts';
import { addressLiteral, domain, hasOddTag, hostName } from './domain.ts';
import { attributes, auth, bdat, etrn } from './extension-command.ts';
import { judge, type Line, space, spacesEnd } from './line.ts';
import { string } from './mailbox.ts';
import { parseParameters } from './parameter.ts';
import { FORWARD_PATH, looseDomain, pathAt, pathEnd, REVERSE_PATH } from './path.ts';
import { type Failure, failure, type Parsed, success } from './result.ts';
import { byteAt, COLON, classAt, decodeUtf8, HT, HYPHEN, LET_DIG, latin1, octets, octetsOf, PRINTABLE, SP, skip, word } from './rule.ts';

type ArgumentParser = (line: Line, verb: never, from: number) => Command | Failure;

/** Every verb of RFC 5321 4.1.1 and of the extensions, with the reader of its argument. */
const ARGUMENTS: ReadonlyMap<Verb, ArgumentParser> = new Map<Verb, ArgumentParser>([
  ['EHLO', hello],
  ['HELO', hello],
  ['LHLO', hello],
  ['MAIL', mail],
  ['RCPT', rcpt],
  ['DATA', nothing],
  ['RSET', nothing],
  ['QUIT', nothing],
  ['VRFY', inquiry],
  ['EXPN', inquiry],
  ['HELP', optionalText],
  ['NOOP', optionalText],
  ['STARTTLS', nothing],
  ['AUTH', auth],
  ['BDAT', bdat],
  ['ETRN', etrn],
  ['XCLIENT', attributes],
  ['XFORWARD', attributes],
  ['SEND', anything],
  ['SOML', anything],
  ['SAML', anything],
  ['TURN', anything],
  ['ATRN', anything],
  ['BURL', anything],
]);

/** The verbs by their first four letters, which no two share. */
const VERBS: ReadonlyMap<number, Verb> = new Map([...ARGUMENTS.keys()].map((verb) => [initials(octets(verb), 0), verb]));

/** Four letters in capitals, as one number: no octet but a letter becomes one; of other octets, any number. */
function initials(bytes: Uint8Array, from: number): number {
  return ((bytes[from]! & 0xdf) << 24) | ((bytes[from + 1]! & 0xdf) << 16) | ((bytes[from + 2]! & 0xdf) << 8) | (bytes[from + 3]! & 0xdf);
}

/** The verb at the start of a command line, in capitals; null if it is not known. */
export function parseVerb(text: Uint8Array | string, from = 0, to?: number): Verb | null {
  const bytes = octetsOf(text);
  const last = to ?? bytes.length;
  const verb = VERBS.get(initials(bytes, from));
  if (verb === undefined) return null;
  const end = from + verb.length;
  const isWhole = end <= last && (verb.length === 4 || word(bytes, from, last, verb) === end);
  return isWhole && (classAt(bytes, end, last) & LET_DIG) === 0 && byteAt(bytes, end, last) !== HYPHEN ? verb : null;
}

/**
 * Parses a command line of RFC 5321 4.1.1, given without its CRLF, as octets or as text; `from` and `to` are octets. Parameters that are not
 * in force are a failure, or kept among the others where the dialect says so (`keepUnknown`).
 *
 * @example
 * ```ts
 * import { DIALECT, parseCommand } from '@ehlo/grammar';
 * const parsed = parseCommand('MAIL FROM:<> SIZE=1000', DIALECT);
 * parsed.ok && parsed.value.verb === 'MAIL' && parsed.value.parameters
 * // → { size: 1000 }
 * ```
 *
 * @example
 * ```ts
 * import { DIALECT, parseCommand } from '@ehlo/grammar';
 * parseCommand('RCPT TO:<joe@>', DIALECT)
 * // → { ok: false, code: 'syntax', rule: 'Forward-path', section: 'RFC 5321 4.1.1.3', offset: 13, message: 'not a valid recipient address' }
 * ```
 *
 * @example
 * ```ts
 * import { DIALECT, latin1, parseCommand } from '@ehlo/grammar';
 * const parsed = parseCommand('RCPT TO:<joe@example.org> NOTIFY=NEVER XRULE=7', { ...DIALECT, keepUnknown: true });
 * const { notify, unknown = [] } = parsed.ok && parsed.value.verb === 'RCPT' ? parsed.value.parameters : {};
 * [notify, unknown.map(({ keyword, value }) => [keyword, value && latin1(value, 0, value.length)])]
 * // → ['NEVER', [['XRULE', '7']]]
 * ```
 */
export function parseCommand(text: Uint8Array | string, dialect: CommandDialect, from = 0, to?: number): Parsed<Command> {
  const bytes = octetsOf(text);
  const last = to ?? bytes.length;
  const verb = parseVerb(bytes, from, last);
  if (verb === null) return failure('unknown-verb', 'command', '5321 4.1.1', 0, 'command not recognized');
  return parseArguments(verb, bytes, dialect, from, last);
}

/** Parses the rest of a command line, whose verb has been read by `parseVerb`: the whole is what `parseCommand` gives. */
export function parseArguments(verb: Verb, bytes: Uint8Array, dialect: CommandDialect, from: number, to: number): Parsed<Command> {
  const end = from + verb.length;
  const found: Deviation[] = [];
  const parsed = ARGUMENTS.get(verb)!({ bytes, to: trimmed(bytes, end, to, dialect, found), dialect, found }, verb as never, end);
  if (!('ok' in parsed)) return success(parsed, found.length > 1 ? [...new Set(found)] : found);
  return from === 0 ? parsed : { ...parsed, offset: parsed.offset - from };
}

/** RFC 5321 4.1.1: "receivers SHOULD tolerate trailing white space before the terminating <CRLF>". */
function trimmed(bytes: Uint8Array, from: number, to: number, dialect: Dialect, found: Deviation[]): number {
  let end = to;
  while (end > from && (bytes[end - 1] === SP || bytes[end - 1] === HT)) end--;
  if (end === to || !dialect.tolerate.has('trailing-white-space')) return to;
  found.push('trailing-white-space');
  return end;
}

/** RFC 5321 4.1.1.1: `"EHLO" SP ( Domain / address-literal )`, `"HELO" SP Domain`; RFC 2033 4.1: LHLO as EHLO. */
function hello(line: Line, verb: 'EHLO' | 'HELO' | 'LHLO', from: number): Command | Failure {
  const { bytes, to } = line;
  const start = space(line, from);
  if (start < 0) return failure('syntax', verb.toLowerCase(), '5321 4.1.1.1', ~start, `${verb} needs the name of the client`);
  const strict = (verb === 'HELO' ? domain : hostName)(bytes, start, to);
  if (strict === to && to - start <= 255 && !hasOddTag(bytes, start, to)) return { verb, name: latin1(bytes, start, to) };
  const offset = strict < 0 ? ~strict : strict;
  const deviations: Deviation[] = [];
  const end = looseHello(bytes, start, to, verb, deviations);
  if (end < 0) return failure('syntax', verb.toLowerCase(), '5321 4.1.1.1', offset, 'not a valid domain or address literal');
  return judge(line, deviations, offset, verb.toLowerCase()) ?? { verb, name: latin1(bytes, start, end) };
}

/** A name with known deviations; its end, or -1 if it holds what can't be shown. */
function looseHello(bytes: Uint8Array, start: number, to: number, verb: string, found: Deviation[]): number {
  if (skip(bytes, start, to, PRINTABLE) !== to || start === to) return -1;
  let nameEnd = start;
  while (nameEnd < to && bytes[nameEnd] !== SP) nameEnd++;
  if (nameEnd === start) return -1;
  const before = found.length;
  if (nameEnd - start > 255) found.push('long-domain');
  const whole = hostName(bytes, start, nameEnd) === nameEnd && !hasOddTag(bytes, start, nameEnd);
  if (!whole && looseDomain(bytes, start, nameEnd, found) !== nameEnd) {
    found.length = before;
    found.push('free-form-hello');
    return to;
  }
  if (verb === 'HELO' && addressLiteral(bytes, start, nameEnd) === nameEnd) found.push('literal-in-helo');
  if (nameEnd < to) found.push('text-after-hello');
  return nameEnd;
}

/** RFC 5321 4.1.1.2: `"MAIL FROM:" Reverse-path [SP Mail-parameters]`. */
function mail(line: Line, verb: 'MAIL', from: number): Command | Failure {
  const start = pathStart(line, from, 'FROM', verb, '5321 4.1.1.2');
  if (typeof start !== 'number') return start;
  const end = pathEnd(line.bytes, start, line.to, REVERSE_PATH, line.dialect, line.found);
  if (typeof end !== 'number') return end;
  const parameters = parametersAt(line, end, verb);
  if (!parameters.ok) return parameters;
  const { smtpUtf8 } = parameters.value;
  // RFC 6531 3.4: such an address is sent only with the parameter.
  const ascii = line.dialect.utf8 && smtpUtf8 === undefined ? asciiEnd(line.bytes, start, end) : end;
  if (ascii < end) return failure('smtputf8', 'Reverse-path', '6531 3.4', ascii, 'this address needs SMTPUTF8');
  return { verb, reversePath: pathAt(line.bytes, start, end), parameters: parameters.value };
}

/** RFC 5321 4.1.1.3: `"RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path ) [SP Rcpt-parameters]`. */
function rcpt(line: Line, verb: 'RCPT', from: number): Command | Failure {
  const start = pathStart(line, from, 'TO', verb, '5321 4.1.1.3');
  if (typeof start !== 'number') return start;
  const end = pathEnd(line.bytes, start, line.to, FORWARD_PATH, line.dialect, line.found);
  if (typeof end !== 'number') return end;
  const parameters = parametersAt(line, end, verb);
  return parameters.ok ? { verb, forwardPath: pathAt(line.bytes, start, end), parameters: parameters.value } : parameters;
}

/** Where the path begins. */
function pathStart(line: Line, from: number, preposition: 'FROM' | 'TO', verb: 'MAIL' | 'RCPT', section: string): number | Failure {
  const { bytes, to } = line;
  const start = space(line, from);
  const named = start < 0 ? start : word(bytes, start, to, preposition);
  const colon = named < 0 ? named : oddSpace(line, named, 'space-before-colon', verb);
  if (typeof colon !== 'number') return colon;
  if (colon < 0 || byteAt(bytes, colon, to) !== COLON) {
    return failure('syntax', verb.toLowerCase(), section, colon < 0 ? ~colon : colon, `the form is ${verb} ${preposition}:<address>`);
  }
  return oddSpace(line, colon + 1, 'space-after-colon', verb);
}

/** The parameters after a path; most paths have none. */
function parametersAt(line: Line, from: number, verb: 'MAIL' | 'RCPT'): ReturnType<typeof parseParameters> {
  return from === line.to ? NO_PARAMETERS : parseParameters(line, from, verb);
}

function asciiEnd(bytes: Uint8Array, from: number, to: number): number {
  let i = from;
  while (i < to && bytes[i]! < 0x80) i++;
  return i;
}

const NO_PARAMETERS = { ok: true, value: {} } as const;

/** Spaces around the colon, where none belong: skipped if the dialect takes them. */
function oddSpace(line: Line, from: number, name: 'space-before-colon' | 'space-after-colon', verb: 'MAIL' | 'RCPT'): number | Failure {
  const end = spacesEnd(line, from);
  if (end === from) return end;
  const path = verb === 'MAIL' ? REVERSE_PATH : FORWARD_PATH;
  return judge(line, [name], from, name === 'space-before-colon' ? verb.toLowerCase() : path.rule) ?? end;
}

/** RFC 5321 4.1.1: DATA, RSET, QUIT "are specified as not permitting parameters"; RFC 3207 4: nor does STARTTLS. */
function nothing(line: Line, verb: 'DATA' | 'RSET' | 'QUIT' | 'STARTTLS', from: number): Command | Failure {
  if (from === line.to) return { verb };
  return failure('unexpected-argument', verb.toLowerCase(), '5321 4.1.1', from, `${verb} takes no argument`);
}

/** RFC 5321 4.1.1.6, 4.1.1.7: `"VRFY" SP String`, `"EXPN" SP String`; RFC 6531 3.7.4.2: `[ SP "SMTPUTF8" ]`. */
function inquiry(line: Line, verb: 'VRFY' | 'EXPN', from: number): Command | Failure {
  const { bytes, dialect } = line;
  const flag = line.to - ' SMTPUTF8'.length;
  const smtpUtf8 = dialect.utf8 && flag > from + 1 && word(bytes, flag, line.to, ' SMTPUTF8') === line.to;
  const argument = text(smtpUtf8 ? { ...line, to: flag } : line, verb, from, dialect.utf8);
  return typeof argument === 'string' ? { verb, argument, smtpUtf8 } : argument;
}

function text(line: Line, verb: keyof typeof SECTIONS, from: number, utf8: boolean): string | Failure {
  const { bytes, to } = line;
  const section = SECTIONS[verb];
  const start = space(line, from);
  if (start < 0) return failure('syntax', verb.toLowerCase(), section, ~start, `${verb} needs an argument`);
  const strict = string(bytes, start, to, utf8);
  if (strict !== to) {
    const offset = strict < 0 ? ~strict : strict;
    const shown = skip(bytes, start, to, PRINTABLE, utf8);
    if (shown !== to || start === to) return failure('syntax', 'String', '5321 4.1.2', Math.max(offset, shown), 'not printable ASCII text');
    const refused = judge(line, ['free-text-argument'], offset, 'String');
    if (refused !== null) return refused;
  }
  return decodeUtf8(bytes, start, to);
}

const SECTIONS = { VRFY: '5321 4.1.1.6', EXPN: '5321 4.1.1.7', HELP: '5321 4.1.1.8', NOOP: '5321 4.1.1.9' } as const;

/** RFC 5321 4.1.1.8, 4.1.1.9: `"HELP" [ SP String ]`, `"NOOP" [ SP String ]`. */
function optionalText(line: Line, verb: 'HELP' | 'NOOP', from: number): Command | Failure {
  const argument = from === line.to ? '' : text(line, verb, from, false);
  return typeof argument === 'string' ? { verb, argument } : argument;
}

function anything(line: Line, verb: 'SEND' | 'SOML' | 'SAML' | 'TURN' | 'ATRN' | 'BURL', from: number): Command | Failure {
  const end = skip(line.bytes, from, line.to, PRINTABLE);
  return end === line.to
    ? { verb, argument: latin1(line.bytes, from, end).trim() }
    : failure('syntax', 'command', '5321 4.1.1', end, 'not printable ASCII text');
}
