import type { MailParameters, RcptParameters } from './parameters.ts';
import type { Path } from './path.ts';

/** A command line, understood. */
export type Command =
  | { readonly verb: 'EHLO' | 'HELO' | 'LHLO'; readonly name: string }
  | { readonly verb: 'MAIL'; readonly reversePath: Path; readonly parameters: MailParameters }
  | { readonly verb: 'RCPT'; readonly forwardPath: Path; readonly parameters: RcptParameters }
  | { readonly verb: 'DATA' | 'RSET' | 'QUIT' | 'STARTTLS' }
  /** `smtpUtf8`: the client takes UTF-8 in the reply (RFC 6531 3.7.4.2). */
  | { readonly verb: 'VRFY' | 'EXPN'; readonly argument: string; readonly smtpUtf8: boolean }
  | { readonly verb: 'HELP' | 'NOOP'; readonly argument: string }
  | { readonly verb: 'AUTH'; readonly mechanism: string; readonly initial: Uint8Array | null }
  /** RFC 3030 2; a size beyond 2^53 - 1 counts as that. */
  | { readonly verb: 'BDAT'; readonly size: number; readonly last: boolean }
  /** RFC 1985; `option` is `@` (and its subdomains), `#` (a queue) or empty. */
  | { readonly verb: 'ETRN'; readonly option: '' | '@' | '#'; readonly node: string }
  /** Of Postfix: facts of the client that a trusted proxy speaks for. `[UNAVAILABLE]` and `[TEMPUNAVAIL]` stand as they are. */
  | { readonly verb: 'XCLIENT' | 'XFORWARD'; readonly attributes: ReadonlyMap<string, string> }
  /** Known by name, and not implemented. */
  | { readonly verb: 'SEND' | 'SOML' | 'SAML' | 'TURN' | 'ATRN' | 'BURL'; readonly argument: string };

export type Verb = Command['verb'];
