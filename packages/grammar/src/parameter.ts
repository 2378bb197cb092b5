import type { Deviation } from './deviation.ts';
import { judge, type Line, space, spacesEnd } from './line.ts';
import type { MailParameters, RcptParameters, UnknownParameter } from './parameters.ts';
import { type Failure, failure } from './result.ts';
import { byteAt, capitals, classAt, decodeUtf8, EQUALS, HYPHEN, LET_DIG, latin1, type Rule, SP, skip, VALUE } from './rule.ts';

const SECTION = '5321 4.1.2';

/** RFC 5321 4.1.2: `esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")`. */
export const esmtpKeyword: Rule = (bytes, from, to) => {
  if ((classAt(bytes, from, to) & LET_DIG) === 0) return ~from;
  let i = from + 1;
  while ((classAt(bytes, i, to) & LET_DIG) !== 0 || byteAt(bytes, i, to) === HYPHEN) i++;
  return i;
};

/** RFC 5321 4.1.2: `esmtp-param = esmtp-keyword ["=" esmtp-value]`. */
export const esmtpParam: Rule = (bytes, from, to, utf8) => {
  const i = esmtpKeyword(bytes, from, to);
  if (i < 0 || byteAt(bytes, i, to) !== EQUALS) return i;
  const end = skip(bytes, i + 1, to, VALUE, utf8);
  return end > i + 1 || end < 0 ? end : ~end;
};

/**
 * Reads `[SP esmtp-param *(SP esmtp-param)]` to the end of the line, each parameter by the codec that is in force. An unknown
 * parameter, one of the other command, one twice and one with a bad value are told apart.
 */
export function parseParameters(
  line: Line,
  from: number,
  command: 'MAIL' | 'RCPT',
): { readonly ok: true; readonly value: MailParameters & RcptParameters } | Failure {
  const { bytes, to, dialect } = line;
  // The whole line first: a command that is not well formed is refused as such, whatever its parameters mean.
  for (let i = from; i < to; ) {
    const start = space(line, i);
    i = start < 0 ? start : esmtpParam(bytes, start, to, dialect.utf8);
    if (i < 0) return failure('syntax', 'esmtp-param', SECTION, ~i, 'not a valid parameter');
  }
  const values: { [name: string]: unknown } = {};
  const unknown: UnknownParameter[] = [];
  for (let i = from; i < to; ) {
    const start = spacesEnd(line, i);
    const keywordEnd = esmtpKeyword(bytes, start, to);
    i = keywordEnd;
    while (i < to && bytes[i] !== SP) i++;
    const keyword = capitals(latin1(bytes, start, keywordEnd));
    const known = dialect.parameters.get(keyword);
    const valueStart = Math.min(keywordEnd + 1, i);
    if (known === undefined) {
      if (!dialect.keepUnknown) return failure('unknown-parameter', 'esmtp-param', '5321 4.1.1.11', start, 'parameter not recognized');
      unknown.push({ keyword, value: new Uint8Array(bytes.subarray(valueStart, i)) });
      values.unknown = unknown;
      continue;
    }
    if (known.command !== command) {
      return failure('misplaced-parameter', 'esmtp-param', '5321 4.1.1.11', start, `${keyword} is a parameter of ${known.command}`);
    }
    if (Object.hasOwn(values, known.name)) {
      return failure('duplicate-parameter', 'esmtp-param', SECTION, start, `${keyword} is given twice`);
    }
    const odd: Deviation[] = [];
    const { codec } = known;
    const typed =
      codec.parseText === undefined
        ? codec.parse(bytes.subarray(valueStart, i), odd)
        : codec.parseText(decodeUtf8(bytes, valueStart, i), odd);
    if (typed === undefined) return failure('parameter-value', 'esmtp-value', SECTION, valueStart, `not a value of ${keyword}`);
    const refused = odd.length === 0 ? null : judge(line, odd, valueStart, 'esmtp-value');
    if (refused !== null) return refused;
    // The names come from the registry, never from the wire.
    values[known.name] = typed;
  }
  // RFC 4865 4: "only one of" the two.
  if (values.holdFor !== undefined && values.holdUntil !== undefined) {
    return failure('duplicate-parameter', 'hold-param', '4865 4', from, 'HOLDFOR and HOLDUNTIL exclude each other');
  }
  return { ok: true, value: values };
}
