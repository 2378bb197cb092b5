/** An irregularity of a reply that is tolerated. */
export type Quirk =
  | 'bare-lf-line' // a line that ends with LF alone; refused if `replies` is `'strict'`
  | 'mixed-codes' // different codes in one reply, of which the highest counts; refused if `replies` is `'strict'`, or if they are 2yz and 3yz
  | 'odd-text' // UTF-8 that the client did not ask for (RFC 6531 3.7.4), or an octet that no reply text may hold: it is shown as `?`, a CR at the end left out
  | 'unended-line' // a last line without its CRLF, after which the server ended its side; not read if `replies` is `'strict'`
  | 'odd-ehlo-line' // a line of EHLO that has no keyword: it is ignored
  | 'odd-ehlo-space' // extra blanks or tabs in a line of EHLO: the line is used
  | 'auth-equals'; // the old `AUTH=`: it counts as AUTH
