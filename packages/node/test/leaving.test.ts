// How connections end: clients that leave at every stage, and a server that closes.
import { accept, BodyAbortedError, type Handler, type IncomingMessage, reject, type Server } from '@ehlo/node';
import { describe, expect } from 'vitest';
import { test } from './fixture.ts';
import { Gate, standstill, until, type Wire } from './wire.ts';

/** The server has no session left, and takes a new one. */
async function livesOn(server: Server, dial: (server: Server) => Promise<Wire>): Promise<void> {
  await until('no session is left', () => server.connections === 0);
  const wire = await dial(server);
  expect(await wire.reply()).toMatch(/^220 /);
  expect(await wire.say('EHLO client.example')).toMatch(/^250/);
  expect(await wire.say('QUIT')).toMatch(/^221 /);
}

describe('a client that ends its side', () => {
  test('still gets the replies to all that it has sent, late ones too', async ({ start, dial }) => {
    const gate = new Gate();
    const server = await start({ rcpt: () => gate.passed.then(() => true) });
    const wire = await dial(server);
    wire.socket.end('EHLO client.example\r\nMAIL FROM:<a@client.example>\r\nRCPT TO:<b@mx.example>\r\nNOOP\r\nNOO');
    await wire.replies(3);
    gate.open();
    expect(await wire.rest()).toBe('250 2.1.5 Recipient OK\r\n250 2.0.0 NOOP OK\r\n');
    expect(wire.ended).toBe('FIN');
    await livesOn(server, dial);
  });

  test('within a message: it is not accepted, and the reader is told', async ({ start, dial }) => {
    const causes: unknown[] = [];
    const server = await start({
      message: ({ body }) =>
        body.bytes().then(
          () => true,
          (error: unknown) => {
            causes.push(error);
            throw error;
          },
        ),
    });
    const wire = await dial(server);
    await wire.open354();
    wire.socket.end('Subject: cut\r\n\r\nText\r\n.\r');
    expect(await wire.rest()).toBe('');
    await until('the reader is told', () => causes.length > 0);
    expect(causes).toEqual([new BodyAbortedError('ended')]);
    await livesOn(server, dial);
  });

  test('before it reads: nothing of what the server has to say is lost', async ({ start, dial }) => {
    let said = 0;
    const server = await start({ notice: ({ type }) => void (type === 'trace' && said++) }, { trace: true });
    const wire = await dial(server);
    await wire.reply();
    wire.socket.pause();
    // More replies than the kernel and the server hold: they wait for the client to read.
    const count = 600_000;
    const flood = Buffer.from('NOOP\r\n'.repeat(10_000));
    for (let sent = 0; sent < count; sent += 10_000) wire.socket.write(flood);
    wire.socket.end('QUIT\r\n');
    expect(await standstill(() => said)).toBeLessThan(2 * count);
    wire.socket.resume();
    const replies = (await wire.rest()).split('\r\n');
    expect(wire.ended).toBe('FIN');
    expect(replies.length).toBe(count + 2);
    expect(replies.at(-2)).toMatch(/^221 /);
  });
});

test('a client that has ended its side and reads late gets the last reply whole', async ({ start, dial }) => {
  const closed = new Gate();
  // More than the kernel takes, so that much of it waits in this process when the session is over.
  const text = Array.from({ length: 24_000 }, () => 'x'.repeat(1000)).join('\n');
  const server = await start({ info: () => accept({ text }), notice: ({ type }) => void (type === 'closed' && closed.open()) });
  const wire = await dial(server);
  await wire.reply();
  wire.socket.pause();
  wire.socket.end('HELP\r\nQUIT\r\n');
  await closed.passed;
  const { bytesRead } = wire.socket;
  wire.socket.resume();
  const rest = await wire.rest();
  expect(bytesRead).toBeLessThan(rest.length);
  expect(rest.length).toBeGreaterThan(text.length);
  expect(rest).toMatch(/221 2\.0\.0 .*\r\n$/);
  expect(wire.ended).toBe('FIN');
});

describe('a client that resets', () => {
  test('before the greeting', async ({ start, dial }) => {
    const gate = new Gate();
    const signals: AbortSignal[] = [];
    const server = await start({
      connect: (_, { signal }) => {
        signals.push(signal);
        return signals.length === 1 ? gate.passed.then(() => true) : true;
      },
    });
    const wire = await dial(server);
    await until('it is asked', () => signals.length === 1);
    expect(signals[0]!.aborted).toBe(false);
    wire.reset();
    await until('the signal aborts', () => signals[0]!.aborted);
    gate.open();
    await livesOn(server, dial);
  });

  test.for([
    ['after the greeting', '', 0],
    ['within a command', 'EHLO client.example\r\nMAIL FROM:<a@', 1],
    ['between commands', 'EHLO client.example\r\nMAIL FROM:<a@client.example>\r\n', 2],
  ] as const)('%s', async ([, sent, replies], { start, dial }) => {
    const closed: unknown[] = [];
    const server = await start({ notice: (notice) => void (notice.type === 'closed' && closed.push(notice.cause)) });
    const wire = await dial(server);
    await wire.reply();
    wire.send(sent);
    // They prove that all of it was read: libuv takes a reset that comes along with octets for an end.
    await wire.replies(replies);
    wire.reset();
    await until('the session is over', () => closed.length === 1);
    expect(closed).toEqual(['lost']);
    await livesOn(server, dial);
  });

  test('within a message: the reader is told, and the message is not taken', async ({ start, dial }) => {
    const read: string[] = [];
    const failed: unknown[] = [];
    const server = await start({
      async message({ body }) {
        try {
          for await (const bytes of body) read.push(Buffer.from(bytes).toString());
          read.push('(whole)');
        } catch (error) {
          failed.push(error);
          throw error;
        }
        return true;
      },
      error: (error) => void failed.push(['error', error]),
    });
    const wire = await dial(server);
    await wire.open354();
    wire.send('Subject: cut\r\n\r\nText\r\n');
    await until('its beginning is read', () => read.join('').includes('Text'));
    wire.reset();
    await until('the reader is told', () => failed.length > 0);
    await livesOn(server, dial);
    expect(read.join('')).toBe('Subject: cut\r\n\r\nText\r\n');
    // An abort is no failure of the handler's: the hook for those is not called.
    expect(failed).toEqual([new BodyAbortedError('lost')]);
  });

  test('while the message is decided on: stored, but not acknowledged', async ({ start, dial }) => {
    const gate = new Gate();
    const signals: AbortSignal[] = [];
    const told: [IncomingMessage, number][] = [];
    const server = await start({
      async message({ body }, { signal }) {
        await body.bytes();
        signals.push(signal);
        await gate.passed;
        return true;
      },
      unacknowledged: (message, { id }) => void told.push([message, id]),
    });
    const wire = await dial(server);
    await wire.open354('<who@client.example>');
    wire.send('Text\r\n.\r\n');
    await until('the message is whole', () => signals.length === 1);
    wire.reset();
    await until('the signal aborts', () => signals[0]!.aborted);
    expect(told).toEqual([]);
    gate.open();
    await until('the handler is told', () => told.length === 1);
    expect(told[0]![0].envelope.reversePath.address).toBe('who@client.example');
    expect(told[0]![1]).toBe(1);
    await livesOn(server, dial);
  });

  test('while the message is refused: nobody is told of an acknowledgement', async ({ start, dial }) => {
    const gate = new Gate();
    const told: unknown[] = [];
    const signals: AbortSignal[] = [];
    const server = await start({
      async message({ body }, { signal }) {
        await body.bytes();
        signals.push(signal);
        await gate.passed;
        return reject(550, '5.7.1', 'no');
      },
      unacknowledged: (message) => void told.push(message),
    });
    const wire = await dial(server);
    await wire.open354();
    wire.send('Text\r\n.\r\n');
    await until('the message is whole', () => signals.length === 1);
    wire.reset();
    await until('the signal aborts', () => signals[0]!.aborted);
    gate.open();
    await livesOn(server, dial);
    expect(told).toEqual([]);
  });
});

describe('the last reply arrives, though the client has sent more than is read', () => {
  const TURNED_AWAY: readonly (readonly [string, Handler, RegExp])[] = [
    ['421 to a command', { mail: () => reject(421, '4.7.0', 'go away') }, /421 4\.7\.0 mx\.example\.org go away\r\n$/],
    ['421 in place of the greeting', { connect: () => reject(421, '4.7.0', 'go away') }, /^421 mx\.example\.org go away\r\n$/],
    ['421 at the end of a budget', {}, /421 4\.7\.0 mx\.example\.org Too many errors, closing transmission channel\r\n$/],
  ];

  test.for(TURNED_AWAY)('%s', async ([, handler, last], { start, dial }) => {
    const server = await start(handler);
    for (let round = 0; round < 10; round++) {
      const wire = await dial(server);
      wire.send('EHLO client.example\r\nMAIL FROM:<a@client.example>\r\n');
      wire.send('BOGUS\r\n'.repeat(100_000));
      expect(await wire.rest()).toMatch(last);
      expect(wire.ended).toBe('FIN');
      wire.socket.destroy();
    }
  });

  test('554 in place of the greeting: QUIT is still answered', async ({ start, dial }) => {
    const wire = await dial(await start({ connect: () => reject(554, '5.7.1', 'not you') }));
    wire.send(`${'NOOP\r\n'.repeat(3)}QUIT\r\n${'NOOP\r\n'.repeat(10_000)}`);
    const replies = (await wire.rest()).split('\r\n').map((line) => line.slice(0, 3));
    expect(replies).toEqual(['554', '503', '503', '503', '221', '']);
    expect(wire.ended).toBe('FIN');
  });
});
