// For the adapters of other runtimes that have node:tls.

export { type Certificate, ServerTls, type TlsSettings } from './server-tls.ts';
export { describeTls, endPoint, type TlsFacts } from './tls-info.ts';
export { withTls } from './with-tls.ts';
