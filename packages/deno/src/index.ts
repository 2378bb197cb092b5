export {
  type Authentication,
  Body,
  BodyAbortedError,
  type Challenge,
  type Claim,
  Client,
  type ClientAuth,
  ClientError,
  type ClientErrorCode,
  type ClientNotice,
  type Constraints,
  type Content,
  type Decision,
  type Handler,
  type IncomingMessage,
  type Message,
  outcomeText,
  Pool,
  type PoolOptions,
  type RecipientOutcome,
  reject,
  type SendEnvelope,
  type SendOptions,
  type SendResult,
  Server,
  type Session,
  type Stored,
} from '@ehlo/driver';
export { type Certificate, ClientTls, type ClientTlsSettings, ServerTls, type Target, type TlsSettings } from '@ehlo/node/adapter';
export { type ConnectOptions, connect } from './connect.ts';
export { type ListenOptions, listen } from './listen.ts';
export { type ServeOptions, serve } from './serve.ts';
export { connTransport } from './transport.ts';
