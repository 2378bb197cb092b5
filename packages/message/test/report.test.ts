import { encodeUtf8, latin1, octets } from '@ehlo/grammar';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  composeReport,
  contentOf,
  DELIVERY_ACTIONS,
  type DeliveryStatus,
  formatDeliveryStatus,
  LETTER_REPORT,
  parseDeliveryStatus,
  type RecipientStatus,
  type Report,
  type ReportInit,
  ReportReader,
  readReport,
} from '../src/report.ts';

const joe = { type: 'rfc822', text: 'joe@example.net' };
const failed: RecipientStatus = { finalRecipient: joe, action: 'failed', status: '5.1.1' };

/** A text without white space at its ends, and with single spaces. */
const textOf = (unit: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.array(fc.string({ unit, minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 12 }).map((words) => words.join(' '));
const ascii = fc.constantFrom(...'abcdefghXYZ0123456789.-_=+/@<>;:,"\'\\#%');
const wide = fc.oneof(ascii, fc.constantFrom('\u00e9', '\u4e2d', '\u{1f4e7}'));
const type = fc.constantFrom('dns', 'x-local-hostname', 'smtp', 'x-other');
const seconds = fc.integer({ min: 0, max: 4_000_000_000 }).map((time) => time * 1000);
const addressIn = (unit: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.string({ unit, minLength: 1, maxLength: 40 }).map((local) => `${local.replaceAll(/[^\p{L}\p{N}.-]/gu, 'x')}@example.org`);

const typed = (text: fc.Arbitrary<string>): fc.Arbitrary<{ type: string; text: string }> => fc.record({ type, text });
const extensions = (text: fc.Arbitrary<string>): fc.Arbitrary<readonly (readonly [string, string])[]> =>
  fc.array(fc.tuple(fc.constantFrom('X-Foo', 'X-Bar', 'SMTP-Remote-Recipient'), text), { minLength: 1, maxLength: 3 });
const some = { requiredKeys: [] };

function statuses(unit: fc.Arbitrary<string>): fc.Arbitrary<DeliveryStatus> {
  const text = textOf(unit);
  const address = addressIn(unit).map((one) => ({ type: /\P{ASCII}/u.test(one) ? 'utf-8' : 'rfc822', text: one }));
  const host = typed(fc.constantFrom('mx.example.org', '[192.0.2.1]', 'localhost'));
  const recipient = fc
    .tuple(
      fc.record({
        finalRecipient: address,
        action: fc.constantFrom(...DELIVERY_ACTIONS),
        status: fc.tuple(fc.constantFrom(2, 4, 5), fc.nat(999), fc.nat(999)).map((all) => all.join('.')),
      }),
      fc.record(
        {
          originalRecipient: address,
          remoteMta: host,
          diagnostic: typed(text),
          lastAttempt: seconds,
          finalLogId: text,
          willRetryUntil: seconds,
          extensions: extensions(text),
        },
        some,
      ),
    )
    .map(([needed, { willRetryUntil, ...more }]): RecipientStatus => {
      return { ...needed, ...more, ...(needed.action === 'delayed' && willRetryUntil !== undefined ? { willRetryUntil } : {}) };
    });
  const message = fc.record(
    { envelopeId: text, gateway: host, receivedFromMta: host, arrival: seconds, extensions: extensions(text) },
    some,
  );
  return fc
    .tuple(message, host, fc.array(recipient, { minLength: 1, maxLength: 4 }))
    .map(([one, reportingMta, recipients]) => ({ ...one, reportingMta, recipients }));
}

describe('a delivery status', () => {
  test.each([
    [false, statuses(ascii)],
    [true, statuses(wide)],
  ])('global %s: read(write(x)) = x, to the letter; lines of no more than 998 octets', (global, all) => {
    const property = fc.property(all, (status) => {
      const text = formatDeliveryStatus(status, { global });
      expect(parseDeliveryStatus(text, { global, tolerate: LETTER_REPORT })).toEqual({ ok: true, value: status, deviations: [] });
      expect(parseDeliveryStatus(encodeUtf8(text), { global })).toEqual({ ok: true, value: status, deviations: [] });
      for (const line of text.split('\r\n')) expect(encodeUtf8(line).length).toBeLessThanOrEqual(998);
      expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    });
    fc.assert(property, { numRuns: 1000 });
  });

  test('addresses beyond ASCII pass in ASCII, by their encoding (RFC 6533 3)', () => {
    const status: DeliveryStatus = {
      reportingMta: { type: 'dns', text: 'mx.example.org' },
      recipients: [{ ...failed, finalRecipient: { type: 'utf-8', text: 'j\u00f6@ex\u00e4mple.org' } }],
    };
    const text = formatDeliveryStatus(status);
    expect(text).toContain('Final-Recipient: utf-8; j\\x{F6}@ex\\x{E4}mple.org\r\n');
    expect(parseDeliveryStatus(text, { tolerate: LETTER_REPORT })).toEqual({ ok: true, value: status, deviations: [] });
    const untyped = { ...status, recipients: [{ ...failed, finalRecipient: { type: 'rfc822', text: 'j\u00f6@example.org' } }] };
    expect(formatDeliveryStatus(untyped, { global: true })).toContain('Final-Recipient: utf-8; j\u00f6@example.org\r\n');
  });

  test('a diagnostic in other languages is of the global form (RFC 6533 4.1)', () => {
    const status: DeliveryStatus = {
      reportingMta: { type: 'dns', text: 'mx.example.org' },
      recipients: [
        {
          ...failed,
          diagnostic: { type: 'smtp', text: '550 no' },
          localized: [
            { language: 'de', text: 'gibt es nicht' },
            { language: 'fr', text: 'n\u00e9ant' },
          ],
        },
      ],
    };
    const text = formatDeliveryStatus(status, { global: true });
    expect(parseDeliveryStatus(text, { global: true, tolerate: LETTER_REPORT })).toEqual({ ok: true, value: status, deviations: [] });
    expect(formatDeliveryStatus(status)).not.toContain('Localized');
  });

  test('a long line is folded at 78, and a long word at 998', () => {
    const diagnostic = { type: 'smtp', text: `550 ${'word '.repeat(40)}${'x'.repeat(2000)} end` };
    const text = formatDeliveryStatus({ reportingMta: { type: 'dns', text: 'a' }, recipients: [{ ...failed, diagnostic }] });
    const lines = text.split('\r\n').map((line) => line.length);
    expect(Math.max(...lines)).toBe(998);
    expect(lines.filter((length) => length > 78).length).toBe(2);
  });

  const host = { type: 'dns', text: 'mx.example.org' };
  test.each<[string, DeliveryStatus, RegExp]>([
    ['no Reporting-MTA', { recipients: [failed] }, /2\.2\.2/],
    ['nobody', { reportingMta: host, recipients: [] }, /2\.1/],
    ['a retry without delay', { reportingMta: host, recipients: [{ ...failed, willRetryUntil: 0 }] }, /2\.3\.9/],
    ['a status with a leading zero', { reportingMta: host, recipients: [{ ...failed, status: '5.01.1' }] }, /2\.3\.4/],
    ['a status of class 3', { reportingMta: host, recipients: [{ ...failed, status: '3.1.1' }] }, /2\.3\.4/],
    ['a type with a space', { reportingMta: { type: 'd s', text: 'x' }, recipients: [failed] }, /2\.1\.2/],
    ['a line end', { reportingMta: host, envelopeId: 'a\r\nBcc: x', recipients: [failed] }, /2\.2/],
    ['a NUL', { reportingMta: host, envelopeId: 'a\0', recipients: [failed] }, /2\.2/],
    ['a name with a colon', { reportingMta: host, extensions: [['X:', 'y']], recipients: [failed] }, /2\.2/],
  ])('says not: %s', (_, status, message) => {
    expect(() => formatDeliveryStatus(status)).toThrow(message);
  });

  test('what the letter forbids is refused by its name', () => {
    const text = 'Reporting-MTA: dns; a\n\nFinal-Recipient: rfc822; b@c\nAction: failed\nStatus: 5.0.0\n';
    expect(parseDeliveryStatus(text)).toMatchObject({ ok: true, deviations: ['bare-lf'] });
    expect(parseDeliveryStatus(text, { tolerate: LETTER_REPORT })).toMatchObject({
      ok: false,
      code: 'deviation',
      message: expect.stringMatching(/\(bare-lf\)$/),
    });
    expect(parseDeliveryStatus('Reporting-MTA: dns; a\r\n')).toMatchObject({ ok: false, code: 'syntax' });
    expect(parseDeliveryStatus('')).toMatchObject({ ok: false, code: 'syntax' });
  });
});

const header = octets('From: ann@example.org\r\nSubject: hello\r\n');
const whole = octets('From: ann@example.org\r\nSubject: hello\r\n\r\ntext\r\n');
const init: ReportInit = {
  reversePath: 'ann@example.org',
  status: { recipients: [failed] },
  host: 'mx.example.net',
  date: Date.UTC(2026, 10, 16, 9, 15, 2),
  messageId: '1@mx.example.net',
  boundary: 'b1',
  original: { header, size: whole.length },
};

function compose(more: Partial<ReportInit> = {}): {
  readonly mail: string;
  readonly report: Report | null;
  readonly made: ReturnType<typeof composeReport> & object;
} {
  const made = composeReport({ ...init, ...more })!;
  const chunks = [...contentOf(made, [whole])];
  const mail = chunks.map((chunk) => latin1(chunk, 0, chunk.length)).join('');
  return { mail, made, report: readReport(octets(mail)) };
}

describe('a report', () => {
  test('as a whole', () => {
    const diagnostic = { type: 'smtp', text: '550 5.1.1 no such user' };
    const one = { ...failed, remoteMta: { type: 'dns', text: 'mail.example.net' }, diagnostic, lastAttempt: init.date };
    const { mail, made } = compose({ status: { envelopeId: 'QQ314159', arrival: init.date - 60_000, recipients: [one] } });
    expect(made).toMatchObject({ reversePath: '', recipients: ['ann@example.org'], body: '7BIT', smtpUtf8: false, returns: 'message' });
    expect(mail.split('\r\n')).toEqual([
      'From: Mail Delivery System <postmaster@mx.example.net>',
      'To: <ann@example.org>',
      'Subject: Your message could not be delivered',
      'Date: Mon, 16 Nov 2026 09:15:02 +0000',
      'Message-ID: <1@mx.example.net>',
      'Auto-Submitted: auto-replied',
      'MIME-Version: 1.0',
      'Content-Type: multipart/report; report-type=delivery-status;',
      ' boundary="b1"',
      '',
      '--b1',
      'Content-Type: text/plain; charset=us-ascii',
      '',
      'This is the mail system of mx.example.net. It tells of a message that you sent.',
      '',
      'It could not be delivered to:',
      '',
      '  <joe@example.net>',
      '    mail.example.net said: 550 5.1.1 no such user',
      '',
      'The message is attached.',
      '',
      '--b1',
      'Content-Type: message/delivery-status',
      '',
      'Original-Envelope-Id: QQ314159',
      'Reporting-MTA: dns; mx.example.net',
      'Arrival-Date: Mon, 16 Nov 2026 09:14:02 +0000',
      '',
      'Final-Recipient: rfc822; joe@example.net',
      'Action: failed',
      'Status: 5.1.1',
      'Remote-MTA: dns; mail.example.net',
      'Diagnostic-Code: smtp; 550 5.1.1 no such user',
      'Last-Attempt-Date: Mon, 16 Nov 2026 09:15:02 +0000',
      '',
      '--b1',
      'Content-Type: message/rfc822',
      '',
      'From: ann@example.org',
      'Subject: hello',
      '',
      'text',
      '',
      '--b1--',
      '',
    ]);
  });

  test('is read as what was written, whatever it says', () => {
    const property = fc.property(statuses(wide), fc.boolean(), fc.boolean(), (status, eightBit, smtpUtf8) => {
      const { report, mail, made } = compose({ status, eightBit, original: { header, size: whole.length, smtpUtf8 } });
      const { type, text, action, original, deviations, ...read } = report as Extract<Report, { type: 'delivery-status' }>;
      expect([type, deviations]).toEqual(['delivery-status', []]);
      expect(read).toEqual(status);
      expect(original?.fields.map(({ name }) => name)).toEqual(['From', 'Subject']);
      expect(original?.part).toBe(made.returns);
      expect(text).not.toBe('');
      expect(status.recipients.some((one) => one.action === action)).toBe(true);
      if (!eightBit) expect(mail).toMatch(/^\p{ASCII}*$/u);
      expect(made.body === '8BITMIME' || /^\p{ASCII}*$/u.test(mail)).toBe(true);
      for (const line of mail.split('\r\n')) expect(line.length).toBeLessThanOrEqual(998);
    });
    fc.assert(property, { numRuns: 500 });
  });

  const delayed: RecipientStatus = { ...failed, action: 'delayed', status: '4.4.1' };
  test.each<[string, Partial<ReportInit>, string, string]>([
    ['RET=FULL and a failure', { ret: 'FULL' }, 'message', 'message/rfc822'],
    ['RET=HDRS', { ret: 'HDRS' }, 'header', 'text/rfc822-headers'],
    ['no failure', { status: { recipients: [delayed] } }, 'header', 'text/rfc822-headers'],
    ['a failure beside a delay', { status: { recipients: [delayed, failed] } }, 'message', 'message/rfc822'],
    ['a long message', { original: { header, size: 65_537 } }, 'header', 'text/rfc822-headers'],
    ['8-bit on a way of 7', { original: { header, size: 100, body: '8BITMIME' } }, 'header', 'text/rfc822-headers'],
    ['8-bit on a way of 8', { eightBit: true, original: { header, size: 100, body: '8BITMIME' } }, 'message', 'message/rfc822'],
    ['octets', { eightBit: true, original: { header, size: 100, body: 'BINARYMIME' } }, 'header', 'text/rfc822-headers'],
    ['UTF-8 on a way of 7', { original: { header, size: 100, smtpUtf8: true } }, 'header', 'message/global-headers'],
    ['UTF-8 on a way of 8', { eightBit: true, original: { header, size: 100, smtpUtf8: true } }, 'message', 'message/global'],
  ])('returns, of %s, the %s', (_, more, returns, type) => {
    const { made, mail } = compose(more);
    expect(made.returns).toBe(returns);
    expect(mail).toContain(`--b1\r\nContent-Type: ${type}\r\n`);
    expect(mail.includes('\r\n\r\ntext\r\n')).toBe(returns === 'message');
    expect(readReport(octets(mail))).toMatchObject({ original: { part: returns }, deviations: [] });
  });

  test('of nothing returns nothing', () => {
    const { original: _, ...without } = init;
    const made = composeReport(without)!;
    expect(made.returns).toBe('nothing');
    expect(readReport(made.head)).toMatchObject({ original: null });
  });

  test('a header with octets beyond ASCII is encoded, octet by octet, or goes as it is', () => {
    const odd = octets('Subject: \xe9\r\nX: y \r\n\r\n');
    const { mail, report } = compose({ ret: 'HDRS', original: { header: odd, size: 100 } });
    expect(mail).toContain(
      'Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nSubject: =E9\r\nX: y=20\r\n\r\n--b1--',
    );
    const { original } = report as Extract<Report, { type: 'delivery-status' }>;
    expect(original!.fields.map(({ raw }) => latin1(raw, 0, raw.length)).join('')).toBe('Subject: \xe9\r\nX: y \r\n');
    const utf8 = compose({ ret: 'HDRS', eightBit: true, original: { header: octets('Subject: \xc3\xa9\r\n'), size: 100, smtpUtf8: true } });
    expect(utf8.mail).toContain('Content-Type: message/global-headers\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: \xc3\xa9\r\n');
    expect(utf8.made.body).toBe('8BITMIME');
  });

  test('to an address beyond ASCII needs SMTPUTF8', () => {
    expect(compose({ reversePath: 'j\u00f6@example.org' }).made).toMatchObject({ smtpUtf8: true, recipients: ['j\u00f6@example.org'] });
  });

  test('goes to nobody where there is no return path, and by no route', () => {
    expect(composeReport({ ...init, reversePath: '' })).toBeNull();
    expect(composeReport({ ...init, reversePath: '<>' })).toBeNull();
    expect(composeReport({ ...init, reversePath: '<@a.example,@b.example:ann@example.org>' })?.recipients).toEqual(['ann@example.org']);
    expect(() => composeReport({ ...init, reversePath: 'ann@' })).toThrow(/4\.1\.2/);
  });

  test.each([
    ['mx.example.net', 'dns; mx.example.net'],
    ['[192.0.2.1]', 'dns; [192.0.2.1]'],
    ['localhost', 'x-local-hostname; localhost'],
    ['my_host.local', 'x-local-hostname; my_host.local'],
  ])('the host %s is %s (RFC 3461 6.3 b)', (host, field) => {
    expect(compose({ host }).mail).toContain(`Reporting-MTA: ${field}\r\n`);
  });

  test('a boundary is one, and stands nowhere else', () => {
    for (const boundary of ['', 'a b ', 'x'.repeat(71), 'a"b', 'a\r\nb'])
      expect(() => composeReport({ ...init, boundary })).toThrow(/5\.1\.1/);
    expect(() => composeReport({ ...init, ret: 'HDRS', original: { header: octets('X:\r\n--b1: y\r\n'), size: 1 } })).toThrow(/boundary/);
  });

  test('a text of its own is written as it needs', () => {
    const { mail, report } = compose({ text: 'Gr\u00fc\u00dfe,\nund so weiter = \n', subject: 'Nein' });
    expect(mail).toContain('Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe,\r\nund so weiter =3D=20\r\n');
    expect(mail).toContain('Subject: Nein\r\n');
    expect(report?.text).toBe('Gr\u00fc\u00dfe,\r\nund so weiter = \r\n');
    expect(compose({ text: 'x'.repeat(3000) }).report?.text).toBe('x'.repeat(3000));
  });
});

describe('any octets', () => {
  const words = [
    ...[
      'From: MAILER-DAEMON@a.example\r\n',
      'Subject: failure notice\r\n',
      'X-Failed-Recipients: a@b, c@d\r\n',
      '\r\n',
      '\r\n\r\n',
      '\n',
      '\r',
      '\0',
      '\xe9',
      '\xff',
    ],
    ...[
      'Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n',
      '\r\n--b\r\n',
      '\r\n--b--\r\n',
      'Content-Type: message/delivery-status\r\n\r\n',
    ],
    ...[
      'Content-Type: message/feedback-report\r\n\r\n',
      'Content-Type: application/tlsrpt+json\r\n\r\n',
      'Content-Transfer-Encoding: base64\r\n',
      'Content-Type: text/rfc822-headers\r\n\r\n',
    ],
    ...[
      'Final-Recipient: rfc822; a@b\r\n',
      'Original-Recipient: utf-8;\\x{e9}@b\r\n',
      'Action: failed\r\n',
      'Status: 5.1.1\r\n',
      'Status: (',
      'Action: )))(((\r\n',
      'Arrival-Date: x\r\n',
    ],
    ...[
      'Hi. This is the mail program.\r\n\r\n',
      '<a@b.example>:\r\n',
      'could not be delivered\r\n',
      ' a@b.example\r\n',
      '550 5.1.1 no\r\n',
      '--- Below this line is a copy of the message.\r\n',
    ],
    ...[
      'Feedback-Type: abuse\r\n',
      'Localized-Diagnostic: de\r\n',
      ';',
      '=',
      '(((((',
      'will keep trying ',
      'e30=',
      '5.5.5.5.5.5',
      'Localized-Diagnostic: x; y\r\n',
    ],
  ];
  const messages = fc.array(fc.constantFrom(...words), { maxLength: 40 }).map((all) => all.join(''));

  test('are read the same in any pieces, and none throws', () => {
    let reports = 0;
    const property = fc.property(messages, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 4 }), (message, sizes) => {
      const bytes = octets(message);
      const reader = new ReportReader({ text: 300, status: 200, original: 40 });
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const chunk = bytes.slice(at, at + sizes[i % sizes.length]!);
        reader.push(chunk);
        at += chunk.length;
        chunk.fill(0x2a);
      }
      const report = reader.end();
      expect(report).toEqual(readReport(bytes, { text: 300, status: 200, original: 40 }));
      if (report !== null) reports++;
    });
    fc.assert(property, { numRuns: 4000 });
    expect(reports).toBeGreaterThan(100);
  });

  test('no matter which they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void readReport(bytes)),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => void parseDeliveryStatus(text)),
      { numRuns: 2000 },
    );
  });
});

test('law 3: of a message that was returned no more than its header is kept', () => {
  const reader = new ReportReader();
  const { made } = compose();
  reader.push(made.head);
  const line = octets(`${'x'.repeat(998)}\r\n`.repeat(64));
  for (let i = 0; i < 200; i++) reader.push(line);
  reader.push(made.tail);
  expect(reader.end()).toMatchObject({ type: 'delivery-status', recipients: [{ status: '5.1.1' }], deviations: [] });
});

/** Texts that punish a reader who looks back: each is read whole at twice the length, too. */
test.each([
  ['spaces', ' '],
  ['opening parentheses', '('],
  ['parentheses', '()'],
  ['numbers', '5.'],
  ['angle brackets', '<'],
  ['addresses', 'a@'],
  ['words', 'of a '],
  ['blank lines', ' \n'],
  ['quotes', '"\\'],
])('long runs of %s are read in a bounded number of steps', (_, run) => {
  const long = run.repeat(60_000 / run.length);
  const text = `From: postmaster@a.example\r\nSubject: ${long.slice(0, 20_000).replaceAll('\n', '')}\r\n\r\ndelivery failed to ${long}`;
  expect(readReport(text)).toBeNull();
  for (const name of ['Action', 'Status', 'Final-Recipient', 'Diagnostic-Code', 'Arrival-Date', 'Remote-MTA']) {
    const parsed = parseDeliveryStatus(`Reporting-MTA: dns; a\r\n\r\nFinal-Recipient: rfc822; a@b\r\n${name}: ${long}x\r\n`);
    expect(parsed.ok).toBe(true);
  }
});

describe('what is more than the limits', () => {
  const { made } = compose();
  const read = (limits: Parameters<typeof readReport>[1]): Report | null => readReport(made.head, limits);

  test('of the text, or of the status, is left out, and told', () => {
    expect(read({ text: 10 })).toMatchObject({ text: 'This is th', deviations: ['cut', 'unclosed'] });
    // Cut within the action: what is left is all that is known.
    expect(read({ status: 90 })).toMatchObject({
      recipients: [{ action: 'failed', status: '5.0.0' }],
      deviations: ['cut', 'no-status', 'odd-action', 'unclosed'],
    });
    // Without a recipient in it the text is read, as it would be without a status.
    const told = { finalRecipient: joe, action: 'failed', status: '5.0.0' };
    expect(read({ status: 20 })).toMatchObject({ recipients: [told], deviations: ['cut', 'no-status-part', 'unclosed'] });
    expect((read({ status: 20 }) as Extract<Report, { type: 'delivery-status' }>).recipients).toEqual([told]);
  });

  test('of the original is no fault: a field that is cut is none', () => {
    const long = octets('From: ann@example.org\r\nSubject: hello\r\nX: y\r\n');
    const { head, tail } = compose({ ret: 'HDRS', original: { header: long, size: 100 } }).made;
    const report = readReport(Uint8Array.from([...head, ...tail]), { original: 42 }) as Extract<Report, { type: 'delivery-status' }>;
    expect(report.deviations).toEqual([]);
    expect(report.original?.fields.map(({ name }) => name)).toEqual(['From']);
  });

  test('fields: 100,000', () => {
    const many = `Reporting-MTA: dns; a\r\n${'X: y\r\n'.repeat(99_996)}\r\n`;
    const one = 'Final-Recipient: rfc822; a@b\r\nAction: failed\r\nStatus: 5.0.0\r\n';
    expect(parseDeliveryStatus(many + one)).toMatchObject({ ok: true, deviations: [] });
    expect(parseDeliveryStatus(`${many}${one}\r\n${one}`)).toMatchObject({ ok: true, value: { recipients: [{}] }, deviations: ['cut'] });
  });
});
