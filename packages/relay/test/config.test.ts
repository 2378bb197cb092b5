import { describe, expect, test } from 'vitest';
import { ConfigError, configDocument, configSchema, readConfig } from '../src/index.ts';

const GOOD = {
  hostname: 'mx.example.org',
  postmaster: 'ann@example.net',
  listeners: [{ kind: 'mx' }],
  queue: { kind: 'memory' },
};

function problems(config: unknown): readonly string[] {
  try {
    readConfig(config);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ path, text }) => `${path}| ${text}`);
    throw error;
  }
  return [];
}

test('the least that is a configuration, and what follows from it', () => {
  const config = readConfig(GOOD);
  expect(config.listeners).toEqual([
    { kind: 'mx', name: 'mx-25', host: '::', port: 25, tls: 'off', auth: true, openRelay: false, proxies: [], xclient: [], nullMx: true },
  ]);
  expect([config.relayFrom, config.domains, config.limits.messageSize, config.limits.authPause]).toEqual([[], [], 36_700_160, 600_000]);
});

test('what follows for other listeners', () => {
  const { listeners } = readConfig({
    ...GOOD,
    tls: { cert: '/c', key: '/k' },
    users: { file: '/u' },
    listeners: [{ kind: 'mx' }, { kind: 'submission' }, { kind: 'submission', tls: 'implicit' }, { kind: 'lmtp', path: '/run/lmtp.sock' }],
  });
  expect(listeners.map(({ name, port, tls }) => [name, port, tls])).toEqual([
    ['mx-25', 25, 'offered'],
    ['submission-587', 587, 'required'],
    ['submission-465', 465, 'implicit'],
    ['lmtp-lmtp.sock', undefined, 'off'],
  ]);
});

test('all that is wrong is told at once', () => {
  const bad = { ...GOOD, hostname: 'mx', listeners: [{ kind: 'smtp' }], limits: { hops: 5, recipient: 7 } };
  expect(() => readConfig(bad)).toThrow(
    [
      'hostname is "mx"; it must be a full host name or an address literal, such as "mx.example.org"',
      'listeners.0.kind is "smtp"; it must be one of mx, submission, lmtp: did you mean lmtp?',
      'there is no option limits.recipient: did you mean recipients?',
      'limits.hops is 5; it must be a whole number from 100 to 1000',
    ].join('\n'),
  );
});

test('a lease of PostgreSQL has its bounds', () => {
  const queue = { kind: 'postgres', url: 'postgres://relay@db.example.org/mail' };
  expect(readConfig({ ...GOOD, queue }).queue).toMatchObject({ lease: 30_000 });
  expect(readConfig({ ...GOOD, queue: { ...queue, lease: '2m' } }).queue).toMatchObject({ lease: 120_000 });
  for (const lease of ['4s', '2h']) {
    expect(problems({ ...GOOD, queue: { ...queue, lease } })).toEqual([
      `queue.lease| queue.lease is "${lease}"; it must be a time with its unit, from 5000ms to 3600000ms, such as "30s", "5m", "4h" or "5d"`,
    ]);
  }
});

describe('what is wrong', () => {
  test.each<[what: string, change: object, told: string]>([
    ['no object', [] as object, '| the configuration is a list; it must be an object'],
    ['a name that is misspelt', { relayfrom: [] }, 'relayfrom| there is no option relayfrom: did you mean relayFrom?'],
    ['a list that is none', { domains: 'example.org' }, 'domains| domains is "example.org"; it must be a list, in square brackets'],
    [
      'a domain that is none',
      { domains: ['exa mple'] },
      'domains.0| domains.0 is "exa mple"; it must be a mail domain, such as "example.org"',
    ],
    [
      'a network with bits beyond its length',
      { relayFrom: ['192.0.2.1/24'] },
      'relayFrom.0| relayFrom.0 is "192.0.2.1/24"; it must be an IP address or a network',
    ],
    [
      'all the world',
      { relayFrom: ['0.0.0.0/0'] },
      'relayFrom.0| relayFrom.0 is "0.0.0.0/0"; it must be an IP address or a network of no more than /8',
    ],
    ['half of it', { relayFrom: ['128.0.0.0/1'] }, 'relayFrom.0| '],
    ['all the world by IPv6', { relayFrom: ['::/0'] }, 'relayFrom.0| '],
    ['all of IPv4, as IPv6 has it', { relayFrom: ['::ffff:0.0.0.0/96'] }, 'relayFrom.0| '],
    ['a time without its unit', { limits: { grace: 30 } }, 'limits.grace| limits.grace is 30; it must be a time with its unit'],
    ['a queue that is missing', { queue: undefined }, '| queue is missing: where mail waits.'],
    ['a queue of no kind', { queue: {} }, 'queue.kind| queue.kind is missing; it must be one of spool, postgres, memory'],
    [
      'a queue that is misspelt',
      { queue: { kind: 'spol' } },
      'queue.kind| queue.kind is "spol"; it must be one of spool, postgres, memory: did you mean spool?',
    ],
    ['an option of another kind of queue', { queue: { kind: 'memory', folder: '/x' } }, 'queue.folder| there is no option queue.folder'],
    ['a password in an address', { queue: { kind: 'postgres', url: 'postgres://a:hunter2@c/d' } }, 'queue.url| '],
    ['a folder that is none', { routes: [{ to: 'maildir', domains: ['*'], folder: '/mail/{user}' }] }, 'routes.0.folder| '],
    [
      'an argument that is none',
      { routes: [{ to: 'command', domains: ['*'], command: ['/bin/x', '{sender}'] }] },
      'routes.0.command.1| routes.0.command.1 may have',
    ],
    ['users without a file', { users: {} }, 'users| users.file is missing'],
    [
      'a certificate that is missing',
      { listeners: [{ kind: 'mx', tls: 'required' }] },
      'listeners.0.tls| listeners.0.tls needs a certificate',
    ],
    [
      'submission without TLS that is not asked for',
      { users: { file: '/u' }, listeners: [{ kind: 'submission' }] },
      'listeners.0| listeners.0 needs a certificate: give tls { cert, key } at the top, or tls: "off" here',
    ],
    ['submission without users', { listeners: [{ kind: 'submission', tls: 'off' }] }, 'listeners.0| listeners.0 needs users'],
    ['a port beside a path', { listeners: [{ kind: 'mx', path: '/run/x', port: 25 }] }, 'listeners.0.port| '],
    [
      'two listeners in one place',
      {
        listeners: [
          { kind: 'mx', name: 'a' },
          { kind: 'mx', name: 'b' },
        ],
      },
      'listeners.1| listeners.1 listens at :: port 25, as another one does',
    ],
    [
      'an alias of another domain',
      { domains: ['example.org'], aliases: { 'a@example.net': ['b@example.org'] } },
      'aliases.a@example.net| ',
    ],
    ['a recipient of another domain', { domains: ['example.org'], recipients: ['ann@example.net'] }, 'recipients.0| '],
    [
      'an alias for nobody',
      { domains: ['example.org'], aliases: { 'a@example.org': [] } },
      'aliases.a@example.org| aliases.a@example.org is a list; it must be a list of at least 1',
    ],
    [
      'an alias that is no address',
      { aliases: { info: ['b@example.org'] } },
      'aliases.info| aliases.info has the name "info"; it must be a mail address',
    ],
    [
      'a password for a host that anybody may be',
      { routes: [{ to: 'host', domains: ['*'], hosts: ['smtp.example.net'], user: 'u', password: { env: 'X' } }] },
      'routes.0.tls| routes.0.tls is "opportunistic", and whoever answers could read the password',
    ],
    [
      'a route to nowhere',
      { routes: [{ domains: ['*'] }] },
      'routes.0.to| routes.0.to is missing; it must be one of mx, host, lmtp, maildir, http, command',
    ],
    [
      'a route that is none',
      { routes: ['mx'] },
      'routes.0| routes.0 is "mx"; it must be an object with to, one of mx, host, lmtp, maildir, http, command',
    ],
  ])('%s', (_, change, told) => {
    const config = Array.isArray(change) ? change : { ...GOOD, ...change };
    const found = problems(JSON.parse(JSON.stringify(config)));
    expect(found).toHaveLength(1);
    expect(found[0]!.startsWith(told), found[0]).toBe(true);
  });

  test('a secret is not shown, wherever it stands', () => {
    const route = { to: 'host', domains: ['*'], hosts: ['h.example'], tls: 'name', user: 'u' };
    for (const password of ['hunter2', { file: 'a', env: 'hunter2' }, { text: 'hunter2' }, ['hunter2'], 12]) {
      const [found, ...more] = problems({ ...GOOD, routes: [{ ...route, password }] });
      expect(more).toEqual([]);
      expect(found).toContain('routes.0.password must say where the secret stands');
      expect(found).not.toContain('hunter2');
    }
  });
});

test('the schema and the page have every option of the table', () => {
  const schema = JSON.stringify(configSchema());
  const page = configDocument();
  for (const name of ['hostname', 'relayFrom', 'openRelay', 'mostRecipients', 'membersFile', 'password', 'authFailures']) {
    expect(schema).toContain(`"${name}"`);
    expect(page).toContain(`| \`${name}\` |`);
  }
  expect(page).toContain('### Route to a host: `routes[], to "host"`');
});
