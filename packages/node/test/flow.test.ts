// Back-pressure in both directions, and many connections at a time: memory stays bounded, and nothing is lost.
import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { accept } from '@ehlo/node';
import { describe, expect } from 'vitest';
import { test } from './fixture.ts';
import { Gate, standstill, until, type Wire } from './wire.ts';

const MIB = 1_048_576;

/** What a client's kernel has taken of what it wrote. */
const taken = ({ socket }: Wire): number => socket.bytesWritten - socket.writableLength;

const { Bun } = globalThis as { Bun?: { gc(now: boolean): void } };
const collect = Bun === undefined ? exposed() : (): void => Bun.gc(true);

/** Octets outside of V8's heap that are in use: all network buffers of this process. */
function outside(): number {
  collect();
  return process.memoryUsage().arrayBuffers;
}

describe('a handler that does not read', () => {
  test('stalls the client, and then gets every octet', async ({ start, dial }) => {
    const gate = new Gate();
    const asked = new Gate();
    const hash = createHash('sha256');
    const server = await start({
      async message({ body }) {
        asked.open();
        await gate.passed;
        for await (const bytes of body) hash.update(bytes);
        return accept({ text: hash.digest('hex') });
      },
    });
    const wire = await dial(server);
    await wire.open354();
    const [block, blocks] = [Buffer.from(`${'.dots and text '.repeat(69)}\r\n`.repeat(1000)), 32];
    const content = createHash('sha256');
    for (let i = 0; i < blocks; i++) content.update(block);
    const wireBlock = Buffer.from(block.toString('latin1').replaceAll(/^\./gm, '..'), 'latin1');
    const before = outside();
    const sent = (async () => {
      for (let i = 0; i < blocks; i++)
        if (!wire.socket.write(wireBlock)) await new Promise((resolve) => wire.socket.once('drain', resolve));
    })();
    await asked.passed;
    const stalled = await standstill(() => taken(wire));
    // What two kernels' buffers hold, and not the 32 MiB.
    expect(stalled).toBeLessThan(20 * MIB);
    expect(outside() - before).toBeLessThan(4 * MIB);
    // It is the message that is stopped, not the server.
    expect(await (await dial(server)).reply()).toMatch(/^220 /);
    gate.open();
    await sent;
    expect(await wire.say('.')).toBe(`250 2.6.0 ${content.digest('hex')}`);
  });

  test('reads slowly: what waits in memory stays bounded', async ({ start, dial }) => {
    let most = 0;
    let size = 0;
    let reads = 0;
    const before = outside();
    const server = await start({
      async message({ body }) {
        for await (const bytes of body) {
          size += bytes.length;
          if (++reads % 8 > 0) continue;
          await wait(1);
          most = Math.max(most, outside() - before);
        }
        return true;
      },
    });
    const wire = await dial(server);
    await wire.open354();
    const block = Buffer.from(`${'x'.repeat(62)}\r\n`.repeat(4096));
    for (let i = 0; i < 64; i++) if (!wire.socket.write(block)) await new Promise((resolve) => wire.socket.once('drain', resolve));
    expect(await wire.say('.')).toMatch(/^250 /);
    expect(size).toBe(64 * block.length);
    // Bun reads half a MiB at a time.
    expect(reads).toBeGreaterThan(20);
    expect(most).toBeLessThan(4 * MIB);
  });
});

describe('a client that does not read its replies', () => {
  test('is not read any more, and closed when its time is over', async ({ start, dial }) => {
    const closed = new Gate<unknown>();
    const server = await start(
      { notice: (notice) => void (notice.type === 'closed' && closed.open(notice)) },
      { limits: { flushTimeout: 3000 } },
    );
    const wire = await dial(server);
    await wire.reply();
    wire.socket.pause();
    const before = outside();
    const flood = Buffer.from('NOOP\r\n'.repeat(50_000));
    let over = false;
    void (async () => {
      while (!over) if (!wire.socket.write(flood)) await new Promise((resolve) => wire.socket.once('drain', resolve));
    })();
    const stalled = await standstill(() => taken(wire));
    expect(stalled).toBeLessThan(20 * MIB);
    expect(outside() - before).toBeLessThan(4 * MIB);
    expect(await closed.passed).toEqual({ type: 'closed', cause: 'timeout', limit: 'flushTimeout' });
    over = true;
    await until('the session is over', () => server.connections === 0);
    expect(await (await dial(server)).reply()).toMatch(/^220 /);
  });

  test('and reads them in the end: each is there, in order', async ({ start, dial }) => {
    let asked = 0;
    const server = await start({ info: ({ argument }) => accept({ text: `${argument} is number ${asked++}, ${'x'.repeat(400)}` }) });
    const wire = await dial(server);
    await wire.reply();
    wire.socket.pause();
    const count = 50_000;
    for (let i = 0; i < count; i++) wire.socket.write(`VRFY user${i}\r\n`);
    wire.socket.write('QUIT\r\n');
    expect(await standstill(() => asked)).toBeLessThan(count);
    wire.socket.resume();
    const lines = (await wire.rest()).split('\r\n');
    expect(lines.length).toBe(count + 2);
    expect(lines.slice(0, count).findIndex((line, i) => !line.startsWith(`250 2.1.5 user${i} is number ${i}, x`))).toBe(-1);
    expect(lines.at(-2)).toMatch(/^221 /);
  });
});

describe('many clients', () => {
  const OPEN_FILES = openFiles();
  const COUNT = 1000;

  // Both ends are in this process.
  test.skipIf(OPEN_FILES < 2 * COUNT + 200)('1000 idle ones: each is served when it speaks', async ({ start, dial }) => {
    const server = await start();
    const wires: Wire[] = [];
    while (wires.length < COUNT) wires.push(...(await Promise.all(Array.from({ length: 50 }, () => dial(server)))));
    await until('all are connected', () => server.connections === COUNT);
    for (const wire of wires) expect(await wire.reply()).toMatch(/^220 /);
    for (const wire of wires) wire.send('EHLO client.example\r\nNOOP\r\nQUIT\r\n');
    const replies = await Promise.all(wires.map((wire) => wire.replies(3)));
    expect(
      replies.filter(([hello, noop, quit]) => !(hello?.startsWith('250') && noop?.startsWith('250') && quit?.startsWith('221'))),
    ).toEqual([]);
    await until('all have left', () => server.connections === 0);
  });
});

/** Files that this process may open. */
function openFiles(): number {
  const report = process.report?.getReport() as unknown as { userLimits?: { open_files?: { soft: number | 'unlimited' } } } | undefined;
  const soft = report?.userLimits?.open_files?.soft ?? 0;
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : soft;
}

function exposed(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
