import { decodeBase64 } from './base64.ts';
import type { Command } from './commands.ts';
import type { Deviation } from './deviation.ts';
import { domain } from './domain.ts';
import { judge, type Line, space } from './line.ts';
import { atom } from './mailbox.ts';
import { type Failure, failure } from './result.ts';
import { AT, byteAt, classAt, DIGIT, EQUALS, HYPHEN, LET_DIG, latin1, SP, skip, word } from './rule.ts';
import { decodeXtext } from './xtext.ts';

/** RFC 4954 4: `AUTH mechanism [initial-response]`; "=" is an initial response of no octets. */
export function auth(line: Line, verb: 'AUTH', from: number): Command | Failure {
  const { bytes, to } = line;
  const start = space(line, from);
  if (start < 0) return failure('syntax', 'auth', '4954 4', ~start, 'the form is AUTH mechanism [initial-response]');
  const end = nameEnd(bytes, start, to);
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

/**
 * The end of a name of letters, digits, "-" and "_": of an attribute, or of a mechanism (RFC 4422 3.1: `mech-char`, in capitals; RFC 4954 4.1
 * shows clients that write small letters).
 */
function nameEnd(bytes: Uint8Array, from: number, to: number): number {
  let i = from;
  while ((classAt(bytes, i, to) & LET_DIG) !== 0 || byteAt(bytes, i, to) === HYPHEN || byteAt(bytes, i, to) === UNDERSCORE) i++;
  return i;
}

/** RFC 3030 2: `"BDAT" SP chunk-size [ SP end-marker ]`. */
export function bdat(line: Line, verb: 'BDAT', from: number): Command | Failure {
  const { bytes, to } = line;
  const start = space(line, from);
  if (start < 0) return failure('syntax', 'bdat-cmd', '3030 2', ~start, 'the form is BDAT size [LAST]');
  const end = skip(bytes, start, to, DIGIT);
  const size = Math.min(Number(latin1(bytes, start, end)), Number.MAX_SAFE_INTEGER);
  if (end > start && end === to) return { verb, size, last: false };
  const marker = end > start ? space(line, end) : ~end;
  const last = marker < 0 ? marker : word(bytes, marker, to, 'LAST');
  return last === to
    ? { verb, size, last: true }
    : failure('syntax', 'bdat-cmd', '3030 2', last < 0 ? ~last : last, 'the form is BDAT size [LAST]');
}

/** RFC 1985 5: `"ETRN" SP [ "@" / "#" ] node name`. */
export function etrn(line: Line, verb: 'ETRN', from: number): Command | Failure {
  const { bytes, to } = line;
  const start = space(line, from);
  if (start < 0) return failure('syntax', 'etrn', '1985 5', ~start, 'the form is ETRN node');
  const mark = byteAt(bytes, start, to);
  const option = mark === AT ? '@' : mark === HASH ? '#' : '';
  const nodeStart = start + option.length;
  // An Atom may hold "#" too; one that begins with it is an option and a name.
  if (domain(bytes, nodeStart, to) === to || atom(bytes, nodeStart, to) === to) return { verb, option, node: latin1(bytes, nodeStart, to) };
  return failure('syntax', 'etrn', '1985 5', nodeStart, 'not a valid node name');
}

const HASH = 0x23;

/** `"XCLIENT" 1*( SP attribute-name "=" xtext )`. */
export function attributes(line: Line, verb: 'XCLIENT' | 'XFORWARD', from: number): Command | Failure {
  const { bytes, to } = line;
  const values = new Map<string, string>();
  let twice: Failure | null = null; // told only of a line that is well formed
  for (let i = from; i < to || i === from; ) {
    const start = space(line, i);
    let end = start < 0 ? ~start : nameEnd(bytes, start, to);
    if (start < 0 || end === start || byteAt(bytes, end, to) !== EQUALS) {
      return failure('syntax', verb.toLowerCase(), verb, end, `the form is ${verb} name=value`);
    }
    const name = latin1(bytes, start, end).toUpperCase();
    const valueStart = end + 1;
    while (end < to && bytes[end] !== SP) end++;
    const odd: Deviation[] = [];
    const value = decodeXtext(latin1(bytes, valueStart, end), odd);
    if (value === null) return failure('parameter-value', 'xtext', '3461 4', valueStart, `not a value of ${name}`);
    const refused = judge(line, odd, valueStart, 'xtext');
    if (refused !== null) return refused;
    if (values.has(name)) twice ??= failure('duplicate-parameter', verb.toLowerCase(), verb, start, `${name} is given twice`);
    values.set(name, value);
    i = end;
  }
  return twice ?? { verb, attributes: values };
}

const UNDERSCORE = 0x5f;
