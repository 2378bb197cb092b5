export { SmtpUsageError, type UsageCode } from './error.ts';
export type * from './facts.ts';
export { Secret } from './secret.ts';
export { DotReader, type DotState } from './server/dot-reader.ts';
export type * from './server/events.ts';
export { LIMITS, type Limit, type LimitName, type Limits } from './server/limits.ts';
export {
  type AuthOptions,
  type BareLineEnds,
  type EarlyTalkers,
  type FutureReleaseOptions,
  type MtPriorityOptions,
  PRESETS,
  type Preset,
  type ServerOptions,
  type TrustedVerb,
} from './server/policy.ts';
export { type EngineReply, LMTP_REPLIES, REPLIES, type ReplyName } from './server/replies.ts';
export { ServerSession } from './server/session.ts';
export type { Snapshot } from './server/snapshot.ts';
export { GUARDS, type Guard, type GuardRule, type Happening, type Phase, type Row, TABLE } from './server/table.ts';
