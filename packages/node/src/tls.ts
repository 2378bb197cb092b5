// For the adapters of other runtimes that have node:tls.
export { describeTls, endPoint, type TlsFacts } from './tls-info.ts';
export { type Certificate, ServerTls, type TlsSettings } from './server-tls.ts';
export { withTls } from './with-tls.ts';
