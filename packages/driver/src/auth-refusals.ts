import type { Reply } from '@ehlo/grammar';

/** A refusal of AUTH that judges the mechanism, not the credentials. */
interface MechanismRefusal {
  readonly code: number;
  readonly why: string;
  /** The standard, or where it was seen. */
  readonly source: string;
}

/** After one of these the next mechanism is tried, and the one after it, until none is left. */
export const MECHANISM_REFUSALS: readonly MechanismRefusal[] = [
  { code: 432, why: 'the user has to come by another mechanism once, before this one works', source: 'RFC 4954 6' },
  { code: 500, why: 'a line of this mechanism is too long for the server, or it does not know the command', source: 'RFC 4954 4, 6' },
  { code: 501, why: 'the server cannot read what this mechanism says', source: 'RFC 4954 4' },
  { code: 502, why: 'it is not implemented', source: 'RFC 5321 4.2.4' },
  { code: 504, why: 'the server does not support this mechanism', source: 'RFC 4954 4' },
  {
    code: 534,
    why: 'this mechanism is too weak for this user: "The client SHOULD retry with a new authentication mechanism"',
    source: 'RFC 4954 6',
  },
  { code: 538, why: 'this mechanism needs encryption', source: 'RFC 4954 6' },
  { code: 553, why: 'a provider offers PLAIN, answers so to it, and takes LOGIN', source: 'andris9/simplesmtp, pull request 7' },
];

/** A refusal by 535 whose text says that the mechanism is refused. The code alone would mean the credentials. */
interface WordedRefusal {
  readonly words: RegExp;
  readonly source: string;
}

/** After one of these one more mechanism is tried, and then no other. */
export const WORDED_REFUSALS: readonly WordedRefusal[] = [
  { words: /invalid authentication mechanism/i, source: 'cakephp/cakephp, issue 14634: LOGIN is offered, and PLAIN works' },
  { words: /basic authentication is disabled/i, source: 'rpremraj/mailR, issue 107 (535 5.7.139): passwords are refused, tokens are not' },
  { words: /no mechanism available/i, source: 'sasl_errors(3): SASL_NOMECH' },
  {
    words: /bad protocol \/ cancel/i,
    source: 'sasl_errors(3): SASL_BADPROT; wader/postfix-relay, pull request 220: no password is stored for CRAM-MD5',
  },
  { words: /mechanism too weak for this user/i, source: 'sasl_errors(3): SASL_TOOWEAK' },
  { words: /encryption needed to use mechanism/i, source: 'sasl_errors(3): SASL_ENCRYPT' },
  { words: /one time use of a plaintext password will enable/i, source: 'sasl_errors(3): SASL_TRANS' },
  { words: /user exists, but no verifier for user/i, source: 'sasl_errors(3): SASL_NOVERIFY' },
];

/** How many more mechanisms may be tried after a refusal; `text` is its whole text. */
export function attemptsBehind({ code }: Reply, text: string): number {
  if (MECHANISM_REFUSALS.some((refusal) => refusal.code === code)) return Number.POSITIVE_INFINITY;
  return code === 535 && WORDED_REFUSALS.some(({ words }) => words.test(text)) ? 1 : 0;
}
