import type { CommandDialect } from './dialect.ts';
import type { MailParameters, RcptParameters } from './parameters.ts';
import { type Failure, failure } from './result.ts';
import { byteAt, classAt, decodeUtf8, EQUALS, HYPHEN, LET_DIG, latin1, type Rule, SP, skip, VALUE } from './rule.ts';

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
 * Reads `[SP esmtp-param *(SP esmtp-param)]` up to `to`, each parameter by the codec that the registry names. An unknown
 * parameter, one of the other command, one twice and one with a bad value are told apart.
 */
export function parseParameters(
  bytes: Uint8Array,
  from: number,
  to: number,
  command: 'MAIL' | 'RCPT',
  dialect: CommandDialect,
): { readonly ok: true; readonly value: MailParameters & RcptParameters } | Failure {
  // The whole line first: a command that is not well formed is refused as such, whatever its parameters mean.
  for (let i = from; i < to; ) {
    const end = byteAt(bytes, i, to) === SP ? esmtpParam(bytes, i + 1, to, dialect.utf8) : ~i;
    if (end < 0) return failure('syntax', 'esmtp-param', SECTION, ~end, 'not a valid parameter');
    i = end;
  }
  const values = new Map<string, unknown>();
  for (let i = from; i < to; ) {
    const keywordEnd = esmtpKeyword(bytes, i + 1, to);
    const end = esmtpParam(bytes, i + 1, to, dialect.utf8);
    const keyword = latin1(bytes, i + 1, keywordEnd).toUpperCase();
    const known = dialect.parameters.get(keyword);
    if (known === undefined) {
      return failure('unknown-parameter', 'esmtp-param', '5321 4.1.1.11', i + 1, 'parameter not recognized');
    }
    if (known.command !== command) {
      return failure('misplaced-parameter', 'esmtp-param', '5321 4.1.1.11', i + 1, `${known.keyword} is a parameter of ${known.command}`);
    }
    if (values.has(known.name)) {
      return failure('duplicate-parameter', 'esmtp-param', SECTION, i + 1, `${known.keyword} is given twice`);
    }
    const value = known.codec.parse(keywordEnd < end ? decodeUtf8(bytes, keywordEnd + 1, end) : '');
    if (value === undefined) {
      return failure('parameter-value', 'esmtp-value', SECTION, Math.min(keywordEnd + 1, end), `not a value of ${known.keyword}`);
    }
    values.set(known.name, value);
    i = end;
  }
  // RFC 4865 4: "only one of" the two.
  if (values.has('holdFor') && values.has('holdUntil')) {
    return failure('duplicate-parameter', 'hold-param', '4865 4', from, 'HOLDFOR and HOLDUNTIL exclude each other');
  }
  // The names come from the registry, never from the wire.
  return { ok: true, value: Object.fromEntries(values) };
}
