import { describe, expect, test } from 'vitest';
import { addressClass, isStsHost, isUsableTlsa, PolicyBook, parseStsPolicy, parseStsRecord, parseTlsrptRecord } from '../src/index.ts';
import { TlsLedger } from '../src/tls-ledger.ts';

const POLICY = 'version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\nmax_age: 604800\n';

describe('MTA-STS', () => {
  // RFC 8461 3.1.
  test.each([
    [['v=STSv1; id=20160831085700Z;'], '20160831085700Z'],
    [['v=STSv1;id=a'], 'a'],
    [['v=spf1 -all', 'v=STSv1; x=y; id=a;'], 'a'],
    [['v=STSv1; id=a;', 'v=STSv1; id=b;'], null],
    [['v=STSv1; id=;'], null],
    [['v=STSv1; id=a-b;'], null],
    [[`v=STSv1; id=${'a'.repeat(33)};`], null],
    [['id=a; v=STSv1;'], null],
    [[], null],
  ])('records %j have the id %s', (txt, id) => {
    expect(parseStsRecord(txt)).toBe(id);
  });

  // RFC 8461 3.2.
  test.each([
    ['', null],
    [POLICY, ['mail.example.com', '*.example.net']],
    [POLICY.replaceAll('\n', '\r\n'), ['mail.example.com', '*.example.net']],
    [POLICY.replace('STSv1', 'STSv2'), null],
    [POLICY.replace('enforce', 'maybe'), null],
    [POLICY.replace('604800', '-1'), null],
    [POLICY.replace('604800', 'soon'), null],
    [POLICY.replace('mail.example.com', 'a.*.example.com'), null],
    [POLICY.replace('version: STSv1\n', ''), null],
    ['version: STSv1\nmode: enforce\nmax_age: 1\n', null],
    ['version: STSv1\nmode: none\nmax_age: 1\n', []],
    [`${POLICY}other: thing\nmode: none\n`, ['mail.example.com', '*.example.net']],
  ])('the policy %j names %j', (text, mx) => {
    expect(parseStsPolicy(text)?.mx ?? null).toEqual(mx);
  });

  test('an age beyond a year counts as one', () => {
    expect(parseStsPolicy(POLICY.replace('604800', '9999999999'))?.maxAge).toBe(31_557_600_000);
  });

  // RFC 8461 4.1: "*" stands for one label.
  test.each([
    ['mail.example.com', true],
    ['MAIL.example.com.', true],
    ['a.example.net', true],
    ['example.net', false],
    ['a.b.example.net', false],
    ['notmail.example.com', false],
  ])('%s is named: %s', (host, named) => {
    expect(isStsHost(host, ['mail.example.com', '*.example.net'])).toBe(named);
  });

  test('a policy is fetched when its id is another, when a day has passed, and not soon after it could not be had', () => {
    const book = new PolicyBook();
    const policy = parseStsPolicy(POLICY)!;
    const day = 86_400_000;
    expect(book.wants('a', '1', 0)).toBe(true);
    book.set('a', { id: '1', policy, fetched: 0 });
    expect([book.wants('a', '1', 1), book.wants('a', '2', 1), book.wants('a', '1', day)]).toEqual([false, true, true]);
    book.failed('a', day);
    expect([book.wants('a', '2', day + 299_999), book.wants('a', '2', day + 300_000)]).toEqual([false, true]);
    // RFC 8461 3.2: until its age is over.
    expect([book.at('a', 604_799_999)?.id, book.at('a', 604_800_000)]).toEqual(['1', null]);
    expect([...new PolicyBook(book.entries()).entries()]).toHaveLength(1);
  });
});

// RFC 6698 2.1, RFC 7672 3.1.3.
test.each([
  [{ usage: 3, selector: 1, matching: 1, data: 'a0'.repeat(32) }, true],
  [{ usage: 2, selector: 0, matching: 2, data: 'a0'.repeat(64) }, true],
  [{ usage: 3, selector: 0, matching: 0, data: '3082' }, true],
  [{ usage: 0, selector: 1, matching: 1, data: 'a0'.repeat(32) }, false],
  [{ usage: 1, selector: 1, matching: 1, data: 'a0'.repeat(32) }, false],
  [{ usage: 3, selector: 2, matching: 1, data: 'a0'.repeat(32) }, false],
  [{ usage: 3, selector: 1, matching: 3, data: 'a0'.repeat(32) }, false],
  [{ usage: 3, selector: 1, matching: 1, data: 'a0'.repeat(31) }, false],
  [{ usage: 3, selector: 1, matching: 0, data: '' }, false],
])('TLSA %j can be used: %s', (record, usable) => {
  expect(isUsableTlsa(record)).toBe(usable);
});

describe('an address', () => {
  test.each([
    ['8.8.8.8', 'public'],
    ['2a00:1450::1', 'public'],
    ['0.0.0.0', 'unspecified'],
    ['127.0.0.1', 'loopback'],
    ['::1', 'loopback'],
    ['::', 'unspecified'],
    ['10.1.2.3', 'private'],
    ['172.31.255.255', 'private'],
    ['172.32.0.1', 'public'],
    ['192.168.0.1', 'private'],
    ['100.64.0.1', 'shared'],
    ['169.254.169.254', 'link-local'],
    ['fe80::1', 'link-local'],
    ['fd00::1', 'private'],
    ['224.0.0.1', 'multicast'],
    ['ff02::1', 'multicast'],
    ['255.255.255.255', 'reserved'],
    ['198.18.0.1', 'benchmark'],
    ['2001:db8::1', 'documentation'],
    ['203.0.113.9', 'documentation'],
    ['4000::1', 'reserved'],
    // IPv4 in disguise.
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:a00:1', 'private'],
    ['::127.0.0.1', 'loopback'],
    ['::ffff:0:10.0.0.1', 'private'],
    ['64:ff9b::10.0.0.1', 'private'],
    ['64:ff9b::8.8.8.8', 'public'],
    ['64:ff9b:1::1', 'private'],
    ['2002:a00:1::', 'private'],
    ['2002:808:808::', 'public'],
    ['2001:0:0:0:0:0:f5ff:fffe', 'private'],
    // What two programs may read two ways.
    ['127.1', 'invalid'],
    ['0177.0.0.1', 'invalid'],
    ['0x7f.0.0.1', 'invalid'],
    ['2130706433', 'invalid'],
    ['fe80::1%eth0', 'invalid'],
    ['1.2.3.4.', 'invalid'],
    ['', 'invalid'],
  ])('%s is %s', (address, name) => {
    expect(addressClass(address)).toBe(name);
  });
});

// RFC 8460 3.
test.each([
  [['v=TLSRPTv1; rua=mailto:a@example.com'], ['mailto:a@example.com']],
  [['v=TLSRPTv1;rua=https://a.example/r , mailto:b@example.com;'], ['https://a.example/r', 'mailto:b@example.com']],
  [['v=TLSRPTv1; rua=ftp://a.example, http://a.example'], []],
  [['v=TLSRPTv1; rua=mailto:a@b', 'v=TLSRPTv1; rua=mailto:c@d'], []],
  [['v=TLSRPTv2; rua=mailto:a@b'], []],
])('reports of %j go to %j', (txt, rua) => {
  expect(parseTlsrptRecord(txt)).toEqual(rua);
});

test('a ledger counts sessions by day, domain and policy, and tells of each once', () => {
  const ledger = new TlsLedger();
  const day = 86_400_000;
  const event = {
    at: 5,
    domain: 'example.net',
    type: 'sts',
    lines: ['mode: enforce'],
    mxHosts: ['mx.example.net'],
    host: 'mx.example.net',
    address: '192.0.2.1',
  } as const;
  ledger.add({ ...event, result: null });
  ledger.add({ ...event, result: 'certificate-expired' });
  ledger.add({ ...event, result: 'certificate-expired' });
  ledger.add({ ...event, at: day, result: null });
  expect(ledger.due).toBe(day);
  expect(ledger.take(day - 1)).toEqual([]);
  const [report, ...more] = ledger.take(day);
  expect(more).toEqual([]);
  expect(report).toMatchObject({ domain: 'example.net', start: 0, end: day - 1000 });
  expect(report?.policies).toMatchObject([{ successful: 1, failed: 2, failures: [{ result: 'certificate-expired', sessions: 2 }] }]);
  expect(ledger.due).toBe(2 * day);
});

describe('a ledger keeps little of a day', () => {
  const base = { at: 5, domain: 'example.net', type: 'sts', mxHosts: [], host: 'mx.example.net', address: '192.0.2.1' } as const;

  test('the first ten policies of a domain: what happens under others is not said of these', () => {
    const ledger = new TlsLedger();
    for (let i = 0; i < 1440; i++) ledger.add({ ...base, lines: [`x${i}: y`], result: null });
    ledger.add({ ...base, lines: ['x3: y'], result: 'certificate-expired' });
    const { policies } = ledger.take(86_400_000)[0]!;
    expect(policies.map(({ lines, successful, failed }) => [lines[0], successful, failed])).toEqual(
      Array.from({ length: 10 }, (_, i) => [`x${i}: y`, 1, i === 3 ? 1 : 0]),
    );
  });

  test('all failures are counted, also those that are not told one by one', () => {
    const ledger = new TlsLedger();
    for (let i = 0; i < 300; i++) ledger.add({ ...base, lines: [], address: `2001:db8::${i}`, result: 'validation-failure' });
    const { failed, failures } = ledger.take(86_400_000)[0]!.policies[0]!;
    expect([failed, failures.length]).toEqual([300, 100]);
  });
});
