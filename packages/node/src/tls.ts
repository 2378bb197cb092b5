// For the adapters of other runtimes that have node:tls; and the client, which is the same wherever node:net is.

export { ClientTls, type ClientTlsSettings } from './client-tls.ts';
export { type ConnectOptions, connect, type Target } from './connect.ts';
export { type Certificate, ServerTls, type TlsSettings } from './server-tls.ts';
export { describeTls, endPoint, type TlsFacts } from './tls-info.ts';
export { withTls } from './with-tls.ts';
