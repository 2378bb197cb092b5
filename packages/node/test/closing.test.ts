// A server that closes, and one that is full.
import { describe, expect } from 'vitest';
import { ABORTED } from './adapter.ts';
import { taking, test } from './fixture.ts';
import { Gate, until } from './wire.ts';

const ENVELOPE = 'MAIL FROM:<a@client.example>\r\nRCPT TO:<b@mx.example>\r\nDATA\r\n';

describe('a server that closes', () => {
  test('tells who waits, lets the open transaction end, takes nobody new', async ({ start, dial }) => {
    const server = await start({ message: taking }, { grace: 60_000 });
    const [greeted, busy] = [await dial(server), await dial(server)];
    await greeted.reply();
    await busy.open354();
    const closed = server.close();
    expect(server.close()).toBe(closed);
    expect(await greeted.rest()).toBe('421 4.3.2 mx.example.org Service shutting down, closing transmission channel\r\n');
    expect(greeted.ended).toBe('FIN');
    await expect(dial(server)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    busy.send(`Text\r\n.\r\n${ENVELOPE}`);
    expect(await busy.rest()).toMatch(/^250 2\.6\.0 .*\r\n421 4\.3\.2 .*\r\n$/);
    for (const wire of [greeted, busy]) wire.socket.end();
    await closed;
    expect(server.connections).toBe(0);
  });

  test('waits for a message that is being decided on', async ({ start, dial }) => {
    const gate = new Gate();
    const asked = new Gate();
    const server = await start(
      {
        async message({ body }) {
          await body.bytes();
          asked.open();
          await gate.passed;
          return true;
        },
      },
      { grace: 60_000 },
    );
    const wire = await dial(server);
    await wire.open354();
    wire.send('Text\r\n.\r\n');
    await asked.passed;
    const closed = server.close();
    gate.open();
    expect(await wire.rest()).toMatch(/^250 2\.6\.0 .*\r\n421 4\.3\.2 .*\r\n$/);
    wire.socket.end();
    await closed;
  });

  test('aborts what does not end within the grace', async ({ start, dial }) => {
    const read: string[] = [];
    const server = await start(
      {
        async message({ body }, { signal }) {
          try {
            for await (const bytes of body) read.push(Buffer.from(bytes).toString());
          } catch (error) {
            read.push(`${(error as { code?: string }).code}, ${signal.aborted}`);
            throw error;
          }
          return true;
        },
      },
      { grace: 50 },
    );
    const wire = await dial(server);
    await wire.open354();
    wire.send('Text\r\n');
    await until('the message has begun', () => read.length === 1);
    await server.close();
    expect(server.connections).toBe(0);
    expect(await wire.rest()).toBe('');
    expect(wire.ended).toBe(ABORTED);
    expect(read).toEqual(['Text\r\n', 'lost, true']);
  });

  test('by its AbortSignal, one that is aborted already too', async ({ start, dial }) => {
    const controller = new AbortController();
    const server = await start({}, { signal: controller.signal });
    const wire = await dial(server);
    await wire.reply();
    controller.abort();
    expect(await wire.rest()).toMatch(/^421 4\.3\.2 /);
    wire.socket.end();
    await server.close();
    await expect(dial(server)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    const closed = await start({}, { signal: controller.signal });
    await expect(dial(closed)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('at the end of a block, by await using', async ({ start, dial }) => {
    const server = await start();
    await server[Symbol.asyncDispose]();
    await expect(dial(server)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('a server that is full', () => {
  test('says 421 to one more, and takes the next when somebody has left', async ({ start, dial }) => {
    const connected: number[] = [];
    const server = await start(
      {
        connect: (_, { id }) => {
          connected.push(id);
          return true;
        },
      },
      { connections: 2 },
    );
    const wires = [await dial(server), await dial(server)];
    for (const wire of wires) expect(await wire.reply()).toMatch(/^220 /);
    const third = await dial(server);
    third.send('EHLO client.example\r\n');
    expect(await third.rest()).toMatch(/^421 mx\.example\.org .*\r\n$/);
    expect(third.ended).toBe('FIN');
    // The others are not disturbed, and the application was not asked.
    expect(await wires[0]!.say('NOOP')).toMatch(/^250 /);
    expect(connected).toEqual([1, 2]);
    expect(await wires[1]!.say('QUIT')).toMatch(/^221 /);
    // Who has left keeps its place until it is gone.
    wires[1]!.socket.end();
    await until('there is room', () => server.connections + server.lingering === 1);
    expect(await (await dial(server)).reply()).toMatch(/^220 /);
  });
});
