export {
  type Authentication,
  Body,
  BodyAbortedError,
  type Challenge,
  type Claim,
  type Decision,
  type Handler,
  type IncomingMessage,
  reject,
  Server,
  type Session,
  type Stored,
} from '@ehlo/driver';
export { type Certificate, ServerTls, type TlsSettings } from '@ehlo/node/tls';
export { type ListenOptions, listen } from './listen.ts';
export { type ServeOptions, serve } from './serve.ts';
export { SocketTransport } from './transport.ts';
