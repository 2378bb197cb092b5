// What programs need of the driver, whatever adapter they use: each adapter has it, too.
export type { Authentication, PresentedClaim } from './authentication.ts';
export { Body, BodyAbortedError } from './body.ts';
export { Client } from './client.ts';
export type { ClientAuth } from './client-authentication.ts';
export { ClientError, type ClientErrorCode, outcomeText } from './client-error.ts';
export type { ClientNotice, ConnectedNotice, SecuredNotice } from './client-options.ts';
export {
  type Acceptance,
  accept,
  type Challenge,
  challenge,
  type Decision,
  type Decisions,
  type Refusal,
  type RejectOptions,
  reject,
} from './decision.ts';
export type { RecipientOutcome, SendEnvelope, SendNotice, SendOptions, SendResult } from './delivery.ts';
export type { CallbackName, Handler, IncomingMessage, Session } from './handler.ts';
export type { Constraints, Content, Message, TailoredMessage } from './message-source.ts';
export type { PaceOptions } from './pace.ts';
export { Pool, type PoolCloseOptions, type PoolOptions } from './pool.ts';
export { isRetryable, type Retry, type RetryAdvice, retryOf } from './retry.ts';
export type { Claim, OauthProblem, Stored } from './sasl.ts';
export { type CloseOptions, Server } from './serve.ts';
