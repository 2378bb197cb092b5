// What a function of the program throws, or its promise rejects with, while the network says a line: the process lives, and everybody is served.
import type { Notice } from '@ehlo/engine';
import type { CallbackName, ClientNotice } from '@ehlo/node';
import { afterEach, beforeEach, expect } from 'vitest';
import { connect } from './adapter.ts';
import { taking, test } from './fixture.ts';
import { until } from './wire.ts';

const MINE = new Error('mine');

const FAILURES = {
  throws: (): never => {
    throw MINE;
  },
  rejects: (): never => Promise.reject(MINE) as never,
};

const uncaught: unknown[] = [];
const catches = (error: unknown): void => void uncaught.push(error);

beforeEach(() => {
  uncaught.length = 0;
  process.on('uncaughtException', catches).on('unhandledRejection', catches);
});

afterEach(() => {
  process.off('uncaughtException', catches).off('unhandledRejection', catches);
});

const CONVERSATION = ['EHLO client.example', 'NONSENSE', 'MAIL FROM:<a@client.example>', 'RSET', 'XCLIENT NAME=x', 'QUIT'];

test.for(Object.keys(FAILURES) as (keyof typeof FAILURES)[])('a server whose every function %s', async (how, { start, dial }) => {
  const fail = FAILURES[how];
  const told: [unknown, CallbackName][] = [];
  const seen = new Set<Notice['type']>();
  const server = await start(
    {
      message: taking,
      hello: (_, { signal }) => {
        signal.addEventListener('abort', fail);
        signal.addEventListener('abort', { handleEvent: fail }, { once: true });
        signal.onabort = fail;
        return true;
      },
      notice: ({ type }) => {
        seen.add(type);
        return fail();
      },
      unacknowledged: fail,
      error: (error, method) => {
        told.push([error, method]);
        return fail();
      },
    },
    { trace: true, trusted: { XCLIENT: fail, XFORWARD: fail } },
  );
  for (let i = 0; i < 3; i++) {
    const wire = await dial(server);
    await wire.reply();
    for (const line of CONVERSATION) await wire.say(line);
    const cut = await dial(server);
    await cut.open354();
    cut.send('half of a mess');
    cut.reset();
    const wholly = await dial(server);
    await wholly.open354();
    expect(await wholly.say('Text\r\n.')).toMatch(/^250 /);
  }
  await until('each has been told', () => told.filter(([, method]) => method === 'signal').length >= 9);
  expect([...seen].sort()).toEqual(['aborted', 'closed', 'fault', 'reset', 'trace']);
  expect(new Set(told.map(([, method]) => method))).toEqual(new Set(['trusted', 'notice', 'signal']));
  expect(uncaught).toEqual([]);
});

test.for(Object.keys(FAILURES) as (keyof typeof FAILURES)[])('a client whose every function %s', async (how, { start }) => {
  const fail = FAILURES[how];
  const { address } = await start({ message: taking });
  const seen = new Set<ClientNotice['type']>();
  const notice = ({ type }: ClientNotice): never => {
    seen.add(type);
    return fail();
  };
  const client = await connect({ host: address.address, port: address.port, trace: true, notice });
  const envelope = { reversePath: 'a@client.example', recipients: ['b@mx.example'] };
  for (let i = 0; i < 3; i++)
    expect((await client.send(envelope, 'Text\r\n', { progress: fail })).outcomes).toMatchObject([{ status: 'accepted' }]);
  await client.close();
  expect(seen).toContain('closed');
  expect(uncaught).toEqual([]);
});
