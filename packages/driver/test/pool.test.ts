// Several connections to one server: how many there are, when they are used again, and what happens when they are gone.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ClientError, connectOn, Pool, type PoolOptions } from '../src/index.ts';
import { but, type Script, ScriptedServer, turns, willing } from './scripted.ts';

const ENVELOPE = { reversePath: 'joe@a.example', recipients: ['ann@b.example', 'bob@b.example'] } as const;

function make(options: PoolOptions = {}, script: (count: number) => Script = () => willing()) {
  const servers: ScriptedServer[] = [];
  const pool = new Pool(() => {
    const server = new ScriptedServer(script(servers.length));
    servers.push(server);
    return connectOn(server);
  }, options);
  const bodies = (): number[] => servers.map((server) => server.bodies.length);
  return { pool, servers, bodies };
}

const statuses = async (sending: ReturnType<Pool['send']>): Promise<string> =>
  (await sending).outcomes.map(({ status }) => status).join(' ');

afterEach(() => {
  vi.useRealTimers();
});

test('as many connections as are needed, and no more than its size; they are used again', async () => {
  const { pool, servers, bodies } = make({ size: 3 });
  await pool.send(ENVELOPE, 'alone');
  expect(bodies()).toEqual([1]);
  const sending = Array.from({ length: 12 }, (_, i) => statuses(pool.send(ENVELOPE, `${i}`)));
  expect(pool.waiting).toBe(9);
  expect(new Set(await Promise.all(sending))).toEqual(new Set(['accepted accepted']));
  expect([servers.length, bodies().reduce((sum, count) => sum + count)]).toEqual([3, 13]);
  await pool.close();
  expect(servers.map(({ ended, lines }) => [ended, lines.at(-1)])).toEqual(Array(3).fill(['closed', 'QUIT']));
  const late = await pool.send(ENVELOPE, 'x');
  expect([late.outcomes.map(({ status }) => status), late.error]).toEqual([
    ['unsent', 'unsent'],
    new ClientError('aborted', 'the pool is closed'),
  ]);
});

test('a connection is used for so many messages', async () => {
  const { pool, servers, bodies } = make({ size: 1, messages: 2 });
  await Promise.all(['1', '2', '3', '4', '5'].map((text) => pool.send(ENVELOPE, text)));
  expect(bodies()).toEqual([2, 2, 1]);
  expect(servers.slice(0, 2).map(({ lines }) => lines.at(-1))).toEqual(['QUIT', 'QUIT']);
});

test('room: who waits for it makes no more messages than there are connections', async () => {
  const { pool, bodies } = make({ size: 2 });
  let [made, most] = [0, 0];
  for (let i = 0; i < 20; i++) {
    await pool.room();
    made++;
    void pool.send(ENVELOPE, `${i}`);
    most = Math.max(most, made - bodies().reduce((sum, count) => sum + count, 0), pool.waiting);
  }
  await pool.close();
  expect([bodies().reduce((sum, count) => sum + count), most <= 3]).toEqual([20, true]);
});

describe('a connection that was not used for a while', () => {
  test('is asked whether it lives', async () => {
    const { pool, servers } = make({ size: 1, probe: 1 });
    await pool.send(ENVELOPE, '1');
    await turns(5);
    await pool.send(ENVELOPE, '2');
    expect(servers.map(({ lines }) => lines.filter((line) => line === 'NOOP').length)).toEqual([1]);
  });

  test.each<[string, (server: ScriptedServer) => void]>([
    ['says 421', (server) => server.say('421 idle for too long')],
    ['ends', (server) => server.end()],
    ['is lost', (server) => server.lose()],
  ])('and %s is replaced', async (_, leave) => {
    const { pool, servers } = make({ size: 1 });
    await pool.send(ENVELOPE, '1');
    leave(servers[0]!);
    expect(await statuses(pool.send(ENVELOPE, '2'))).toBe('accepted accepted');
    expect(servers).toHaveLength(2);
  });

  test('and leaves when it is asked, too: the message is sent by another; but a stream can not be', async () => {
    const dying: Script = (line, server) =>
      server.bodies.length > 0 && /^(MAIL|NOOP)/.test(line) ? '421 leaving' : willing()(line, server);
    const { pool, servers } = make({ size: 1 }, (count) => (count === 0 ? dying : willing()));
    await pool.send(ENVELOPE, '1');
    expect(await statuses(pool.send(ENVELOPE, '2'))).toBe('accepted accepted');
    expect(servers).toHaveLength(2);
    const other = make({ size: 1 }, () => dying);
    await other.pool.send(ENVELOPE, '1');
    expect(await statuses(other.pool.send(ENVELOPE, ['2'].values()))).toBe('unsent unsent');
    expect(other.servers).toHaveLength(1);
  });

  test('and longer than it is kept is ended', async () => {
    vi.useFakeTimers();
    const { pool, servers } = make({ idle: 1000 });
    const sending = pool.send(ENVELOPE, '1');
    await vi.advanceTimersByTimeAsync(10);
    await sending;
    await vi.advanceTimersByTimeAsync(1000);
    expect(servers.map(({ lines }) => lines.at(-1))).toEqual(['QUIT']);
  });
});

test('no connection: unsent, with the reason; and those who wait are not forgotten', async () => {
  let count = 0;
  const pool = new Pool(
    () => (++count <= 2 ? Promise.reject(new ClientError('no-connection', 'nobody listens')) : connectOn(new ScriptedServer())),
    { size: 1 },
  );
  const results = await Promise.all(['1', '2', '3'].map((text) => pool.send(ENVELOPE, text)));
  expect(results.map(({ outcomes, error }) => [outcomes[1]!.status, error instanceof ClientError ? error.code : error])).toEqual([
    ['unsent', 'no-connection'],
    ['unsent', 'no-connection'],
    ['accepted', null],
  ]);
  expect(results[0]!.outcomes[0]).toEqual({ recipient: 'ann@b.example', status: 'unsent', stage: 'connect', cause: 'lost', reply: null });
});

test('a message that waits can be given up', async () => {
  const { pool, bodies } = make({ size: 1 }, () => but({ END: null }));
  const first = pool.send(ENVELOPE, '1');
  const control = new AbortController();
  const second = pool.send(ENVELOPE, '2', { signal: control.signal });
  await turns();
  control.abort('enough');
  const { outcomes, error } = await second;
  expect([outcomes.map(({ status }) => status), error]).toEqual([
    ['unsent', 'unsent'],
    expect.objectContaining({ code: 'aborted', cause: 'enough' }),
  ]);
  expect([pool.waiting, bodies()]).toEqual([0, [1]]);
  void first;
});

test('mistakes of the program are thrown, and cost no connection', async () => {
  const { pool, servers } = make({ size: 1 });
  await expect(pool.send({ reversePath: '', recipients: [] }, 'x')).rejects.toMatchObject({ code: 'no-recipients' });
  expect(await statuses(pool.send(ENVELOPE, '1'))).toBe('accepted accepted');
  expect(servers).toHaveLength(1);
});
