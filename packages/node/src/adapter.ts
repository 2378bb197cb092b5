// For the adapters of other runtimes that have node:tls.
export { ClientTls, type ClientTlsSettings, type ShownCertificates } from './client-tls.ts';
export { type ConnectPlace, connectBy, type Open, refuseLocalAddress, type Target, unreachable } from './connect-by.ts';
export type { Tls } from './handshake.ts';

export type { TlsRange, TlsVersion } from './runtime.ts';
export { type Certificate, ServerTls, type TlsSettings } from './server-tls.ts';
export { demandCertificate, describeTls, endPoint, type TlsFacts } from './tls-info.ts';
export { SocketTransport } from './transport.ts';
export { warn } from './warn.ts';
export { withTls } from './with-tls.ts';
