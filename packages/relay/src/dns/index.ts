export { type DnsOptions, dnsLookup, type Lookup, type LookupAnswer } from './lookup.ts';
