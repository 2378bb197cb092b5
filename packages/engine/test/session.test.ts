import { latin1, octets, PARAMETERS } from '@ehlo/grammar';
import { expect, test } from 'vitest';
import { LIMITS, type ServerOptions, ServerSession } from '../src/index.ts';

function talk(session: ServerSession, text: string): string {
  session.receive(octets(text));
  return pull(session);
}
function pull(session: ServerSession): string {
  let out = '';
  for (;;) {
    while (session.nextEvent() !== null);
    const bytes = session.nextOutput();
    if (bytes === null) return out;
    out += latin1(bytes, 0, bytes.length);
  }
}

test('a whole session with a sink', () => {
  const s = new ServerSession({
    hostname: 'mx.example.org',
    preset: 'sink',
    extensions: ['PIPELINING', 'SIZE', '8BITMIME', 'ENHANCEDSTATUSCODES', 'HELP'],
  });
  expect(pull(s)).toBe('220 mx.example.org ESMTP Service ready\r\n');
  expect(talk(s, 'EHLO c.example\r\n')).toBe(
    '250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE 36700160\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 HELP\r\n',
  );
  expect(talk(s, 'MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nSubject: x\r\n\r\n..y\r\n.\r\nQUIT\r\n')).toBe(
    '250 2.1.0 Sender OK\r\n250 2.1.5 Recipient OK\r\n354 Start mail input; end with <CRLF>.<CRLF>\r\n250 2.6.0 Message accepted\r\n221 2.0.0 mx.example.org Service closing transmission channel\r\n',
  );
  expect(s.wants).toBe('close');
});

test.each([
  ['BDAT 18446744073709551614\r\nNOOP\r\n', /^421 4\.3\.2 .*\r\n$/, 'close'],
  ['BDAT 6\nQUIT\r\nNOOP\r\n', /^421 4\.7\.0 [^\n]*\r\n$/, 'close'],
  [`BDAT 6 LAST${' '.repeat(5000)}\r\nQUIT\r\n`, /^421 4\.7\.0 .*\r\n$/, 'close'],
  ['BDAT 0 LAST\r\n', /^502 5\.5\.1 .*\r\n$/, 'input'],
])('no octet of a chunk that is not wanted is a command: %j', (text, reply, wants) => {
  const s = new ServerSession({ hostname: 'mx.example.org', preset: 'sink', extensions: ['ENHANCEDSTATUSCODES'], tolerate: new Set() });
  pull(s);
  expect(talk(s, text)).toMatch(reply);
  expect(s.wants).toBe(wants);
});

test('a snapshot in the middle of a refused chunk is a copy: the session goes on, and so does each one that is restored', () => {
  const options = { hostname: 'mx.example.org', preset: 'sink', extensions: ['ENHANCEDSTATUSCODES'] } as const;
  const s = new ServerSession(options);
  pull(s);
  expect(talk(s, 'BDAT 10\r\n12345')).toBe('');
  const snapshot = s.snapshot();
  for (const session of [s, ServerSession.restore(options, snapshot, 0), ServerSession.restore(options, snapshot, 0)]) {
    expect(talk(session, '67890NOOP\r\n')).toBe('502 5.5.1 CHUNKING is not offered\r\n250 2.0.0 NOOP OK\r\n');
  }
});

const MESSAGE = 'EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n';

/** Codes of the replies, and the content of the messages that arrived whole. */
function chunked(text: string, parts: (bytes: Uint8Array) => Uint8Array[]): { codes: string; messages: string[]; aborted: string[] } {
  const s = new ServerSession({ hostname: 'mx.example.org', preset: 'mx', ask: ['rcpt', 'message'] });
  const messages: string[] = [];
  const aborted: string[] = [];
  let content = '';
  let out = '';
  const drain = (): void => {
    for (let event = s.nextEvent(); event !== null; event = s.nextEvent()) {
      if (event.type === 'rcpt') s.accept(event);
      if (event.type === 'chunk') content += latin1(event.bytes, 0, event.bytes.length);
      if (event.type === 'aborted') aborted.push(event.cause);
      if (event.type === 'message') {
        messages.push(content);
        s.accept(event);
      }
      if (event.type === 'message' || event.type === 'aborted') content = '';
    }
    const bytes = s.nextOutput();
    out += bytes === null ? '' : latin1(bytes, 0, bytes.length);
  };
  drain();
  for (const part of parts(octets(text))) {
    s.receive(part);
    drain();
  }
  return { codes: Array.from(out.matchAll(/^([0-9]{3}) /gm), ([, code]) => code).join(' '), messages, aborted };
}

test.each([
  ['one chunk', 'BDAT 7 LAST\r\na\r\n.\r\nbNOOP\r\n', '220 250 250 250 250 250', ['a\r\n.\r\nb'], []],
  [
    'in any sizes',
    'BDAT 2\r\na\rBDAT 0\r\nBDAT 3\r\n\nb\rBDAT 1 LAST\r\n\nNOOP\r\n',
    '220 250 250 250 250 250 250 250 250',
    ['a\r\nb\r\n'],
    [],
  ],
  ['an empty last one', 'BDAT 3\r\na\r\nBDAT 0 LAST\r\nNOOP\r\n', '220 250 250 250 250 250 250', ['a\r\n'], []],
  ['a bare CR at the end', 'BDAT 3\r\na\r\nBDAT 2 LAST\r\nb\rNOOP\r\n', '220 250 250 250 250 550 250', [], ['bare-line-end']],
  [
    'a bare LF, and the chunks behind it',
    'BDAT 2\r\na\nBDAT 4\r\nNOOPBDAT 2 LAST\r\n\r\nNOOP\r\n',
    '220 250 250 250 550 550 550 250',
    [],
    ['bare-line-end'],
  ],
  ['DATA behind a chunk', 'BDAT 3\r\na\r\nDATA\r\nBDAT 0 LAST\r\n', '220 250 250 250 250 503 250', ['a\r\n'], []],
  ['RSET between chunks', 'BDAT 3\r\na\r\nRSET\r\nBDAT 4 LAST\r\nQUITNOOP\r\n', '220 250 250 250 250 250 503 250', [], ['reset']],
  ['a chunk that cannot be read', 'BDAT 3\r\na\r\nBDAT 4x\r\nQUIT', '220 250 250 250 250 421', [], ['bdat']],
])('the chunks of a message: %s', (_, text, codes, messages, aborted) => {
  for (const parts of [(bytes: Uint8Array) => [bytes], (bytes: Uint8Array) => Array.from(bytes, (byte) => Uint8Array.of(byte))]) {
    expect(chunked(MESSAGE + text, parts)).toEqual({ codes, messages, aborted });
  }
});

test('the -PLUS forms of mechanisms are offered where there is something to bind to', () => {
  const auth = { mechanisms: ['SCRAM-SHA-256-PLUS', 'PLAIN'], inClear: true };
  const s = new ServerSession({ hostname: 'mx.example.org', preset: 'sink', starttls: 'offered', ask: ['auth'], auth });
  pull(s);
  expect(talk(s, 'EHLO c\r\n')).toContain('250-AUTH PLAIN\r\n');
  expect(talk(s, 'AUTH SCRAM-SHA-256-PLUS\r\n')).toMatch(/^504 /);
  expect(talk(s, 'STARTTLS\r\n')).toMatch(/^220 /);
  const bindings = new Map([['tls-exporter', Uint8Array.of(1)]]);
  s.secured({ protocol: 'TLSv1.3', cipher: '', servername: '', bindings });
  expect(talk(s, 'EHLO c\r\n')).toContain('250-AUTH SCRAM-SHA-256-PLUS PLAIN\r\n');
  s.receive(octets('AUTH SCRAM-SHA-256-PLUS\r\n'));
  expect(s.nextEvent()).toMatchObject({ type: 'auth', mechanism: 'SCRAM-SHA-256-PLUS', step: 0 });
});

// RFC 5321 4.5.3.1.4: 512 octets, and what each extension adds; BODY counts once.
test('the shortest command line that may be set holds every parameter at once', () => {
  const sum = (command: 'MAIL' | 'RCPT') => PARAMETERS.filter((one) => one.command === command).reduce((all, { adds }) => all + adds, 512);
  // HOLDFOR and HOLDUNTIL exclude each other.
  expect(LIMITS.commandLine.least).toBe(Math.max(sum('MAIL') - 34, sum('RCPT')));
});

test.each<[string, Partial<ServerOptions>, RegExp]>([
  ['FUTURERELEASE outside of submission', { preset: 'mx', ask: ['rcpt', 'message'], extensions: ['FUTURERELEASE'] }, /RFC 4865 4\.2/],
  ['ETRN for submission', { preset: 'submission', ask: ['message'], extensions: ['ETRN'] }, /authentication|RFC 6409/],
  ['BINARYMIME without CHUNKING', { preset: 'sink', extensions: ['BINARYMIME'] }, /RFC 3030/],
  ['SMTPUTF8 without 8BITMIME', { preset: 'sink', extensions: ['SMTPUTF8'] }, /RFC 6531/],
  ['what is not implemented', { preset: 'sink', extensions: ['BURL'] }, /^extensions has "BURL", which is not implemented$/],
])('options that no standard allows are refused: %s', (_, options, message) => {
  expect(() => new ServerSession({ hostname: 'mx.example.org', ...options })).toThrow(message);
});

test.each(['5.01.1', '5.1.001', '5.1', '4.1.1', '5.1.1000'])('%s is no enhanced code of a 550 (RFC 3463 2)', (enhanced) => {
  const s = new ServerSession({ hostname: 'mx.example.org', preset: 'sink', ask: ['connect'] });
  const question = s.nextEvent()!;
  if (question.type !== 'connect') throw new Error('no question');
  expect(() => s.reject(question, { code: 554, enhanced, text: 'No' })).toThrow(enhanced === '4.1.1' ? /RFC 2034 4/ : /RFC 3463 2/);
  expect(s.reject(question, { code: 554, enhanced: '5.0.101', text: 'No' })).toBe(true);
});

test('to hold back the answer to the first chunk holds back no other reply', () => {
  const s = new ServerSession({ hostname: 'mx.example.org', preset: 'sink', ask: ['data'] });
  pull(s);
  s.receive(octets(`${MESSAGE}BDAT 1 LAST\r\nxNOOP\r\n`));
  const question = s.nextEvent()!;
  if (question.type !== 'data') throw new Error('no question');
  s.accept(question, { delay: 1000 });
  expect(pull(s)).toMatch(/250 2\.6\.0 Message accepted\r\n250 2\.0\.0 NOOP OK\r\n$/);
});

test('a snapshot keeps nothing that it was lent, not even of a Buffer, whose slice is a view', () => {
  const options = { hostname: 'mx.example.org', preset: 'sink', ask: ['mail'] } as const;
  const s = new ServerSession(options);
  pull(s);
  const lent = Buffer.from('HELO c.example\r\nMAIL FROM:<>\r\nNOOP\r\n');
  s.receive(lent);
  pull(s);
  const snapshot = s.snapshot();
  lent.fill(0x78);
  const restored = ServerSession.restore(options, snapshot, 0);
  const question = restored.nextEvent();
  if (question?.type === 'mail') restored.accept(question);
  expect(pull(restored)).toBe('250 2.1.0 Sender OK\r\n250 2.0.0 NOOP OK\r\n');
});

test.each<[string, object, string, RegExp]>([
  ['no host name', { hostname: undefined }, 'bad-hostname', /^hostname must be a domain name .*, not undefined$/],
  ['a host name that is none', { hostname: 'a b' }, 'bad-hostname', /, not "a b"$/],
  ['a preset that is none', { preset: 'toString' }, 'bad-option', /^preset is "toString"; it must be one of mx, submission, lmtp, sink$/],
  [
    'a word for STARTTLS',
    { starttls: 'require' },
    'bad-option',
    /^starttls is "require"; it must be one of off, offered, required, unannounced: did you mean required\?$/,
  ],
  ['a word for line ends', { bareLineEnds: 'refuse' }, 'bad-option', /^bareLineEnds /],
  ['a word for early talkers', { earlyTalkers: 'refuse' }, 'bad-option', /^earlyTalkers /],
  [
    'a limit that is none',
    { limits: { mesageSize: 70_000 } },
    'bad-option',
    /^there is no option limits.mesageSize: did you mean limits.messageSize\?; limits has commandLine, .*messageSize, /,
  ],
  [
    'a limit for tests, for everybody',
    { preset: 'mx', ask: ['rcpt', 'message'], smallLimits: { recipients: 1 } },
    'bad-limit',
    /^smallLimits is for tests, with preset: 'sink'/,
  ],
  ['a limit twice', { limits: { faults: 1 }, smallLimits: { faults: 2 } }, 'bad-limit', /^faults is in limits and in smallLimits/],
  [
    'a limit of nothing',
    { smallLimits: { recipients: 0 } },
    'bad-limit',
    /^smallLimits.recipients is 0; it must be .*, at least 1 \(ours\)$/,
  ],
  [
    'a limit for tests that is none',
    { smallLimits: { recipient: 1 } },
    'bad-option',
    /smallLimits.recipient: did you mean smallLimits.recipients/,
  ],
  ['a limit of every object', { limits: { toString: 1 } }, 'bad-option', /^there is no option limits.toString; limits has commandLine, /],
])('from JavaScript: %s is told by name', (_, options, code, message) => {
  const whole = { hostname: 'mx.example.org', preset: 'sink', ...options } as ServerOptions;
  expect(() => new ServerSession(whole)).toThrow(
    expect.objectContaining({ name: 'SmtpUsageError', code, message: expect.stringMatching(message) }),
  );
});

test.each([
  [550, 'reply-class', /^550 can't close a session: give 421/],
  [221, 'reply-class', /^221 is no refusal/],
])('shutdown with %s is no farewell', (code, name, message) => {
  const session = new ServerSession({ hostname: 'mx.example.org', preset: 'sink' });
  pull(session);
  const wrong = { name: 'SmtpUsageError', code: name, message: expect.stringMatching(message) };
  expect(() => session.shutdown({ code, text: 'x' })).toThrow(expect.objectContaining(wrong));
  session.receive(octets('NOOP\r\n'));
  expect(pull(session)).toBe('250 2.0.0 NOOP OK\r\n');
});

test('AUTH is offered in clear only where somebody has said so, whether TLS can be had or not', () => {
  for (const starttls of ['off', 'offered'] as const) {
    const offered = (auth: object): boolean => {
      const options: ServerOptions = {
        hostname: 'mx.example.org',
        preset: 'sink',
        ask: ['auth'],
        starttls,
        auth: { mechanisms: ['PLAIN'], ...auth },
      };
      const s = new ServerSession(options);
      pull(s);
      return talk(s, 'EHLO c\r\n').includes('AUTH PLAIN\r\n');
    };
    expect([offered({}), offered({ inClear: false }), offered({ inClear: true })]).toEqual([false, false, true]);
  }
});
