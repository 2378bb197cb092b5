// The parts of the front by themselves.
import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { settingsOf } from '../../src/delivery-settings.ts';
import { asciiAddress, Directory, domainKey } from '../../src/front/directory.ts';
import { isConvertible, jobsOf, messageOf } from '../../src/front/facts.ts';
import { askerOf } from '../../src/front/front.ts';
import { Guests } from '../../src/front/guests.ts';
import { Holding, Memory } from '../../src/front/holding.ts';
import { loadPolicy, readSecret } from '../../src/front/load.ts';
import { clientKey, inNetworks, isNarrow, isNetwork } from '../../src/front/networks.ts';
import { scratchFiles } from '../../src/front/scratch.ts';
import { config, folder } from './harness.ts';

describe('networks', () => {
  test.each<[network: string, inside: string, outside: string]>([
    ['192.0.2.0/24', '192.0.2.255', '192.0.3.0'],
    ['192.0.2.1', '192.0.2.1', '192.0.2.2'],
    ['10.0.0.0/9', '10.127.0.1', '10.128.0.1'],
    ['2001:db8::/33', '2001:db8:7fff::1', '2001:db8:8000::1'],
    ['::1', '::1', '::2'],
    ['192.0.2.0/24', '::ffff:192.0.2.7', '::192.0.2.7'],
    ['::ffff:192.0.2.0/120', '192.0.2.7', '192.0.3.7'],
    ['192.0.2.0/24', '::ffff:c000:0207', '::ffff:c000:0307'],
  ])('%s has %s, and not %s', (network, inside, outside) => {
    const has = inNetworks([network]);
    expect([has(inside), has(outside), has(''), has('/run/x.sock'), has('unknown')]).toEqual([true, false, false, false, false]);
  });

  test('what is no network', () => {
    const bad = [
      '',
      'x',
      '192.0.2.0/33',
      '192.0.2.0/',
      '192.0.2.0/24/24',
      '192.0.2.1/24',
      '192.0.2',
      '0192.0.2.1',
      '::ffff:192.0.2.0/95',
      '2001:db8::/129',
    ];
    expect(bad.filter(isNetwork)).toEqual([]);
    expect(['10.0.0.0/8', 'fd00::/8', '::1'].every(isNarrow)).toBe(true);
    expect(['10.0.0.0/7', '0.0.0.0/0', '::/0', '::ffff:0.0.0.0/96', 'x'].some(isNarrow)).toBe(false);
  });

  test('every address is in the network of its first bits, and in none that has another bit there', () => {
    const v4 = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
    fc.assert(
      fc.property(v4, fc.integer({ min: 1, max: 32 }), (octets, bits) => {
        const number = octets.reduce((sum, octet) => sum * 256 + octet, 0);
        const size = 2 ** (32 - bits);
        const text = (value: number): string => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
        const base = number - (number % size);
        const has = inNetworks([`${text(base)}/${bits}`]);
        const other = base >= size ? base - 1 : base + size;
        return has(text(number)) && has(`::ffff:${text(number)}`) && !has(text(other));
      }),
    );
  });

  test('a client of IPv6 is known by its /64, one of IPv4 by its address', () => {
    expect(clientKey('2001:db8::1')).toBe(clientKey('2001:db8::ffff:1'));
    expect(clientKey('2001:db8::1')).not.toBe(clientKey('2001:db8:0:1::1'));
    expect(clientKey('::ffff:192.0.2.1')).toBe(clientKey('192.0.2.1'));
    expect(clientKey('')).toBe('');
  });
});

describe('the directory', () => {
  const path = (address: string): { localPart: string; domain: string; address: string } => {
    const at = address.lastIndexOf('@');
    return { localPart: address.slice(0, at), domain: address.slice(at + 1), address };
  };
  const entries = {
    hostname: 'mx.example.org',
    postmaster: 'boss@example.com',
    domains: ['example.org', 'bücher.example'],
    recipients: ['Ann@example.org', '*@bücher.example'],
    aliases: new Map([['info@example.org', ['ann@example.org']]]),
    lists: new Map([['team@example.org', { members: ['ann@example.org'], owner: 'boss@example.com' }]]),
  };
  const directory = new Directory({ ...entries, subaddress: '+' });

  test.each([
    ['ann@EXAMPLE.org', 'known'],
    ['ANN@example.org', 'known'],
    ['ann+x@example.org', 'known'],
    ['+ann@example.org', 'unknown'],
    ['joe+ann@example.org', 'unknown'],
    ['info@example.org', 'known'],
    ['team@example.org', 'known'],
    ['joe@example.org', 'unknown'],
    ['any@bücher.example', 'known'],
    ['any@xn--bcher-kva.example', 'known'],
    ['any@xn--bcher-kva.example.', 'known'],
    ['any%x.example@bücher.example', 'unknown'],
    ['x.example!any@bücher.example', 'unknown'],
    ['a b@bücher.example', 'unknown'],
    ['/etc/passwd@bücher.example', 'unknown'],
    ['|sh@bücher.example', 'unknown'],
    ['ann+x%y.example@example.org', 'unknown'],
    ['joe@example.net', 'foreign'],
    ['joe@sub.example.org', 'foreign'],
    ['joe@mx.example.org', 'foreign'],
    ['joe@[192.0.2.1]', 'foreign'],
    ['Postmaster@example.org', 'known'],
    ['postmaster@mx.example.org', 'known'],
    ['postmaster@[192.0.2.1]', 'known'],
    ['postmaster@[192.0.2.2]', 'foreign'],
    ['postmaster@example.net', 'foreign'],
    ['postmaster', 'known'],
  ])('%s is %s', (address, standing) => {
    const at = address.includes('@') ? path(address) : { localPart: address, domain: '', address };
    expect(directory.standing(at, '192.0.2.1')).toBe(standing);
  });

  test('whom addresses stand for', () => {
    expect(directory.expand('info+x@example.org')).toEqual({ type: 'alias', to: ['ann@example.org'] });
    expect(directory.expand('TEAM@example.org')).toEqual({ type: 'list', to: ['ann@example.org'], owner: 'boss@example.com' });
    expect(directory.expand('postmaster@mx.example.org')).toEqual({ type: 'alias', to: ['boss@example.com'] });
    expect(directory.queued({ localPart: 'postmaster', domain: '', address: 'postmaster' }, '192.0.2.1')).toBe('postmaster@mx.example.org');
    for (const nobody of ['ann@example.org', 'boss@example.com', 'info@example.net', 'no address', ''])
      expect(directory.expand(nobody)).toBeNull();
    const own = new Directory({ ...entries, recipients: [...entries.recipients, 'postmaster@example.org'] });
    expect(own.expand('postmaster@example.org')).toBeNull();
  });

  test('what would go round in circles or nowhere is told', () => {
    const aliases = new Map([
      ['a@example.org', ['b@example.org']],
      ['b@example.org', ['x@example.net', 'A@example.org']],
      ['c@example.org', ['a@example.org']],
    ]);
    expect(new Directory({ ...entries, aliases }).problems()).toEqual([
      expect.stringContaining('a@example.org stands for itself'),
      expect.stringContaining('b@example.org stands for itself'),
    ]);
    expect(new Directory({ ...entries, postmaster: 'nobody@example.org' }).problems()).toEqual([
      expect.stringContaining('postmaster is nobody@example.org, of a domain of ours'),
    ]);
    expect(new Directory({ ...entries, postmaster: 'root@mx.example.org' }).problems()).toEqual([
      expect.stringContaining('of this host itself'),
    ]);
    expect(directory.problems()).toEqual([]);
  });

  test.each<[string, string[], object]>([
    ['a detail of itself', ['info@example.org', 'info+x@example.org'], { subaddress: '+' }],
    ['the postmaster, who is it', ['boss@example.org', 'Postmaster@example.org'], { postmaster: 'boss@example.org' }],
    ['the postmaster of this host, who is it', ['boss@example.org', 'postmaster@mx.example.org'], { postmaster: 'boss@example.org' }],
  ])('an alias that stands for %s goes round in circles', (_, [from, to], more) => {
    const round = new Directory({ ...entries, ...more, aliases: new Map([[from!, [to!]]]) });
    expect(round.problems()).toEqual([expect.stringContaining(`${from} stands for itself`)]);
  });

  test('an alias that stands for itself and for others does not: the copy for itself is not expanded again', () => {
    const aliases = new Map([
      ['bob@example.org', ['Bob@example.org', 'x@example.net']],
      ['info+x@example.org', ['info+x@example.org']],
    ]);
    expect(new Directory({ ...entries, subaddress: '+', aliases }).problems()).toEqual([]);
  });

  test('an alias that stands for an address without a detail of its own, or for a detail that is another alias, does not', () => {
    const aliases = new Map([
      ['info@example.org', ['info+x@example.org']],
      ['info+x@example.org', ['ann@example.org', 'info-x@example.org']],
    ]);
    expect(new Directory({ ...entries, subaddress: '+', aliases }).problems()).toEqual([]);
    const apart = new Map([['info@example.org', ['info+x@example.org']]]);
    expect(new Directory({ ...entries, aliases: apart }).problems()).toEqual([]);
  });

  test('a domain is written with A-labels where every server can take them so', () => {
    expect(['joe@bücher.example', 'jörg@bücher.example', 'Joe@Example.ORG', 'postmaster', ''].map(asciiAddress)).toEqual([
      'joe@xn--bcher-kva.example',
      'jörg@bücher.example',
      'Joe@Example.ORG',
      'postmaster',
      '',
    ]);
    const wide = new Directory({ ...entries, aliases: new Map([['info@example.org', ['joe@bücher.example']]]) });
    expect(wide.expand('info@example.org')).toEqual({ type: 'alias', to: ['joe@xn--bcher-kva.example'] });
    expect(wide.queued(path('any@bücher.example'), '192.0.2.1')).toBe('any@xn--bcher-kva.example');
  });

  test('domains', () => {
    expect(['Example.ORG.', 'BÜCHER.example', '[192.0.2.1]', '[IPv6:2001:DB8::1]'].map(domainKey)).toEqual([
      'example.org',
      'xn--bcher-kva.example',
      '[192.0.2.1]',
      '[ipv6:2001:db8::1]',
    ]);
  });
});

test('failures are forgotten when their pause is over, and a right login forgets them at once', () => {
  let now = 0;
  const guests = new Guests(() => now);
  const limits = { connections: 1, failures: 3, pause: 1000 };
  const delays = [0, 1, 2, 3].map(() => {
    const delay = guests.delay('192.0.2.1', limits);
    guests.failed('192.0.2.1', limits);
    return delay;
  });
  expect(delays).toEqual([0, 250, 500, 1000]);
  expect([guests.isShut('192.0.2.1', limits), guests.isShut('192.0.2.2', limits)]).toEqual([true, false]);
  now = 1000;
  expect(guests.isShut('192.0.2.1', limits)).toBe(false);
  for (let i = 0; i < 20; i++) guests.failed('192.0.2.1', limits);
  expect(guests.delay('192.0.2.1', limits)).toBe(8000);
  guests.succeeded('192.0.2.1');
  expect(guests.delay('192.0.2.1', limits)).toBe(0);
});

test('places are given back once, whoever asks', () => {
  const guests = new Guests(() => 0);
  const leave = guests.enter('192.0.2.1', 1);
  expect(guests.enter('192.0.2.1', 1)).toBeNull();
  leave!();
  leave!();
  expect(guests.enter('192.0.2.1', 1)).not.toBeNull();
  expect(guests.enter('192.0.2.1', 1)).toBeNull();
});

test('octets come out as they went in, by memory and by file, and memory is given back', async () => {
  const open = scratchFiles(folder());
  const part = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 1000, maxLength: 6000 }));
  const parts = fc.array(part, { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(parts, fc.integer({ min: 0, max: 40_000 }), async (all, room) => {
      const memory = new Memory(room);
      const holding = new Holding(memory, open);
      for (const part of all) await holding.push(part.slice());
      // It may be read as often as it is needed.
      for (let time = 0; time < 2; time++) {
        const read: number[] = [];
        for await (const bytes of holding.content()) read.push(...bytes);
        expect(read).toEqual(all.flatMap((part) => [...part]));
      }
      expect(holding.size).toBe(all.reduce((sum, { length }) => sum + length, 0));
      await holding.close();
      expect(memory.left).toBe(room);
    }),
    { numRuns: 50 },
  );
});

test('octets that come one by one cost no more memory than those that come together', async () => {
  const memory = new Memory(1_048_576);
  const holding = new Holding(memory, scratchFiles(folder()));
  for (let i = 0; i < 10_000; i++) await holding.push(new Uint8Array([i]));
  expect(1_048_576 - memory.left).toBe(12_288);
  const pieces: number[] = [];
  for await (const bytes of holding.content()) pieces.push(bytes.length);
  expect(pieces).toEqual([4096, 4096, 1808]);
  await holding.close();
});

test('what a message asks for is what its jobs have', async () => {
  const arrived = {
    id: 'm',
    reversePath: 'a@example.net',
    at: 1_000_000,
    size: 9,
    hops: 2,
    tlsOptional: true,
    headerIsAscii: false,
    isAscii: false,
  };
  const parameters = {
    smtpUtf8: true,
    ret: 'HDRS',
    envid: 'e',
    auth: 'someone@example.org',
    mtPriority: -2,
    by: { seconds: 60, mode: 'R', trace: true },
    holdFor: 10,
  } as const;
  const message = messageOf({ ...arrived, parameters }, true);
  expect(message).toEqual({
    id: 'm',
    reversePath: 'a@example.net',
    arrived: 1_000_000,
    size: 9,
    body: '8BITMIME',
    smtpUtf8: true,
    convertible: true,
    hops: 2,
    ret: 'HDRS',
    envid: 'e',
    auth: '',
    tls: 'optional',
    priority: -2,
    by: { until: 1_060_000, mode: 'R', trace: true },
    release: 1_010_000,
  });
  expect(messageOf({ ...arrived, isAscii: true, headerIsAscii: true, parameters: { body: '8BITMIME', smtpUtf8: true } }, false)).toEqual({
    id: 'm',
    reversePath: 'a@example.net',
    arrived: 1_000_000,
    size: 9,
    hops: 2,
    tls: 'optional',
  });
  expect(messageOf({ ...arrived, reversePath: '', parameters: { body: 'BINARYMIME', requireTls: true } }, false)).toMatchObject({
    body: 'BINARYMIME',
    tls: 'required',
    notice: true,
  });
  expect(messageOf({ ...arrived, parameters: { holdUntil: '1970-01-01T01:00:00Z' } }, false).release).toBe(3_600_000);
  const to = ['a@x.example', 'b@X.example', 'c@y.example', 'a@x.example'].map((address) => ({
    address,
    parameters: { notify: 'NEVER' as const },
  }));
  const jobs = jobsOf(message, to);
  expect(jobs.map(({ id, domain, recipients, due }) => [id, domain, recipients.map(({ address }) => address), due])).toEqual([
    ['m.0', 'x.example', ['a@x.example', 'b@X.example'], 1_010_000],
    ['m.1', 'y.example', ['c@y.example'], 1_010_000],
  ]);
  expect(jobs[0]!.recipients[0]).toEqual({ address: 'a@x.example', state: 'due', notify: 'NEVER' });
});

test('whether a message can be made 7-bit', async () => {
  async function* of(text: string): AsyncGenerator<Uint8Array> {
    yield new TextEncoder().encode(text);
  }
  expect(await isConvertible(of('Subject: x\r\nMIME-Version: 1.0\r\n\r\ngrüße\r\n'))).toBe(true);
  expect(await isConvertible(of('Subject: grüße\r\n\r\nx\r\n'))).toBe(false);
});

describe('files that a configuration names', () => {
  test('recipients, aliases and members, with comments; a colon in quotes is none', async () => {
    const at = folder({
      recipients: '# who is here\n\nkim@example.org\n*@example.org\n',
      aliases: 'info@example.org: ann@example.org, x@example.net\n"a:b"@example.org: ann@example.org\n',
      members: 'x@example.net\n',
    });
    const policy = await loadPolicy(
      config({
        recipientsFile: `${at}/recipients`,
        aliasesFile: `${at}/aliases`,
        lists: { 'team@example.org': { membersFile: `${at}/members`, owner: 'ann@example.org' } },
      }),
      () => false,
    );
    expect(policy.directory.counts).toEqual({ recipients: 4, aliases: 2, lists: 1 });
    expect(policy.directory.expand('"a:b"@example.org')).toEqual({ type: 'alias', to: ['ann@example.org'] });
  });

  test('what is wrong in them is told, all at once, by file and line', async () => {
    const at = folder({ recipients: 'kim\nkim@example.net\n', aliases: 'nonsense\nann@example.org: joe\n', members: 'x\n' });
    const wrong = config({
      recipientsFile: `${at}/recipients`,
      aliasesFile: `${at}/aliases`,
      lists: {
        'team@example.org': { membersFile: `${at}/members`, owner: 'ann@example.org' },
        'none@example.org': { owner: 'ann@example.org' },
      },
    });
    await expect(loadPolicy(wrong, () => false)).rejects.toThrow(
      [
        `recipientsFile: ${at}/recipients, line 1: "kim" is no address; a line is a mail address, or "*@example.org" for all of a domain`,
        `aliasesFile: ${at}/aliases, line 1: an alias is an address, a colon, and addresses with commas between`,
        `aliasesFile: ${at}/aliases, line 2: an alias is an address, a colon, and addresses with commas between`,
        `lists.team@example.org: ${at}/members`.replace('lists.team@example.org:', 'lists.team@example.org.membersFile:') +
          ', line 1: "x" is no address',
        'lists.team@example.org has no members',
        'lists.none@example.org has no members',
        'kim@example.net is of a domain that is none of domains',
      ].join('\n'),
    );
  });

  test('secrets come from the first line of a file, or the environment, and are in no error', async () => {
    const at = folder({ secret: 'hunter2\nmore\n', empty: '\n' });
    expect(await readSecret('x', { file: `${at}/secret` })).toBe('hunter2');
    vi.stubEnv('EHLO_TEST_SECRET', 'hunter3');
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await readSecret('x', { env: 'EHLO_TEST_SECRET' })).toBe('hunter3');
    await expect(readSecret('routes.0.password', { file: `${at}/empty` })).rejects.toThrow(
      `routes.0.password: the first line of ${at}/empty is empty`,
    );
    await expect(readSecret('x', { env: 'EHLO_TEST_NONE' })).rejects.toThrow('x: the environment variable EHLO_TEST_NONE is not set');
    writeFileSync(`${at}/secret`, '');
    await expect(readSecret('x', { file: `${at}/none` })).rejects.toThrow(`x: the file ${at}/none is not there`);
  });
});

test('the dispatcher gets what the configuration says, and the preset what it leaves out', async () => {
  const whole = config({
    names: ['mail.example.org', '192.0.2.1', '2001:db8::1'],
    routes: [
      { to: 'mx', domains: ['.Example.net'] },
      { to: 'lmtp', domains: ['example.org'] },
      { to: 'host', domains: ['*'], hosts: ['a.example', 'b.example'], port: 2525, tls: 'name' },
    ],
    delivery: { preset: 'mta', expiry: '2d', pauses: ['30m', '1h'], sources: [{ address: '192.0.2.1', hostname: 'out.example.org' }] },
  });
  const settings = settingsOf(whole, (await loadPolicy(whole, () => false)).directory);
  expect(settings).toMatchObject({
    names: ['mail.example.org'],
    addresses: ['192.0.2.1', '2001:db8::1'],
    expiry: 172_800_000,
    pauses: [1_800_000, 3_600_000],
    sources: ['192.0.2.1'],
    delayed: 14_400_000,
    mostHops: 100,
  });
  expect(settings.routes).toEqual([
    { domains: ['.example.net'], hosts: [] },
    { domains: ['example.org'], hosts: [{ host: '127.0.0.1', port: 24, protocol: 'lmtp', tls: 'clear' }] },
    {
      domains: ['*'],
      hosts: [
        { host: 'a.example', port: 2525, tls: 'name' },
        { host: 'b.example', port: 2525, tls: 'name' },
      ],
    },
  ]);
});

test('a proxy that speaks for itself is nobody who may relay, whatever its address', () => {
  const peer = { address: '10.0.0.1', port: 1 };
  const of = (local: boolean, source: typeof peer | null): object => ({ local, source, destination: null, tlvs: [] });
  const asked = (proxy: object | null): boolean => askerOf({ peer, identity: null, proxy: proxy as never }).isClient;
  expect([asked(null), asked(of(false, peer)), asked(of(true, null)), asked(of(false, null))]).toEqual([true, true, false, false]);
});

test('routes of domains with U-labels are those of the same domains with A-labels', async () => {
  const whole = config({ routes: [{ to: 'host', domains: ['Bücher.example', '.bücher.example', '*'], hosts: ['192.0.2.1'] }] });
  const { routes } = settingsOf(whole, (await loadPolicy(whole, () => false)).directory);
  expect(routes.map(({ domains }) => domains)).toEqual([['xn--bcher-kva.example', '.xn--bcher-kva.example', '*']]);
  // As jobs have them.
  const jobs = jobsOf({ id: 'm', reversePath: '', arrived: 0, size: 0 }, [{ address: 'joe@BÜCHER.example.', parameters: {} }]);
  expect(jobs.map(({ domain }) => domain)).toEqual(['xn--bcher-kva.example']);
});
