export * from '@ehlo/driver/programs';
export { ClientTls, type ClientTlsSettings, type ShownCertificates } from './client-tls.ts';
export { type ConnectOptions, connect } from './connect.ts';
export type { Target } from './connect-by.ts';
export { type ListenOptions, listen } from './listen.ts';
export type { TlsRange, TlsVersion } from './runtime.ts';
export { type ServeOptions, serve } from './serve.ts';
export { type Certificate, ServerTls, type TlsSettings } from './server-tls.ts';
