// What a program gets wrong is told where it was wrong, in the words of `serve`; what fails later is not lost.
import { SmtpUsageError, type TlsInfo } from '@ehlo/engine';
import { describe, expect, test } from 'vitest';
import { Entrance, type Handler, listenAndServe, reject, type ServeOptions, serveOn } from '../src/index.ts';
import { MemoryListener, MemoryTransport } from './memory.ts';

const HOST = { hostname: 'mx.example.org' };

test.each<[string, object, Handler, string, string | RegExp]>([
  ['nobody decides on recipients', HOST, {}, 'missing-question', 'preset mx takes no mail unasked: give the handler a method rcpt'],
  ['nobody takes messages', HOST, { rcpt: () => true }, 'missing-question', /: give the handler a method message$/],
  [
    'nobody carries out a mechanism',
    { ...HOST, preset: 'sink', auth: { mechanisms: ['PLAIN'] } },
    {},
    'missing-question',
    'auth.mechanisms are names, and somebody has to carry them out: give the handler a method auth',
  ],
  [
    'nobody starts a queue',
    { ...HOST, preset: 'lmtp', extensions: ['ETRN'] },
    { rcpt: () => true, message: async () => true },
    'missing-question',
    'ETRN needs somebody who starts the queue: give the handler a method info',
  ],
  ['no host name', { preset: 'sink' }, {}, 'bad-hostname', /^hostname must be a domain name .*, not undefined$/],
  [
    'a preset that is none',
    { ...HOST, preset: 'mta' },
    {},
    'bad-option',
    /^preset is "mta"; it must be one of mx, submission, lmtp, sink$/,
  ],
  [
    'a limit that is none',
    { ...HOST, preset: 'sink', limits: { recipient: 5 } },
    {},
    'bad-option',
    /^there is no option limits.recipient: did you mean limits.recipients\?; limits has commandLine, /,
  ],
])('serve: %s', (_, options, handler, code, message) => {
  const serving = () => serveOn(new MemoryListener(), options as ServeOptions, handler);
  const text = typeof message === 'string' ? message : expect.stringMatching(message);
  expect(serving).toThrow(expect.objectContaining({ name: 'SmtpUsageError', code, message: text }));
});

describe('reject', () => {
  test.each([
    [250, '2.1.5', 'yes', 'reply-class'],
    [354, '3.0.0', 'go on', 'reply-class'],
    [700, '5.1.1', 'no', 'reply-class'],
    [550, '4.1.1', 'no', 'enhanced-class'],
    [550, '5.1', 'no', 'enhanced-class'],
    [550, '5.1.1', undefined as unknown as string, 'bad-argument'],
  ])('%s %s %s is no refusal', (code, enhanced, text, expected) => {
    expect(() => reject(code, enhanced, text)).toThrow(expect.objectContaining({ name: 'SmtpUsageError', code: expected }));
  });

  test('that was meant to be none accepts nobody', async () => {
    const errors: unknown[] = [];
    const listener = new MemoryListener();
    serveOn(listener, { ...HOST, preset: 'sink' }, { rcpt: () => reject(250, '2.1.5', 'no'), error: (error) => errors.push(error) });
    const client = listener.connect();
    client.send('EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\n');
    expect((await client.replies(4)).at(-1)).toMatch(/^451 /);
    expect(errors).toEqual([expect.any(SmtpUsageError)]);
  });
});

test('a handler that fails and has nobody to tell is told of once', async () => {
  const warnings: string[][] = [];
  const listener = new MemoryListener();
  const rcpt = () => {
    throw new Error('the directory is away');
  };
  serveOn(listener, { ...HOST, preset: 'sink' }, { rcpt }, (message, detail) => void warnings.push([message, detail]));
  for (const client of [listener.connect(), listener.connect()]) {
    client.send('EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nRCPT TO:<a@b>\r\n');
    expect((await client.replies(5)).slice(-2).map((line) => line.slice(0, 3))).toEqual(['451', '451']);
  }
  const message =
    'the handler has failed at rcpt, and has no method error to be told of it; what fails later is not shown: the directory is away';
  expect(warnings).toEqual([[message, expect.stringContaining('options.test.ts')]]);
});

describe('connections', () => {
  /** A server whose connections begin with a handshake that ends when it is told to. */
  async function start(connections: number) {
    const handshakes: { readonly done: (tls: TlsInfo) => void; readonly failed: (error: Error) => void }[] = [];
    const strays: string[] = [];
    let entrance: Entrance | null = null;
    const stray = (_: unknown, why: string): void => void strays.push(why);
    const server = await listenAndServe<object>(
      (where) => {
        entrance = new Entrance(where);
        return Promise.resolve(entrance.listener({ address: '127.0.0.1', port: 25 }, () => Promise.resolve()));
      },
      { ...HOST, preset: 'sink', connections, implicitTls: true, tls: {}, stray },
      {},
    );
    const connect = (): MemoryTransport => {
      const transport = new MemoryTransport();
      transport.secure = () => new Promise((done, failed) => handshakes.push({ done, failed }));
      entrance!.admit(transport);
      return transport;
    };
    /** Ends the handshake that has waited longest. */
    const shake = async (well: boolean): Promise<void> => {
      const { done, failed } = handshakes.shift()!;
      if (well) done({ protocol: 'TLSv1.3', cipher: '', servername: '' });
      else failed(new Error('no shared cipher'));
      await new Promise((resolve) => setTimeout(resolve, 1));
    };
    return { server, connect, shake, strays };
  }

  test('are counted together, those in their handshake and those beyond', async () => {
    const { server, connect, shake, strays } = await start(2);
    const first = connect();
    await shake(true);
    expect(first.take()).toMatch(/^220 /);
    const [second, third] = [connect(), connect()];
    expect([second.aborted, third.aborted, strays]).toEqual([false, true, ['too many connections']]);
    await shake(true);
    expect([second.take().slice(0, 3), server.connections]).toEqual(['220', 2]);
    expect(connect().aborted).toBe(true);
  });

  test('give their place back when they end, and when their handshake fails', async () => {
    const { server, connect, shake } = await start(1);
    for (const well of [true, false, true, false, true]) {
      const transport = connect();
      expect(transport.aborted).toBe(false);
      await shake(well);
      expect([transport.take().slice(0, 3), transport.aborted, server.connections]).toEqual(well ? ['220', false, 1] : ['', true, 0]);
      if (well) transport.sink!.lost();
    }
  });
});
