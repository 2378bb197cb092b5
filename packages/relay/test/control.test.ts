// The socket of a relay: what it tells, what it carries out, and clients that mean no good.
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Job, newJob } from '@ehlo/delivery';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Control, type ControlOptions, control, type JobSteps, type ShownJob, type WishTold } from '../src/control/index.ts';
import { Metrics } from '../src/watch/index.ts';
import { readOpenMetrics } from './openmetrics-reader.ts';
import { ACCEPTED, refused, World } from './world.ts';

const HOUR = 3_600_000;

let folder: string;
let socket: string;
const open: Control[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ehlo-control-'));
  socket = join(folder, 'control.sock');
});

afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
  rmSync(folder, { recursive: true, force: true });
});

async function controlled(world: World, options: Partial<ControlOptions> = {}): Promise<void> {
  const { queue, runner, time } = world;
  open.push(await control({ queue, runner: () => runner, socket, hostname: 'mx.example.org', now: () => time.now(), ...options }));
}

/** Jobs j0, j1 … of messages of their own. */
async function fill(world: World, count: number, change: (i: number) => Partial<Job> = () => ({})): Promise<void> {
  for (let i = 0; i < count; i++) {
    const message = { id: `m${i}`, reversePath: `ann${i}@example.org`, arrived: world.time.now(), size: 4 };
    await world.queue.put([{ ...newJob(`j${i}`, message, 'example.net', [{ address: `joe${i}@example.net` }]), ...change(i) }], [TEXT]);
  }
}

const TEXT = new TextEncoder().encode('a: b\r\n\r\n.\r\n');

function ask(path: string, method = 'GET', at = socket): Promise<IncomingMessage> {
  return new Promise((done, failed) => request({ socketPath: at, path, method, agent: false }, done).on('error', failed).end());
}

async function text(answer: IncomingMessage): Promise<string> {
  let all = '';
  for await (const bytes of answer.setEncoding('utf8')) all += bytes as string;
  return all;
}

async function lines<T>(path: string, method = 'GET'): Promise<readonly T[]> {
  const all = await text(await ask(path, method));
  return all.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as T]));
}

async function ids(query: string): Promise<readonly string[]> {
  return (await lines<ShownJob>(`/v1/jobs?${query}`)).map(({ job }) => job.id);
}

const wished = (what: string, query: string): Promise<readonly WishTold[]> => lines<WishTold>(`/v1/${what}?${query}`, 'POST');

describe('the socket', () => {
  test("is its owner's alone, and gone when it is closed", async () => {
    await controlled(new World());
    expect(lstatSync(socket).mode & 0o777).toBe(0o600);
    await open.pop()!.close();
    expect(existsSync(socket)).toBe(false);
  });

  test('one that a dead process has left is replaced', async () => {
    // A name that stays behind: the server is closed under another one.
    const left = createServer();
    await new Promise<void>((done) => left.listen(join(folder, 'old'), done));
    renameSync(join(folder, 'old'), socket);
    await new Promise((done) => left.close(done));
    expect(lstatSync(socket).isSocket()).toBe(true);
    await controlled(new World());
    expect((await ask('/v1/status')).statusCode).toBe(200);
  });

  test('one on which somebody listens stays his', async () => {
    await controlled(new World());
    await expect(controlled(new World())).rejects.toThrow(/another relay listens there/);
    expect((await ask('/v1/status')).statusCode).toBe(200);
  });

  test.each([
    ['a file in its place', () => writeFileSync(socket, 'x'), /is no socket/],
    ['a folder that is not there', () => rmSync(folder, { recursive: true }), /is not there: make it/],
    ['a folder to which others may write', () => chmodSync(folder, 0o777), /others may write to/],
  ])('%s is an error', async (_, prepare, message) => {
    prepare();
    await expect(controlled(new World())).rejects.toThrow(message);
  });

  test('a path that is too long for the system, and a folder that is a file, are errors', async () => {
    await expect(controlled(new World(), { socket: join(folder, 'x'.repeat(120)) })).rejects.toThrow(/107 octets/);
    writeFileSync(join(folder, 'file'), '');
    await expect(controlled(new World(), { socket: join(folder, 'file', 'socket') })).rejects.toThrow(/file/);
  });

  test("a folder of all, in which nobody may touch what is another's, will do", async () => {
    mkdirSync(join(folder, 'tmp'));
    chmodSync(join(folder, 'tmp'), 0o1777);
    socket = join(folder, 'tmp', 'control.sock');
    await controlled(new World());
    expect((await ask('/v1/status')).statusCode).toBe(200);
  });
});

describe('what it tells', () => {
  test('how the relay fares, and how much there is', async () => {
    const world = new World();
    await fill(world, 5, (i) => ({ due: i * 100 }));
    await world.queue.operate('j0', 'hold');
    await controlled(world);
    await world.time.runUntil(200);
    expect(JSON.parse(await text(await ask('/v1/status')))).toEqual({
      version: 1,
      hostname: 'mx.example.org',
      state: 'new',
      started: 0,
      now: 200,
      leased: 0,
      open: 0,
      queue: { leased: 0, due: 2, waiting: 2, held: 1, oldest: 100, age: 0 },
    });
  });

  test('a queue is counted once in a while, also where it can not count by itself', async () => {
    const world = new World();
    await fill(world, 3);
    world.queue.count = undefined as never;
    await controlled(world, { recount: 1000 });
    const count = async (): Promise<unknown> => (JSON.parse(await text(await ask('/v1/status'))) as { queue: object }).queue;
    expect(await count()).toEqual({ leased: 0, due: 3, waiting: 0, held: 0, oldest: 0, age: 0 });
    await world.queue.operate('j0', 'delete');
    await world.time.runUntil(999);
    expect(await count()).toMatchObject({ due: 3, age: 999 });
    await world.time.runUntil(1000);
    expect(await count()).toMatchObject({ due: 2, age: 0 });
  });

  test('a queue that can not be counted is told of, and the rest is told', async () => {
    const world = new World();
    const failures: string[] = [];
    world.queue.count = async () => Promise.reject(new Error('unreachable'));
    await controlled(world, { failed: (_, what) => failures.push(what) });
    expect(JSON.parse(await text(await ask('/v1/status')))).toMatchObject({ state: 'new', queue: null });
    expect(failures).toEqual(['count']);
  });

  test('jobs, by each filter', async () => {
    const world = new World();
    await fill(world, 4, (i) => (i === 3 ? { domain: 'example.com', due: 60_000 } : {}));
    await world.put(['"a@b"@Example.org'], 'x\r\n', { id: 'notice', reversePath: '' });
    await world.queue.operate('j1', 'hold');
    await controlled(world);
    await world.time.runUntil(50_000);
    expect(await ids('')).toEqual(['j0', 'j1', 'j2', 'j3', 'j-notice']);
    expect(await ids('most=2')).toEqual(['j0', 'j1']);
    expect(await ids('most=0')).toEqual([]);
    expect(await ids('id=j2&id=j0&id=none')).toEqual(['j2', 'j0']);
    expect(await ids('domain=EXAMPLE.com')).toEqual(['j3']);
    expect(await ids('state=waiting')).toEqual(['j3']);
    expect(await ids('state=held')).toEqual(['j1']);
    expect(await ids('state=due')).toEqual(['j0', 'j2', 'j-notice']);
    expect(await ids('state=leased')).toEqual([]);
    expect(await ids('sender=ann2%40EXAMPLE.org')).toEqual(['j2']);
    expect(await ids('sender=Ann2%40example.org')).toEqual([]);
    expect(await ids('sender=%40example.org')).toEqual(['j0', 'j1', 'j2', 'j3']);
    expect(await ids('sender=')).toEqual(['j-notice']);
    expect(await ids('recipient=%22a%40b%22%40example.ORG')).toEqual(['j-notice']);
    expect(await ids('recipient=%40example.net')).toEqual(['j0', 'j1', 'j2', 'j3']);
    expect(await ids('message=m2')).toEqual(['j2']);
    expect(await ids('older=50')).toHaveLength(5);
    expect(await ids('older=51')).toEqual([]);
    expect(await ids('id=j0&state=held')).toEqual([]);
  });

  test('why a recipient stands where it does: of a job that the relay has, and of one that it has not', async () => {
    const world = new World({ outcome: () => refused(451) }, { keep: 0 });
    await world.put(['joe@example.net']);
    await controlled(world);
    world.runner.start();
    await world.time.runUntil(1000);
    const [resting] = await lines<JobSteps>('/v1/why?id=j-m');
    expect([resting!.state, resting!.steps[0]!.map(({ what }) => what)]).toEqual(['waiting', ['said', 'waits']]);
    expect(resting!.steps[0]![0]!.text).toBe('example.net said 451 (4.0.0, system). (RFC 5321 4.2.1)');
    const busy = new World({ before: () => new Promise(() => {}) });
    await busy.put(['joe@example.net']);
    socket = join(folder, 'second.sock');
    await controlled(busy);
    busy.runner.start();
    await busy.time.runUntil(1000);
    const [leased] = await lines<JobSteps>('/v1/why?id=j-m');
    expect(leased!.state).toBe('leased');
    expect(leased!.steps[0]!.map(({ what }) => what)).toEqual(['added', 'implicit-mx', 'connects', 'begins']);
  });

  test('the octets of a message', async () => {
    const world = new World();
    await fill(world, 1);
    await controlled(world);
    const answer = await ask('/v1/content?message=m0');
    expect([answer.headers['content-type'], await text(answer)]).toEqual(['message/rfc822', 'a: b\r\n\r\n.\r\n']);
    const none = await ask('/v1/content?message=other');
    expect([none.statusCode, await text(none)]).toEqual([404, '{"error":"there is no such message in the queue"}\n']);
  });
});

describe('what it carries out', () => {
  test('hold, release, retry and delete of what nobody has', async () => {
    const world = new World();
    await fill(world, 3, () => ({ due: HOUR }));
    const told: string[] = [];
    await controlled(world, { wished: (what, { id }) => told.push(`${what} ${id}`) });
    expect(await wished('hold', 'domain=example.net')).toEqual([0, 1, 2].map((i) => ({ id: `j${i}`, result: 'done' })));
    expect(await ids('state=held')).toHaveLength(3);
    expect(await wished('release', 'id=j0&id=none')).toEqual([
      { id: 'j0', result: 'done' },
      { id: 'none', result: 'gone' },
    ]);
    expect(await ids('state=waiting')).toEqual(['j0']);
    expect(await wished('delete', 'state=held')).toHaveLength(2);
    expect(await ids('')).toEqual(['j0']);
    world.runner.start();
    await world.time.runUntil(10);
    expect(world.sent).toHaveLength(0);
    expect(await wished('retry', 'all=yes')).toEqual([{ id: 'j0', result: 'done' }]);
    await world.time.runUntil(20);
    expect([world.sent.length, world.queue.size]).toEqual([1, 0]);
    expect(told).toEqual(['hold j0', 'hold j1', 'hold j2', 'release j0', 'delete j1', 'delete j2', 'retry j0']);
  });

  test('a bounce tells the sender', async () => {
    const world = new World();
    await fill(world, 1, () => ({ due: HOUR }));
    await controlled(world);
    world.runner.start();
    expect(await wished('bounce', 'id=j0')).toEqual([{ id: 'j0', result: 'done' }]);
    await world.time.runUntil(1000);
    expect(world.sent.map(({ transaction }) => transaction.recipients.map(({ address }) => address))).toEqual([['ann0@example.org']]);
    expect(world.queue.size).toBe(0);
  });

  /** A queue in which whoever looks finds what is put meanwhile, too. */
  function findsWhatComes({ queue }: World, meanwhile: () => Promise<void>): void {
    const find = queue.find.bind(queue);
    queue.find = async function* (query) {
      const seen = new Set<string>();
      for await (const job of find(query)) {
        seen.add(job.id);
        yield job;
      }
      await meanwhile();
      for await (const job of find(query)) if (!seen.has(job.id)) yield job;
    };
  }

  test('a bounce of every job does not take the notices that it brings about, nor those that are there', async () => {
    const world = new World({ outcome: (address) => (address.startsWith('joe') ? refused(451) : ACCEPTED) }, { keep: 10 * HOUR });
    await fill(world, 3);
    findsWhatComes(world, () => world.time.runUntil(world.time.now() + 0.5));
    await controlled(world);
    world.runner.start();
    await world.time.runUntil(1000);
    const notice = { id: 'told', reversePath: '', arrived: 0, notice: true } as const;
    await world.put(['zoe@example.net'], 'x\r\n', notice);
    await world.queue.operate('j-told', 'hold');
    expect(await wished('bounce', 'all=yes')).toEqual([0, 1, 2].map((i) => ({ id: `j${i}`, result: 'told' })));
    await world.time.runUntil(5000);
    const told = world.sent.filter(({ transaction }) => transaction.reversePath === '');
    expect(told.map(({ transaction }) => transaction.recipients[0]!.address).sort()).toEqual([0, 1, 2].map((i) => `ann${i}@example.org`));
    expect(await ids('')).toEqual(['j-told']);
    expect(await wished('bounce', 'sender=')).toEqual([{ id: 'j-told', result: 'done' }]);
  });

  test('what comes while a wish is carried out is not meant', async () => {
    const world = new World();
    await fill(world, 1, () => ({ due: HOUR }));
    findsWhatComes(world, async () => {
      if (world.queue.size === 0) await world.put(['may@example.net'], 'x\r\n', { id: 'new', arrived: 1 });
    });
    await controlled(world);
    expect(await wished('delete', 'all=yes')).toEqual([{ id: 'j0', result: 'done' }]);
    expect(await wished('delete', 'id=j-new')).toEqual([{ id: 'j-new', result: 'done' }]);
  });

  test.each([
    ['hold', 'held'],
    ['delete', 'gone'],
  ])('%s of a job that the relay has is told to it, and done', async (what, end) => {
    const world = new World({ outcome: () => refused(451) }, { keep: 10 * HOUR });
    await fill(world, 1);
    await controlled(world);
    world.runner.start();
    await world.time.runUntil(1000);
    expect(await ids('state=leased')).toEqual(['j0']);
    expect(await wished(what, 'id=j0')).toEqual([{ id: 'j0', result: 'told' }]);
    await world.time.runUntil(2000);
    expect(await ids('state=held')).toEqual(end === 'held' ? ['j0'] : []);
    expect(world.queue.size).toBe(end === 'held' ? 1 : 0);
  });

  test('a retry lets hosts be tried that were out of reach', async () => {
    const world = new World();
    let isUp = false;
    const { open: dial } = world.means;
    world.means.open = async (order, signal) => (isUp ? dial(order, signal) : { stage: 'connect' });
    await fill(world, 1);
    await controlled(world);
    world.runner.start();
    await world.time.runUntil(1000);
    isUp = true;
    await world.time.runUntil(2000);
    expect(world.sent).toEqual([]);
    expect(await wished('retry', 'id=j0')).toHaveLength(1);
    await world.time.runUntil(3000);
    expect(world.sent).toHaveLength(1);
  });

  test('what another relay has is told so, and nothing is done', async () => {
    const world = new World();
    await fill(world, 1);
    const [lease] = await world.queue.take(1);
    await controlled(world);
    expect(await wished('delete', 'id=j0')).toEqual([{ id: 'j0', result: 'leased' }]);
    await world.queue.release([lease!]);
    expect(await wished('delete', 'id=j0')).toEqual([{ id: 'j0', result: 'done' }]);
  });

  test('a relay that stops is told nothing that could not come of it', async () => {
    const world = new World({ before: () => new Promise(() => {}) });
    await fill(world, 1);
    await controlled(world);
    world.runner.start();
    await world.time.runUntil(1000);
    void world.runner.stop();
    expect(await wished('retry', 'id=j0')).toEqual([{ id: 'j0', result: 'leased' }]);
    expect(JSON.parse(await text(await ask('/v1/status')))).toMatchObject({ state: 'stopping', leased: 1 });
  });

  test('a wish that names nothing is none', async () => {
    const world = new World();
    await fill(world, 1);
    await controlled(world);
    for (const query of ['', 'all=no', 'all']) expect((await ask(`/v1/delete?${query}`, 'POST')).statusCode, query).toBe(400);
    expect(world.queue.size).toBe(1);
  });
});

describe('metrics', () => {
  function read(
    port: number,
    path = '/metrics',
    headers: { readonly [name: string]: string } = {},
    method = 'GET',
  ): Promise<IncomingMessage> {
    return new Promise((done, failed) =>
      request({ host: '127.0.0.1', port, path, headers, method, agent: false }, done).on('error', failed).end(),
    );
  }

  test('are read by programs of this machine, with what the queue has', async () => {
    const world = new World();
    await fill(world, 3);
    await controlled(world, { metrics: { port: 0, counts: new Metrics() }, clients: () => 7 });
    const { metrics: port } = open[0]!;
    const answer = await read(port);
    expect(answer.headers['content-type']).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    const families = readOpenMetrics(await text(answer));
    const values = (name: string): unknown =>
      families.find((one) => one.name === name)?.samples.map(({ labels, value }) => [labels, value]);
    expect(values('ehlo_jobs')).toEqual([
      [{ state: 'leased' }, 0],
      [{ state: 'due' }, 3],
      [{ state: 'waiting' }, 0],
      [{ state: 'held' }, 0],
    ]);
    expect(values('ehlo_clients_open')).toEqual([[{}, 7]]);
    for (const host of ['localhost:1', '[::1]', '127.0.0.1:80'])
      expect((await read(port, '/metrics?x', { host })).statusCode, host).toBe(200);
    expect((await read(port, '/metrics', { host: 'evil.example' })).statusCode).toBe(421);
    expect((await read(port, '/')).statusCode).toBe(404);
    expect((await read(port, '/metrics', {}, 'POST')).statusCode).toBe(405);
  });

  test('a queue that can not be counted leaves its own out', async () => {
    const world = new World();
    world.queue.count = async () => Promise.reject(new Error('unreachable'));
    await controlled(world, { metrics: { port: 0, counts: new Metrics() }, failed: () => {} });
    const families = readOpenMetrics(await text(await read(open[0]!.metrics)));
    expect(families.find(({ name }) => name === 'ehlo_jobs')?.samples).toEqual([]);
    expect(families.find(({ name }) => name === 'ehlo_jobs_here')?.samples).toHaveLength(1);
  });

  test.each(['0.0.0.0', '::', '192.0.2.1', 'localhost.example'])('%s is no place for them, and the socket is gone', async (host) => {
    await expect(controlled(new World(), { metrics: { port: 0, host, counts: new Metrics() } })).rejects.toThrow(
      /no address of its loopback/,
    );
    expect(existsSync(socket)).toBe(false);
  });
});

describe('clients that mean no good', () => {
  test.each([
    ['GET', '/', 404, 'this relay speaks v1'],
    ['GET', '/v2/status', 404, 'this relay speaks v1'],
    ['GET', '/v1/constructor', 404, 'there is /v1/status'],
    ['GET', '/v1/delete?all=yes', 405, 'is for POST'],
    ['POST', '/v1/jobs', 405, 'is for GET'],
    ['GET', '/v1/jobs?colour=red', 400, 'there is no filter colour'],
    ['GET', '/v1/jobs?state=gone', 400, 'state is one of'],
    ['GET', '/v1/jobs?older=-1', 400, 'older is a whole number'],
    ['GET', '/v1/jobs?domain=a&domain=b', 400, 'domain stands there twice'],
    ['GET', '/v1/jobs?most=many', 400, 'most is a whole number'],
    ['GET', `/v1/jobs?${'id=x&'.repeat(101)}`, 400, '100 jobs at the most'],
    ['GET', '/v1/content', 400, 'the message is to be named'],
    ['GET', '//', 400, 'this is no address'],
  ])('%s %.40s is refused', async (method, path, status, error) => {
    await controlled(new World());
    const answer = await ask(path, method);
    expect([answer.statusCode, await text(answer)]).toEqual([status, expect.stringContaining(error)]);
  });

  test.each([
    ['a request without end', 'GET /v1/status HTTP/1.1\r\nHost: x\r\n'],
    ['half a line', 'GET /v1/sta'],
    ['nothing', ''],
    ['a line without end', 'GET /v1/'.padEnd(100_000, 'x')],
    ['other talk', 'EHLO client.example\r\n'],
    ['a body that never comes', 'POST /v1/hold?all=yes HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000000\r\n\r\n'],
  ])('%s, and gone: the next is served', async (_, octets) => {
    await controlled(new World());
    const rude = connect(socket);
    rude.on('error', () => {});
    await new Promise<void>((done) => rude.write(octets, () => done()));
    rude.destroy();
    expect((await ask('/v1/status')).statusCode).toBe(200);
  });

  test('who leaves in the middle ends the search', async () => {
    const world = new World();
    let found = 0;
    let ended = false;
    const [one] = await jobsOf(1);
    world.queue.find = async function* () {
      try {
        for (;;) {
          found++;
          yield one!;
        }
      } finally {
        ended = true;
      }
    };
    await controlled(world);
    const answer = await ask('/v1/jobs');
    await new Promise((done) => answer.once('data', done));
    answer.destroy();
    while (!ended) await new Promise((done) => setImmediate(done));
    expect(found).toBeGreaterThan(0);
  });

  test('who does not read is waited for: the search stands still', async () => {
    const world = new World();
    const jobs = await jobsOf(1);
    let found = 0;
    world.queue.find = async function* () {
      for (found = 0; found < 1_000_000; found++) yield jobs[0]!;
    };
    await controlled(world);
    const answer = await ask('/v1/jobs');
    answer.pause();
    const looks: number[] = [];
    do {
      looks.push(found);
      await new Promise((done) => setTimeout(done, 20));
    } while (looks.length < 3 || looks.at(-1) !== looks.at(-3));
    // What is on its way is what the system and the streams keep, however much there is.
    expect(found).toBeLessThan(50_000);
    answer.destroy();
  });

  test('a queue that fails in the middle breaks the answer off, and one that fails at once is an error', async () => {
    const world = new World();
    const jobs = await jobsOf(1);
    const failures: string[] = [];
    let good = 1000;
    world.queue.find = async function* () {
      for (let i = 0; i < good; i++) yield jobs[0]!;
      throw new Error('disk');
    };
    await controlled(world, { failed: (_, what) => failures.push(what) });
    await expect(ask('/v1/jobs').then(text)).rejects.toThrow(/aborted/);
    good = 0;
    const answer = await ask('/v1/jobs?most=5');
    expect([answer.statusCode, await text(answer)]).toEqual([500, '{"error":"it failed; the relay has said why"}\n']);
    expect(failures).toEqual(['GET /v1/jobs', 'GET /v1/jobs?most=5']);
  });

  test('a hundred thousand jobs are listed to the last', async () => {
    const world = new World();
    const jobs = await jobsOf(1);
    world.queue.find = async function* () {
      for (let i = 0; i < 100_000; i++) yield { ...jobs[0]!, id: `j${i}` };
    };
    await controlled(world);
    let octets = 0;
    let last = '';
    for await (const bytes of await ask('/v1/jobs')) {
      octets += (bytes as Buffer).length;
      last = `${last}${(bytes as Buffer).toString()}`.slice(-1000);
    }
    expect(octets).toBeGreaterThan(10_000_000);
    expect(last).toContain('"id":"j99999"');
  });
});

async function jobsOf(count: number): Promise<readonly Job[]> {
  const world = new World();
  await fill(world, count);
  const jobs: Job[] = [];
  for await (const job of world.queue.find({})) jobs.push(job);
  return jobs;
}
