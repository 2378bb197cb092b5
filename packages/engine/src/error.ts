/** What a program did wrong. Stable: programs may switch on it. */
export type UsageCode =
  | 'bad-hostname' // not a Domain or an address literal
  | 'bad-limit' // not a number, or below what the standard demands
  | 'bad-option' // an option that there is not, or a value that it can't have
  | 'bad-extension' // not implemented, or of no use without another option
  | 'bad-delay' // a reply can't be held back that long
  | 'missing-tls' // TLS is required, and there is no certificate
  | 'missing-auth' // authentication is required, and there is no mechanism
  | 'missing-question' // the preset wants a decision that nobody is asked for
  | 'reply-class' // a reply code that may not answer this
  | 'enhanced-class' // an enhanced code that does not agree with the reply code
  | 'not-waiting-for-tls' // secured() without an accepted STARTTLS
  | 'not-auth' // challenge() on what is no open AUTH question, or data that does not fit a reply line
  | 'snapshot-refused' // AUTH or the TLS hand-over can't be carried over
  | 'driving' // told by `watched`: the law of driving is broken
  | 'not-ready' // the session's phase does not allow this call
  | 'bad-address' // no path of the grammar
  | 'bad-parameter' // no value of a parameter of MAIL or RCPT, or a parameter that the session does not know
  | 'bad-argument' // the text of a command, the name of a mechanism, or a response that does not fit a line; a text or a name that is no string
  | 'no-recipients'
  | 'not-offered' // the server does not offer the extension
  | 'unprotected' // credentials on a connection that is less safe than was asked for, or than can be answered for
  | 'missing-feature'; // a feature that was not named in the options

/** The program misused the engine. Never thrown for anything that the peer sent. */
export class SmtpUsageError extends Error {
  readonly code: UsageCode;

  constructor(code: UsageCode, message: string) {
    super(message);
    this.name = 'SmtpUsageError';
    this.code = code;
  }
}
