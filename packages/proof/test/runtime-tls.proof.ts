// What happens to TLS behind its handshake, on both sides, in every runtime: each program is a process of its own, and lives.
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { until, type Wire } from '../../node/test/wire.ts';
import { type Below, UNREADABLE } from './runtimes/below.ts';
import { Clients, envelope, SECURITY } from './runtimes/client.ts';
import { Rogue } from './runtimes/rogue.ts';
import { RUNTIMES, type Runtime, Subject } from './runtimes/subject.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

const MIB = 1_048_576;
const SECURE = SECURITY.filter((security) => security !== 'in clear');

const NO_HELLO = [
  Buffer.from('EHLO is no ClientHello\r\n'.repeat(5)),
  // An alert; a hello of TLS 1.0 that is cut off; one whose record is too short for it.
  ...['15030100020228', '160301003d010000390301', '1603010005010000010301'].map((hex) => Buffer.from(hex, 'hex')),
].map((octets, i) => (i === 2 ? Buffer.concat([octets, Buffer.alloc(100)]) : octets));

interface Attempt {
  readonly outcomes: readonly { readonly status: string; readonly cause: string }[];
  readonly error: { readonly code: string; readonly stage: string } | null;
  readonly taken: number;
}

/** Writes on until the other side has cut it off; what is never cut off is taken whole. */
async function flood({ socket }: Below): Promise<void> {
  const block = Buffer.alloc(MIB, 0xa5);
  for (let i = 0; i < 64 && !socket.destroyed; i++) await new Promise<void>((resolve) => socket.write(block, () => resolve()));
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

  describe.each(SECURE)('a server, %s', (security) => {
    const stages: readonly (readonly [string, (wire: Wire) => Promise<unknown>])[] = [
      ['behind EHLO', async () => {}],
      ['within a line', async (wire) => wire.send('MAIL FROM:<a@')],
      ['within an envelope', (wire) => wire.say('MAIL FROM:<one@client.example>')],
      [
        'within a message',
        async (wire) => {
          await envelope(wire);
          wire.send('Text\r\n');
          await subject.event('message');
        },
      ],
      [
        'while a recipient is decided on',
        async (wire) => {
          await wire.say('MAIL FROM:<one@client.example>');
          wire.send('RCPT TO:<wait@mx.example>\r\n');
          await subject.event('rcpt');
        },
      ],
    ];
    test.for(UNREADABLE)('%s: the end of the session at once, at every stage; nothing of what follows is kept', async ([, octets]) => {
      for (const [stage, reach] of stages) {
        const { wire, below } = await clients.exposed(subject, security);
        await reach(wire);
        const before = Number(await subject.ask('memory'));
        below.inject(octets);
        await flood(below);
        await until(`the connection is cut off ${stage}`, () => below.socket.destroyed);
        expect([stage, await subject.event('closed')]).toMatchObject([stage, { cause: 'lost' }]);
        expect(Number(await subject.ask('memory')) - before).toBeLessThan(32 * MIB);
        await subject.ask('open');
        await subject.idle();
      }
    });

    test('QUIT, and then what no record can be read from: the connection is over', async () => {
      const { wire, below } = await clients.exposed(subject, security);
      await wire.say('QUIT');
      below.inject(UNREADABLE[0]![1]);
      await flood(below);
      await until('the connection is cut off', () => below.socket.destroyed);
    });
  });

  describe.each(SECURE)('a client, %s', (security) => {
    test.for(
      UNREADABLE.flatMap(([what, octets]) =>
        (
          [
            ['EHLO', null],
            ['MAIL', 'unsent'],
            ['DATA', 'unsent'],
            ['BODY', 'unsent'],
            ['.', 'unknown'],
          ] as const
        ).map(([at, status]) => [what, at, status, octets] as const),
      ),
    )('%s in place of the answer to %s: %s, and it is told why', async ([, at, status, octets]) => {
      let done = false;
      const rogue = await Rogue.start(security, at, ({ below }) => {
        if (done) return;
        done = true;
        below!.inject(octets);
        void flood(below!);
      });
      try {
        const before = Number(await subject.ask('memory'));
        // More than can be written before the client has read it.
        const parts = at === 'BODY' ? 100_000 : 1;
        const attempt = (await subject.ask('attempt', { port: rogue.port, security, parts })) as Attempt;
        const outcomes = status === null ? [] : [{ status, cause: 'lost' }];
        expect(attempt).toMatchObject({ outcomes, error: { code: 'lost' } });
        expect(attempt.outcomes.length).toBe(outcomes.length);
        expect(Number(await subject.ask('memory')) - before).toBeLessThan(48 * MIB);
      } finally {
        rogue.stop();
      }
    });
  });

  test.each(SECURE)('a client that asks for another handshake under TLS 1.2, %s: it gets an alert', async (security) => {
    const { wire, below } = await clients.exposed(subject, security, { maxVersion: 'TLSv1.2' });
    // RFC 5246 6.2.1: the first octet of a record tells its type: 21 is an alert, 22 a handshake.
    const answered = new Promise<number>((resolve) => {
      below.socket.once('data', (octets: string) => resolve(octets.charCodeAt(0)));
    });
    (wire.socket as TLSSocket).renegotiate({ rejectUnauthorized: false }, () => {});
    expect(await answered).toBe(21);
    clients.destroy();
    await subject.idle();
  });

  test('octets behind a PROXY header that are no ClientHello: a connection that is no session, and the next one is served', async () => {
    const proxied = await Subject.start(runtime, { proxied: true });
    const header = Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n');
    try {
      for (const octets of NO_HELLO) {
        const wire = await clients.dial(proxied, proxied.tlsPort);
        wire.send(Buffer.concat([header, octets]));
        await proxied.event('stray');
        await until('the connection is ended', () => wire.ended !== null);
      }
      const wire = await clients.dial(proxied, proxied.tlsPort);
      await new Promise((resolve) => wire.socket.write(header, resolve));
      expect(await (await clients.shake(wire)).reply()).toMatch(/^220 /);
    } finally {
      await proxied.stop();
    }
  });

  test('handshakes that fail before their ClientHello: nothing of them is kept', async () => {
    const heaps: number[] = [];
    for (let round = 0; round < 16; round++) {
      for (let i = 0; i < 200; i++) {
        const wire = await clients.dial(subject, subject.tlsPort);
        wire.send(NO_HELLO[0]!);
        await subject.event('stray');
        wire.socket.destroy();
      }
      heaps.push(Number(await subject.ask('heap')));
    }
    // A heap goes up and down by itself: its lows tell what is kept, for twelve rounds more.
    expect(Math.min(...heaps.slice(12)) - Math.min(...heaps.slice(0, 4))).toBeLessThan(16 * MIB);
  });

  test.each(SECURITY)('a client that is given up at each of its notices, %s: the process lives', async (security) => {
    const port = security === 'TLS from the start' ? subject.tlsPort : subject.port;
    expect(await subject.ask('abort', { port, security })).toBe(true);
  });

  test.each(SECURITY)('a server that stops to read within a message, %s: the source is stopped, too', async (security) => {
    const rogue = await Rogue.start(security, 'BODY', ({ stream }) => void stream.pause());
    try {
      const before = Number(await subject.ask('memory'));
      const options = { port: rogue.port, security, parts: 2000, limits: { blockTimeout: 3000 } };
      const attempt = (await subject.ask('attempt', options)) as Attempt;
      expect(attempt).toMatchObject({ outcomes: [{ status: 'unsent', cause: 'timeout' }] });
      expect(attempt.taken).toBeLessThan(500);
      expect(Number(await subject.ask('memory')) - before).toBeLessThan(64 * MIB);
    } finally {
      rogue.stop();
    }
  });
});
