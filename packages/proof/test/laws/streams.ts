// What clients send: whole sessions, broken ones, and noise. Octets are strings of one character each.
import fc from 'fast-check';

const PATHS = [
  '<a@b.example>',
  '<c@d.example>',
  '<d\u00c3\u00b6@x.example>',
  '<>',
  '<"q\\"q"@b.example>',
  '<@r.example:a@b.example>',
  '<Postmaster>',
  '<a@[192.0.2.1]>',
] as const;
const BAD_PATHS = [
  '<a@b',
  '',
  'a@b.example',
  ' <a@b>',
  '<a..b@c>',
  '<a@b> FOO=1',
  '<a@b> SIZE=1 SIZE=2',
  '<a\rb@c>',
  '<\u00e9@b>',
] as const;

const path: fc.Arbitrary<string> = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...PATHS) }, fc.constantFrom(...BAD_PATHS));
const parameter: fc.Arbitrary<string> = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom('', '', '', ' SIZE=100', ' BODY=8BITMIME', ' SIZE=99999999999', ' AUTH=<>', ' FOO') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ' SMTPUTF8',
      ' BODY=BINARYMIME',
      ' RET=HDRS ENVID=a+2Bb',
      ' BY=120;R',
      ' BY=1;R',
      ' HOLDFOR=10',
      ' HOLDFOR=9999',
      ' HOLDUNTIL=2029-01-01T00:00:00Z',
      ' MT-PRIORITY=3',
      ' REQUIRETLS',
      ' NOTIFY=NEVER',
    ),
  },
);
const rcptParameter: fc.Arbitrary<string> = fc.constantFrom(
  ...['', '', '', ' NOTIFY=NEVER', ' NOTIFY=NEVER,DELAY', ' ORCPT=rfc822;a@b.example', ' RRVS=2014-04-03T23:01:00Z', ' SIZE=1'],
);

/** Any octet, the dangerous ones more often. */
const octet: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('\r', '\n', '.', ' ', '\0', '\x16'),
  fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
);

export const noise: fc.Arbitrary<string> = fc.array(octet, { maxLength: 60 }).map((octets) => octets.join(''));

/** Base64, and what is not quite it. */
const response: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('', '=', '*', 'AGEAYg==', 'YQ==', 'YR==', 'YQ=', 'a b=', '====', 'AAAA', '*=', 'A'.repeat(3000)),
  fc.base64String({ maxLength: 24 }),
);

const hello: fc.Arbitrary<string> = fc.constantFrom(
  'EHLO c.example',
  'HELO c.example',
  'ehlo [192.0.2.9]',
  'EHLO',
  'HELO a_b',
  'EHLO  x',
  'EHLO \u00fc',
);

/** One command line, without its end. */
export const command: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: hello },
  { weight: 3, arbitrary: fc.tuple(path, parameter).map(([address, more]) => `MAIL FROM:${address}${more}`) },
  { weight: 3, arbitrary: fc.tuple(path, rcptParameter).map(([address, more]) => `RCPT TO:${address}${more}`) },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      'RSET',
      'NOOP',
      'NOOP x',
      'HELP',
      'VRFY a',
      'EXPN a',
      'DATA',
      'DATA x',
      'rset ',
      'QUIT x',
      'STARTTLS x',
      'SEND x',
      'TURN',
      'BDAT 10 LAST',
      'GET / HTTP/1.1',
      'XYZZY',
      '',
      ' ',
      'MAIL',
      'RCPT TO',
      'AUTHPLAIN x',
      'STARTTLSX',
      `NOOP ${'x'.repeat(1300)}`,
      'RCPT TO:<a@b>\rDATA',
      'BDAT 0 LAST',
      'BDAT 3',
      'LHLO c.example',
      'VRFY \u00c3\u00bc SMTPUTF8',
      'EXPN a SMTPUTF8',
      'ETRN @x.example',
      'ETRN #queue',
      'ETRN',
      'BURL x',
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'XCLIENT NAME=p.example ADDR=192.0.2.7 PORT=2525',
      'XCLIENT LOGIN=joe PROTO=ESMTP HELO=p.example',
      'XCLIENT ADDR=IPV6:2001:db8::1 NAME=[UNAVAILABLE]',
      'XCLIENT ADDR=nowhere',
      'XCLIENT FOO=1',
      'XFORWARD NAME=p.example ADDR=192.0.2.7 SOURCE=REMOTE',
      'XFORWARD IDENT=1234 NAME=[TEMPUNAVAIL]',
      'XFORWARD PORT=99999',
      'XFORWARD',
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom('BDAT', 'BDAT x', 'BDAT 5 FIRST', 'BDAT -1', 'BDAT 18446744073709551614', 'BDAT 80000000 LAST') },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('PLAIN', 'LOGIN', 'plain', 'NOPE', '', 'PLAIN '), response)
      .map(([name, text]) => `AUTH ${name} ${text}`),
  },
  { weight: 1, arbitrary: fc.constantFrom('AUTH LOGIN', 'AUTH', 'AUTH PLAIN ') },
  { weight: 1, arbitrary: fc.constantFrom('QUIT', 'STARTTLS') },
);

const lineEnd: fc.Arbitrary<string> = fc.oneof(
  { weight: 12, arbitrary: fc.constant('\r\n') },
  fc.constantFrom('\n', '\r', '\r\r\n', '\n\r\n'),
);

/** What looks like the end of the data and is none, or would be one to a receiver that takes bare line ends. */
export const FALSE_ENDS: readonly string[] = [
  '\n.\n',
  '\n.\r\n',
  '\r\n.\n',
  '\r.\r',
  '\r.\r\n',
  '\r\n.\r',
  '\r\n.\r\r\n',
  '\r\n.\0\r\n',
  '\r\n. \r\n',
  '\r\n..\r\n',
  '\r\n.\r.\r\n',
  '\r\n.x\r\n',
  '\r\r\n.\r',
  '\r\n\r\n..',
];

const fragment: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('Subject: x', 'text', '\r\n', '\r\n', '\r\n', '.', '..', '\r\n.', '\r\n\r\n', 'x'.repeat(80)) },
  { weight: 2, arbitrary: fc.constantFrom(...FALSE_ENDS) },
  { weight: 1, arbitrary: fc.constantFrom('\r', '\n', '\r\r', 'NOOP\r\n', 'MAIL FROM:<evil@x>\r\n', '\r\nQUIT\r\n') },
  { weight: 1, arbitrary: fc.array(octet, { maxLength: 8 }).map((octets) => octets.join('')) },
);

export const body: fc.Arbitrary<string> = fc.array(fragment, { maxLength: 12 }).map((parts) => parts.join(''));

/** Mail data with its end: mostly whole, now and then cut off. */
const data: fc.Arbitrary<string> = fc
  .tuple(body, fc.constantFrom('\r\n.\r\n', '\r\n.\r\n', '\r\n.\r\n', '\r\n.\r\n', '.\r\n', ''))
  .map((parts) => parts.join(''));

/** A chunk with the octets that it promises. */
function chunkOf(octets: string, last: boolean, verb = 'BDAT'): string {
  return `${verb} ${octets.length}${last ? ' LAST' : ''}\r\n${octets}`;
}

const payload: fc.Arbitrary<string> = fc.oneof({ weight: 3, arbitrary: body }, { weight: 1, arbitrary: noise });

const chunk: fc.Arbitrary<string> = fc
  .tuple(payload, fc.boolean(), fc.constantFrom('BDAT', 'BDAT', 'bdat'))
  .map(([octets, last, verb]) => chunkOf(octets, last, verb));

/** A message in chunks: mostly whole, now and then with something between them, without an end, or cut off. */
const chunks: fc.Arbitrary<string> = fc
  .tuple(
    fc.array(payload, { maxLength: 3 }).map((all) => all.map((octets) => chunkOf(octets, false)).join('')),
    fc.constantFrom(
      ...Array<string>(12).fill(''),
      'NOOP\r\n',
      'RSET\r\n',
      'EHLO again.example\r\n',
      'MAIL FROM:<nested@x>\r\n',
      'RCPT TO:<late@x.example>\r\n',
      'DATA\r\n',
      'AUTH PLAIN AGEAYg==\r\n',
      'BDAT 5 \r\n12345',
      'BDAT 4\n1234',
      'XFORWARD NAME=p.example\r\n',
    ),
    fc.oneof(
      { weight: 6, arbitrary: payload.map((octets) => chunkOf(octets, true)) },
      { weight: 2, arbitrary: fc.constant('BDAT 0 LAST\r\n') },
      { weight: 1, arbitrary: fc.constantFrom('', 'BDAT 5000 LAST\r\ncut off', 'BDAT 70000\r\n', 'BDAT 5\r\n12') },
    ),
  )
  .map((parts) => parts.join(''));

const transaction: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom('EHLO c.example\r\n', 'EHLO c.example\r\n', 'HELO c.example\r\n', 'RSET\r\n', ''),
    fc.constantFrom(
      'MAIL FROM:<s@x.example>\r\n',
      'MAIL FROM:<s@x.example> SIZE=1000\r\n',
      'MAIL FROM:<>\r\n',
      'MAIL FROM:<s@x.example>\r\n',
      'MAIL FROM:<> BODY=8BITMIME\r\n',
      'MAIL FROM:<\u00c3\u00bc@x.example> SMTPUTF8\r\n',
      'MAIL FROM:<s@x.example> BODY=BINARYMIME\r\n',
    ),
    fc.array(fc.tuple(path, lineEnd), { maxLength: 2 }).map((all) => all.map(([to, end]) => `RCPT TO:${to}${end}`).join('')),
    fc.constantFrom(...Array<string>(9).fill('RCPT TO:<r@y.example>\r\n'), ''),
    fc.constantFrom(
      '',
      '',
      '',
      '',
      'NOOP\r\n',
      'RSET\r\n',
      'EHLO again.example\r\n',
      'MAIL FROM:<nested@x>\r\n',
      'AUTH PLAIN AGEAYg==\r\n',
      'STARTTLS\r\n',
    ),
    fc.oneof({ weight: 5, arbitrary: data.map((text) => `DATA\r\n${text}`) }, { weight: 4, arbitrary: chunks }),
  )
  .map((parts) => parts.join(''));

/** A message to several recipients that gets far, with all that may happen between its chunks. */
const message: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom(
      'MAIL FROM:<s@x.example>\r\n',
      'MAIL FROM:<>\r\n',
      'MAIL FROM:<> BODY=8BITMIME\r\n',
      'MAIL FROM:<> BODY=BINARYMIME\r\n',
    ),
    fc.array(fc.constantFrom(...PATHS.filter((text) => text !== '<>')), { maxLength: 2 }),
    fc.constantFrom('', '', '', 'RCPT TO:<bad\r\n'),
    fc.oneof({ weight: 1, arbitrary: data.map((text) => `DATA\r\n${text}`) }, { weight: 2, arbitrary: chunks }),
  )
  .map(([mail, paths, bad, text]) => `${mail}RCPT TO:<r@y.example>\r\n${paths.map((to) => `RCPT TO:${to}\r\n`).join('')}${bad}${text}`);

/** Some of them, in one session. */
export const messages: fc.Arbitrary<string> = fc
  .array(message, { minLength: 1, maxLength: 3 })
  .map((all) => `EHLO c.example\r\n${all.join('RSET\r\n')}`);

const authentication: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom('AUTH PLAIN', 'AUTH LOGIN', 'auth plain AGEAYg==', 'AUTH NOPE'), fc.array(response, { maxLength: 3 }))
  .map(([first, responses]) => `EHLO c.example\r\n${[first, ...responses].map((line) => `${line}\r\n`).join('')}`);

const single: fc.Arbitrary<string> = fc.tuple(command, lineEnd).map((parts) => parts.join(''));

const part: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: transaction },
  { weight: 4, arbitrary: single },
  { weight: 2, arbitrary: authentication },
  { weight: 1, arbitrary: chunk },
  { weight: 1, arbitrary: noise },
);

/** What a client says in clear, or under TLS: mostly sense. */
const sane: fc.Arbitrary<string> = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''));

/** A flip, a loss, a repetition or a cut at some place of a stream. */
const mutation: fc.Arbitrary<(stream: string) => string> = fc
  .tuple(fc.constantFrom('flip', 'delete', 'repeat', 'cut', 'insert'), fc.nat(), fc.integer({ min: 1, max: 20 }), octet)
  .map(([kind, position, length, replacement]) => (stream: string) => {
    const at = position % (stream.length + 1);
    const [head, middle, tail] = [stream.slice(0, at), stream.slice(at, at + length), stream.slice(at + length)];
    if (kind === 'flip') return head + replacement + stream.slice(at + 1);
    if (kind === 'delete') return head + tail;
    if (kind === 'repeat') return head + middle + middle + tail;
    return kind === 'insert' ? head + replacement + middle + tail : head;
  });

/** Sessions, broken sessions and noise. */
export const stream: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: sane },
  {
    weight: 3,
    arbitrary: fc
      .tuple(sane, fc.array(mutation, { minLength: 1, maxLength: 3 }))
      .map(([text, mutations]) => mutations.reduce((mutated, mutate) => mutate(mutated), text)),
  },
  { weight: 1, arbitrary: noise },
);

/** What is said up to the handshake, and then under TLS. Where STARTTLS is not taken, the second is plain text as well. */
export const segments: fc.Arbitrary<string[]> = fc.oneof(
  { weight: 3, arbitrary: stream.map((text) => [`EHLO c.example\r\n${text}`]) },
  { weight: 1, arbitrary: stream.map((text) => [text]) },
  {
    weight: 2,
    arbitrary: fc.tuple(stream, stream).map(([clear, secure]) => [`${clear}\r\nRSET\r\nEHLO c.example\r\nSTARTTLS\r\n`, secure]),
  },
  { weight: 1, arbitrary: stream.map((text) => ['EHLO c.example\r\nSTARTTLS\r\n', `EHLO c.example\r\n${text}`]) },
);
