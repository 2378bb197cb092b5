// What a program keeps with a session: `session.data`, of the type that `sessionData` makes.
import { describe, expect, expectTypeOf, test, vi } from 'vitest';
import { type Handler, type ServeOptions, type Session, serveOn } from '../src/index.ts';
import { MemoryListener, taking } from './memory.ts';

const HOST = { hostname: 'mx.example.org', preset: 'sink' } as const;

describe('session.data', () => {
  test('is made for each connection, before anything is asked, and is its own', async () => {
    const listener = new MemoryListener();
    let made = 0;
    const seen: string[] = [];
    const server = serveOn(
      listener,
      { ...HOST, sessionData: () => ({ id: ++made, recipients: 0 }) },
      {
        connect: (_, session) => {
          seen.push(`connect ${session.data.id}`);
          return true;
        },
        rcpt: (_, { data }) => {
          data.recipients++;
          return true;
        },
        notice: (notice, { data }) => {
          if (notice.type === 'closed') seen.push(`closed ${data.id}: ${data.recipients}`);
        },
      },
    );
    const [first, second] = [listener.connect(), listener.connect()];
    first.send('EHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nRCPT TO:<c@b.example>\r\nQUIT\r\n');
    second.send('QUIT\r\n');
    expect(seen).toEqual(['connect 1', 'connect 2', 'closed 1: 2', 'closed 2: 0']);
    await server.close();
  });

  test('may be replaced; without sessionData it is undefined until somebody sets it', () => {
    const listener = new MemoryListener();
    const seen: unknown[] = [];
    serveOn<unknown>(listener, HOST, {
      connect(_, session) {
        seen.push(session.data);
        session.data = 'mine';
        return true;
      },
      hello(_, session) {
        seen.push(session.data);
        return true;
      },
    });
    listener.connect().send('EHLO c.example\r\n');
    expect(seen).toEqual([undefined, 'mine']);
  });

  test('that can not be made: the client is told 421, the program why, and nothing is asked', () => {
    const listener = new MemoryListener();
    const failure = new Error('no data');
    const [error, connect] = [vi.fn(), vi.fn()];
    const sessionData = (): string => {
      throw failure;
    };
    serveOn(listener, { ...HOST, sessionData }, { connect, error });
    const transport = listener.connect();
    expect(transport.take()).toBe('421 mx.example.org Requested action aborted: local error in processing\r\n');
    expect(error).toHaveBeenCalledExactlyOnceWith(failure, 'sessionData', null);
    expect(connect).not.toHaveBeenCalled();
  });
});

test('TypeScript knows what it is', () => {
  interface User {
    name: string;
  }
  const serve = (): void => {
    serveOn(
      new MemoryListener(),
      { ...HOST, sessionData: () => ({ seen: 0 }) },
      {
        mail: (_, session) => {
          expectTypeOf(session.data).toEqualTypeOf<{ seen: number }>();
          return true;
        },
        message: taking,
        secured: (_, session) => expectTypeOf(session).toEqualTypeOf<Session<{ seen: number }>>(),
        error: (_error, _method, session) => expectTypeOf(session).toEqualTypeOf<Session<{ seen: number }> | null>(),
      },
    );
    serveOn<User | null>(
      new MemoryListener(),
      { ...HOST, sessionData: () => null },
      {
        mail: (_, session) => {
          session.data = { name: 'joe' };
          // @ts-expect-error no user
          session.data = 5;
          return true;
        },
      },
    );
    serveOn<User | undefined>(new MemoryListener(), HOST, {
      mail: (_, { data }) => {
        expectTypeOf(data).toEqualTypeOf<User | undefined>();
        return true;
      },
    });
    serveOn(new MemoryListener(), HOST, {
      mail: (_, { data }) => {
        expectTypeOf(data).toBeUndefined();
        return true;
      },
    });
    const anyone: Handler = {};
    serveOn(new MemoryListener(), HOST, anyone);
    serveOn(new MemoryListener(), { ...HOST, sessionData: () => 5 }, anyone);
    const handler: Handler<User> = {};
    // @ts-expect-error nobody makes it
    serveOn<User>(new MemoryListener(), HOST, handler);
    // @ts-expect-error nobody makes it
    serveOn(new MemoryListener(), HOST, handler);
    // @ts-expect-error another is made
    serveOn(new MemoryListener(), { ...HOST, sessionData: () => 5 }, handler);
    serveOn(new MemoryListener(), { ...HOST, sessionData: () => ({ name: 'joe' }) }, handler);
    // @ts-expect-error no value, but what makes one
    const wrong: ServeOptions<User> = { ...HOST, sessionData: { name: 'joe' } };
    expect(wrong).toBeDefined();
  };
  expect(serve).toBeInstanceOf(Function);
});
