import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Chance } from '../src/chance.ts';
import { deliverySettings, readMx, routeOf, shuffleTies, withoutSelf } from '../src/index.ts';

// RFC 5321 5.1: "the SMTP sender MUST randomize them to spread the load".
test('each of three equals comes first about as often as the others, and a worse one never', () => {
  const { hosts } = readMx([
    { preference: 10, exchange: 'a.example' },
    { preference: 20, exchange: 'late.example' },
    { preference: 10, exchange: 'b.example' },
    { preference: 10, exchange: 'c.example' },
  ]);
  const chance = new Chance(() => 0.25);
  const firsts = new Map<string, number>();
  for (let walk = 0; walk < 3000; walk++) {
    const order = shuffleTies(hosts, ({ host }) => chance.of(`key ${walk} ${host}`));
    expect(order.at(-1)?.host).toBe('late.example');
    firsts.set(order[0]!.host, (firsts.get(order[0]!.host) ?? 0) + 1);
  }
  expect([...firsts.keys()].sort()).toEqual(['a.example', 'b.example', 'c.example']);
  for (const count of firsts.values()) expect(Math.abs(count - 1000)).toBeLessThan(120);
});

test('numbers follow from the seed and the purpose alone', () => {
  const [one, same, other] = [0.25, 0.25, 0.75].map((seed) => new Chance(() => seed));
  expect(one!.of('x')).toBe(same!.of('x'));
  expect(one!.of('x')).not.toBe(other!.of('x'));
  expect(one!.of('x')).not.toBe(one!.of('y'));
});

// RFC 5321 5.1: whoever is left is better than this host.
test('all that are left are better than any name of this host', () => {
  const list = fc.array(fc.record({ preference: fc.integer({ min: 0, max: 5 }), host: fc.constantFrom('me', 'a', 'b') }));
  fc.assert(
    fc.property(list, (hosts) => {
      const own = hosts.filter(({ host }) => host === 'me').map(({ preference }) => preference);
      const left = withoutSelf(hosts, ({ host }) => host === 'me');
      expect(left).toEqual(hosts.filter(({ preference }) => own.every((mine) => preference < mine)));
    }),
  );
});

test('a transport of this host is looked up nowhere', () => {
  const hosts = [{ host: 'Archive', protocol: 'local' as const }];
  const settings = deliverySettings({ hostname: 'mx.example.org', routes: [{ domains: ['example.net'], hosts }] });
  const asked = (): never => {
    throw new Error('asked');
  };
  const route = routeOf('example.net', settings, { dns: asked, policy: asked }, 0);
  expect(route?.hosts).toMatchObject([{ host: 'archive', addresses: ['archive'], protocol: 'local' }]);
});
