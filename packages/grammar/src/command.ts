import type { CommandDialect } from './command-dialect.ts';
import type { Command, Verb } from './commands.ts';
import type { Deviation } from './deviation.ts';
import type { Dialect } from './dialect.ts';
import { addressLiteral, domain, hasOddTag, hostName } from './domain.ts';
import { attributes, auth, bdat, etrn } from './extension-command.ts';
import { judge, type Line, space, spacesEnd } from './line.ts';
import { string } from './mailbox.ts';
import { esmtpKeyword, parseParameters } from './parameter.ts';
import type { MailParameters, RcptParameters } from './parameters.ts';
import { FORWARD_PATH, looseDomain, type Path, type PathKind, pathAt, pathEnd, REVERSE_PATH } from './path.ts';
import { type Failure, failure, type Parsed, success } from './result.ts';
import { byteAt, COLON, decodeUtf8, HT, latin1, octets, octetsOf, PRINTABLE, SP, skip, word } from './rule.ts';

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

/** Four letters in capitals, as one number; of other octets, any number. */
function initials(bytes: Uint8Array, from: number): number {
  return ((bytes[from]! & 0xdf) << 24) | ((bytes[from + 1]! & 0xdf) << 16) | ((bytes[from + 2]! & 0xdf) << 8) | (bytes[from + 3]! & 0xdf);
}

/** The verb at the start of a command line, in capitals; null if it is none that is known. */
export function parseVerb(text: Uint8Array | string, from = 0, to?: number): Verb | null {
  const bytes = octetsOf(text);
  const last = to ?? bytes.length;
  const verb = VERBS.get(initials(bytes, from));
  return verb !== undefined && word(bytes, from, last, verb) === esmtpKeyword(bytes, from, last) ? verb : null;
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
  const end = from + verb.length;
  const found: Deviation[] = [];
  const line: Line = { bytes, from, to: trimmed(bytes, end, last, dialect, found), dialect, found };
  const parsed = ARGUMENTS.get(verb)!(line, verb as never, end);
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
function mail(line: Line, _verb: never, from: number): Command | Failure {
  const read = pathAndParameters(line, from, 'FROM', REVERSE_PATH, 'MAIL');
  if ('ok' in read) return read;
  const { path, parameters, beyondAscii } = read;
  // RFC 6531 3.4: such an address is sent only with the parameter.
  if (beyondAscii >= 0 && parameters.smtpUtf8 === undefined)
    return failure('smtputf8', 'Reverse-path', '6531 3.4', beyondAscii, 'this address needs SMTPUTF8');
  return { verb: 'MAIL', reversePath: path, parameters };
}

/** RFC 5321 4.1.1.3: `"RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path ) [SP Rcpt-parameters]`. */
function rcpt(line: Line, _verb: never, from: number): Command | Failure {
  const read = pathAndParameters(line, from, 'TO', FORWARD_PATH, 'RCPT');
  return 'ok' in read ? read : { verb: 'RCPT', forwardPath: read.path, parameters: read.parameters };
}

interface PathAndParameters {
  readonly path: Path;
  readonly parameters: MailParameters & RcptParameters;
  /** Where the first octet beyond ASCII stands in the path, or -1. */
  readonly beyondAscii: number;
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
  const named = start < 0 ? start : word(bytes, start, to, preposition);
  const colon = named < 0 ? named : oddSpace(line, named, 'space-before-colon', verb.toLowerCase());
  if (typeof colon !== 'number') return colon;
  if (colon < 0 || byteAt(bytes, colon, to) !== COLON) {
    return failure('syntax', verb.toLowerCase(), section, colon < 0 ? ~colon : colon, `the form is ${verb} ${preposition}:<address>`);
  }
  const i = oddSpace(line, colon + 1, 'space-after-colon', kind.rule);
  if (typeof i !== 'number') return i;
  const end = pathEnd(bytes, i, to, kind, dialect, found);
  if (typeof end !== 'number') return end;
  const parameters = end === to ? NO_PARAMETERS : parseParameters(line, end, verb);
  if (!parameters.ok) return parameters;
  let ascii = i;
  if (dialect.utf8) while (ascii < end && bytes[ascii]! < 0x80) ascii++;
  return { path: pathAt(bytes, i, end), parameters: parameters.value, beyondAscii: dialect.utf8 && ascii < end ? ascii : -1 };
}

const NO_PARAMETERS = { ok: true, value: {} } as const;

/** Spaces where none belong: skipped if the dialect takes them. */
function oddSpace(line: Line, from: number, name: Deviation, rule: string): number | Failure {
  const end = spacesEnd(line, from);
  return (end > from ? judge(line, [name], from, rule) : null) ?? end;
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
