export * from '@ehlo/driver/programs';
export {
  type Certificate,
  ClientTls,
  type ClientTlsSettings,
  ServerTls,
  type ShownCertificates,
  type Target,
  type TlsRange,
  type TlsSettings,
  type TlsVersion,
} from '@ehlo/node/adapter';
export { type ConnectOptions, connect } from './connect.ts';
export { type ListenOptions, listen } from './listen.ts';
export { type ServeOptions, serve } from './serve.ts';
