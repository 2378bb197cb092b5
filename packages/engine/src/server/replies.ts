import type { Reply } from '@ehlo/grammar';

export type ReplyName =
  | 'greeting'
  | 'hello'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'message'
  | 'reset'
  | 'noop'
  | 'quit'
  | 'chunk'
  | 'vrfy'
  | 'expn'
  | 'etrn'
  | 'xforward'
  | 'command'
  | 'priority'
  | 'vrfyAscii'
  | 'vrfyRefusedAscii'
  | 'rcptAscii'
  | 'rcptMovedAscii'
  | 'help'
  | 'starttls'
  | 'authenticated'
  | 'lineTooLong'
  | 'bareLfLine'
  | 'unknownVerb'
  | 'notImplemented'
  | 'helloFirst'
  | 'ehloFirst'
  | 'mailFirst'
  | 'rcptFirst'
  | 'noRecipients'
  | 'nestedMail'
  | 'inTransaction'
  | 'outOfPlace'
  | 'onlyQuit'
  | 'lhloOnly'
  | 'chunksOpen'
  | 'binaryNeedsBdat'
  | 'tooManyTransactions'
  | 'tooManyRefused'
  | 'tooManyIdle'
  | 'tooManyDomains'
  | 'tooManyRecipients'
  | 'tooLarge'
  | 'tlsRequired'
  | 'tlsActive'
  | 'tlsFailed'
  | 'authRequired'
  | 'authenticatedAlready'
  | 'authInClear'
  | 'unknownMechanism'
  | 'badBase64'
  | 'authCancelled'
  | 'authLineTooLong'
  | 'authFailed'
  | 'noAnswer'
  | 'connectNoAnswer'
  | 'badArgument'
  | 'badSender'
  | 'badRecipient'
  | 'asciiSender'
  | 'asciiRecipient'
  | 'unqualifiedSender'
  | 'unqualifiedRecipient'
  | 'deliverByTooSoon'
  | 'heldTooLong'
  | 'unknownParameter'
  | 'bareLineEnd'
  | 'shutdown'
  | 'timeout'
  | 'tooManyFaults'
  | 'wrongProtocol'
  | 'earlyTalker'
  | 'draining'
  | 'bdat'
  | 'bdatLost';

/** A reply that the engine gives by itself, and why. */
export interface EngineReply extends Reply {
  /** The name of the rule that gives it. */
  readonly rule: ReplyName;
  /** The place in the standard that asks for it. */
  readonly section: string;
}

type Row = Omit<EngineReply, 'rule'>;

const reply = (code: number, enhanced: string, text: string, section: string): Row =>
  enhanced === '' ? { code, lines: [text], section } : { code, enhanced, lines: [text], section };

/** Every reply of the engine. `%` stands for the server's host name (RFC 5321 4.3.1: greeting-type replies begin with it). */
export const REPLIES: { readonly [name in ReplyName]: EngineReply } = named({
  greeting: reply(220, '', '% ESMTP Service ready', 'RFC 5321 3.1'),
  hello: reply(250, '', '%', 'RFC 5321 4.1.1.1'),
  mail: reply(250, '2.1.0', 'Sender OK', 'RFC 5321 4.1.1.2'),
  rcpt: reply(250, '2.1.5', 'Recipient OK', 'RFC 5321 4.1.1.3'),
  data: reply(354, '', 'Start mail input; end with <CRLF>.<CRLF>', 'RFC 5321 4.1.1.4'),
  message: reply(250, '2.6.0', 'Message accepted', 'RFC 5321 4.1.1.4'),
  reset: reply(250, '2.0.0', 'Reset OK', 'RFC 5321 4.1.1.5'),
  noop: reply(250, '2.0.0', 'NOOP OK', 'RFC 5321 4.1.1.9'),
  quit: reply(221, '2.0.0', '% Service closing transmission channel', 'RFC 5321 4.1.1.10'),
  vrfy: reply(252, '2.5.0', 'Cannot VRFY user, but will accept message and attempt delivery', 'RFC 5321 3.5.3'),
  expn: reply(250, '2.1.5', '', 'RFC 5321 3.5.2'),
  help: reply(214, '2.0.0', '', 'RFC 5321 4.1.1.8'),
  chunk: reply(250, '2.0.0', '', 'RFC 3030 2'),
  etrn: reply(250, '2.0.0', '', 'RFC 1985 5.1'),
  xforward: reply(250, '2.0.0', 'Facts of the client noted', 'XFORWARD of Postfix'),
  command: reply(250, '2.0.0', 'OK', 'RFC 5321 4.2.1'),
  priority: reply(250, '2.3.6', '', 'RFC 6710 4.1'),
  // RFC 6531 3.7.4: what is said in place of an answer that needs UTF-8, to a client that did not ask for it.
  vrfyAscii: reply(
    252,
    '2.6.8',
    'Cannot show that mailbox without SMTPUTF8, but will accept message and attempt delivery',
    'RFC 6531 3.7.4.2',
  ),
  vrfyRefusedAscii: reply(550, '5.6.8', 'Mailbox unavailable, and cannot be shown without SMTPUTF8', 'RFC 6531 3.7.4.2'),
  rcptAscii: reply(250, '2.1.5', 'Recipient OK, will forward', 'RFC 6531 3.7.4.1'),
  rcptMovedAscii: reply(550, '5.1.6', 'Recipient has moved', 'RFC 6531 3.7.4.1'),
  starttls: reply(220, '2.0.0', 'Ready to start TLS', 'RFC 3207 4'),
  authenticated: reply(235, '2.7.0', 'Authentication succeeded', 'RFC 4954 6'),

  lineTooLong: reply(500, '5.5.2', 'Line too long', 'RFC 5321 4.5.3.1.9'),
  bareLfLine: reply(500, '5.5.2', 'A line must end with CR LF, not with LF alone', 'RFC 5321 2.3.8'),
  unknownVerb: reply(500, '5.5.1', 'Command not recognized', 'RFC 5321 4.2.4'),
  notImplemented: reply(502, '5.5.1', 'Command not implemented', 'RFC 5321 4.2.4'),
  helloFirst: reply(503, '5.5.1', 'Bad sequence of commands: send EHLO first', 'RFC 5321 4.1.4'),
  ehloFirst: reply(503, '5.5.1', 'Bad sequence of commands: send EHLO first', 'RFC 5321 4.1.4'),
  mailFirst: reply(503, '5.5.1', 'Bad sequence of commands: send MAIL first', 'RFC 5321 4.1.4'),
  rcptFirst: reply(503, '5.5.1', 'Bad sequence of commands: send RCPT first', 'RFC 5321 4.1.4'),
  noRecipients: reply(554, '5.5.1', 'No valid recipients', 'RFC 5321 3.3'),
  nestedMail: reply(503, '5.5.1', 'Bad sequence of commands: a transaction is open', 'RFC 5321 4.1.4'),
  inTransaction: reply(503, '5.5.1', 'Bad sequence of commands: a transaction is open', 'RFC 4954 4'),
  outOfPlace: reply(503, '5.5.1', 'Bad sequence of commands: this one has its place elsewhere', 'RFC 5321 4.1.4'),
  onlyQuit: reply(503, '5.5.1', 'Bad sequence of commands: no service here, send QUIT', 'RFC 5321 3.1'),
  lhloOnly: reply(500, '', 'Command not recognized: this is LMTP, send LHLO', 'RFC 2033 4.1'),
  chunksOpen: reply(503, '5.5.1', 'Bad sequence of commands: the message is sent in chunks, send BDAT or RSET', 'RFC 3030 2'),
  binaryNeedsBdat: reply(503, '5.5.1', 'Bad sequence of commands: BODY=BINARYMIME is sent by BDAT', 'RFC 3030 3'),
  tooManyTransactions: reply(421, '4.7.0', '% Too many messages in one session, closing transmission channel', 'RFC 9422 4.1'),
  tooManyRefused: reply(421, '4.7.0', '% Too many recipients were refused, closing transmission channel', 'RFC 5321 7.8'),
  tooManyIdle: reply(421, '4.7.0', '% Too many commands without a message, closing transmission channel', 'RFC 5321 7.8'),
  tooManyDomains: reply(452, '4.5.3', 'Too many recipient domains in one session', 'RFC 9422 4.3'),
  tooManyRecipients: reply(452, '4.5.3', 'Too many recipients', 'RFC 5321 4.5.3.1.10'),
  tooLarge: reply(552, '5.3.4', 'Message size exceeds fixed maximum message size', 'RFC 1870 6.1'),
  tlsRequired: reply(530, '5.7.0', 'Must issue a STARTTLS command first', 'RFC 3207 4'),
  tlsActive: reply(503, '5.5.1', 'TLS is active already', 'RFC 3207 4.2'),
  tlsFailed: reply(454, '4.7.0', 'TLS not available due to temporary reason', 'RFC 3207 4'),
  authRequired: reply(530, '5.7.0', 'Authentication required', 'RFC 4954 6'),
  authenticatedAlready: reply(503, '5.5.1', 'Already authenticated', 'RFC 4954 4'),
  // "invalid (e.g., is not supported or requires an encryption layer)": 504; 538 is "documented … for historical purposes only" (6).
  authInClear: reply(504, '5.5.4', 'Encryption required for requested authentication mechanism', 'RFC 4954 4'),
  unknownMechanism: reply(504, '5.5.4', 'Authentication mechanism not offered', 'RFC 4954 4'),
  badBase64: reply(501, '5.5.2', 'Cannot decode: not valid base64', 'RFC 4954 4'),
  authCancelled: reply(501, '5.7.0', 'Authentication cancelled', 'RFC 4954 4'),
  authLineTooLong: reply(500, '5.5.6', 'Authentication exchange line is too long', 'RFC 4954 4'),
  authFailed: reply(454, '4.7.0', 'Temporary authentication failure', 'RFC 4954 6'),
  noAnswer: reply(451, '4.3.0', 'Requested action aborted: local error in processing', 'RFC 5321 4.2.2'),
  connectNoAnswer: reply(421, '', '% Service not available, closing transmission channel', 'RFC 5321 4.2.2'),
  badArgument: reply(501, '5.5.4', 'Syntax error in parameters or arguments', 'RFC 5321 4.2.2'),
  badSender: reply(501, '5.1.7', 'Syntax error in the sender address', 'RFC 5321 4.1.4'),
  badRecipient: reply(501, '5.1.3', 'Syntax error in the recipient address', 'RFC 5321 4.1.4'),
  asciiSender: reply(550, '5.6.7', 'A sender address beyond ASCII needs SMTPUTF8', 'RFC 6531 3.5'),
  asciiRecipient: reply(553, '5.6.7', 'A recipient address beyond ASCII needs SMTPUTF8 in MAIL', 'RFC 6531 3.5'),
  unqualifiedSender: reply(554, '5.1.8', 'The domain of the sender is not fully qualified', 'RFC 6409 4.2'),
  unqualifiedRecipient: reply(554, '5.1.2', 'The domain of the recipient is not fully qualified', 'RFC 6409 4.2'),
  deliverByTooSoon: reply(555, '5.5.4', 'The message cannot be delivered as soon as BY asks for', 'RFC 2852 3'),
  heldTooLong: reply(501, '5.5.4', 'The message cannot be held as long as that', 'RFC 4865 4'),
  unknownParameter: reply(555, '5.5.4', 'MAIL FROM/RCPT TO parameters not recognized or not implemented', 'RFC 5321 4.1.1.11'),
  bareLineEnd: reply(550, '5.6.0', 'A line of the message ends without CR LF', 'RFC 5321 2.3.8'),

  shutdown: reply(421, '4.3.2', '% Service shutting down, closing transmission channel', 'RFC 5321 3.8'),
  timeout: reply(421, '4.4.2', '% Timeout, closing transmission channel', 'RFC 5321 4.5.3.2.7'),
  tooManyFaults: reply(421, '4.7.0', '% Too many errors, closing transmission channel', 'RFC 5321 4.3.2'),
  wrongProtocol: reply(421, '4.7.0', '% This port speaks SMTP, closing transmission channel', 'RFC 5321 4.3.2'),
  earlyTalker: reply(554, '', '% Wait for the greeting before you send', 'RFC 5321 4.3.1'),
  draining: reply(421, '4.3.2', '% Too much refused mail data, closing transmission channel', 'RFC 5321 4.3.2'),
  bdat: reply(502, '5.5.1', 'CHUNKING is not offered', 'RFC 3030 2'),
  bdatLost: reply(421, '4.7.0', '% Cannot tell where the chunk ends, closing transmission channel', 'RFC 3030 2'),
});

/** What LMTP says in place of SMTP's. */
export const LMTP_REPLIES: { readonly [name in ReplyName]?: EngineReply } = named({
  greeting: reply(220, '', '% LMTP Service ready', 'RFC 2033 4.2'),
  helloFirst: reply(503, '5.5.1', 'Bad sequence of commands: send LHLO first', 'RFC 2033 4.1'),
  ehloFirst: reply(503, '5.5.1', 'Bad sequence of commands: send LHLO first', 'RFC 2033 4.1'),
  // 4.2: without a recipient DATA "MUST fail with a 503 reply code".
  noRecipients: reply(503, '5.5.1', 'No valid recipients', 'RFC 2033 4.2'),
  wrongProtocol: reply(421, '4.7.0', '% This port speaks LMTP, closing transmission channel', 'RFC 5321 4.3.2'),
});

/** The replies of one host: its name stands in their place of `%`. */
export function repliesOf(hostname: string, protocol: 'smtp' | 'lmtp'): { readonly [name in ReplyName]: EngineReply } {
  const replies: { readonly [name in ReplyName]: EngineReply } = protocol === 'lmtp' ? { ...REPLIES, ...LMTP_REPLIES } : REPLIES;
  const said = Object.values<EngineReply>(replies).map((reply): [string, Row] => {
    return [reply.rule, { ...reply, lines: reply.lines.map((line) => line.replace(/^%/, () => hostname)) }];
  });
  return named(Object.fromEntries(said) as { readonly [name in ReplyName]: Row });
}

function named<Name extends ReplyName>(rows: { readonly [name in Name]: Row }): { readonly [name in Name]: EngineReply } {
  const replies = Object.entries<Row>(rows).map(([rule, row]) => [rule, { ...row, rule }]);
  return Object.fromEntries(replies) as { readonly [name in Name]: EngineReply };
}
