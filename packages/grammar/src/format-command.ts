import { encodeBase64 } from './base64.ts';
import type { Command } from './commands.ts';
import { byKeyword, type MailParameters, PARAMETERS, type Parameter, type RcptParameters } from './parameters.ts';
import { formatPath } from './path.ts';
import { decodeUtf8, encodeUtf8 } from './rule.ts';
import { encodeXtext } from './xtext.ts';

/**
 * Writes a command as one line, without its CRLF. `parseCommand` reads the same command back.
 *
 * @example
 * ```ts
 * import { formatCommand, latin1, NULL_PATH } from '@ehlo/grammar';
 * const line = formatCommand({ verb: 'MAIL', reversePath: NULL_PATH, parameters: { size: 1000, body: '8BITMIME' } });
 * latin1(line, 0, line.length)
 * // → 'MAIL FROM:<> SIZE=1000 BODY=8BITMIME'
 * ```
 */
export function formatCommand(command: Command): Uint8Array {
  return encodeUtf8(command.verb + formatArgument(command));
}

function formatArgument(command: Command): string {
  switch (command.verb) {
    case 'EHLO':
    case 'HELO':
    case 'LHLO':
      return ` ${command.name}`;
    case 'MAIL':
      return ` FROM:${formatPath(command.reversePath)}${formatParameters('MAIL', command.parameters)}`;
    case 'RCPT':
      return ` TO:${formatPath(command.forwardPath)}${formatParameters('RCPT', command.parameters)}`;
    case 'DATA':
    case 'RSET':
    case 'QUIT':
    case 'STARTTLS':
      return '';
    case 'AUTH':
      // RFC 4954 4: "If the client is transmitting an initial response of zero length, it MUST instead transmit" "=".
      if (command.initial === null) return ` ${command.mechanism}`;
      return ` ${command.mechanism} ${command.initial.length === 0 ? '=' : encodeBase64(command.initial)}`;
    case 'BDAT':
      return ` ${command.size}${command.last ? ' LAST' : ''}`;
    case 'ETRN':
      return ` ${command.option}${command.node}`;
    case 'XCLIENT':
    case 'XFORWARD':
      return [...command.attributes].map(([name, value]) => ` ${name}=${encodeXtext(value)}`).join('');
    case 'VRFY':
    case 'EXPN':
      return ` ${command.argument}${command.smtpUtf8 ? ' SMTPUTF8' : ''}`;
    default:
      return command.argument === '' ? '' : ` ${command.argument}`;
  }
}

/** BODY has two codecs, and is written once. */
const WRITTEN: ReturnType<typeof byKeyword> = /* @__PURE__ */ byKeyword(PARAMETERS);

/** Writes typed parameters in the order of the registry, and then those that were kept as octets, each after a space. */
export function formatParameters(command: 'MAIL' | 'RCPT', values: MailParameters & RcptParameters): string {
  let text = '';
  for (const parameter of WRITTEN.values()) {
    const value = (values as { readonly [name: string]: unknown })[parameter.name];
    if (parameter.command === command && value !== undefined) text += ` ${formatParameter(parameter, value)}`;
  }
  for (const { keyword, value } of values.unknown ?? []) text += ` ${written(keyword, value)}`;
  return text;
}

/** Writes one typed parameter, `KEYWORD` or `KEYWORD=value`. */
export function formatParameter({ keyword, codec }: Parameter, value: unknown): string {
  return written(keyword, codec.format(value));
}

function written(keyword: string, value: Uint8Array): string {
  return value.length === 0 ? keyword : `${keyword}=${decodeUtf8(value, 0, value.length)}`;
}
