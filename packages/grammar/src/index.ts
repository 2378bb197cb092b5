export {
  type AddressLiteral,
  formatAddressLiteral,
  isPostmaster,
  mailboxKey,
  parseAddressLiteral,
  sameDomain,
  sameMailbox,
  type ToAscii,
} from './address.ts';
export {
  type Announcement,
  type FutureRelease,
  futureRelease as futureReleaseAnnouncement,
  largest as sizeAnnouncement,
  leastBy as deliverByAnnouncement,
  limits as limitsAnnouncement,
  mechanisms as authAnnouncement,
} from './announcements.ts';
export { decodeBase64, encodeBase64 } from './base64.ts';
export { type Codec, type DeliverBy, type Notify, type OriginalRecipient, type RecipientValidSince, textCodec } from './codecs.ts';
export { parseArguments, parseCommand, parseVerb } from './command.ts';
export type { CommandDialect } from './command-dialect.ts';
export type { Command, Verb } from './commands.ts';
export {
  ADDRESS_DEVIATIONS,
  type AddressDeviation,
  ANYTHING,
  DANGERS,
  DEVIATIONS,
  type Deviation,
  type DeviationRule,
  POSTEL,
  STRICT,
} from './deviation.ts';
export { ADDRESSES, type Dialect } from './dialect.ts';
export { DIALECT, LETTER } from './dialects.ts';
export { addressLiteral, domain, hostName, ipv4Address, ipv6Address, isHostName } from './domain.ts';
export {
  type EhloLine,
  type EhloResponse,
  ehloOkResponse,
  formatEhlo,
  formatGreeting,
  type Greeting,
  greeting,
  parseEhlo,
  parseEhloLine,
  parseGreeting,
} from './ehlo.ts';
export { EXTENSIONS, HISTORIC, type Historic, type RegisteredExtension, type VerbRule } from './extension.ts';
export { formatCommand, formatParameter, formatParameters } from './format-command.ts';
export { atom, dotString, formatMailbox, localPart, type Mailbox, mailbox, quotedString, string } from './mailbox.ts';
export { esmtpKeyword, esmtpParam } from './parameter.ts';
export {
  authParameter,
  binaryBodyParameter,
  bodyParameter,
  byKeyword,
  byParameter,
  envidParameter,
  holdForParameter,
  holdUntilParameter,
  type MailParameters,
  mtPriorityParameter,
  notifyParameter,
  type OtherParameters,
  orcptParameter,
  PARAMETERS,
  type Parameter,
  type RcptParameters,
  requireTlsParameter,
  retParameter,
  rrvsParameter,
  sizeParameter,
  smtpUtf8Parameter,
  type UnknownParameter,
} from './parameters.ts';
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
  writtenPath,
} from './path.ts';
export { formatReply, isReplyCode, parseReply, type Reply, replyLine, replyOf } from './reply.ts';
export type { Failure, FailureCode, Parsed, Success } from './result.ts';
export { decodeUtf8, encodeUtf8, latin1, octets, type Rule, utf8NonAscii } from './rule.ts';
export { decodeUtf8Address, decodeXtext, encodeUtf8Address, encodeXtext } from './xtext.ts';
