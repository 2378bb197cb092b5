// What a message comes from: it is closed whatever becomes of the message, and read no further than it has to be.
import { Readable } from 'node:stream';
import { CHUNKING } from '@ehlo/engine';
import { describe, expect, test } from 'vitest';
import { type ConnectOptions, connectOn, type Message, Pool, type SendOptions } from '../src/index.ts';
import { but, type Script, ScriptedServer, turns, willing } from './scripted.ts';

const ENVELOPE = { reversePath: 'joe@a.example', recipients: ['ann@b.example'] } as const;
const TWO = { reversePath: 'joe@a.example', recipients: ['ann@b.example', 'bob@b.example'] } as const;
const FACTS = { body: '7BIT' } as const;

async function open(script: Script = willing(), options: ConnectOptions = {}) {
  const server = new ScriptedServer(script);
  return { server, client: await connectOn(server, options) };
}

/** A stream of each kind that has something, and then nothing for ever; and whether it has been closed. */
const KINDS: Readonly<Record<string, () => { readonly message: Message; readonly closed: () => boolean }>> = {
  'a stream of Node': () => {
    const stream = new Readable({ read() {} });
    stream.push('Subject: x\r\n');
    return { message: stream, closed: () => stream.destroyed };
  },
  'a Web stream': () => {
    let closed = false;
    const stream = new ReadableStream({
      start: (control) => control.enqueue('Subject: x\r\n'),
      cancel() {
        closed = true;
      },
    });
    return { message: stream, closed: () => closed };
  },
  'an iterator': () => {
    let closed = false;
    const values = ['Subject: x\r\n'];
    const iterator: AsyncIterableIterator<string> = {
      next: () => (values.length === 0 ? new Promise(() => {}) : Promise.resolve({ done: false, value: values.pop()! })),
      return: () => {
        closed = true;
        return Promise.resolve({ done: true, value: undefined });
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return { message: iterator, closed: () => closed };
  },
};

describe.each(Object.entries(KINDS))('%s is closed', (_, make) => {
  test.each<[string, Script, SendOptions]>([
    ['a recipient is refused, and nothing was read', but({ RCPT: '550 no' }), { facts: FACTS }],
    ['the sender is refused', but({ MAIL: '550 no' }), { facts: FACTS }],
    ['DATA is refused', but({ DATA: '451 no' }), { facts: FACTS }],
  ])('when %s', async (_, script, options) => {
    const { client } = await open(script);
    const { message, closed } = make();
    await client.send(ENVELOPE, message, options);
    await turns(1);
    expect(closed()).toBe(true);
  });

  test.each<[string, SendOptions]>([
    ['while it is read ahead', {}],
    ['in the middle of the message', { facts: FACTS }],
  ])('when it is given up %s', async (_, options) => {
    const { client } = await open();
    const { message, closed } = make();
    const control = new AbortController();
    const sending = client.send(ENVELOPE, message, { ...options, signal: control.signal });
    await turns(5);
    control.abort();
    await sending;
    await turns(1);
    expect(closed()).toBe(true);
  });

  test('when nobody is there to send it to', async () => {
    const { client } = await open();
    await client.close();
    const pool = new Pool(() => Promise.reject(new Error('unused')));
    await pool.close();
    for (const one of [client, pool]) {
      const { message, closed } = make();
      expect((await one.send(ENVELOPE, message)).outcomes).toMatchObject([{ status: 'unsent' }]);
      await turns(1);
      expect(closed()).toBe(true);
    }
  });

  test('when it was only to be planned', async () => {
    const { client } = await open();
    const { message, closed } = make();
    const control = new AbortController();
    const planning = client.plan(ENVELOPE, message, { signal: control.signal });
    await turns(1);
    control.abort(new Error('enough'));
    await expect(planning).rejects.toThrow('enough');
    await turns(1);
    expect(closed()).toBe(true);
  });
});

test('each stream that is made for a transaction is closed', async () => {
  const made: Readable[] = [];
  const { client } = await open(but({ 'RCPT TO:<ann': '550 no' }, ['LIMITS RCPTMAX=1']));
  const make = (): Readable => {
    const stream = Readable.from(['Subject: x\r\n']);
    made.push(stream);
    return stream;
  };
  const { outcomes } = await client.send(TWO, make, { facts: FACTS });
  expect(outcomes.map(({ status }) => status)).toEqual(['refused', 'accepted']);
  await turns(1);
  expect(made.map(({ destroyed }) => destroyed)).toEqual([true, true]);
});

test('a stream that fails before it is read is told of, and nothing else happens', async () => {
  const { client, server } = await open(but({ MAIL: null }));
  const failing = (): Readable => {
    const stream = new Readable({ read() {} });
    queueMicrotask(() => stream.destroy(new Error('no such file')));
    return stream;
  };
  const sending = client.send(ENVELOPE, failing(), { facts: FACTS });
  await turns();
  server.say('250 OK');
  const { outcomes, error } = await sending;
  expect([outcomes, error]).toMatchObject([[{ status: 'unsent' }], { message: 'no such file' }]);
  const pool = new Pool(() => turns().then(() => connectOn(new ScriptedServer())));
  const pooled = await pool.send(ENVELOPE, failing());
  expect([pooled.outcomes, pooled.error]).toMatchObject([[{ status: 'unsent' }], { message: 'no such file' }]);
  await pool.close();
});

describe('pieces', () => {
  const LINES = Array.from({ length: 20_000 }, (_, i) => `${i} line\r\n`);
  const counted = async (message: Message, options: ConnectOptions = {}, facts?: SendOptions['facts']) => {
    const { client, server } = await open(willing(['CHUNKING', '8BITMIME']), options);
    let writes = 0;
    const write = server.write.bind(server);
    server.write = (bytes) => {
      writes++;
      return write(bytes);
    };
    const { outcomes } = await client.send(ENVELOPE, message, facts === undefined ? {} : { facts });
    return { outcomes, writes, server };
  };

  test.each<[string, () => Message]>([
    ['of an array', () => LINES],
    [
      'of a generator',
      async function* () {
        yield* LINES;
      },
    ],
    ['of a stream', () => Readable.from(LINES)],
  ])('that are short are put together: %s', async (_, make) => {
    for (const facts of [undefined, FACTS]) {
      const { writes, server } = await counted(make(), {}, facts);
      expect(server.bodies).toEqual([LINES.join('')]);
      // Blocks of 4 KiB at least.
      expect(writes).toBeLessThan(LINES.join('').length / 4096 + 10);
    }
  });

  test('that are short are one chunk, not one each', async () => {
    const rest = willing(['CHUNKING', '8BITMIME']);
    const { client, server } = await open((line, one) => (/^\d+ line$/.test(line) ? null : rest(line, one)), { features: [CHUNKING] });
    const { outcomes } = await client.send(ENVELOPE, LINES);
    expect(outcomes).toMatchObject([{ status: 'accepted' }]);
    expect(server.lines.filter((line) => line.startsWith('BDAT')).length).toBeLessThan(10);
  });

  test('that come slowly go out as they come', async () => {
    const { client, server } = await open();
    let more = (): void => {};
    async function* source(): AsyncGenerator<string> {
      yield 'one\r\n';
      await new Promise<void>((resolve) => {
        more = resolve;
      });
      yield 'two\r\n';
    }
    const sizes: number[] = [];
    const sending = client.send(ENVELOPE, source(), { facts: FACTS, progress: (octets) => sizes.push(octets) });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(sizes).toEqual([5]);
    more();
    await sending;
    expect([sizes, server.bodies]).toEqual([[5, 10], ['one\r\ntwo\r\n']]);
  });

  test('of text may be cut within a character', async () => {
    const text = '\r\na\u{1f600}b\u{1f601}';
    const { server } = await counted(Array.from({ length: text.length }, (_, i) => text[i]!));
    expect(server.bodies).toEqual([`${Buffer.from(text).toString('latin1')}\r\n`]);
    const half = await counted(['\r\na\ud83d']);
    expect(half.server.bodies).toEqual([`\r\na${Buffer.from('\ufffd').toString('latin1')}\r\n`]);
  });
});

test('a stream that is locked, or of what is no text: told as what the source has failed with', async () => {
  const { client } = await open();
  const locked = new ReadableStream();
  locked.getReader();
  for (const message of [locked, [42], () => 42]) {
    const { outcomes, error } = await client.send(ENVELOPE, message as Message);
    expect(outcomes).toMatchObject([{ status: 'unsent', cause: 'aborted' }]);
    expect(error).toBeInstanceOf(TypeError);
  }
});

test('a source and a network that never wait leave others their turns', async () => {
  const server = new ScriptedServer();
  const client = await connectOn(server);
  const control = new AbortController();
  let given = 0;
  async function* hasty(): AsyncGenerator<Uint8Array> {
    for (const line = new Uint8Array(65_536).fill(0x61); given < 200; given++) {
      line.set([0x0d, 0x0a], line.length - 2);
      yield line.slice();
    }
  }
  // What is timed, and what comes from the network, is heard in turns of the loop alone.
  setImmediate(() => setImmediate(() => control.abort()));
  const { outcomes } = await client.send(ENVELOPE, hasty(), { signal: control.signal, facts: {} });
  expect(outcomes).toMatchObject([{ status: 'unsent', cause: 'aborted' }]);
  expect(given).toBeLessThan(200);
  client.abort();
});

test.each([
  ['empty', ''],
  ['an octet each', 'a'],
])('nor does one whose pieces are %s keep them from others', async (_, piece) => {
  const client = await connectOn(new ScriptedServer());
  const control = new AbortController();
  let given = 0;
  async function* hasty(): AsyncGenerator<string> {
    for (; given < 100_000; given++) yield piece;
  }
  setImmediate(() => setImmediate(() => control.abort()));
  const { outcomes } = await client.send(ENVELOPE, hasty(), { signal: control.signal, facts: {} });
  expect(outcomes).toMatchObject([{ status: 'unsent', cause: 'aborted' }]);
  expect(given).toBeLessThan(100_000);
  client.abort();
});

test('nothing is read on from a source of empty pieces that is not wanted any more', async () => {
  const client = await connectOn(new ScriptedServer());
  const control = new AbortController();
  let given = 0;
  const endless: Iterable<string> = { [Symbol.iterator]: () => ({ next: () => ({ done: given++ > 1_000_000, value: '' }) }) };
  setImmediate(() => control.abort());
  await client.send(ENVELOPE, endless, { signal: control.signal, facts: {} });
  await turns();
  const then = given;
  await turns();
  expect(given).toBe(then);
  expect(given).toBeLessThan(1_000_000);
  client.abort();
});
