import { createSocket, type Socket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { type Answer, AUTHENTIC_DATA, type DecodedPacket, decode, encode, type Packet, streamEncode, TRUNCATED_RESPONSE } from 'dns-packet';
import { afterEach, expect, test } from 'vitest';
import { answerOf, type Response } from '../src/dns/dns-message.ts';
import { dnsLookup } from '../src/dns/index.ts';

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

interface Zone {
  readonly answers?: readonly Answer[];
  readonly authorities?: readonly Answer[];
  readonly rcode?: number;
  readonly flags?: number;
}

type Reply = (query: DecodedPacket, over: 'udp' | 'tcp', count: number) => readonly Packet[] | 'garbage' | null;

/** A resolver over UDP and TCP on one port of 127.0.0.1. */
async function resolver(reply: Reply): Promise<{ readonly at: string; readonly queries: DecodedPacket[] }> {
  const queries: DecodedPacket[] = [];
  const tcp = createServer();
  const { udp, port } = await onePort(tcp);
  udp.on('message', (octets, peer) => {
    const query = decode(octets);
    queries.push(query);
    const packets = reply(query, 'udp', queries.length);
    if (packets === 'garbage') udp.send('garbage', peer.port, peer.address);
    else for (const packet of packets ?? []) udp.send(encode(packet), peer.port, peer.address);
  });
  tcp.on('connection', (socket) => {
    socket.on('data', (octets) => {
      const query = decode(octets, 2);
      queries.push(query);
      const packets = reply(query, 'tcp', queries.length);
      // Octet by octet, as TCP may.
      if (packets === 'garbage') socket.end();
      else for (const packet of packets ?? []) for (const octet of streamEncode(packet)) socket.write(Uint8Array.of(octet));
    });
    socket.on('error', () => {});
  });
  open.push(
    () => udp.close(),
    () => tcp.close(),
  );
  return { at: `127.0.0.1:${port}`, queries };
}

/** A port that is free for both. */
async function onePort(tcp: Server): Promise<{ readonly udp: Socket; readonly port: number }> {
  for (;;) {
    const udp = createSocket('udp4');
    await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve));
    const { port } = udp.address();
    const isFree = await new Promise<boolean>((resolve) => {
      tcp.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    if (isFree) return { udp, port };
    udp.close();
  }
}

function response({ id, questions }: DecodedPacket, { answers = [], authorities = [], rcode = 0, flags = 0 }: Zone): Packet {
  return { type: 'response', id: id!, questions: questions!, flags: flags | rcode, answers: [...answers], authorities: [...authorities] };
}

const zone =
  (zone: Zone): Reply =>
  (query) => [response(query, zone)];
const SOA: Answer = {
  type: 'SOA',
  name: 'example.org',
  ttl: 600,
  data: { mname: 'ns.example.org', rname: 'root.example.org', minimum: 300 },
};
const MX: Answer = { type: 'MX', name: 'Example.ORG', ttl: 60, data: { preference: 10, exchange: 'mx.example.org' } };

test.each<[string, 'MX' | 'A' | 'AAAA' | 'CNAME' | 'TLSA' | 'TXT', Zone, object]>([
  [
    'MX',
    'MX',
    { answers: [MX, { ...MX, ttl: 30, data: { exchange: '.' } }] },
    {
      status: 'found',
      ttl: 30,
      mx: [
        { preference: 10, exchange: 'mx.example.org' },
        { preference: 0, exchange: '' },
      ],
    },
  ],
  [
    'A',
    'A',
    { answers: [{ type: 'A', name: 'example.org', ttl: 5, data: '192.0.2.1' }] },
    { status: 'found', ttl: 5, addresses: ['192.0.2.1'] },
  ],
  [
    'AAAA',
    'AAAA',
    { answers: [{ type: 'AAAA', name: 'example.org', ttl: 5, data: '2001:db8::1' }] },
    { status: 'found', ttl: 5, addresses: ['2001:db8::1'] },
  ],
  [
    'TLSA',
    'TLSA',
    {
      answers: [
        {
          type: 'TLSA',
          name: 'example.org',
          ttl: 5,
          data: { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.from('AB01', 'hex') },
        },
      ],
    },
    { tlsa: [{ usage: 3, selector: 1, matching: 1, data: 'ab01' }] },
  ],
  [
    'TXT of several strings',
    'TXT',
    { answers: [{ type: 'TXT', name: 'example.org', ttl: 5, data: ['v=STSv1; ', 'id=1;'] }] },
    { txt: ['v=STSv1; id=1;'] },
  ],
  [
    'an alias with what it stands for',
    'A',
    {
      answers: [
        { type: 'CNAME', name: 'example.org', ttl: 3, data: 'b.example' },
        { type: 'A', name: 'B.example', ttl: 9, data: '192.0.2.1' },
      ],
    },
    { status: 'found', alias: 'b.example', ttl: 3, addresses: ['192.0.2.1'] },
  ],
  [
    'an alias alone',
    'A',
    { answers: [{ type: 'CNAME', name: 'example.org', ttl: 3, data: 'b.example' }] },
    { status: 'found', alias: 'b.example', ttl: 3 },
  ],
  [
    'an alias of a name without the type',
    'A',
    { answers: [{ type: 'CNAME', name: 'example.org', ttl: 3, data: 'b.example' }], authorities: [SOA] },
    { status: 'empty', alias: 'b.example', ttl: 300 },
  ],
  [
    'an alias itself, whatever it leads to',
    'CNAME',
    { answers: [{ type: 'CNAME', name: 'Example.org', ttl: 3, data: 'B.example' }] },
    { status: 'found', alias: 'b.example', ttl: 3 },
  ],
  ['a name that is none', 'CNAME', { authorities: [SOA] }, { status: 'empty', ttl: 300 }],
  [
    'aliases in a circle',
    'A',
    {
      answers: [
        { type: 'CNAME', name: 'example.org', ttl: 3, data: 'b.example' },
        { type: 'CNAME', name: 'b.example', ttl: 3, data: 'example.org' },
      ],
    },
    { ttl: 0, status: 'empty' },
  ],
  ['a name without the type', 'MX', { authorities: [SOA] }, { status: 'empty', ttl: 300 }],
  ['a name that there is not', 'MX', { rcode: 3, authorities: [SOA] }, { status: 'nxdomain', ttl: 300 }],
  ['SERVFAIL', 'MX', { rcode: 2 }, { status: 'failed', ttl: 0 }],
  [
    'a record of another name',
    'A',
    { answers: [{ type: 'A', name: 'other.example', ttl: 5, data: '192.0.2.1' }], authorities: [SOA] },
    { status: 'empty' },
  ],
])('%s', async (_, rr, answer, expected) => {
  const { at } = await resolver(zone(answer));
  expect(await dnsLookup({ servers: [at], rounds: 1 })({ name: 'example.org', rr })).toMatchObject(expected);
});

test('a query asks for recursion and for AD, without DNSSEC records (RFC 6840 5.7)', async () => {
  const { at, queries } = await resolver(zone({ answers: [MX], flags: AUTHENTIC_DATA }));
  const answer = await dnsLookup({ servers: [at] })({ name: 'example.org', rr: 'MX' });
  expect(queries[0]).toMatchObject({ flag_rd: true, flag_ad: true, additionals: [{ type: 'OPT', udpPayloadSize: 1232, flag_do: false }] });
  expect(answer.security).toBe('secure');
});

test.each<[boolean, number, string]>([
  [true, AUTHENTIC_DATA, 'secure'],
  [true, 0, 'insecure'],
  [false, AUTHENTIC_DATA, 'insecure'],
  [false, 0, 'insecure'],
])('AD is believed where the way to the resolver is safe: %s, %d', (trusted, flags, security) => {
  const query = decode(encode({ id: 1, questions: [{ name: 'example.org', type: 'MX' }] }));
  const packet = decode(encode(response(query, { answers: [MX], flags }))) as Response;
  expect(answerOf(packet, { name: 'example.org', rr: 'MX' }, trusted).security).toBe(security);
});

test('what was cut is asked for over TCP', async () => {
  const { at, queries } = await resolver((query, over) => [
    response(query, over === 'udp' ? { flags: TRUNCATED_RESPONSE } : { answers: [MX] }),
  ]);
  expect(await dnsLookup({ servers: [at] })({ name: 'example.org', rr: 'MX' })).toMatchObject({ status: 'found' });
  expect(queries).toHaveLength(2);
});

test('a connection that ends without an answer is no answer', async () => {
  const { at } = await resolver((query, over) => (over === 'udp' ? [response(query, { flags: TRUNCATED_RESPONSE })] : 'garbage'));
  expect(await dnsLookup({ servers: [at], rounds: 1 })({ name: 'example.org', rr: 'MX' })).toMatchObject({ status: 'failed' });
});

test('forged answers are passed over: another number, another question, a query (RFC 5452 9)', async () => {
  const forged: Answer = { ...MX, data: { exchange: 'evil.example' } } as Answer;
  const { at } = await resolver((query) => [
    { ...response(query, { answers: [forged] }), id: query.id! ^ 1 },
    { ...response(query, { answers: [forged] }), questions: [{ name: 'other.example', type: 'MX' }] },
    { ...response(query, { answers: [forged] }), questions: [] },
    { ...response(query, { answers: [forged] }), type: 'query' },
    response(query, { answers: [MX] }),
  ]);
  const { mx } = await dnsLookup({ servers: [at] })({ name: 'example.org', rr: 'MX' });
  expect(mx).toEqual([{ preference: 10, exchange: 'mx.example.org' }]);
});

test('servers that fail or say nothing are passed over, and asked again in the next round', async () => {
  const silent = await resolver(() => 'garbage');
  const failing = await resolver((query, _, count) => [response(query, count === 1 ? { rcode: 2 } : { answers: [MX] })]);
  const lookup = dnsLookup({ servers: ['127.0.0.1:1', silent.at, failing.at], timeout: 50 });
  expect(await lookup({ name: 'example.org', rr: 'MX' })).toMatchObject({ status: 'found' });
  expect([silent.queries.length, failing.queries.length]).toEqual([2, 2]);
});

test('a name that the DNS can not have is not looked up: it is not there (RFC 1035 2.3.4)', async () => {
  const { at, queries } = await resolver(zone({}));
  const lookup = dnsLookup({ servers: [at] });
  for (const name of [`${'a'.repeat(64)}.example`, `${'a.'.repeat(200)}example`, 'a..example', '', 'a b.example', '.'])
    expect([name, (await lookup({ name, rr: 'MX' })).status]).toEqual([name, 'nxdomain']);
  expect(queries).toEqual([]);
});

test('a name with other characters than ASCII has its A-labels looked up (RFC 5891 4.4)', async () => {
  const { at, queries } = await resolver(zone({ answers: [{ ...MX, name: 'xn--bcher-kva.example' } as Answer] }));
  expect(await dnsLookup({ servers: [at] })({ name: 'bücher.example', rr: 'MX' })).toMatchObject({ status: 'found' });
  expect(queries[0]?.questions?.[0]?.name).toBe('xn--bcher-kva.example');
});

test('no more queries at once than there are places', async () => {
  let waiting: (() => void)[] = [];
  let most = 0;
  const udp = createSocket('udp4');
  await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve));
  open.push(() => udp.close());
  udp.on('message', (octets, { port, address }) => {
    waiting.push(() => udp.send(encode(response(decode(octets), { answers: [MX] })), port, address));
    most = Math.max(most, waiting.length);
    if (waiting.length === 2) for (const answer of waiting.splice(0)) answer();
  });
  const lookup = dnsLookup({ servers: [`127.0.0.1:${udp.address().port}`], most: 2 });
  const answers = await Promise.all(Array.from({ length: 6 }, () => lookup({ name: 'example.org', rr: 'MX' })));
  expect([answers.map(({ status }) => status), most]).toEqual([Array(6).fill('found'), 2]);
  waiting = [];
});

test.each(['', 'resolver.example', '192.0.2.1:99999', '[::1]', '192.0.2.1:x', '::1:53:x'])('%j is no resolver', (server) => {
  expect(() => dnsLookup({ servers: [server] })).toThrow(RangeError);
});

test('without any resolver it says so', () => {
  expect(() => dnsLookup({ servers: [] })).toThrow('no resolver is known');
});
