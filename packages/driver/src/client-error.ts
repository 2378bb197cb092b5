import { type ClientClosedEvent, type ClientFaultEvent, type Outcome, type Stage, showText } from '@ehlo/engine';
import type { Reply } from '@ehlo/grammar';

/** Why there is no session, or none any more. Stable: programs may switch on it. */
export type ClientErrorCode =
  | 'no-connection' // the host was not found, or does not answer
  | 'speaks-tls' // the port wants TLS from the first octet
  | 'speaks-cleartext' // the port wants no TLS, or STARTTLS first
  | 'tls-unavailable' // TLS is required, and the server does not offer it or refuses it
  | 'tls-failed' // the handshake
  | 'certificate' // it is not that of the server that was asked for, or nobody who is trusted has signed it
  | 'unprotected' // the connection is less safe than the option `credentials` wants
  | 'auth-unavailable' // no AUTH, or no mechanism that suits
  | 'auth-refused' // by the server
  | 'auth-failed' // the mechanism is not content: the server is not who it should be, or the credentials can't be used
  | 'refused' // the session, or a message in its middle
  | 'closing' // 421
  | 'protocol' // the server broke it
  | 'timeout'
  | 'ended' // the server has closed the connection
  | 'lost' // the connection
  | 'aborted' // by the program
  | 'content'; // the message is not what was declared of it

interface Details {
  readonly stage?: Stage;
  readonly reply?: Reply | null;
  readonly cause?: unknown;
}

/** The failure of a session. The message names the fix if there is one; texts of the peer in it are escaped and cut (`showText`). */
export class ClientError extends Error {
  readonly code: ClientErrorCode;
  /** How far the session had come. */
  readonly stage: Stage;
  /** The reply of the server, if there is one. */
  readonly reply: Reply | null;

  constructor(code: ClientErrorCode, message: string, { stage = 'connect', reply = null, cause }: Details = {}) {
    super(showText(message), cause === undefined ? {} : { cause });
    this.name = 'ClientError';
    this.code = code;
    this.stage = stage;
    this.reply = reply;
  }
}

/** Why a session ended; null if the program ended it. `cause` is the error of the transport. */
export function errorOfClosed(closed: ClientClosedEvent, fault: ClientFaultEvent | null, cause: unknown): ClientError | null {
  const { reply } = closed;
  const stage: Stage = closed.stage === 'ready' ? 'mail' : closed.stage;
  const made = (code: ClientErrorCode, text: string): ClientError =>
    new ClientError(code, text, { stage, reply, ...(cause === undefined || cause === null ? {} : { cause }) });
  switch (closed.cause) {
    case 'quit':
    case 'limits':
      return null;
    case 'refused':
      return made('refused', `the server refuses: ${replyText(reply)}`);
    case 'closing':
      return made('closing', `the server closes the session: ${replyText(reply)}`);
    case 'tls':
      return made(
        'tls-unavailable',
        `TLS is required, and the server ${reply === null ? 'does not offer STARTTLS' : `refuses STARTTLS: ${replyText(reply)}`}`,
      );
    case 'timeout':
      return made(
        'timeout',
        closed.limit === 'greetingTimeout'
          ? 'no greeting came in time: is this a port for SMTP, and does it speak TLS first?'
          : `the server was not fast enough (${closed.limit})`,
      );
    case 'fault':
      return fault?.code === 'speaks-tls'
        ? made('speaks-tls', 'this port speaks TLS first: connect with implicit TLS')
        : made('protocol', `the server breaks the protocol (${fault?.code})${fault?.line ? `: ${fault.line}` : ''}`);
    case 'ended':
      return made('ended', `the server has ended the connection${stage === 'connect' ? ' without a greeting' : ''}`);
    case 'lost':
      return stage === 'tls'
        ? made('tls-failed', `the TLS handshake failed${because(cause)}`)
        : made('lost', `the connection was lost${because(cause)}`);
    case 'aborted':
      return made('aborted', 'aborted');
    case 'declaration':
      return made('content', 'the message has octets beyond ASCII, and was declared to have none');
    case 'bare-line-end':
      return made('content', 'the message has a CR or LF alone: every line must end with CRLF');
  }
}

/** What may have gone wrong with a handshake. */
const HANDSHAKES: ReadonlySet<ClientErrorCode> = new Set(['tls-failed', 'timeout', 'ended']);

/**
 * The error of a session that needs no TLS, and has begun it because the server offers it: it says how to do without. A client never goes
 * on in clear by itself: an attacker on the way would only have to break the handshake.
 */
export function withAdvice(error: ClientError): ClientError {
  if (error.stage !== 'tls' || !HANDSHAKES.has(error.code)) return error;
  const text = `${error.message}; TLS was tried because the server offers it: starttls: 'off' goes on in clear`;
  return new ClientError(error.code, text, { stage: 'tls', reply: error.reply, cause: error.cause });
}

function because(cause: unknown): string {
  return cause instanceof Error ? `: ${cause.message}` : '';
}

/** A reply on one line, as a person may read it. */
export function replyText(reply: Reply | null): string {
  if (reply === null) return '';
  const { code, enhanced, lines } = reply;
  return showText([code, ...(enhanced === undefined ? [] : [enhanced]), ...lines].join(' ').trimEnd());
}

/**
 * What became of a recipient, in a sentence for people that names the fix where there is one.
 *
 * @example
 * ```ts
 * import { outcomeText } from '@ehlo/driver';
 * outcomeText({ status: 'unsent', stage: 'rcpt', cause: 'lost', reply: null }) // → 'the connection was lost'
 * ```
 */
export function outcomeText(outcome: Outcome): string {
  if (outcome.status === 'accepted') return replyText(outcome.reply);
  if (outcome.status === 'refused')
    return outcome.reply === null ? (outcome.problem?.text ?? '') : `${replyText(outcome.reply)}${hint(outcome.reply)}`;
  const { cause, reply } = outcome;
  const why = reply === null ? CAUSES[cause] : replyText(reply);
  return outcome.status === 'unknown' ? `the message may have been accepted: ${why} before it was acknowledged` : why;
}

const CAUSES: { readonly [cause in Extract<Outcome, { readonly status: 'unsent' }>['cause']]: string } = {
  quit: 'the session was ended',
  ended: 'the server ended the connection',
  lost: 'the connection was lost',
  refused: 'the server refused the session',
  closing: 'the server closed the session',
  tls: 'TLS was required and not to be had',
  timeout: 'the server was not fast enough',
  fault: 'the server broke the protocol',
  aborted: 'it was given up',
  limits: 'the server takes no more in one session',
  declaration: 'the message has octets beyond ASCII, and was declared to have none',
  'bare-line-end': 'the message has a CR or LF alone',
};

/** RFC 4954 6 and RFC 3207 4: 530 is what both say where they are missing. */
function hint({ code, lines }: Reply): string {
  if (code !== 530) return '';
  return /STARTTLS|TLS/i.test(lines.join(' ')) ? ' (the server asks for TLS)' : ' (the server asks for AUTH: give credentials)';
}
