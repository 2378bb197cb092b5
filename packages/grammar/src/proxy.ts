export { formatProxy } from './format-proxy.ts';
export { type ProxyEnd, type ProxyFamily, type ProxyHeader, type ProxyPrefix, type ProxyTlv, parseProxy } from './parse-proxy.ts';
