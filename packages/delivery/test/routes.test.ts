// What is kept of answers and for how long, and what follows where not every host was asked.
import { describe, expect, test } from 'vitest';
import {
  type Answers,
  type DeliveryOptions,
  type DnsAnswer,
  type DomainRoute,
  deliverySettings,
  type Fact,
  type Message,
  type OpenOrder,
  type Order,
  readMx,
  routeOf,
} from '../src/index.ts';
import { Runner, refused, type World, zone } from './run.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const SETTINGS = { hostname: 'mx.example.org', sts: false, allow: ['documentation'] };

function many<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function found(answer: Partial<DnsAnswer>): DnsAnswer {
  return { type: 'dns', to: 0, status: 'found', security: 'insecure', ttl: 300, ...answer };
}

/** The route by a table of answers, all of which hold for long. */
function routed(dns: (rr: string, name: string) => Partial<DnsAnswer>, options: Partial<DeliveryOptions> = {}): DomainRoute {
  const answers: Answers = { dns: (rr, name) => ({ answer: found(dns(rr, name)), until: 1e15 }), policy: () => null };
  return routeOf('example.net', deliverySettings({ ...SETTINGS, ...options }), answers, 0)!;
}

describe('whoever writes a zone does not fill the memory of this host', () => {
  const flood = (rr: string, name: string): Partial<DnsAnswer> => {
    if (rr === 'MX') return { mx: many(4000, (i) => ({ preference: 4000 - i, exchange: `h${i}.example.net` })) };
    const host = Number(/\d+/.exec(name)![0]) % 200;
    if (rr === 'A') return { addresses: many(4000, (i) => `8.${host}.${i >> 8}.${i & 255}`) };
    return { addresses: many(4000, (i) => `2a00:${host}::${i}`) };
  };

  test('of 20 hosts, 10 addresses of each family are kept, and it is said that there are more', () => {
    const { hosts, steps, isWhole } = routed(flood);
    expect(hosts.map(({ host }) => host)).toEqual(many(20, (i) => `h${3999 - i}.example.net`));
    expect(hosts.map(({ addresses }) => addresses.filter((one) => one.includes(':')).length)).toEqual(many(20, () => 10));
    expect(hosts.map(({ addresses }) => addresses.length)).toEqual(many(20, () => 20));
    expect(steps.filter(({ what }) => what.endsWith('cut')).slice(0, 2)).toMatchObject([
      { what: 'cut', detail: { left: 3980 } },
      { what: 'addresses-cut', detail: { host: 'h3999.example.net', left: 3990 } },
    ]);
    expect([steps.length <= 200, isWhole]).toEqual([true, false]);
  });

  test('a route of which there is much to tell ends with what came of it', () => {
    const { steps } = routed((rr, name) => (rr === 'A' ? { addresses: many(10, (i) => `10.0.0.${i}`) } : flood(rr, name)), { allow: [] });
    expect(steps.at(-1)).not.toMatchObject({ what: 'problem' });
    const refused = routed((rr, name) => (rr === 'MX' ? flood(rr, name) : { addresses: many(10, (i) => `10.0.0.${i}`) }), { allow: [] });
    expect([refused.steps.length, refused.steps.at(-1)?.detail]).toEqual([201, { category: 'refused-address', status: '5.4.4' }]);
  });

  test('this host is found among equals, however many stand before it (RFC 5321 5.1)', () => {
    const mx = [...many(300, (i) => ({ preference: 10, exchange: `h${i}.example.net` })), { preference: 10, exchange: 'MX.example.org.' }];
    expect(routed((rr) => (rr === 'MX' ? { mx } : { addresses: ['192.0.2.1'] })).problem?.category).toBe('loop');
  });

  test('records of MX stand once each, the best first', () => {
    const mx = many(3000, (i) => ({ preference: (i * 7) % 10, exchange: `h${i % 100}.example` }));
    const { hosts } = readMx(mx);
    expect(new Set(hosts.map(({ host, preference }) => `${preference} ${host}`)).size).toBe(hosts.length);
    expect(hosts.map(({ preference }) => preference)).toEqual(hosts.map(({ preference }) => preference).sort((a, b) => a - b));
  });
});

describe('an answer is used for as long as it holds', () => {
  const SHARED = zone({
    'a.example': { mx: ['10 p.example'] },
    'b.example': { mx: ['10 p.example'] },
    'p.example': { a: ['192.0.2.1'] },
  });
  const lookups = (runner: Runner): string[] => runner.of('lookup').map(({ rr, name }) => `${rr} ${name}`);

  test('also where another domain asks for it late', () => {
    const runner = new Runner({ dns: (name, rr) => ({ ttl: 3600, ...SHARED(name, rr) }) }, { families: ['ipv4'] });
    runner.add('a.example', ['u@a.example'], {}, 'a').run(0);
    runner.add('b.example', ['u@b.example'], {}, 'b').run(HOUR - 1000);
    runner.add('b.example', ['v@b.example'], { id: 'n' }, 'c').run(HOUR + 1000);
    expect(lookups(runner)).toEqual(['MX a.example', 'A p.example', 'MX b.example', 'A p.example']);
  });

  test('and a policy, too (RFC 8461 3.2)', () => {
    const policy = { mode: 'enforce', mx: ['p.example'], maxAge: 5000, lines: [] } as const;
    const answers: Answers = {
      dns: (rr, name) => ({ answer: found(rr === 'TXT' ? { txt: ['v=STSv1; id=a;'] } : SHARED(name, rr)!), until: 1e15 }),
      policy: () => ({ id: 'a', policy, fetched: 1000 }),
    };
    expect(routeOf('a.example', deliverySettings({ ...SETTINGS, sts: true }), answers, 2000)?.until).toBe(6000);
  });

  test('but not where an operator wants a retry: names are looked up anew', () => {
    const open: World['open'] = () => ({ stage: 'connect' });
    const runner = new Runner({ dns: (name, rr) => ({ ttl: 86_400, ...SHARED(name, rr) }), open }, { families: ['ipv4'], keep: 24 * HOUR });
    runner.add('a.example', ['u@a.example']).run(0);
    runner.dispatcher.tell({ type: 'operator', job: 'j', what: 'retry' });
    runner.run(1000);
    expect(lookups(runner)).toEqual(['MX a.example', 'A p.example', 'MX a.example', 'A p.example']);
    expect(runner.of('open')).toHaveLength(2);
  });

  test('a host that is back is connected to at once, however it is written, as often as it is said', () => {
    const open: World['open'] = () => ({ stage: 'connect' });
    const runner = new Runner({ dns: SHARED, open }, { families: ['ipv4'], keep: 24 * HOUR });
    runner.add('a.example', ['u@a.example']).run(0);
    for (const name of ['P.Example.', 'p.example', 'A.example']) {
      expect(runner.dispatcher.tell({ type: 'back', name })).toBe(true);
      runner.run(1000);
    }
    expect([lookups(runner).length, runner.of('open').length]).toEqual([2, 4]);
    expect(runner.dispatcher.tell({ type: 'back', name: 'q.example' })).toBe(false);
  });
});

describe('for good only if every host has said so (RFC 5321 5.1)', () => {
  const TWO = zone({
    'example.net': { mx: ['10 p.example.net', '20 b.example.net'] },
    'other.example': { mx: ['10 p.example.net'] },
    'p.example.net': { a: ['192.0.2.1'] },
    'b.example.net': { a: ['192.0.2.2'] },
  });
  const no = { stage: 'greeting', reply: { code: 554, lines: ['no'] } } as const;

  test('not where one of them is known to be out of reach, and is not asked', () => {
    const open: World['open'] = ({ target }) => (target.host === 'p.example.net' ? { stage: 'connect' } : no);
    const runner = new Runner({ dns: TWO, open });
    runner.add('other.example', ['u@other.example'], {}, 'first').run(0);
    runner.add('example.net', ['u@example.net'], { id: 'n' }, 'second').run(MINUTE);
    expect(runner.of('open').map(({ target }) => target.host)).toEqual(['p.example.net', 'b.example.net']);
    expect(runner.states('second')).toEqual(['due']);
  });

  test('not where one of them could not be looked up for now', () => {
    const dns: World['dns'] = (name, rr) => (name === 'p.example.net' ? { status: 'failed' } : TWO(name, rr));
    expect(new Runner({ dns, open: () => no }).add('example.net', ['u@example.net']).run(0).states()).toEqual(['due']);
  });

  test('not where there are more than one try connects to', () => {
    const SIX = zone({ 'example.net': { mx: many(6, (i) => `10 h${i}.example.net`) } });
    const dns: World['dns'] = (name, rr) => (name === 'example.net' ? SIX(name, rr) : { addresses: [`192.0.2.${name[1]}`] });
    const runner = new Runner({ dns, open: () => no }, { families: ['ipv4'] }).add('example.net', ['u@example.net']).run(0);
    expect([runner.of('open').length, runner.states()]).toEqual([5, ['due']]);
  });

  const UNKNOWN = (name: string, rr: string): Partial<DnsAnswer> | undefined =>
    name === 'b.example.net' ? { status: 'failed' } : TWO(name, rr);

  test.each<[string, World, Partial<Message>]>([
    ['a size', { open: () => ({ extensions: { SIZE: ['10'] } }) }, {}],
    ['a reply that another host may not give', { send: () => [refused(554, '5.3.2 going down')] }, {}],
    ['TLS that is required', { open: () => ({ stage: 'tls' }) }, { tls: 'required' }],
  ])('not by %s, where another could not be looked up for now', (_, world, message) => {
    const states = (dns: NonNullable<World['dns']>) =>
      new Runner({ ...world, dns }).add('example.net', ['u@example.net'], message).run(0).states();
    const secure = (name: string, rr: string): Partial<DnsAnswer> => ({ security: 'secure', ...UNKNOWN(name, rr) });
    expect([states(secure), states((name, rr) => ({ security: 'secure', ...TWO(name, rr) }))]).toEqual([['due'], ['failed']]);
  });

  test('by the hosts of each domain, though two of them wait for the same host', () => {
    const opens: OpenOrder[] = [];
    class Late extends Runner {
      override answer(order: Order): Fact | null {
        if (order.type !== 'open') return super.answer(order);
        opens.push(order);
        return null;
      }
    }
    const runner = new Late({ dns: UNKNOWN });
    runner.add('example.net', ['u@example.net'], {}, 'first').run(0);
    runner.add('other.example', ['u@other.example'], { id: 'n' }, 'second').run(1);
    for (let open = opens.shift(); open !== undefined; open = opens.shift()) {
      runner.dispatcher.tell({ ...no, type: 'failed', to: open.id });
      runner.run(2);
    }
    expect([runner.states('first'), runner.states('second')]).toEqual([['due'], ['failed']]);
  });

  test('but where all of them have', () => {
    expect(new Runner({ dns: TWO, open: () => no }).add('example.net', ['u@example.net']).run(0).states()).toEqual(['failed']);
  });
});

describe('TLSA records behind an alias', () => {
  const RECORD = { usage: 3, selector: 1, matching: 1, data: 'ab'.repeat(32) };
  const dane = (table: { readonly [name: string]: Partial<DnsAnswer> }, mx: Partial<DnsAnswer> = {}) => {
    const { hosts } = routed((rr, name) => {
      if (rr === 'MX') return { security: 'secure', mx: [{ preference: 10, exchange: 'p.example' }] };
      if (rr === 'TLSA' || rr === 'CNAME') return { security: 'secure', status: 'empty', ...table[name] };
      return { security: 'secure', addresses: ['192.0.2.1'], ...mx };
    });
    return hosts.map(({ dane: { state, base } }) => [state, base]);
  };
  const alias = { status: 'found', alias: 'T.example' } as const;
  const records = { status: 'found', tlsa: [RECORD] } as const;

  // RFC 7672 2.2.3: the base is what it was.
  test('are looked up, where they are signed all the way', () => {
    expect(dane({ '_25._tcp.p.example': alias, 't.example': records })).toEqual([['usable', 'p.example']]);
    expect(dane({ '_25._tcp.p.example': alias })).toEqual([['none', '']]);
    expect(dane({ '_25._tcp.p.example': { ...alias, security: 'insecure' }, 't.example': records })).toEqual([['none', '']]);
    expect(dane({ '_25._tcp.p.example': alias, 't.example': { ...records, security: 'insecure' } })).toEqual([['none', '']]);
  });

  test('where the base is an alias, too, its own come second', () => {
    const tables = { '_25._tcp.real.example': alias, '_25._tcp.p.example': records };
    expect(dane(tables, { alias: 'real.example' })).toEqual([['usable', 'p.example']]);
    expect(dane({ ...tables, 't.example': records }, { alias: 'real.example' })).toEqual([['usable', 'real.example']]);
  });

  // RFC 7672 2.2.2.
  test('where the base is a signed alias of a name that is not signed, count at that base alone', () => {
    const addresses = { alias: 'real.example', security: 'insecure' } as const;
    const tables = { '_25._tcp.p.example': records, '_25._tcp.real.example': { ...records, tlsa: [RECORD, RECORD] } };
    const own = (security: DnsAnswer['security']) =>
      ({ ...tables, 'p.example': { status: 'found', alias: 'real.example', security } }) as const;
    expect(dane(own('secure'), addresses)).toEqual([['usable', 'p.example']]);
    expect(dane(own('insecure'), addresses)).toEqual([['none', '']]);
    expect(dane(own('bogus'), addresses)).toEqual([['failed', 'p.example']]);
    expect(dane({ ...tables, 'p.example': { status: 'failed' } }, addresses)).toEqual([['failed', 'p.example']]);
    // Without an alias there is nothing of its own to ask for.
    expect(dane(own('secure'), { security: 'insecure' })).toEqual([['none', '']]);
  });

  // RFC 7672 2.1.2, 2.1.3: the host is left for now.
  test('which can not be had, or leads round in circles, are a look-up that failed', () => {
    expect(dane({ '_25._tcp.p.example': alias, 't.example': { status: 'failed' } })).toEqual([['failed', 'p.example']]);
    expect(dane({ '_25._tcp.p.example': { ...alias, security: 'bogus' }, 't.example': records })).toEqual([['failed', 'p.example']]);
    expect(dane({ '_25._tcp.p.example': alias, 't.example': { status: 'found', alias: '_25._tcp.p.example' } })).toEqual([
      ['failed', 'p.example'],
    ]);
  });
});

// RFC 7672 2.1.2.
test('an alias that can not be believed leads nowhere', () => {
  const dns = (rr: string, name: string): Partial<DnsAnswer> => {
    if (name === 'example.net') return { alias: 'other.example', security: 'bogus' };
    return rr === 'MX' ? { mx: [{ preference: 10, exchange: 'p.example' }] } : { addresses: ['192.0.2.1'] };
  };
  expect(routed(dns).problem?.category).toBe('dns-failed');
});

// RFC 5321 5.1: "MUST discard" what is no better than this host, whether mail may go to its address or not.
test('an address of this host that is not of the Internet is known as its own', () => {
  const dns = (rr: string, name: string): Partial<DnsAnswer> => {
    if (rr === 'MX') return { mx: [10, 20].map((preference) => ({ preference, exchange: `h${preference}.example.net` })) };
    return { addresses: [name === 'h10.example.net' ? '10.0.0.5' : '8.8.8.8'] };
  };
  expect(routed(dns, { addresses: ['10.0.0.5'] }).problem?.category).toBe('loop');
  expect(routed(dns, { addresses: ['10.0.0.6'] }).hosts.map(({ host }) => host)).toEqual(['h20.example.net']);
});
