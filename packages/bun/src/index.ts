export {
  Body,
  BodyAbortedError,
  type Challenge,
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
} from '@ehlo/driver';
export {
  type Certificate,
  ClientTls,
  type ClientTlsSettings,
  type ConnectOptions,
  connect,
  ServerTls,
  type Target,
  type TlsSettings,
} from '@ehlo/node/tls';
export { type ListenOptions, listen } from './listen.ts';
export { type ServeOptions, serve } from './serve.ts';
export { SocketTransport } from './transport.ts';
