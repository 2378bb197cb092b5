// `ehlo route`: where mail for an address goes, what is tried when, and what its sender is told.
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answerFrom, zoneOf } from '../src/dns-file.ts';
import { routeCommand } from '../src/route-command.ts';
import type { RouteCommandOptions } from '../src/route-options.ts';

const BIN = fileURLToPath(new URL('../bin/ehlo.js', import.meta.url));
const ajv = new Ajv2020({ strict: false });
const isRoute = ajv.compile(schema('route'));
const isZone = ajv.compile(schema('dns'));

function schema(name: string): object {
  return JSON.parse(readFileSync(new URL(`../../../docs/${name}.schema.json`, import.meta.url), 'utf8')) as object;
}

const ZONE = {
  'example.net': { MX: ['20 mx2.example.net', '10 mx1.example.net'], security: 'secure' },
  'mx1.example.net': { A: ['1.2.3.4'], security: 'secure' },
  'mx2.example.net': { A: ['1.2.3.5'], AAAA: ['2a00::1'] },
  '_25._tcp.mx1.example.net': { TLSA: [`3 1 1 ${'ab'.repeat(32)}`], security: 'secure' },
  'sts.example': { MX: ['10 mx.sts.example', '20 other.example'] },
  '_mta-sts.sts.example': { TXT: ['v=STSv1; id=1;'] },
  'mx.sts.example': { A: ['1.2.3.6'] },
  'other.example': { A: ['1.2.3.7'] },
  'null.example': { MX: ['0 .'] },
  'alias.example': { CNAME: 'example.net' },
  'self.example': { MX: ['10 relay.example.org'] },
  'silent.example': { fails: true },
  'xn--bcher-kva.example': { A: ['1.2.3.8'] },
  'mx.private.example': { A: ['192.168.1.1'] },
};
const POLICY = 'version: STSv1\nmode: enforce\nmx: mx.sts.example\nmax_age: 86400\n';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ehlo-route-'));
  writeFileSync(join(folder, 'dns.json'), JSON.stringify(ZONE));
  writeFileSync(join(folder, 'policy.txt'), POLICY);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const DEFAULTS: RouteCommandOptions = {
  '8bitmime': false,
  smtputf8: false,
  requiretls: false,
  preset: 'mta',
  hostname: 'relay.example.org',
  trustResolver: false,
  json: false,
};

interface Ran {
  readonly code: number;
  readonly output: string;
  readonly warned: string;
}

async function route(address: string, options: Partial<RouteCommandOptions> = {}): Promise<Ran> {
  let [output, warned] = ['', ''];
  const code = await routeCommand(
    address,
    { ...DEFAULTS, dns: join(folder, 'dns.json'), ...options },
    (text) => {
      output += text;
    },
    (line) => {
      warned += line;
    },
  );
  return { code, output, warned };
}

interface Shown {
  readonly lookups: readonly { readonly name: string; readonly rr: string; readonly security: string }[];
  readonly at: number;
  readonly address: string;
  readonly route: { readonly problem: { readonly category: string } | null };
  readonly hosts: readonly {
    readonly host: string;
    readonly addresses: readonly string[];
    readonly tls: { readonly because: string } | null;
  }[];
  readonly tries: readonly { readonly at: number; readonly steps: readonly { readonly what: string }[] }[];
  readonly notices: readonly {
    readonly at: number;
    readonly recipients: readonly { readonly action: string; readonly status: string }[];
  }[];
  readonly end: {
    readonly state: string;
    readonly at: number;
    readonly unknown: number;
    readonly last: { readonly status: string } | null;
  };
}

/** What `--json` says, which is as the schema has it. */
async function shown(address: string, options: Partial<RouteCommandOptions> = {}): Promise<Shown & { readonly code: number }> {
  const { code, output } = await route(address, { ...options, json: true });
  const object = JSON.parse(output) as Shown;
  expect(isRoute(object), JSON.stringify(isRoute.errors)).toBe(true);
  return { ...object, code };
}

const HOUR = 3_600_000;

test('hosts in their order, the TLS that each must have, and why', async () => {
  const { output, code, warned } = await route('joe@Example.NET');
  expect({ code, warned }).toEqual({ code: 0, warned: '' });
  expect(output).toContain(
    [
      'hosts, in the order in which they are tried',
      '  1. mx1.example.net (preference 10) 1.2.3.4',
      '     TLS, with a certificate that a TLSA record matches: the host has TLSA records (RFC 7672 2.2)',
      '  2. mx2.example.net (preference 20) 2a00::1, 1.2.3.5',
      '     TLS where it is offered and works, whatever the certificate: the domain has no policy (RFC 7435 3)',
      'tries, if the servers answer so',
      '  +0 s',
      '    The try begins; 0 have failed before. (RFC 5321 4.5.4.1)',
      '    mx1.example.net [1.2.3.4] is connected to, TLS: dane (the host has TLSA records). (RFC 5321 5.1)',
    ].join('\n'),
  );
  expect(output).toMatch(/^in the end relayed 2\.0\.0, accepted: mx1\.example\.net would say "250 OK" \(\+0 s\)\n$/m);
});

test('a mailbox that is full for ever: pauses by the preset, told once after four hours, given up after five days', async () => {
  const story = await shown('joe@example.net', { serverSays: ['RCPT 452 4.2.2 mailbox full'] });
  const after = (at: number): number => (at - story.at) / HOUR;
  expect(story.code).toBe(75);
  expect(story.tries.slice(0, 5).map(({ at }) => after(at))).toEqual([0, 0.5, 2.5, 4, 7]);
  expect(story.notices.map(({ at, recipients }) => [after(at), recipients[0]?.action, recipients[0]?.status])).toEqual([
    [4, 'delayed', '4.2.2'],
    [120, 'failed', '4.2.2'],
  ]);
  expect(story.end).toMatchObject({ state: 'expired', at: story.at + 120 * HOUR, last: { status: '4.2.2' } });
  const { output } = await route('joe@example.net', { serverSays: ['RCPT 452 4.2.2 mailbox full'] });
  expect(output).toContain('  +30 min, +2 h 30 min: the same\n');
  expect(output).toContain('  +4 h: delayed 4.2.2, tried until +5 d: mx1.example.net would say "452 4.2.2 mailbox full"\n');
});

test.each([
  ['taken after it was greylisted twice', ['2x RCPT 451 4.7.1 greylisted'], 0, 'relayed', 3],
  ['no such mailbox', ['RCPT 550 5.1.1 no'], 1, 'failed', 1],
  ['the first host does not answer, the second does', ['CONNECT@mx1.example.net'], 0, 'relayed', 1],
  ['no host answers', ['CONNECT'], 75, 'expired', 43],
  ['every host refuses to talk', ['GREETING 554 no'], 1, 'failed', 1],
  ['TLS fails where DANE demands it, and not where nobody does', ['TLS'], 0, 'relayed', 1],
  ['the content is refused', ['END 554 5.6.0 no'], 1, 'failed', 1],
  ['the connection is lost before anything could arrive', ['1x MAIL lost'], 0, 'relayed', 1],
  ['the reply to the end is lost', ['1x END lost'], 0, 'relayed', 2],
  ['it has moved', ['RCPT 551 5.1.6 try <ann@example.com>'], 1, 'failed', 1],
] as const)('%s', async (_, serverSays, code, state, tries) => {
  const story = await shown('joe@example.net', { serverSays });
  expect([story.code, story.end.state, story.tries.length]).toEqual([code, state, tries]);
});

test('what may have been delivered twice is said', async () => {
  const { output } = await route('joe@example.net', { serverSays: ['1x END lost'] });
  expect(output).toContain('; of 1 more nobody knows whether they arrived');
  expect((await shown('joe@example.net', { serverSays: ['END lost'] })).code).toBe(76);
});

test.each([
  ['null.example', 'null-mx', 1],
  ['self.example', 'loop', 1],
  ['silent.example', 'dns-failed', 75],
  ['nowhere.example', 'no-such-domain', 1],
  ['mx.private.example', 'refused-address', 1],
] as const)('%s: no way, for %s', async (domain, category, expected) => {
  const { route: way, code, hosts } = await shown(`joe@${domain}`);
  expect({ category: way.problem?.category, code, hosts }).toEqual({ category, code: expected, hosts: [] });
});

test('an alias, an address, and a U-label as its A-label', async () => {
  expect((await shown('joe@alias.example')).hosts.map(({ host }) => host)).toEqual(['mx1.example.net', 'mx2.example.net']);
  const literal = await shown('joe@[1.2.3.4]');
  expect([literal.lookups, literal.hosts[0]?.addresses]).toEqual([[], ['1.2.3.4']]);
  const { address, hosts } = await shown('joe@Bücher.example');
  expect([address, hosts[0]?.host]).toEqual(['joe@xn--bcher-kva.example', 'xn--bcher-kva.example']);
});

test('an MTA-STS policy: of a host that it does not name, and without its text', async () => {
  const { output, warned } = await route('joe@sts.example', { policy: join(folder, 'policy.txt') });
  expect(output).toContain('TLS, with a valid certificate for mx.sts.example: the MTA-STS policy demands it (RFC 8461 5.1)');
  expect(output).toContain('no: nothing says that it is who it should be (RFC 8461 4.1)');
  expect(warned).toBe('');
  const without = await route('joe@sts.example');
  expect(without.warned).toMatch(/^sts\.example has an MTA-STS policy.*--policy FILE \(curl -o FILE https:\/\/mta-sts\.sts\.example\//);
  expect(without.output).toContain('1. mx.sts.example (preference 10) 1.2.3.6\n     TLS where it is offered');
});

test('what a message asks of a server', async () => {
  expect((await shown('joe@example.net', { size: 5000, offers: ['SIZE 1000', 'STARTTLS'] })).end).toMatchObject({
    state: 'failed',
    last: { status: '5.3.4' },
  });
  expect((await shown('joe@example.net', { size: 500, offers: ['SIZE 1000', 'STARTTLS'] })).end.state).toBe('relayed');
  expect((await shown('joe@example.net', { '8bitmime': true, offers: ['STARTTLS'] })).end.last?.status).toBe('5.6.3');
  expect((await shown('joe@example.net', { smtputf8: true, offers: ['STARTTLS'] })).end.last?.status).toBe('5.6.9');
  expect((await shown('jürgen@example.net', { offers: ['STARTTLS'] })).end.last?.status).toBe('5.6.7');
  const required = await shown('joe@example.net', { requiretls: true });
  expect([required.end.state, required.hosts.map(({ tls }) => tls?.because)]).toEqual(['relayed', ['dane', 'requiretls']]);
  expect((await shown('joe@example.net', { requiretls: true, offers: ['none'] })).code).not.toBe(0);
});

test('a smart host, and presets', async () => {
  const story = await shown('joe@anywhere.example', {
    preset: 'smarthost',
    via: { host: '192.0.2.9', port: 587 },
    serverSays: ['1x MAIL 451 later'],
  });
  expect([story.hosts.map(({ addresses }) => addresses), story.tries.map(({ at }) => at - story.at)]).toEqual([
    [['192.0.2.9']],
    [0, 60_000],
  ]);
  expect((await shown('joe@example.net', { preset: 'test', serverSays: ['RCPT 450 no'] })).end.at).toBeGreaterThan(0);
});

test('the example of the README is what is printed', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, says, expected] = /\$ ehlo route joe@example\.net --dns dns\.json5 --server-says '(.*)'\n([\s\S]*?)```/.exec(readme)!;
  const dns = join(folder, 'dns.json5');
  writeFileSync(dns, /```json5\n(\/\/ dns\.json5[\s\S]*?)```/.exec(readme)![1]!);
  expect((await route('joe@example.net', { dns, hostname: 'localhost', serverSays: [says!] })).output).toBe(expected);
});

test('nobody is told of mail from nowhere', async () => {
  expect((await shown('joe@example.net', { from: '<>', serverSays: ['RCPT 550 no'] })).notices).toEqual([]);
});

test.each<[string, string, Partial<RouteCommandOptions>, RegExp]>([
  ['no domain', 'joe', {}, /^'joe' has no domain: write user@domain$/],
  ['no address', 'jo e@example.net', {}, /is no address \(RFC 5321 4\.1\.2\)$/],
  ['a sender that is none', 'joe@example.net', { from: 'ann' }, /^--from 'ann' is no address/],
  ['a host name that is none', 'joe@example.net', { hostname: 'a b' }, /^--hostname: "a b" is no host name$/],
  ['a stage that is none', 'joe@example.net', { serverSays: ['NOOP 250'] }, /must begin with a stage, one of CONNECT, GREETING/],
  ['no reply', 'joe@example.net', { serverSays: ['RCPT later'] }, /must be a reply, such as 'RCPT 451 4\.3\.0 later', or 'lost'$/],
  ['a reply that changes nothing', 'joe@example.net', { serverSays: ['MAIL 250 ok'] }, /MAIL is agreed to unless something else is said/],
  ['a reply to a connection that is not there', 'joe@example.net', { serverSays: ['CONNECT 554'] }, /CONNECT fails, and says nothing/],
  ['never', 'joe@example.net', { serverSays: ['0x RCPT 451'] }, /how often it is said must be more than 0$/],
  ['no line of EHLO', 'joe@example.net', { offers: ['SIZE=10'] }, /^--offers 'SIZE=10' is no line of an answer to EHLO/],
  ['a smart host without a host', 'joe@example.net', { preset: 'smarthost' }, /name it by --via$/],
  ['a file and a resolver', 'joe@example.net', { resolver: ['192.0.2.1'] }, /give --dns or --resolver$/],
])('options: %s', async (_, address, options, why) => {
  await expect(route(address, options)).rejects.toThrow(why);
});

describe('--dns', () => {
  test.each([
    ['{ "a.example": { "MX": ["mx.example"] } }', /:1:18: MX of a\.example must be a list of texts, each a preference and a host/],
    ['{\n "a.example": { "AA": [] } }', /:2:17: there is no AA.*\bA\b/],
    ['{ "a.example": { A: ["::1"] } }', /A of a\.example must be a list of texts, each an IPv4 address/],
    ['{ "a.example": { AAAA: ["1.2.3.4"] } }', /each an IPv6 address/],
    ['{ "a.example": { TLSA: ["3 1 1 xx"] } }', /each usage, selector, matching type and data/],
    ['{ "a.example": { TXT: "v" } }', /TXT of a\.example must be a list of texts/],
    ['{ "a.example": { CNAME: 1 } }', /CNAME of a\.example must be the name in its place/],
    ['{ "a.example": { ttl: -1 } }', /ttl of a\.example must be a whole number of seconds/],
    ['{ "a.example": { security: "good" } }', /must be secure, insecure, bogus or indeterminate/],
    ['{ "a.example": { fails: 1 } }', /must be true or false/],
    ['{ "a.example": [] }', /:1:3: a\.example must be an object, such as/],
    ['[]', /:1:1: it must be an object of names/],
    ['{', /:1:2: /],
  ])('%s: where it is wrong', async (text, why) => {
    const dns = join(folder, 'wrong.json');
    writeFileSync(dns, text);
    await expect(route('joe@example.net', { dns })).rejects.toThrow(why);
  });

  test('the schema takes what is taken, and nothing that is not', () => {
    expect(isZone({ $schema: 'x', ...ZONE }), JSON.stringify(isZone.errors)).toBe(true);
    for (const wrong of [{ 'a.example': { MX: ['mx.example'] } }, { 'a.example': { AA: [] } }, { 'a.example': { security: 'good' } }, []])
      expect(isZone(wrong)).toBe(false);
  });

  test.each([
    [
      { name: 'b.example', rr: 'A' },
      { status: 'nxdomain', security: 'insecure' },
    ],
    [{ name: 'Example.', rr: 'A' }, { status: 'empty' }],
    [
      { name: 'a.example', rr: 'MX' },
      { status: 'empty', ttl: 3600 },
    ],
    [
      { name: 'a.example', rr: 'A' },
      { status: 'found', addresses: ['192.0.2.1'], security: 'secure' },
    ],
    [
      { name: 'www.example', rr: 'A' },
      { status: 'found', alias: 'a.example', security: 'insecure', ttl: 5 },
    ],
    [
      { name: 'signed.example', rr: 'A' },
      { status: 'found', alias: 'a.example', security: 'insecure' },
    ],
    [
      { name: 'signed.example', rr: 'CNAME' },
      { status: 'found', alias: 'www.example', security: 'secure' },
    ],
    [
      { name: 'a.example', rr: 'CNAME' },
      { status: 'empty', security: 'secure' },
    ],
    [{ name: 'circle.example', rr: 'A' }, { status: 'failed' }],
    [
      { name: 'dead.example', rr: 'A' },
      { status: 'nxdomain', alias: 'none.example' },
    ],
    [
      { name: 'bogus.example', rr: 'A' },
      { status: 'failed', security: 'bogus' },
    ],
  ] as const)('%j', (question, expected) => {
    const zone = zoneOf(
      {
        'a.example': { A: ['192.0.2.1'], security: 'secure' },
        'www.example': { CNAME: 'a.example.', ttl: 5 },
        'signed.example': { CNAME: 'www.example', security: 'secure' },
        'circle.example': { CNAME: 'circle.example' },
        'dead.example': { CNAME: 'none.example' },
        'bogus.example': { A: ['192.0.2.1'], security: 'bogus' },
      },
      (_, wrong) => {
        throw new Error(wrong);
      },
    );
    expect(answerFrom(zone, question)).toMatchObject(expected);
  });
});

describe('the command line', () => {
  async function run(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
    const child = spawn(process.execPath, [BIN, 'route', ...args], { env: { ...process.env, NO_COLOR: '1' } });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const [status] = (await once(child, 'close')) as [number];
    return { status, stdout, stderr };
  }

  test('all options reach the command; the exit code is what came of it', async () => {
    const options = [
      '--from',
      'ann@example.org',
      '--size',
      '100',
      '--8bitmime',
      '--smtputf8',
      '--preset',
      'submission',
      '--hostname',
      'mx.example.org',
    ];
    const { status, stdout } = await run(
      'joe@example.net',
      ...options,
      '--dns',
      join(folder, 'dns.json'),
      '--server-says',
      'RCPT 550 no',
      '--json',
    );
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ preset: 'submission', hostname: 'mx.example.org', notices: [{ to: 'ann@example.org' }] });
  });

  test.each([
    [['joe'], 2, /^ehlo: 'joe' has no domain/],
    [['joe@example.net', '--dns', '/no/such.json'], 66, /^ehlo: --dns: .*no such file/],
    [['joe@example.net', '--policy', '/no/such.txt'], 66, /^ehlo: --policy: /],
    [['joe@example.net', '--policy', BIN], 2, /^ehlo: --policy: .*is no policy/],
    [['joe@example.net', '--resolver', 'dns.example'], 2, /^ehlo: --resolver: "dns\.example" is no address of a resolver/],
    [['joe@example.net', '--size', '1M'], 2, /'1M' is invalid/],
    [['joe@example.net', '--via', '/tmp/socket'], 2, /It must be host, host:port/],
  ])('%j: %d', async (args, code, why) => {
    const { status, stdout, stderr } = await run(...args);
    expect({ status, stdout }).toEqual({ status: code, stdout: '' });
    expect(stderr).toMatch(why);
    expect(stderr).toMatch(/^ehlo: [^\n]+\n$/);
  });

  test('a resolver is asked, and nobody else', async () => {
    const asked: number[] = [];
    const resolver = createSocket('udp4');
    resolver.on('message', (query, { port, address }) => {
      asked.push(query.length);
      // The question, answered by "no such name".
      const answer = Buffer.from(query.subarray(0, query.length));
      answer[2] = 0x81;
      answer[3] = 0x83;
      resolver.send(answer, port, address);
    });
    resolver.bind(0, '127.0.0.1');
    await once(resolver, 'listening');
    const { status, stdout } = await run('joe@example.net', '--resolver', `127.0.0.1:${resolver.address().port}`);
    resolver.close();
    expect(status).toBe(1);
    expect(stdout).toContain('no such name (insecure, 0 s)');
    expect(asked).toHaveLength(2);
  });
});

test('without what makes look-ups it is said how to install it; a file needs none', async () => {
  const missing = (): Promise<never> => Promise.reject(new Error('Cannot find package'));
  const { dns: _, ...live } = { ...DEFAULTS, dns: '' };
  const run = (options: RouteCommandOptions): Promise<number> =>
    routeCommand(
      'joe@example.net',
      options,
      () => {},
      () => {},
      missing,
    );
  await expect(run(live)).rejects.toThrow(/not installed: npm install @ehlo\/relay .*--dns FILE needs no resolver$/);
  expect(await run({ ...live, dns: join(folder, 'dns.json') })).toBe(0);
});
