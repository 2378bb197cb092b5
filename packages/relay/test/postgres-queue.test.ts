import { type Job, type JobChange, newJob, type Queue } from '@ehlo/delivery';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PART } from '../src/postgres/content.ts';
import { openPostgres, type PostgresQueue } from '../src/postgres/index.ts';
import { type PostgresOptions, settingsOf } from '../src/postgres/options.ts';
import { type Circumstances, openQueue } from '../src/postgres/postgres-queue.ts';
import { STEPS, type Step } from '../src/postgres/schema.ts';
import { type Cut, CuttingLine } from './postgres-cut.ts';
import { type DatabaseOfTests, openDatabaseOfTests } from './postgres-database.ts';
import { describeQueue } from './queue-suite.ts';

let database: DatabaseOfTests;
let line: CuttingLine;
/** Those of a test. */
let opened: PostgresQueue[] = [];

beforeAll(async () => {
  database = await openDatabaseOfTests();
  line = await CuttingLine.open(database.port);
  await database.exec('DROP TABLE IF EXISTS clock; CREATE TABLE clock (at timestamptz NOT NULL)');
});

afterAll(async () => {
  await line.close();
  await database.exec('DROP SCHEMA IF EXISTS ehlo CASCADE; DROP TABLE clock');
  await database.close();
});

beforeEach(async () => {
  line.shut(false);
  await database.exec(`DROP SCHEMA IF EXISTS ehlo CASCADE; DELETE FROM clock; INSERT INTO clock VALUES (to_timestamp(${START / 1000}))`);
});

afterEach(async () => {
  line.shut(true);
  for (const queue of opened) await queue.close();
  opened = [];
});

const START = 1_700_000_000_000;
const NONE: ReadonlyMap<string, readonly Uint8Array[]> = new Map();

async function open(options: PostgresOptions = {}, circumstances: Circumstances = {}): Promise<PostgresQueue> {
  const settings = settingsOf({ url: database.urlOf(line.port), connections: database.isShared ? 3 : 1, ...options });
  const queue = await openQueue(settings, { clock: '(SELECT at FROM clock)', isDurable: database.isShared, ...circumstances });
  opened.push(queue);
  return queue;
}

async function advance(ms: number): Promise<void> {
  await database.exec(`UPDATE clock SET at = at + ${ms} * interval '1 ms'`);
}

describeQueue('in PostgreSQL', async () => {
  let now = START;
  return {
    queue: await open(),
    now: () => now,
    advance: (ms) => {
      now += ms;
      return advance(ms);
    },
  };
});

const jobOf = (id: string, message = `m-${id}`): Job =>
  newJob(id, { id: message, reversePath: 'ann@example.org', arrived: START, size: 4 }, 'example.net', [
    { address: 'joe@example.net' },
    { address: 'may@example.net' },
  ]);

const changeOf = (job: string, change: Partial<JobChange> = {}): JobChange => ({
  job,
  tries: 1,
  attempt: 1,
  recipients: [{ index: 0, state: 'relayed' }],
  due: START,
  release: true,
  put: [],
  ...change,
});

const octetsOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => (index * 31) % 251);

async function* stream(...parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

async function contentOf(queue: Queue, id: string): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of queue.content(id)) parts.push(part);
  return Buffer.concat(parts);
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => null,
    (error) => error,
  );
}

test.each([0, 1, PART - 1, PART, PART + 1, 3 * PART])(
  'a content of %i octets comes back octet by octet, in rows of 256 KiB',
  async (length) => {
    const queue = await open();
    const octets = octetsOf(length);
    await queue.put([jobOf('a')], stream(octets.subarray(0, 1000), octets.subarray(1000)));
    expect((await contentOf(queue, 'm-a')).equals(octets)).toBe(true);
    const rows = await database.rows('SELECT max(length(bytes)) AS most FROM ehlo.content');
    expect(rows[0]!.most).toBeLessThanOrEqual(PART);
  },
);

test('a content that breaks off is no message, and leaves nothing', async () => {
  const queue = await open();
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield octetsOf(3 * PART);
    throw new Error('the client is gone');
  };
  await expect(queue.put([jobOf('a')], broken())).rejects.toThrow('the client is gone');
  expect(await queue.take(10)).toEqual([]);
  expect(await database.rows('SELECT id FROM ehlo.message')).toEqual([]);
  await queue.put([jobOf('a')], stream(octetsOf(10)));
  expect((await contentOf(queue, 'm-a')).equals(octetsOf(10))).toBe(true);
});

test('what a relay that died has left of a content is no message, is overwritten by the same name, and swept after a day', async () => {
  const queue = await open();
  await queue.put([jobOf('whole')], stream(octetsOf(4)));
  for (const id of ['m-a', 'm-b']) {
    await database.exec(`INSERT INTO ehlo.message SELECT '${id}', '{}', NULL, at FROM clock;
      INSERT INTO ehlo.content VALUES ('${id}', 0, 'old'), ('${id}', 1, 'old')`);
  }
  await expect(contentOf(queue, 'm-a')).rejects.toThrow('m-a');
  await queue.put([jobOf('a')], stream(octetsOf(PART + 1)));
  expect((await contentOf(queue, 'm-a')).equals(octetsOf(PART + 1))).toBe(true);
  await advance(25 * 3_600_000);
  await queue.put([jobOf('c')], stream(octetsOf(PART + 1)));
  expect((await database.rows('SELECT id FROM ehlo.message ORDER BY id')).map(({ id }) => id)).toEqual(['m-a', 'm-c', 'm-whole']);
});

test('whatever a server or a client has said is kept as it was', async () => {
  const queue = await open();
  const job = jobOf('ä');
  const said = { at: START, status: '4.0.0', category: 'other', host: 'mx', reply: { code: 450, lines: ['\0 \ud800 \u2028 "\\ é'] } };
  const odd = { ...job, due: START + 0.25, recipients: [{ ...job.recipients[0]!, last: said as never }] };
  await queue.put([odd], stream(octetsOf(4)));
  await advance(1);
  const [lease] = await queue.take(1);
  expect(lease?.job).toEqual(odd);
  expect(await queue.begin(lease!, { attempt: 1, recipients: [0], at: START })).toBe(true);
  expect(await queue.settle(lease!, changeOf('ä', { recipients: [] }), NONE)).toBe(true);
});

test('a job in the form of a later release is left to relays that know it', async () => {
  const queue = await open();
  await queue.put([{ ...jobOf('a'), version: 2 as never }, jobOf('b', 'm-a')], stream(octetsOf(4)));
  expect((await queue.take(10)).map(({ job }) => job.id)).toEqual(['b']);
});

test('policies that one relay has fetched are there for the next, until they end', async () => {
  const first = await open();
  const policy = { mode: 'enforce' as const, mx: ['mx.example.net'], maxAge: 1000, lines: ['version: STSv1'] };
  first.policies.set('example.net', { id: '1', policy, fetched: START });
  first.policies.set('example.net', { id: '2', policy, fetched: START });
  first.policies.set('example.org', { id: '1', policy: { ...policy, maxAge: 9000 }, fetched: START });
  await opened.pop()!.close();
  const second = await open();
  expect(second.policies.at('example.net', START)).toEqual({ id: '2', policy, fetched: START });
  await opened.pop()!.close();
  await advance(2000);
  const third = await open();
  expect([...third.policies.entries()].map(([domain]) => domain)).toEqual(['example.org']);
  expect(await database.rows('SELECT domain FROM ehlo.sts')).toEqual([{ domain: 'example.org' }]);
});

test('a policy that can not be written is told of, and used all the same', async () => {
  const errors: unknown[] = [];
  const queue = await open({ failed: (error) => errors.push(error) });
  await database.exec('DROP TABLE ehlo.sts');
  const kept = { id: '1', policy: { mode: 'none' as const, mx: [], maxAge: 1000, lines: [] }, fetched: START };
  queue.policies.set('example.net', kept);
  await opened.pop()!.close();
  expect([queue.policies.at('example.net', START), errors]).toEqual([kept, [expect.objectContaining({ code: 'refused' })]]);
});

describe('the tables', () => {
  const later = (version: number, serves: number): Step => ({
    version,
    serves,
    statements: [`ALTER TABLE $schema.job ADD COLUMN new_${version} integer`],
  });

  test('are brought to the version of a later release, and an older relay works on while it is served', async () => {
    const old = await open();
    await old.put([jobOf('a')], stream(octetsOf(4)));
    if (!database.isShared) await opened.pop()!.close();
    const next = await open({}, { steps: [...STEPS, later(2, 1)] });
    expect(await database.rows('SELECT version, serves FROM ehlo.version')).toEqual([{ version: 2, serves: 1 }]);
    expect((await next.take(1)).map(({ job }) => job.id)).toEqual(['a']);
    if (!database.isShared) await opened.pop()!.close();
    const again = await open();
    await again.put([jobOf('b')], stream(octetsOf(4)));
    expect((await again.take(1)).map(({ job }) => job.id)).toEqual(['b']);
    if (database.isShared) expect((await old.renew([])).size).toBe(0);
  });

  test('of a release that serves this one no more are refused, with what to do', async () => {
    await open({}, { steps: [...STEPS, later(2, 1), later(3, 2)] });
    await opened.pop()!.close();
    await expect(open()).rejects.toMatchObject({
      code: 'newer',
      message:
        'the tables of schema ehlo have version 3, and serve relays of version 2 or later; this one knows version 1: upgrade @ehlo/relay, or name another schema',
    });
  });

  test('are made once, whole or not at all', async () => {
    await expect(open({}, { steps: [...STEPS, { version: 2, serves: 1, statements: ['SELECT nonsense'] }] })).rejects.toMatchObject({
      code: 'refused',
      cause: { code: '42703' },
    });
    expect(await database.rows("SELECT to_regclass('ehlo.job') AS job")).toEqual([{ job: null }]);
    if (!database.isShared) return;
    const queues = await Promise.all([open(), open(), open()]);
    await Promise.all(queues.map((queue, index) => queue.put([jobOf(`${index}`)], stream(octetsOf(4)))));
    expect(await queues[0]!.take(10)).toHaveLength(3);
  });
});

describe('options', () => {
  test.each<[PostgresOptions, string]>([
    [{ schema: 'Mail' }, 'schema'],
    [{ schema: 'a; DROP TABLE b' }, 'schema'],
    [{ lease: 10 }, 'lease'],
    [{ connections: 0 }, 'connections'],
    [{ patience: Number.NaN }, 'patience'],
    [{ url: 'mysql://localhost' }, 'url'],
    [{ owner: 3 as never }, 'owner'],
    [{ host: 'localhost' } as never, 'host'],
  ])('%j is refused by its name', async (options, name) => {
    await expect(openPostgres(options)).rejects.toMatchObject({
      code: 'option',
      message: expect.stringContaining(`openPostgres: ${name}: `),
    });
  });

  test('a database that can not be reached is an error that names it, and no password', async () => {
    const error = (await rejection(openPostgres({ url: 'postgres://ann:secret@127.0.0.1:1/mail', patience: 5000 }))) as Error;
    expect(error).toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/^PostgreSQL at 127\.0\.0\.1:1, database mail can't be reached: .*ECONNREFUSED/),
    });
    expect(error.message).not.toContain('secret');
  });

  test.runIf(!process.env.EHLO_POSTGRES)('a database that does not write before it acknowledges is refused', async () => {
    await database.exec('SET synchronous_commit = off');
    const opening = open({}, { isDurable: true });
    await expect(opening).rejects.toMatchObject({ code: 'unsuitable' });
    await database.exec('RESET synchronous_commit');
  });
});

describe('a line that breaks at every statement', () => {
  /** What is there, but for who holds it and since when. */
  const sum = async (): Promise<unknown> => [
    await database.rows('SELECT id, envelope::text, octets::int FROM ehlo.message WHERE octets IS NOT NULL ORDER BY id'),
    await database.rows(
      'SELECT message_id, part, md5(bytes) FROM ehlo.content JOIN ehlo.message ON id = message_id WHERE octets IS NOT NULL ORDER BY 1, 2',
    ),
    await database.rows('SELECT id, state::text, held, final, begun::text, wish, owner IS NULL AS free FROM ehlo.job ORDER BY id'),
  ];
  const lost = { code: 'unreachable' };
  const mark = { attempt: 1, recipients: [0, 1], at: START };
  const about = { of: 'm-a', at: 0, arrived: 0, to: 'ann@example.org', recipients: [] };
  const notices = new Map([['a/notice', [octetsOf(PART + 7)]]]);
  const failing = changeOf('a', {
    recipients: [
      { index: 0, state: 'relayed' },
      { index: 1, state: 'failed' },
    ],
    due: null,
    put: [
      { job: jobOf('a/copy'), content: 'same' },
      { job: jobOf('a/notice'), content: about },
    ],
  });
  const small = (queue: PostgresQueue): Promise<unknown> => queue.put([jobOf('a'), jobOf('b', 'm-a')], stream(octetsOf(100)));
  const taken = async (queue: PostgresQueue): Promise<Awaited<ReturnType<Queue['take']>>> => {
    await small(queue);
    return queue.take(10);
  };

  /** What is there before, what is asked, and whether asking once more after a failure leads to the same. */
  const OPERATIONS: { readonly [name: string]: (queue: PostgresQueue) => Promise<() => Promise<unknown>> } = {
    'put, of a small message': async (queue) => () => small(queue),
    'put, of a large message': async (queue) => () => queue.put([jobOf('a')], stream(octetsOf(2 * PART + 5))),
    renew: async (queue) => {
      const leases = await taken(queue);
      return async () => expect(await queue.renew(leases)).toEqual(new Set(['a', 'b']));
    },
    release: async (queue) => {
      const leases = await taken(queue);
      return () => queue.release(leases);
    },
    begin: async (queue) => {
      const [lease] = await taken(queue);
      return async () => expect(await queue.begin(lease!, mark)).toBe(true);
    },
    'settle, of what goes on': async (queue) => {
      const [lease] = await taken(queue);
      await queue.begin(lease!, mark);
      return async () => expect(await queue.settle(lease!, changeOf('a'), NONE)).toBe(true);
    },
    'settle, of what is over, with a copy and a notice': async (queue) => {
      const [lease] = await taken(queue);
      await queue.begin(lease!, mark);
      return async () => expect(await queue.settle(lease!, failing, notices)).toBe(true);
    },
    'settle, by who has lost the lease': async (queue) => {
      const [lease] = await taken(queue);
      await advance(31_000);
      await queue.take(10);
      return async () => expect(await queue.settle(lease!, failing, notices)).toBe(false);
    },
    'operate: hold': async (queue) => {
      await small(queue);
      return async () => expect(await queue.operate('a', 'hold')).toBe(true);
    },
    'operate: delete': async (queue) => {
      await small(queue);
      // What is gone is not there to be deleted once more.
      return () => queue.operate('a', 'delete');
    },
  };

  test.each(Object.keys(OPERATIONS))('%s', async (name) => {
    const queue = await open();
    const play = async (cut: { readonly number: number; readonly where: Cut } | null) => {
      await database.exec(`TRUNCATE ehlo.message, ehlo.content, ehlo.job; UPDATE clock SET at = to_timestamp(${START / 1000})`);
      const ask = await OPERATIONS[name]!(queue);
      if (cut !== null) line.cutAt(cut.number, cut.where);
      const error = await rejection(ask());
      if (error !== null) await ask();
      const isCut = cut !== null && line.hasCut;
      line.mend();
      return { isCut, error, sum: await sum() };
    };
    const whole = await play(null);
    let cuts = 0;
    for (const where of ['before', 'behind'] as const) {
      for (let number = 1; ; number++) {
        const one = await play({ number, where });
        expect(one.sum, `${where} statement ${number}`).toEqual(whole.sum);
        if (!one.isCut) break;
        cuts++;
        if (one.error !== null) expect(one.error, `${where} statement ${number}`).toMatchObject(lost);
      }
    }
    expect(cuts).toBeGreaterThanOrEqual(2);
  });

  test('put: of a COMMIT whose answer is lost it is found out whether it is done; of one that did not get there, too', async () => {
    const queue = await open();
    line.cutAt(3, 'behind');
    expect(await queue.put([jobOf('a')], stream(octetsOf(4)))).toBe('m-a');
    expect(line.hasCut).toBe(true);
    line.cutAt(3, 'before');
    await expect(queue.put([jobOf('b')], stream(octetsOf(4)))).rejects.toMatchObject(lost);
    expect((await queue.take(10)).map(({ job }) => job.id)).toEqual(['a']);
  });

  test('put: of a COMMIT whose answer is lost the message itself is looked for: after a crash another transaction may have its number', async () => {
    const queue = await open();
    // Its transaction commits, and the message is not there.
    await database.exec(`CREATE FUNCTION ehlo.gone() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN DELETE FROM ehlo.job WHERE id = NEW.id; DELETE FROM ehlo.message WHERE id = NEW.message_id; RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER gone AFTER INSERT ON ehlo.job DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ehlo.gone()`);
    line.cutAt(3, 'behind');
    await expect(queue.put([jobOf('a')], stream(octetsOf(4)))).rejects.toMatchObject(lost);
    expect(line.hasCut).toBe(true);
  });

  test('take: what nobody has got to know of is free again when its lease is over', async () => {
    const queue = await open();
    await small(queue);
    line.cutAt(1, 'behind');
    await expect(queue.take(10)).rejects.toMatchObject(lost);
    expect(await queue.take(10)).toEqual([]);
    await advance(31_000);
    expect((await queue.take(10)).map(({ job, fence }) => [job.id, fence]).sort()).toEqual([
      ['a', 2],
      ['b', 2],
    ]);
  });

  test('a content that breaks off between two parts is told, and never taken for a shorter one', async () => {
    const queue = await open();
    await queue.put([jobOf('a')], stream(octetsOf(2 * PART + 5)));
    const content = queue.content('m-a')[Symbol.asyncIterator]();
    await content.next();
    line.cutAt(1, 'before');
    await expect(content.next()).rejects.toMatchObject(lost);
    const other = queue.content('m-a')[Symbol.asyncIterator]();
    await other.next();
    await database.exec('DELETE FROM ehlo.job; DELETE FROM ehlo.message');
    await expect(other.next()).rejects.toThrow('m-a');
  });

  test('a database that is gone is told at once, and used again when it is there', async () => {
    const queue = await open();
    await small(queue);
    line.shut(true);
    await expect(queue.take(10)).rejects.toMatchObject(lost);
    await expect(queue.put([jobOf('c')], stream(octetsOf(4)))).rejects.toMatchObject(lost);
    line.shut(false);
    expect(await queue.take(10)).toHaveLength(2);
  });
});
