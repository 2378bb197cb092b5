// Deno alone hands connections over by promises, which may fail: by whose fault decides whether the next one waits.
import { describe, expect, test, vi } from 'vitest';
import { RUNTIME, serve } from './adapter.ts';

interface Accepting {
  accept(): Promise<never>;
  close(): void;
}

/** Serves on a listener whose accepts fail, one after the other, with these codes; what it was asked for behind them is counted. */
async function accepts(codes: readonly string[]): Promise<{ readonly asked: () => number; readonly close: () => Promise<void> }> {
  const { Deno } = globalThis as unknown as { Deno: { listen(options: object): Accepting } };
  let [asked, closed] = [0, (): void => {}];
  const listening = vi.spyOn(Deno, 'listen').mockReturnValue({
    addr: { transport: 'tcp', hostname: '127.0.0.1', port: 2525 },
    accept: () => {
      const code = codes[asked++];
      if (code !== undefined) return Promise.reject(Object.assign(new Error(code), { code }));
      return new Promise((_, reject) => {
        closed = () => reject(new Error('closed'));
      });
    },
    close: () => closed(),
  } as Accepting);
  const server = await serve({ hostname: 'mx.example.org', preset: 'sink' }, {});
  listening.mockRestore();
  return { asked: () => asked, close: () => server.close() };
}

/** All that needs no timer is done. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe.runIf(RUNTIME === 'deno')('an accept that fails', () => {
  test('because the client has left already: the next one follows without a wait', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const count = 1000;
      const { asked, close } = await accepts(Array.from({ length: count }, (_, i) => ['ENOTCONN', 'ECONNABORTED', 'ECONNRESET'][i % 3]!));
      await settled();
      expect([asked(), vi.getTimerCount()]).toEqual([count + 1, 0]);
      await close();
    } finally {
      vi.useRealTimers();
    }
  });

  test('for want of descriptors: the next one waits a while, and comes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { asked, close } = await accepts(['EMFILE', 'ENFILE', 'ENOTCONN']);
      for (const count of [1, 2, 4]) {
        await settled();
        expect(asked()).toBe(count);
        await vi.advanceTimersByTimeAsync(100);
      }
      await close();
    } finally {
      vi.useRealTimers();
    }
  });
});
