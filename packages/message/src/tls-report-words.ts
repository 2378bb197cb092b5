import type { TlsDeviation } from './tls-report.ts';

/** What each is. */
export const TLS_DEVIATIONS: { readonly [name in TlsDeviation]: string } = {
  'byte-order-mark': 'a mark of the order of octets before the text (RFC 8259 8.1)',
  'one-policy': 'policies that are no list (RFC 8460 4)',
  'text-for-list': 'a text where a list of texts stands (RFC 8460 4.4)',
  'text-for-number': 'a text where a number stands (RFC 8460 4.4)',
  'odd-number': 'a number below zero, or with a fraction, or too large: 0 stands for it',
  'odd-kind': 'a value of another kind, which was left out',
  'odd-name': 'a member by another name (RFC 8460 4.4)',
  'odd-date': 'a date that is none of RFC 3339 5.6: 0 stands for one that can not be read',
  missing: 'a member that should be there: empty or 0 stands for it',
  'policy-type': 'a type of policy that RFC 8460 4.4 does not know',
  'result-type': 'a result that RFC 8460 4.3 does not know',
  control: 'control characters, which became spaces',
  cut: 'more policies or failures than are kept',
};
