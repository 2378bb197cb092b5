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
export { ClientTls, type ClientTlsSettings } from './client-tls.ts';
export { type ConnectOptions, connect } from './connect.ts';
export type { Target } from './connect-by.ts';
export { type ListenOptions, listen } from './listen.ts';
export { type ServeOptions, serve } from './serve.ts';
export { type Certificate, ServerTls, type TlsSettings } from './server-tls.ts';
export { SocketTransport } from './transport.ts';
