// One event, and one outcome, for one thing that a peer does, whatever the runtime: the matrix of both roles.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { until, type Wire } from '../../node/test/wire.ts';
import { Clients, envelope, SECURITY, type Security } from './runtimes/client.ts';
import { type Deed, Rogue } from './runtimes/rogue.ts';
import { RUNTIMES, type Runtime, Subject } from './runtimes/subject.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

/** What a client does, and what the server's session hears of it. */
const OF_CLIENTS: readonly (readonly [what: string, cause: string, securities: readonly Security[], deed: (kit: Kit) => unknown])[] = [
  ['a reset', 'lost', SECURITY, ({ wire, clients }) => clients.reset(wire)],
  [
    'a reset within a message',
    'lost',
    SECURITY,
    async ({ wire, clients, subject }) => {
      await envelope(wire);
      await new Promise((resolve) => wire.socket.write('Text\r\n', resolve));
      await subject.event('message');
      clients.reset(wire);
    },
  ],
  [
    'a reset behind octets that nobody has read',
    'lost',
    ['in clear'],
    async ({ wire, clients, subject }) => {
      await wire.say('MAIL FROM:<one@client.example>');
      wire.send('RCPT TO:<wait@mx.example>\r\n');
      await subject.event('rcpt');
      for (let i = 0; i < 3; i++) await new Promise((resolve) => wire.socket.write('NOOP\r\n'.repeat(500), resolve));
      clients.reset(wire);
      await until('it is reset', () => wire.socket.destroyed);
      await subject.ask('open');
    },
  ],
  [
    'a reset along with the last octets',
    'lost',
    ['in clear'],
    async ({ wire, clients }) => {
      await new Promise((resolve) => wire.socket.write('MAIL FROM:<a@', resolve));
      clients.reset(wire);
    },
  ],
  ['an end', 'ended', SECURITY, ({ wire }) => wire.socket.end()],
  ['an end within a line', 'ended', SECURITY, ({ wire }) => wire.socket.end('MAIL FROM:<a@')],
];

interface Kit {
  readonly wire: Wire;
  readonly clients: Clients;
  readonly subject: Subject;
}

const reset: Deed = ({ socket }) => void socket.resetAndDestroy();
const end: Deed = ({ stream }) => void stream.end();
/** Nothing more is read: what the client sends behind the answer is not answered. */
const behind =
  (answer: string): Deed =>
  ({ stream, socket }) => {
    stream.removeAllListeners('data').pause();
    stream.write(answer, () => setImmediate(() => socket.resetAndDestroy()));
  };

/** What a server does in place of the answer to a command; what the client's error says, and the outcome of its message. */
const OF_SERVERS: readonly (readonly [
  what: string,
  at: string,
  code: string,
  status: string | null,
  securities: readonly Security[],
  deed: Deed,
])[] = [
  ['a reset', 'GREETING', 'lost', null, ['in clear'], reset],
  ['a reset', 'EHLO', 'lost', null, SECURITY, reset],
  ['a reset', 'MAIL', 'lost', 'unsent', SECURITY, reset],
  ['a reset', 'DATA', 'lost', 'unsent', SECURITY, reset],
  ['354 and a reset', 'DATA', 'lost', 'unsent', SECURITY, behind('354 go\r\n')],
  ['a reset', 'BODY', 'lost', 'unsent', SECURITY, reset],
  ['a reset', '.', 'lost', 'unknown', SECURITY, reset],
  ['an end', 'GREETING', 'ended', null, ['in clear'], end],
  ['an end', 'EHLO', 'ended', null, SECURITY, end],
  ['an end', 'MAIL', 'ended', 'unsent', SECURITY, end],
  ['an end', '.', 'ended', 'unknown', SECURITY, end],
  ['220 and an alert in two parts', 'STARTTLS', 'tls-failed', null, ['STARTTLS'], part('\x15\x03', '\x03\x00\x02\x02\x28')],
  ['220 and a part of a line', 'STARTTLS', 'tls-failed', null, ['STARTTLS'], part('25', '0 mx.example in clear\r\n')],
];

function part(octets: string, rest: string): Deed {
  return ({ stream }) =>
    void stream.write('220 go\r\n', () =>
      setTimeout(() => {
        stream.write(octets, 'latin1');
        setTimeout(() => stream.write(rest, 'latin1'), 30);
      }, 30),
    );
}

describe.each(Object.keys(RUNTIMES) as Runtime[])('%s', (runtime) => {
  const clients = new Clients();
  let subject: Subject;

  beforeAll(async () => {
    subject = await Subject.start(runtime);
  });
  afterAll(() => subject.stop());
  beforeEach(() => subject.idle());
  afterEach(() => clients.destroy());

  test.for(OF_CLIENTS.flatMap(([what, cause, securities, deed]) => securities.map((security) => [what, security, cause, deed] as const)))(
    'a client: %s, %s: %s',
    async ([, security, cause, deed]) => {
      const wire = await clients.greeted(subject, security);
      await deed({ wire, clients, subject });
      expect(await subject.event('closed')).toMatchObject({ cause });
      expect(subject.events.filter(({ event }) => event === 'closed')).toEqual([]);
    },
  );

  test.for(
    OF_SERVERS.flatMap(([what, at, code, status, securities, deed]) =>
      securities.map((security) => [what, at, security, code, status, deed] as const),
    ),
  )('a server: %s at %s, %s: %s, %s', async ([what, at, security, code, status, deed]) => {
    let done = false;
    const rogue = await Rogue.start(security, at, (peer) => {
      if (!done) deed(peer);
      done = true;
    });
    try {
      // More than a connection holds: its end can't have been said before the reset.
      const parts = at === 'BODY' || what === '354 and a reset' ? 100_000 : 1;
      const attempt = (await subject.ask('attempt', { port: rogue.port, security, parts })) as {
        readonly outcomes: readonly { readonly status: string; readonly cause: string }[];
        readonly error: { readonly code: string } | null;
      };
      expect(attempt.outcomes.map((outcome) => [outcome.status, outcome.cause])).toEqual(status === null ? [] : [[status, code]]);
      expect(attempt.error).toMatchObject({ code });
    } finally {
      rogue.stop();
    }
  });
});
