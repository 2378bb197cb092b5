import { encodeUtf8 } from '@ehlo/grammar';
import { SmtpUsageError } from '../error.ts';

/** What the program asks by `command`, outside of a transaction. */
export interface PlainCommand {
  readonly verb: string;
  readonly line: string;
  readonly utf8: boolean;
}

const VERB = /^[A-Z][A-Z0-9-]*$/;
const ASCII_LINE = /^[ -~]*$/;
/** Verbs that `command` does not send, and the reason or what to use in their place. */
const NOT_PLAIN: ReadonlyMap<string, string> = /* @__PURE__ */ new Map([
  ...['EHLO', 'HELO', 'LHLO', 'XCLIENT', 'TURN', 'ATRN'].map((verb) => [verb, 'it would begin the session again'] as const),
  ...['MAIL', 'RCPT', 'DATA', 'BDAT', 'BURL', 'SEND', 'SOML', 'SAML'].map(
    (verb) => [verb, 'call send(), which sends what a message needs'] as const,
  ),
  ...['STARTTLS', 'X-ANONYMOUSTLS'].map((verb) => [verb, 'use the option starttls'] as const),
  ['AUTH', 'call authenticate()'],
  ['QUIT', 'call quit() or close()'],
]);
const UTF8_LINE = /^[^\p{Cc}\p{Cs}]*$/u;
/** RFC 5321 4.5.3.1.4: 512 octets, its CRLF included. */
const LONGEST_LINE = 510;

/** The line of a command. Throws `bad-argument`. */
export function plainCommand(verb: string, argument: string, smtpUtf8: boolean): PlainCommand {
  const name = String(verb).toUpperCase();
  const utf8 = smtpUtf8 && (name === 'VRFY' || name === 'EXPN');
  const line = `${name}${argument === '' ? '' : ` ${argument}`}${utf8 ? ' SMTPUTF8' : ''}`;
  const instead = NOT_PLAIN.get(name);
  if (instead !== undefined) throw new SmtpUsageError('bad-argument', `${name} cannot be sent by command(): ${instead}`);
  if (!VERB.test(name)) throw new SmtpUsageError('bad-argument', 'a verb is one word of letters, digits and hyphens, such as NOOP');
  if (!(utf8 ? UTF8_LINE : ASCII_LINE).test(line) || encodeUtf8(line).length > LONGEST_LINE)
    throw new SmtpUsageError('bad-argument', `${name} takes one line of printable ${utf8 ? 'UTF-8' : 'ASCII'}`);
  return { verb: name, line, utf8 };
}
