export { decodeBase64, encodeBase64 } from './base64.ts';
export type { Codec, DeliverBy, Notify, OriginalRecipient, RecipientValidSince } from './codecs.ts';
export { type Command, parseCommand, parseVerb, type Verb } from './command.ts';
export { ANYTHING, DEVIATIONS, type Deviation, POSTEL, STRICT } from './deviation.ts';
export { DIALECT, type Dialect, LETTER } from './dialect.ts';
export { addressLiteral, domain, hostName, ipv4Address, ipv6Address, isHostName } from './domain.ts';
export {
  EXTENSIONS,
  type Extension,
  findParameter,
  HISTORIC,
  type Historic,
  type MailParameters,
  type Parameter,
  type RcptParameters,
  type VerbRule,
} from './extension.ts';
export { atom, dotString, formatMailbox, localPart, type Mailbox, mailbox, quotedString, string } from './mailbox.ts';
export { esmtpParam } from './parameter.ts';
export {
  FORWARD_PATH,
  formatPath,
  forwardPath,
  NULL_PATH,
  type Path,
  type PathKind,
  parseMailbox,
  parsePath,
  path,
  REVERSE_PATH,
  reversePath,
} from './path.ts';
export { formatReply, isReplyCode, parseReply, type Reply, replyLine } from './reply.ts';
export type { Failure, FailureCode, Parsed, Success } from './result.ts';
export { decodeUtf8, encodeUtf8, latin1, octets, type Rule, utf8NonAscii } from './rule.ts';
export { formatAddressLiteral, formatDate, formatReceived, formatReturnPath, type Received } from './trace.ts';
export { decodeUtf8Address, decodeXtext, encodeUtf8Address, encodeXtext } from './xtext.ts';
