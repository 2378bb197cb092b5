import { describe, expect, test } from 'vitest';
import { fieldValue } from '../src/index.ts';
import { type Feedback, type FeedbackReport, LETTER_REPORT, parseFeedback, readReport } from '../src/report.ts';

/** RFC 5965 Appendix B.2, with other names. */
const PART = [
  'Feedback-Type: abuse',
  'User-Agent: SomeGenerator/1.0',
  'Version: 1',
  'Original-Mail-From: <somespammer@example.net>',
  'Original-Rcpt-To: <user@example.com>',
  'Received-Date: Thu, 8 Mar 2005 14:00:00 EDT',
  'Source-IP: 192.0.2.2',
  'Authentication-Results: mail.example.com;',
  '               spf=fail smtp.mail=somespammer@example.com',
  'Reported-Domain: example.net',
  'Reported-Uri: http://example.net/earn_money.html',
  'Reported-Uri: mailto:user@example.com',
  'Removal-Recipient: user@example.com',
];
const SAID: Feedback = {
  feedbackType: 'abuse',
  incidents: 1,
  userAgent: 'SomeGenerator/1.0',
  version: '1',
  originalMailFrom: 'somespammer@example.net',
  originalRcptTo: ['user@example.com'],
  arrival: Date.UTC(2005, 2, 8, 18),
  sourceIp: '192.0.2.2',
  authenticationResults: ['mail.example.com;               spf=fail smtp.mail=somespammer@example.com'],
  reportedDomains: ['example.net'],
  reportedUris: ['http://example.net/earn_money.html', 'mailto:user@example.com'],
  extensions: [['Removal-Recipient', 'user@example.com']],
};

const mail = (part: readonly string[], type = 'multipart/report; report-type=feedback-report'): string =>
  [
    ...[
      'From: <abusedesk@example.com>',
      'To: <abuse@example.net>',
      'Subject: FW: Earn money',
      'MIME-Version: 1.0',
      `Content-Type: ${type}; boundary="p"`,
      '',
    ],
    ...['--p', 'Content-Type: text/plain; charset="US-ASCII"', 'Content-Transfer-Encoding: 7bit', '', 'This is an email abuse report.', ''],
    ...['--p', 'Content-Type: message/feedback-report', '', ...part, ''],
    ...[
      '--p',
      'Content-Type: message/rfc822',
      'Content-Disposition: inline',
      '',
      'From: <somespammer@example.net>',
      'Subject: Earn money',
      '',
      'Spam Spam Spam',
      '--p--',
      '',
    ],
  ].join('\r\n');

test('a report with all fields; its date is an odd one, in the RFC too', () => {
  const report = readReport(mail(PART)) as FeedbackReport;
  const { original, ...said } = report;
  expect(said).toEqual({ type: 'feedback-report', ...SAID, text: 'This is an email abuse report.\r\n', deviations: ['odd-date'] });
  expect(original?.part).toBe('message');
  expect(original?.fields.map((field) => [field.name, fieldValue(field)])).toEqual([
    ['From', '<somespammer@example.net>'],
    ['Subject', 'Earn money'],
  ]);
});

test('the least that there is, to the letter', () => {
  const text = 'Feedback-Type: opt-out\r\nUser-Agent: a/1\r\nVersion: 1\r\n';
  const value: Feedback = { feedbackType: 'opt-out', incidents: 1, userAgent: 'a/1', version: '1' };
  expect(parseFeedback(text, LETTER_REPORT)).toEqual({ ok: true, value, deviations: [] });
  expect(readReport(mail(text.split('\r\n')))).toMatchObject({ type: 'feedback-report', feedbackType: 'opt-out', deviations: [] });
});

describe.each<[string, string, Partial<Feedback>, readonly string[]]>([
  ['no type', 'User-Agent: a/1\r\nVersion: 1\r\n', { feedbackType: 'other' }, ['no-feedback-type']],
  ['no version', 'Feedback-Type: Fraud\r\nUser-Agent: a/1\r\n', { feedbackType: 'fraud' }, ['no-user-agent']],
  [
    'an address without brackets',
    'Feedback-Type: abuse\r\nUser-Agent: a\r\nVersion: 1\r\nOriginal-Mail-From: a@b.example\r\n',
    { originalMailFrom: 'a@b.example' },
    ['odd-address'],
  ],
  ['the null path', 'Feedback-Type: abuse\r\nUser-Agent: a\r\nVersion: 1\r\nOriginal-Mail-From: <>\r\n', { originalMailFrom: '' }, []],
  [
    'a field twice',
    'Feedback-Type: abuse\r\nFeedback-Type: virus\r\nUser-Agent: a\r\nVersion: 1\r\n',
    { feedbackType: 'abuse' },
    ['repeated-field'],
  ],
  ['many at once', 'Feedback-Type: abuse\r\nUser-Agent: a\r\nVersion: 1\r\nIncidents: 12\r\n', { incidents: 12 }, []],
  ['a number that is none', 'Feedback-Type: abuse\r\nUser-Agent: a\r\nVersion: 1\r\nIncidents: many\r\n', { incidents: 1 }, []],
  [
    'an address as a literal',
    'Feedback-Type: abuse\r\nUser-Agent: a\r\nVersion: 1\r\nSource-IP: [IPv6:2001:db8::1]\r\n',
    { sourceIp: '2001:db8::1' },
    [],
  ],
  [
    'lines of LF, and a blank one',
    'Feedback-Type: abuse\n\nUser-Agent: a\nVersion: 1\n',
    { userAgent: 'a' },
    ['bare-lf', 'extra-blank-line'],
  ],
])('%s', (_, text, value, deviations) => {
  test('is taken, and told', () => {
    expect(parseFeedback(text)).toMatchObject({ ok: true, value, deviations });
  });

  test('is refused, by its name, if it has one', () => {
    const refused = { ok: false, code: 'deviation', message: expect.stringContaining(`(${deviations[0]})`) };
    expect(parseFeedback(text, LETTER_REPORT)).toMatchObject(deviations.length > 0 ? refused : { ok: true, deviations: [] });
  });
});

test('in a multipart of another type it is told', () => {
  expect(readReport(mail(PART, 'multipart/mixed'))).toMatchObject({
    type: 'feedback-report',
    deviations: ['not-multipart-report', 'odd-date'],
  });
  expect(readReport(mail(PART, 'multipart/report'))).toMatchObject({ type: 'feedback-report', deviations: ['odd-date', 'report-type'] });
});

test('nothing is no feedback', () => {
  expect(parseFeedback('')).toMatchObject({ ok: false, code: 'syntax', section: 'RFC 5965 3.5' });
  expect(readReport(mail([]))).toBeNull();
});
