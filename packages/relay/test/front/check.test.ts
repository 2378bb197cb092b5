import { expect, onTestFinished, test, vi } from 'vitest';
import { Policy } from '../../src/front/policy.ts';
import { checkRelay, type RelayCheck } from '../../src/index.ts';
import { config, folder, RUNTIME } from './harness.ts';

async function check(options: object = {}, listener: object = {}): Promise<RelayCheck> {
  return await checkRelay(config(options, listener), RUNTIME);
}

const files = (): string => folder({ users: 'ann:secret-of-ann\n' });

test.each<[what: string, options: () => object, listener: object]>([
  ['an mx listener', () => ({}), {}],
  ['one without domains', () => ({ domains: [], recipients: [] }), {}],
  ['one that takes everybody of its domain', () => ({ recipients: ['*@example.org'], subaddress: '+' }), {}],
  [
    'one with networks, proxies, and XCLIENT',
    () => ({ relayFrom: ['10.0.0.0/8', 'fd00::/8'] }),
    { proxies: ['10.1.0.0/16'], xclient: ['10.2.0.1'] },
  ],
  ['LMTP', () => ({}), { kind: 'lmtp' }],
  ['submission', () => ({ users: { file: `${files()}/users` } }), { kind: 'submission', tls: 'off' }],
  ['submission without a login', () => ({ relayFrom: ['10.0.0.0/8'] }), { kind: 'submission', tls: 'off', auth: false }],
  ['a Unix socket', () => ({}), { path: '/run/relay.sock' }],
])('%s passes nothing on for strangers, however they ask', async (_, options, listener) => {
  const { open, attempts } = await check(options(), listener);
  expect(open).toEqual([]);
  expect(attempts.length).toBeGreaterThan(25);
  // Refused for what it is: a stranger is heard, and told no.
  expect(attempts.filter(({ reply }) => /^5[035][0-9] /.test(reply)).length).toBeGreaterThan(attempts.length * 0.9);
});

test('the same tries are taken from who may relay: they can be taken at all', async () => {
  const { attempts } = await check({}, {});
  const named = await check({ relayFrom: ['127.0.0.1'] });
  expect(attempts.some(({ client }) => client === '127.0.0.1')).toBe(true);
  expect(named.attempts.some(({ client }) => client === '127.0.0.1')).toBe(false);
});

test('a front that takes what it should not is found, by every trick that comes so far', async () => {
  vi.spyOn(Policy.prototype, 'mayRelay').mockReturnValue(true);
  onTestFinished(() => void vi.restoreAllMocks());
  const { open } = await check();
  const found = new Set(open.map((line) => /nobody to it: (.*?), RCPT/.exec(line)?.[1]));
  expect([...found]).toEqual(
    expect.arrayContaining([
      'another domain',
      'source route',
      'address literal',
      'a sender of ours',
      'a PROXY header',
      'XCLIENT with a login',
    ]),
  );
});

test('what is open and not named is told', async () => {
  const halves = Array.from({ length: 224 }, (_, i) => `${i}.0.0.0/8`);
  const { open } = await check({ relayFrom: halves });
  expect(open).toEqual(['relayFrom has most of the world: that is an open relay, which only openRelay of a listener makes']);
});

test('what is open is said in sentences', async () => {
  const { sentences } = await check({ relayFrom: ['10.0.0.0/8'], recipients: ['*@example.org'] }, { proxies: ['10.0.0.1'] });
  expect(sentences).toEqual([
    'mx (127.0.0.1 port 0): anybody may send to example.org and postmaster. Only 10.0.0.0/8 may send elsewhere, without a login.',
    'mx (127.0.0.1 port 0): 10.0.0.1 may say whose connection it is (PROXY), and is believed.',
    'Mail is taken for example.org: 1 mailbox, 0 aliases, 0 lists. Others are refused.',
    "Everybody at example.org is taken: who turns out to be unknown later gets the sender a notice, which may be nobody's who sent it.",
    'Mail to postmaster goes to boss@example.com.',
    'Mail waits in memory: it is lost when the relay ends.',
  ]);
  expect((await check({}, { openRelay: true })).sentences[0]).toBe(
    'mx (127.0.0.1 port 0): ANYBODY may send to ANYBODY, for openRelay is on.',
  );
});
