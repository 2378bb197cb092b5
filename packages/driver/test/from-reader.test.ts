// Transports made of promises and of Web streams: what is told, in what order, and how they end.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type ByteStream, connectOn, fromReader, fromStreams, Inbox, LINGER_OCTETS, type Sink, serveOn } from '../src/index.ts';

const octets = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A connection whose every step the test takes. */
class Scripted implements ByteStream {
  readonly said: string[] = [];
  reads: { give(bytes: Uint8Array | null): void; fail(error: Error): void }[] = [];
  writes: { done(taken?: number): void; fail(error: Error): void }[] = [];

  read(): Promise<Uint8Array | null> {
    return new Promise((give, fail) => this.reads.push({ give, fail }));
  }

  write(bytes: Uint8Array): Promise<number> {
    this.said.push(text(bytes.slice(0, 20)));
    return new Promise((done, fail) => this.writes.push({ done: (taken = bytes.length) => done(taken), fail }));
  }

  closeWrite(): Promise<void> {
    this.said.push('closeWrite');
    return Promise.resolve();
  }

  close(): void {
    this.said.push('close');
    for (const { fail } of [...this.reads.splice(0), ...this.writes.splice(0)]) fail(new Error('closed'));
  }
}

function listening(): { readonly sink: Sink; readonly heard: string[] } {
  const heard: string[] = [];
  const sink: Sink = {
    data: (bytes) => void heard.push(text(bytes)),
    end: () => void heard.push('(end)'),
    lost: (cause) => void heard.push(`(lost: ${(cause as Error | undefined)?.message})`),
    drained: () => void heard.push('(drained)'),
  };
  return { sink, heard };
}

afterEach(() => vi.useRealTimers());

describe('what arrives', () => {
  test('in order, to the end; one read at a time, and none before somebody listens', async () => {
    const [stream, { sink, heard }] = [new Scripted(), listening()];
    const transport = fromReader(stream);
    expect(stream.reads.length).toBe(0);
    transport.start(sink);
    stream.reads.pop()!.give(octets('one'));
    await turn();
    expect(stream.reads.length).toBe(1);
    stream.reads.pop()!.give(octets('two'));
    await turn();
    stream.reads.pop()!.give(null);
    await turn();
    expect([heard, stream.reads.length]).toEqual([['one', 'two', '(end)'], 0]);
  });

  test('in a pause: what a read has brought waits for its end, and nothing more is read', async () => {
    const [stream, { sink, heard }] = [new Scripted(), listening()];
    const transport = fromReader(stream);
    transport.start(sink);
    transport.pause();
    stream.reads.pop()!.give(octets('one'));
    await turn();
    expect([heard, stream.reads.length]).toEqual([[], 0]);
    transport.resume();
    expect(heard).toEqual([]);
    await turn();
    expect([heard, stream.reads.length]).toEqual([['one'], 1]);
  });

  test('a read that fails: the connection is lost, and closed', async () => {
    const [stream, { sink, heard }] = [new Scripted(), listening()];
    fromReader(stream).start(sink);
    stream.reads.pop()!.fail(new Error('reset'));
    await turn();
    expect([heard, stream.said]).toEqual([['(lost: reset)'], ['close']]);
  });
});

describe('what is written', () => {
  test('one write at a time, in order; full above 64 KiB, and drained when all is out', async () => {
    const [stream, { sink, heard }] = [new Scripted(), listening()];
    const transport = fromReader(stream);
    transport.start(sink);
    expect([transport.write(octets('a')), transport.write(new Uint8Array(70_000)), transport.write(octets('b'))]).toEqual([
      true,
      false,
      false,
    ]);
    for (const expected of [1, 2, 3]) {
      expect([stream.said.length, heard]).toEqual([expected, []]);
      stream.writes.pop()!.done();
      await turn();
    }
    expect(heard).toEqual(['(drained)']);
    expect(transport.write(octets('c'))).toBe(true);
  });

  test('a write that takes a part is followed by the rest; what was not taken can be told', async () => {
    const [stream, { sink, heard }] = [new Scripted(), listening()];
    const transport = fromReader(stream);
    transport.start(sink);
    transport.write(octets('abcdef'));
    transport.write(octets('gh'));
    const left = [transport.unwritten];
    for (const taken of [2, 1, undefined]) {
      stream.writes.pop()!.done(taken);
      await turn();
      left.push(transport.unwritten);
    }
    expect([stream.said, left, heard]).toEqual([['abcdef', 'cdef', 'def', 'gh'], [8, 6, 5, 2], []]);
    stream.writes.pop()!.fail(new Error('reset'));
    await turn();
    expect([transport.unwritten, heard]).toEqual([2, ['(lost: reset)']]);
  });

  test('a write that fails: lost', async () => {
    const [stream, { sink, heard }] = [new Scripted(), listening()];
    const transport = fromReader(stream);
    transport.start(sink);
    transport.write(octets('a'));
    stream.writes.pop()!.fail(new Error('broken pipe'));
    await turn();
    expect(heard).toEqual(['(lost: broken pipe)']);
    expect(transport.write(octets('b'))).toBe(true);
    expect(stream.said).toEqual(['a', 'close']);
  });
});

describe('close', () => {
  test('what was written goes out, this side ends, the peer is read to its end; then both are closed', async () => {
    const [stream, { sink, heard }] = [new Scripted(), listening()];
    const transport = fromReader(stream);
    transport.start(sink);
    transport.pause();
    transport.write(octets('221'));
    transport.close();
    await turn();
    expect(stream.said).toEqual(['221']);
    stream.writes.pop()!.done();
    await turn();
    expect(stream.said).toEqual(['221', 'closeWrite']);
    stream.reads.pop()!.give(octets('late'));
    await turn();
    stream.reads.pop()!.give(null);
    await turn();
    expect([stream.said, heard]).toEqual([
      ['221', 'closeWrite', 'close'],
      ['(drained)', '(lost: undefined)'],
    ]);
  });

  test('a peer that has ended before is not waited for', async () => {
    const [stream, { sink }] = [new Scripted(), listening()];
    const transport = fromReader(stream);
    transport.start(sink);
    stream.reads.pop()!.give(null);
    await turn();
    transport.close();
    await turn();
    expect(stream.said).toEqual(['closeWrite', 'close']);
  });

  test('a peer that sends without end is cut off', async () => {
    const endless = new Scripted();
    const { sink, heard } = listening();
    const transport = fromReader(endless);
    transport.start(sink);
    transport.close();
    await turn();
    for (let read = 0; read <= LINGER_OCTETS; read += 100_000) {
      endless.reads.pop()!.give(new Uint8Array(100_000));
      await turn();
    }
    expect(endless.said).toEqual(['closeWrite', 'close']);
    expect(heard).toEqual(['(lost: undefined)']);
  });

  test('abort: at once, and once', () => {
    const stream = new Scripted();
    const transport = fromReader(stream);
    transport.start(listening().sink);
    transport.write(octets('a'));
    transport.abort();
    transport.abort();
    transport.close();
    expect(stream.said).toEqual(['a', 'close']);
  });
});

describe('Web streams', () => {
  test('client and server: a message goes through, and both ends are closed', async () => {
    const [up, down] = [new TransformStream<Uint8Array, Uint8Array>(), new TransformStream<Uint8Array, Uint8Array>()];
    let size = 0;
    const server = serveOn(
      {
        address: { address: '', port: 0 },
        accept: (connected) => connected(fromStreams({ readable: up.readable, writable: down.writable })),
        close: () => Promise.resolve(),
      },
      { hostname: 'mx.example.org', preset: 'sink' },
      {
        async message({ body }) {
          size = (await body.bytes()).length;
          return true;
        },
      },
    );
    const client = await connectOn(fromStreams({ readable: down.readable, writable: up.writable }), { hostname: 'client.example' });
    const { outcomes } = await client.send({ reversePath: 'a@client.example', recipients: ['b@mx.example'] }, 'line\r\n'.repeat(50_000));
    expect([outcomes[0]?.status, size]).toEqual(['accepted', 300_000]);
    await client.close();
    await server.close();
    expect(server.connections).toBe(0);
  });

  test('one that fails is a connection that is lost', async () => {
    const { sink, heard } = listening();
    const readable = new ReadableStream<Uint8Array>({ start: (controller) => controller.error(new Error('gone')) });
    fromStreams({ readable, writable: new WritableStream() }).start(sink);
    await turn();
    expect(heard).toEqual(['(lost: gone)']);
  });
});

describe('Inbox', () => {
  test('a loss is told at once, whatever waits; and nothing after it', () => {
    const [inbox, { sink, heard }] = [new Inbox(), listening()];
    inbox.attach(sink);
    inbox.data(octets('one'));
    inbox.lost(new Error('reset'));
    inbox.data(octets('two'));
    inbox.end();
    inbox.drained();
    expect(heard).toEqual(['(lost: reset)']);
  });

  test('what was lost, or has ended, before somebody listens is told then', async () => {
    for (const [tell, expected] of [
      [(inbox: Inbox) => inbox.lost(), '(lost: undefined)'],
      [(inbox: Inbox) => inbox.end(), '(end)'],
    ] as const) {
      const [inbox, { sink, heard }] = [new Inbox(), listening()];
      tell(inbox);
      inbox.attach(sink);
      inbox.resume();
      await turn();
      expect(heard).toEqual([expected]);
    }
  });

  test('a sink that pauses in the middle gets the rest later', async () => {
    const [inbox, heard] = [new Inbox(), [] as string[]];
    inbox.attach({
      ...listening().sink,
      data(bytes) {
        heard.push(text(bytes));
        inbox.pause();
      },
    });
    for (const part of ['one', 'two', 'three']) inbox.data(octets(part));
    for (const expected of ['one', 'two', 'three']) {
      inbox.resume();
      await turn();
      expect(heard.at(-1)).toBe(expected);
    }
    expect(heard.length).toBe(3);
  });
});
