export { atOnce, dropPromise, isThenable, yesOrNo } from './at-once.ts';
export { type Address, addressText, CLIENT_TOLERATES } from './client/address.ts';
export { AUTH, type AuthFeature } from './client/auth.ts';
export type { Capabilities } from './client/capabilities.ts';
export { CHUNKING, type ChunkingFeature } from './client/chunking.ts';
export type * from './client/envelope.ts';
export type * from './client/events.ts';
export type { ClientFeature } from './client/features.ts';
export { CLIENT_LIMITS, type ClientLimit, type ClientLimitName, type ClientLimitOptions, type ClientLimits } from './client/limits.ts';
export { CLIENT_OPTIONS, type ClientOptions, type ClientPolicyOptions, type Pipelining, type Protection } from './client/options.ts';
export type { ClientPhase, TransactionPhase } from './client/phases.ts';
export {
  type PlannedRecipient,
  type PlanOptions,
  planTransaction,
  type TransactionPlan,
} from './client/plan.ts';
export type { Quirk } from './client/quirk.ts';
export type { ClientRow, ClientTrigger, ClosingCause, TableRow, TransactionRow, TransactionTrigger } from './client/row.ts';
export { type MessageScan, scanMessage } from './client/scan.ts';
export { ClientSession, type CommandOptions } from './client/session.ts';
export { CLIENT_TABLE, TRANSACTION_TABLE } from './client/tables.ts';
export { SmtpUsageError, type UsageCode } from './error.ts';
export { showText } from './escape.ts';
export {
  type DefinedParameter,
  defineExtension,
  type Extension,
  type ExtensionDefinition,
  guardedExtension,
  type OfferFacts,
  type ParametersOf,
  type PlainVerb,
  type VerbOf,
  type VerbPhase,
} from './extension.ts';
export type * from './facts.ts';
export {
  checkOptions,
  didYouMean,
  isPlain,
  kindOf,
  type OptionKind,
  type OptionTable,
  type OtherNames,
  type TableOf,
} from './option-table.ts';
export type { AuthWords } from './redact.ts';
export { Secret } from './secret.ts';
export { checkAnswer, checkFarewell, checkRejection } from './server/decision.ts';
export { DotReader, type DotState } from './server/dot-reader.ts';
export type * from './server/events.ts';
export { LIMITS, type Limit, type LimitName, type LimitOptions, type Limits } from './server/limits.ts';
export { canBind } from './server/offer.ts';
export type {
  AuthOptions,
  AuthPolicyOptions,
  BareLineEnds,
  ConnectionFacts,
  EarlyTalkers,
  FutureReleaseOptions,
  MtPriorityOptions,
  Preset,
  ServerOptions,
  ServerPolicyOptions,
  StartTls,
  TrustedVerb,
} from './server/options.ts';
export { PREREQUISITES, PRESETS, SERVER_OPTIONS } from './server/policy.ts';
export { type EngineReply, LMTP_REPLIES, REPLIES, type ReplyName } from './server/replies.ts';
export type { Condition, Effect, Guard, GuardRule, Phase, Row, Trigger } from './server/row.ts';
export { ServerSession } from './server/session.ts';
export type { Snapshot } from './server/snapshot.ts';
export { GUARDS, TABLE, TIMERS } from './server/table.ts';
export { type WatchOptions, watched } from './watch.ts';
