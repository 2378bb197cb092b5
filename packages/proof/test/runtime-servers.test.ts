// One suite for all runtimes: `ehlo` as it is built, served by Node, Deno and Bun as they are installed, under clients that speak octet
// for octet. What each adapter does within its own runtime is tested there (packages/deno, packages/bun).
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { standstill, until, type Wire } from '../../node/test/wire.ts';
import { Clients, envelope, SECURITY } from './runtimes/client.ts';
import { RUNTIMES, type Runtime, Subject } from './runtimes/subject.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

const MIB = 1_048_576;
const folder = mkdtempSync(join(tmpdir(), 'ehlo-runtimes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(Object.keys(RUNTIMES) as Runtime[])('%s', (runtime) => {
  const clients = new Clients();
  let subject: Subject;

  beforeAll(async () => {
    subject = await Subject.start(runtime, { unix: join(folder, runtime), limits: { tlsTimeout: 60_000 } });
  });
  afterAll(() => subject.stop());
  beforeEach(() => subject.idle());
  afterEach(() => clients.destroy());

  /** A sessions is over, the others are not hurt, and the next one is served. */
  async function livesOn(): Promise<void> {
    clients.destroy();
    await subject.idle();
    for (const security of SECURITY) expect(await (await clients.greeted(subject, security)).say('QUIT')).toMatch(/^221 /);
  }

  test('one import chooses the adapter of the runtime', () => {
    expect(subject.adapter).toBe(runtime);
  });

  describe.each(SECURITY)('%s', (security) => {
    test('a message, octet for octet', async () => {
      const wire = await clients.greeted(subject, security);
      await envelope(wire);
      const content = 'Subject: dots\r\n\r\n.\r\n..\r\n.a \xff\r\n';
      expect(await wire.say(`${content.replaceAll(/^\./gm, '..')}.`)).toBe(`250 2.6.0 ${content.length} ${digest(content)}`);
      expect(await wire.say('QUIT')).toMatch(/^221 /);
      expect(await wire.rest()).toBe('');
      expect(wire.ended).toBe('FIN');
    });

    test('a large body whose reader begins late: the client is stopped, and nothing of it waits in memory', async () => {
      const wire = await clients.greeted(subject, security);
      await envelope(wire, 'slow@client.example');
      const block = Buffer.from(`${'.dots and text '.repeat(69)}\r\n`.repeat(1000), 'latin1');
      const stuffed = Buffer.from(block.toString('latin1').replaceAll(/^\./gm, '..'), 'latin1');
      const blocks = 34;
      const hash = createHash('sha256');
      for (let i = 0; i < blocks; i++) hash.update(block);
      const before = Number(await subject.ask('memory'));
      let taken = 0;
      const sent = (async () => {
        for (let i = 0; i < blocks; i++) {
          await new Promise<void>((resolve) => wire.socket.write(stuffed, () => resolve()));
          taken++;
        }
      })();
      // What the kernel's buffers hold, and not all of it.
      expect(await standstill(() => taken)).toBeLessThan(blocks / 2);
      expect(Number(await subject.ask('memory')) - before).toBeLessThan(32 * MIB);
      await subject.ask('open');
      await sent;
      expect(await wire.say('.')).toBe(`250 2.6.0 ${blocks * block.length} ${hash.digest('hex')}`);
    });

    test('a client that does not read its replies is not read either; when it does, each is there', async () => {
      const wire = await clients.greeted(subject, security);
      wire.socket.pause();
      const count = 80_000;
      const before = Number(await subject.ask('memory'));
      let taken = 0;
      const flood = Array.from({ length: count / 1000 }, (_, i) =>
        Array.from({ length: 1000 }, (__, j) => `VRFY user${i * 1000 + j} ${'y'.repeat(250)}\r\n`).join(''),
      );
      const sent = (async () => {
        for (const part of flood) {
          await new Promise<void>((resolve) => wire.socket.write(part, () => resolve()));
          taken++;
        }
      })();
      expect(await standstill(() => taken)).toBeLessThan(flood.length);
      expect(Number(await subject.ask('memory')) - before).toBeLessThan(32 * MIB);
      wire.socket.resume();
      await sent;
      wire.send('QUIT\r\n');
      const lines = (await wire.rest()).split('\r\n');
      expect(lines.length).toBe(count + 2);
      expect(lines.slice(0, count).findIndex((line, i) => !line.startsWith(`250 2.1.5 user${i} `))).toBe(-1);
    });

    test('half-close: the replies to all that was sent still come, late ones too', async () => {
      const wire = await clients.greeted(subject, security);
      wire.socket.end('MAIL FROM:<one@client.example>\r\nRCPT TO:<wait@mx.example>\r\nNOOP\r\nNOO');
      await wire.reply();
      await subject.event('rcpt');
      await subject.ask('open');
      expect(await wire.rest()).toBe('250 2.1.5 Recipient OK\r\n250 2.0.0 NOOP OK\r\n');
      expect(wire.ended).toBe('FIN');
      await livesOn();
    });

    test('half-close within a message: it is not taken', async () => {
      const wire = await clients.greeted(subject, security);
      await envelope(wire);
      wire.socket.end('Subject: cut\r\n\r\nText\r\n.\r');
      expect(await wire.rest()).toBe('');
      expect(await subject.event('aborted')).toMatchObject({ cause: 'ended' });
      await livesOn();
    });

    test('a reset at each stage: the session is over, and nobody else is hurt', async () => {
      const witness = await clients.greeted(subject, security);
      const stages: readonly ((wire: Wire) => Promise<unknown>)[] = [
        async () => {},
        (wire) => wire.say('MAIL FROM:<one@client.example>'),
        async (wire) => wire.send('MAIL FROM:<a@'),
        async (wire) => {
          await envelope(wire);
          wire.send('Text\r\n');
          await subject.event('message');
        },
        async (wire) => {
          await wire.say('MAIL FROM:<one@client.example>');
          wire.send('RCPT TO:<wait@mx.example>\r\nNOOP\r\n');
          await subject.event('rcpt');
        },
      ];
      for (const stage of stages) {
        const wire = await clients.greeted(subject, security);
        await stage(wire);
        clients.reset(wire);
      }
      // Behind a command that waits nothing is read: the reset is seen when that has been answered.
      await subject.ask('open');
      await subject.until(
        'all are over',
        () => subject.events.filter(({ event }) => event === 'closed').length === stages.length || undefined,
      );
      expect(await witness.say('NOOP')).toMatch(/^250 /);
      await livesOn();
    });

    test('the last reply is not lost, though the client has sent more than is read', async () => {
      const wire = await clients.greeted(subject, security);
      wire.send('BOGUS\r\n'.repeat(100_000));
      expect(await wire.rest()).toMatch(/421 4\.7\.0 mx\.example\.org Too many errors, closing transmission channel\r\n$/);
      expect(wire.ended).toBe('FIN');
    });
  });

  test('1000 connections at a time: each is served when it speaks', async () => {
    const wires: Wire[] = [];
    while (wires.length < 1000) wires.push(...(await Promise.all(Array.from({ length: 50 }, () => clients.dial(subject)))));
    for (const wire of wires) expect(await wire.reply()).toMatch(/^220 /);
    expect(await subject.ask('sessions')).toBe(1000);
    for (const wire of wires) wire.send('EHLO client.example\r\nNOOP\r\nQUIT\r\n');
    const replies = await Promise.all(wires.map((wire) => wire.replies(3)));
    expect(
      replies.filter(([hello, noop, quit]) => !(hello?.startsWith('250') && noop?.startsWith('250') && quit?.startsWith('221'))),
    ).toEqual([]);
    await livesOn();
  });

  test('100 handshakes at a time, and 100 in a row', async () => {
    const all = await Promise.all(Array.from({ length: 100 }, () => clients.greeted(subject, 'STARTTLS')));
    expect(await subject.ask('sessions')).toBe(100);
    for (const wire of all) wire.socket.destroy();
    for (let round = 0; round < 100; round++) {
      const wire = await clients.greeted(subject, round % 2 === 0 ? 'STARTTLS' : 'TLS from the start');
      expect(await wire.say('QUIT')).toMatch(/^221 /);
      wire.socket.destroy();
    }
    await livesOn();
  });

  test('a Unix socket: a message, STARTTLS, and who may connect', async () => {
    const { connect } = await import('node:net');
    const { Wire: Unix } = await import('../../node/test/wire.ts');
    const socket = connect({ path: join(folder, runtime), allowHalfOpen: true });
    const wire = await clients.shake(await offered(new Unix(socket)));
    await wire.say('EHLO client.example');
    await envelope(wire);
    expect(await wire.say('Text\r\n.')).toBe(`250 2.6.0 6 ${digest('Text\r\n')}`);
    wire.socket.destroy();
    await livesOn();
  });

  describe('STARTTLS', () => {
    test.for([
      ['a whole command', 'STARTTLS\r\nMAIL FROM:<evil@client.example>\r\n'],
      ['a part of a line', 'STARTTLS\r\nRSE'],
      ['a second STARTTLS', 'STARTTLS\r\nSTARTTLS\r\n'],
      ['a greeting', 'STARTTLS\r\nEHLO evil.example\r\n'],
      ['much', `STARTTLS\r\n${'NOOP\r\n'.repeat(100_000)}`],
    ] as const)('%s injected behind it: the end of the session, and nothing of it is done', async ([, octets]) => {
      const wire = await clients.greeted(subject, 'in clear');
      wire.send(octets);
      expect(await wire.rest()).toMatch(/^(220 [^\r]*\r\n)?$/);
      expect(await subject.event('closed')).toMatchObject({ cause: 'plaintext-after-starttls' });
      expect(subject.events.filter(({ event }) => event === 'hello').length).toBe(1);
      expect(subject.events.filter(({ event }) => event === 'mail')).toEqual([]);
      await livesOn();
    });

    test.for([
      ['a whole command', 'MAIL FROM:<evil@client.example>\r\n'],
      ['a part of a line', 'RSE'],
      ['a second STARTTLS', 'STARTTLS\r\n'],
    ] as const)('%s in clear between the 220 and the handshake: no handshake, and nothing of it is done', async ([, octets]) => {
      const wire = await clients.offered(subject);
      wire.send(octets);
      await expect(clients.shake(wire)).rejects.toThrow();
      await subject.event('closed');
      expect(subject.events.filter(({ event }) => event === 'hello').length).toBe(1);
      expect(subject.events.filter(({ event }) => event === 'mail')).toEqual([]);
      await livesOn();
    });

    test('is refused before EHLO, with an argument, and in a transaction; and forgets who the client said it is', async () => {
      const wire = await clients.dial(subject);
      await wire.reply();
      expect(await wire.say('STARTTLS')).toMatch(/^503 /);
      await wire.say('EHLO client.example');
      expect(await wire.say('STARTTLS now')).toMatch(/^501 /);
      await wire.say('MAIL FROM:<one@client.example>');
      expect(await wire.say('STARTTLS')).toMatch(/^503 /);
      await wire.say('RSET');
      expect(await wire.say('STARTTLS')).toMatch(/^220 /);
      const secure = await clients.shake(wire);
      expect(await secure.say('MAIL FROM:<one@client.example>')).toMatch(/^503 /);
      expect(await secure.say('EHLO client.example')).not.toContain('STARTTLS');
      expect(await secure.say('STARTTLS')).toMatch(/^503 /);
    });
  });

  test.for([
    ['garbage', (wire: Wire): void => wire.send('EHLO is no ClientHello\r\n'.repeat(20))],
    ['an end before it', (wire: Wire): void => void wire.socket.end()],
    ['an end within it', (wire: Wire): void => void wire.socket.end(HELLO)],
    ['a reset before it', (wire: Wire): void => wire.reset()],
    ['a reset within it', (wire: Wire): void => void wire.socket.write(HELLO, () => wire.reset())],
  ] as const)('a handshake that fails by %s hurts nobody', async ([, spoil]) => {
    for (const begin of [() => clients.offered(subject), () => clients.dial(subject, subject.tlsPort)]) {
      const wire = await begin();
      spoil(wire);
      await until('the connection is ended', () => wire.ended !== null);
    }
    await livesOn();
  });

  test('drain: the open transaction ends and is acknowledged, then 421; nobody new', async () => {
    const draining = await Subject.start(runtime);
    try {
      const wires = await Promise.all(SECURITY.map((security) => clients.greeted(draining, security)));
      for (const wire of wires) await envelope(wire);
      const idle = await clients.greeted(draining, 'in clear');
      const closed = draining.ask('close');
      expect(await idle.reply()).toMatch(/^421 4\.3\.2 /);
      for (const wire of wires) {
        expect(await wire.say('Text\r\n.')).toBe(`250 2.6.0 6 ${digest('Text\r\n')}`);
        expect(await wire.rest()).toMatch(/^421 4\.3\.2 [^\r]*\r\n$/);
        wire.socket.end();
      }
      idle.socket.end();
      await closed;
      await expect(clients.dial(draining)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    } finally {
      await draining.stop();
    }
  });

  test('abort: what does not end within the grace is ended', async () => {
    const impatient = await Subject.start(runtime, { grace: 1 });
    try {
      const wires = await Promise.all(SECURITY.map((security) => clients.greeted(impatient, security)));
      for (const wire of wires) {
        await envelope(wire);
        wire.send('Text\r\n');
      }
      for (const _ of wires) await impatient.event('message');
      await impatient.ask('close');
      for (const _ of wires) expect(await impatient.event('aborted')).toMatchObject({ cause: 'lost' });
      for (const wire of wires) expect(await wire.rest()).toBe('');
    } finally {
      await impatient.stop();
    }
  });
});

/** The first octets of a ClientHello: the record is never whole. */
const HELLO = Buffer.from('16030100c8010000c40303', 'hex');

const digest = (content: string): string => createHash('sha256').update(content, 'latin1').digest('hex');

async function offered(wire: Wire): Promise<Wire> {
  for (const line of ['EHLO client.example', 'STARTTLS']) {
    await wire.reply();
    wire.send(`${line}\r\n`);
  }
  await wire.reply();
  return wire;
}
