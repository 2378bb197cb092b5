// The DNS client of a relay asks a resolver that validates, over zones that nobody else has.
import { strict as assert } from 'node:assert';
import { dnsLookup } from '../../packages/relay/dist/dns/index.js';
import { scenario } from './stage.mjs';
import { zones } from './zones.mjs';

/** More addresses than a datagram has room for. */
const MANY = Array.from({ length: 100 }, (_, i) => `192.0.2.${i + 1}`);
const KEY = 'ab'.repeat(32);

const SIGNED = `
dom MX 20 second
dom MX 10 mail
mail 60 A 192.0.2.1
mail AAAA 2001:db8::1
_25._tcp.mail TLSA 3 1 1 ${KEY}
_mta-sts.dom TXT "v=STSv1; " "id=20261129;"
one CNAME two
two 30 CNAME mail
out CNAME host.insecure
gone CNAME nowhere
null MX 0 .
${MANY.map((address) => `many A ${address}`).join('\n')}`;

const SECURE = { security: 'secure', ttl: 300 };

/** What is asked, and what is said. */
const ANSWERS = [
  [
    'a list, with what DNSSEC says',
    'dom.example',
    'MX',
    { ...SECURE, status: 'found', mx: mx([10, 'mail.example'], [20, 'second.example']) },
  ],
  ['a TTL of its own', 'mail.example', 'A', { ...SECURE, ttl: 60, status: 'found', addresses: ['192.0.2.1'] }],
  ['an IPv6 address', 'MAIL.example', 'AAAA', { ...SECURE, status: 'found', addresses: ['2001:db8::1'] }],
  ['TLSA', '_25._tcp.mail.example', 'TLSA', { ...SECURE, status: 'found', tlsa: [{ usage: 3, selector: 1, matching: 1, data: KEY }] }],
  ['TXT, its strings joined', '_mta-sts.dom.example', 'TXT', { ...SECURE, status: 'found', txt: ['v=STSv1; id=20261129;'] }],
  ['a null MX', 'null.example', 'MX', { ...SECURE, status: 'found', mx: mx([0, '']) }],
  [
    'a chain of aliases, and its shortest TTL',
    'one.example',
    'A',
    { ...SECURE, ttl: 30, status: 'found', alias: 'mail.example', addresses: ['192.0.2.1'] },
  ],
  [
    'an alias that leads out of what is signed',
    'out.example',
    'A',
    { security: 'insecure', ttl: 300, status: 'found', alias: 'host.insecure.example', addresses: ['192.0.2.7'] },
  ],
  ['an alias of nothing', 'gone.example', 'A', { ...SECURE, status: 'nxdomain', alias: 'nowhere.example' }],
  ['a name that is not there', 'nothing.example', 'MX', { ...SECURE, status: 'nxdomain' }],
  ['a name that has none of this type', 'mail.example', 'MX', { ...SECURE, status: 'empty' }],
  ['a name with others below it alone', '_tcp.mail.example', 'A', { ...SECURE, status: 'empty' }],
  ['what nobody has signed', 'host.insecure.example', 'A', { security: 'insecure', ttl: 300, status: 'found', addresses: ['192.0.2.7'] }],
];

export const dnsScenarios = [
  scenario('unbound: a relay looks names up', async (stage) => {
    const port = await zones(stage, { signed: SIGNED, insecure: 'host A 192.0.2.7', bogus: 'host A 192.0.2.8' });
    const lookup = dnsLookup({ servers: [`127.0.0.1:${port}`], rounds: 1 });
    for (const [what, name, rr, expected] of ANSWERS) {
      const { mx = undefined, ttl, ...answer } = await lookup({ name, rr });
      // A resolver that has the answer already counts its TTL down.
      assert.ok(ttl <= expected.ttl && ttl > expected.ttl - 10, `${what}: TTL ${ttl}`);
      assert.deepEqual({ ...answer, ttl: expected.ttl, ...(mx === undefined ? {} : { mx: sorted(mx) }) }, expected, what);
    }
    const bogus = await lookup({ name: 'host.bogus.example', rr: 'A' });
    assert.deepEqual([bogus.status, bogus.addresses], ['failed', undefined], 'what is bogus is no answer');
    const many = await lookup({ name: 'many.example', rr: 'A' });
    assert.deepEqual([...many.addresses].sort(), [...MANY].sort(), 'more than a datagram has room for comes over TCP');
    assert.equal(many.security, 'secure');
  }),
];

function mx(...list) {
  return list.map(([preference, exchange]) => ({ preference, exchange }));
}

function sorted(list) {
  return [...list].sort((a, b) => a.preference - b.preference);
}
