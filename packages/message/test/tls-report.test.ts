import { encodeBase64, encodeUtf8 } from '@ehlo/grammar';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatTlsReport, parseTlsReport, readReport, type TlsDeviation, type TlsReport, tlsReportMail } from '../src/report.ts';
import { TLS_DEVIATIONS } from '../src/words.ts';

/** RFC 8460 Appendix B, as it stands there but for its names. */
const EXAMPLE = {
  'organization-name': 'Company-X',
  'date-range': { 'start-datetime': '2016-04-01T00:00:00Z', 'end-datetime': '2016-04-01T23:59:59Z' },
  'contact-info': 'sts-reporting@company-x.example',
  'report-id': '5065427c-23d3-47ca-b6e0-946ea0e8c4be',
  policies: [
    {
      policy: {
        'policy-type': 'sts',
        'policy-string': ['version: STSv1', 'mode: testing', 'mx: *.mail.company-y.example', 'max_age: 86400'],
        'policy-domain': 'company-y.example',
        'mx-host': ['*.mail.company-y.example'],
      },
      summary: { 'total-successful-session-count': 5326, 'total-failure-session-count': 303 },
      'failure-details': [
        {
          'result-type': 'certificate-expired',
          'sending-mta-ip': '2001:db8:abcd:0012::1',
          'receiving-mx-hostname': 'mx1.mail.company-y.example',
          'failed-session-count': 100,
        },
        {
          'result-type': 'validation-failure',
          'sending-mta-ip': '198.51.100.62',
          'receiving-ip': '203.0.113.58',
          'receiving-mx-hostname': 'mx-backup.mail.company-y.example',
          'failed-session-count': 3,
          'failure-reason-code': 'X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED',
        },
      ],
    },
  ],
};

const READ: TlsReport = {
  organization: 'Company-X',
  start: Date.UTC(2016, 3, 1),
  end: Date.UTC(2016, 3, 1, 23, 59, 59),
  contact: 'sts-reporting@company-x.example',
  id: '5065427c-23d3-47ca-b6e0-946ea0e8c4be',
  policies: [
    {
      type: 'sts',
      lines: ['version: STSv1', 'mode: testing', 'mx: *.mail.company-y.example', 'max_age: 86400'],
      domain: 'company-y.example',
      mxHosts: ['*.mail.company-y.example'],
      successful: 5326,
      failed: 303,
      failures: [
        { result: 'certificate-expired', sendingIp: '2001:db8:abcd:0012::1', receivingHost: 'mx1.mail.company-y.example', sessions: 100 },
        {
          result: 'validation-failure',
          sendingIp: '198.51.100.62',
          receivingHost: 'mx-backup.mail.company-y.example',
          receivingIp: '203.0.113.58',
          sessions: 3,
          reason: 'X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED',
        },
      ],
    },
  ],
};

const NONE: ReadonlySet<TlsDeviation> = new Set();

test('the example of RFC 8460, read to the letter', () => {
  expect(parseTlsReport(JSON.stringify(EXAMPLE), NONE)).toEqual({ ok: true, value: READ, deviations: [] });
  expect(parseTlsReport(encodeUtf8(JSON.stringify(EXAMPLE, null, 2)), NONE)).toEqual({ ok: true, value: READ, deviations: [] });
  expect(JSON.parse(formatTlsReport(READ))).toEqual(EXAMPLE);
});

type Policy = (typeof EXAMPLE.policies)[number];
const policy = (change: (one: { [name: string]: unknown } & Policy) => void): unknown => {
  const copy = structuredClone(EXAMPLE) as { policies: ({ [name: string]: unknown } & Policy)[] };
  change(copy.policies[0]!);
  return copy;
};

/** For each deviation a report with it, and what is read of it. */
const ODD: { readonly [name in TlsDeviation]: readonly [report: unknown, read: (report: TlsReport) => unknown, expected: unknown] } = {
  'byte-order-mark': [`\ufeff${JSON.stringify(EXAMPLE)}`, (report) => report, READ],
  'one-policy': [{ ...EXAMPLE, policies: EXAMPLE.policies[0] }, (report) => report, READ],
  'text-for-list': [
    policy((one) => Object.assign(one.policy, { 'mx-host': 'mx.example' })),
    ({ policies }) => policies[0]?.mxHosts,
    ['mx.example'],
  ],
  'text-for-number': [policy((one) => Object.assign(one.summary, { 'total-failure-session-count': '303' })), (report) => report, READ],
  'odd-number': [
    policy((one) => Object.assign(one.summary, { 'total-failure-session-count': -1 })),
    ({ policies }) => policies[0]?.failed,
    0,
  ],
  'odd-kind': [{ ...EXAMPLE, 'organization-name': ['x'] }, ({ organization }) => organization, ''],
  'odd-name': [
    policy((one) => {
      Object.assign(one.policy, { 'mx-host-pattern': one.policy['mx-host'] });
      Reflect.deleteProperty(one.policy, 'mx-host');
    }),
    (report) => report,
    READ,
  ],
  'odd-date': [
    { ...EXAMPLE, 'date-range': { 'start-datetime': '2016-04-01', 'end-datetime': 'never' } },
    ({ start, end }) => [start, end],
    [READ.start, 0],
  ],
  missing: [{ ...EXAMPLE, 'report-id': undefined }, ({ id }) => id, ''],
  'policy-type': [policy((one) => Object.assign(one.policy, { 'policy-type': 'new' })), ({ policies }) => policies[0]?.type, 'new'],
  'result-type': [
    policy((one) => Object.assign(one['failure-details'][0]!, { 'result-type': 'new' })),
    ({ policies }) => policies[0]?.failures[0]?.result,
    'new',
  ],
  control: [{ ...EXAMPLE, 'organization-name': 'a\u001bb' }, ({ organization }) => organization, 'a b'],
  cut: [
    { ...EXAMPLE, policies: Array.from({ length: 10_001 }, () => EXAMPLE.policies[0]) },
    ({ policies }) => [policies.length, policies[9999]?.failures.length],
    [10_000, 0],
  ],
};

describe.each(Object.entries(ODD))('%s', (name, [json, read, expected]) => {
  const text = typeof json === 'string' ? json : JSON.stringify(json);

  test('is taken, and told', () => {
    const parsed = parseTlsReport(text);
    expect(parsed).toMatchObject({ ok: true, deviations: [name] });
    expect(parsed.ok && read(parsed.value)).toEqual(expected);
  });

  test('is refused, by its name', () => {
    const others = new Set((Object.keys(TLS_DEVIATIONS) as TlsDeviation[]).filter((other) => other !== name));
    expect(parseTlsReport(text, others)).toMatchObject({ ok: false, code: 'deviation', message: expect.stringContaining(`(${name})`) });
  });
});

test('every deviation has its report', () => {
  expect(Object.keys(ODD).sort()).toEqual(Object.keys(TLS_DEVIATIONS).sort());
});

test.each(['', '{', 'null', '[]', '"x"', '1', `${'['.repeat(200_000)}`, `{"policies":${'[{"policy":'.repeat(5000)}`])(
  'is no report: %.20s',
  (text) => {
    expect(parseTlsReport(text)).toMatchObject({ ok: false, code: 'syntax', section: 'RFC 8460 4.4' });
  },
);

test('no more than 16 MiB are looked at', () => {
  expect(parseTlsReport(new Uint8Array(16_777_217))).toMatchObject({ ok: false, code: 'syntax' });
});

const word = fc.string({ minLength: 1, maxLength: 20 });
const count = fc.nat();
const seconds = fc.integer({ min: 0, max: 4_000_000_000 }).map((time) => time * 1000);
const failure = fc
  .tuple(
    fc.record({ result: fc.constantFrom('certificate-expired', 'sts-policy-invalid', 'tlsa-invalid'), sessions: count }),
    fc.record(
      { sendingIp: word, receivingHost: word, receivingHelo: word, receivingIp: word, more: word, reason: word },
      { requiredKeys: [] },
    ),
  )
  .map(([needed, more]) => ({ ...needed, ...more }));
const reports: fc.Arbitrary<TlsReport> = fc.record({
  organization: word,
  start: seconds,
  end: seconds,
  contact: fc.constantFrom('tls@example.org', 'tls-report@mx.example'),
  id: word,
  policies: fc.array(
    fc.record({
      type: fc.constantFrom('tlsa', 'sts', 'no-policy-found'),
      lines: fc.array(word, { maxLength: 3 }),
      domain: word,
      mxHosts: fc.array(word, { maxLength: 3 }),
      successful: count,
      failed: count,
      failures: fc.array(failure, { maxLength: 3 }),
    }),
    { maxLength: 3 },
  ),
});

test('read(write(x)) = x', () => {
  fc.assert(
    fc.property(reports, (report) => {
      expect(parseTlsReport(formatTlsReport(report), NONE)).toEqual({ ok: true, value: report, deviations: [] });
    }),
  );
});

test('no JSON, and no octets, make it throw', () => {
  const names = [
    'policies',
    'policy',
    'summary',
    'date-range',
    'start-datetime',
    'failure-details',
    'policy-string',
    'mx-host',
    'total-failure-session-count',
    '__proto__',
  ];
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom<unknown>(null, true, 1, -1.5, 1e300, '', 'x', '2016-04-01'),
      fc.array(tie('json'), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom(...names), tie('json'), { maxKeys: 5 }),
    ),
  }));
  fc.assert(
    fc.property(json, (value) => void parseTlsReport(JSON.stringify(value))),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => void parseTlsReport(bytes)),
    { numRuns: 1000 },
  );
});

describe('its mail', () => {
  test('has the fields and names of RFC 8460 5.1 and 5.3', () => {
    expect(tlsReportMail({ ...READ, id: '735ff.e317+bf22029' }, { domain: 'example.net', compressed: true, uniqueId: '001' })).toEqual({
      fields: [
        ['Subject', 'Report Domain: example.net Submitter: company-x.example Report-ID: <735ff.e317+bf22029@company-x.example>'],
        ['TLS-Report-Domain', 'example.net'],
        ['TLS-Report-Submitter', 'company-x.example'],
      ],
      type: 'multipart/report; report-type="tlsrpt"',
      partType: 'application/tlsrpt+gzip',
      filename: 'company-x.example!example.net!1459468800!1459555199!001.json.gz',
    });
    expect(tlsReportMail({ ...READ, id: 'a b@<c>\r\nX: y' }, { domain: 'example.net', compressed: false })).toMatchObject({
      fields: [['Subject', 'Report Domain: example.net Submitter: company-x.example Report-ID: <a_b@_c___X__y>'], [], []].map((one) =>
        one.length === 0 ? expect.anything() : one,
      ),
      filename: 'company-x.example!example.net!1459468800!1459555199.json',
    });
  });

  test.each([
    ['application/tlsrpt+json', encodeUtf8(formatTlsReport(READ))],
    ['application/tlsrpt+gzip', Uint8Array.from([0x1f, 0x8b, 8, 0, 0xff])],
  ])('with %s is read', (media, content) => {
    const mail = [
      'From: tls@company-x.example',
      ...tlsReportMail(READ, { domain: 'company-y.example', compressed: media.endsWith('gzip') }).fields.map(
        ([name, text]) => `${name}: ${text}`,
      ),
      'MIME-Version: 1.0',
      'Content-Type: multipart/report; report-type="tlsrpt"; boundary=b',
      '',
      '--b',
      '',
      'This is an aggregate TLS report.',
      '--b',
      `Content-Type: ${media}`,
      'Content-Transfer-Encoding: base64',
      '',
      ...(encodeBase64(content).match(/.{1,76}/g) ?? []),
      '--b--',
      '',
    ].join('\r\n');
    const text = 'This is an aggregate TLS report.';
    expect(readReport(mail)).toEqual({
      type: 'tlsrpt',
      media,
      content,
      domain: 'company-y.example',
      submitter: 'company-x.example',
      text,
      deviations: [],
    });
  });
});
