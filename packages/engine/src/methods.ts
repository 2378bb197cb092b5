/** RFC 9110 9, RFC 5789 2, and the preface of RFC 9113 3.4. No verb of SMTP is one of them. */
export const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'POST',
  'HEAD',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'PRI',
]);
