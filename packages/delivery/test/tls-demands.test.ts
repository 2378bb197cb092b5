// Which TLS is demanded where policies, wishes and names that can not be had meet.
import { describe, expect, test } from 'vitest';
import { type DnsAnswer, type DomainRoute, deliverySettings, demandOf, type RoutedHost } from '../src/index.ts';
import { Runner } from './run.ts';

const SETTINGS = deliverySettings({ hostname: 'mx.example.org' });
const POLICY = { id: '1', fetched: 0, policy: { mode: 'enforce' as const, mx: ['good.example'], maxAge: 86_400_000, lines: [] } };

const host = (name: string, secure: boolean): RoutedHost => ({
  host: name,
  preference: 10,
  port: 25,
  protocol: 'smtp',
  addresses: ['192.0.2.1'],
  dane: { state: 'none', base: '', tlsa: [] },
  secure,
  tls: null,
});

const route = (mode: 'enforce' | 'testing'): DomainRoute => ({
  domain: 'example.net',
  name: 'example.net',
  hosts: [],
  isWhole: true,
  problem: null,
  sts: { ...POLICY, policy: { ...POLICY.policy, mode } },
  until: 1e15,
  steps: [],
});

// RFC 8461 5: "MUST NOT deliver the message to hosts that fail MX matching"; RFC 8689 4.2.1 asks for more, not for less.
test('REQUIRETLS leads to no host that an enforced policy leaves out, though its name is signed', () => {
  expect(demandOf(host('other.example', true), route('enforce'), 'required', SETTINGS)).toBeNull();
  expect(demandOf(host('other.example', true), route('testing'), 'required', SETTINGS)).toMatchObject({ mode: 'name', requireTls: true });
  expect(demandOf(host('good.example', false), route('enforce'), 'required', SETTINGS)).toMatchObject({
    mode: 'name',
    names: ['good.example'],
  });
});

// RFC 8461 5: with "testing" the host is used, and a report tells of it.
test('of a policy that is tested, no certificate is right for a host that it does not name', () => {
  expect(demandOf(host('other.example', false), route('testing'), 'default', SETTINGS)).toMatchObject({ testing: true, names: [] });
  expect(demandOf(host('good.example', false), route('testing'), 'default', SETTINGS)).toMatchObject({
    testing: true,
    names: ['good.example'],
  });
});

describe('TLSA records that can not be had', () => {
  const dns = (_: string, rr: string): Partial<DnsAnswer> => {
    if (rr === 'MX') return { security: 'secure', mx: [{ preference: 10, exchange: 'mx.example.net' }] };
    if (rr === 'TLSA') return { status: 'failed', security: 'indeterminate' };
    return rr === 'A' ? { security: 'secure', addresses: ['192.0.2.1'] } : { security: 'secure', status: 'empty' };
  };

  test('keep mail back', () => {
    const runner = new Runner({ dns }).add('example.net', ['joe@example.net']).run(0);
    expect(runner.of('open')).toEqual([]);
    expect(runner.jobs.get('j')!.recipients[0]!.last).toMatchObject({ status: '4.4.3', category: 'dns-failed' });
  });

  // RFC 8689 4.2.2: "but do not fail if this is unsuccessful".
  test('but not that which needs no TLS', () => {
    const runner = new Runner({ dns }).add('example.net', ['joe@example.net'], { tls: 'optional' }).run(0);
    expect(runner.of('open').map(({ tls }) => tls.mode)).toEqual(['opportunistic']);
    expect(runner.states()).toEqual(['relayed']);
  });

  test('nor is that tried for days which no host of the domain will take', () => {
    const open = () => ({ extensions: { SIZE: ['10'] } });
    const runner = new Runner({ dns, open }).add('example.net', ['joe@example.net'], { tls: 'optional' }).run(0);
    expect([runner.states(), runner.jobs.get('j')!.recipients[0]!.last!.status]).toEqual([['failed'], '5.3.4']);
  });

  test('and an operator who wants it retried has the host asked, however long it was to be left', () => {
    const runner = new Runner({ dns, open: () => ({ stage: 'connect' }) }, { keep: 864e5 });
    runner.add('example.net', ['joe@example.net'], { tls: 'optional' }).run(0);
    runner.dispatcher.tell({ type: 'operator', job: 'j', what: 'retry' });
    expect(runner.run(1000).of('open')).toHaveLength(2);
  });
});
