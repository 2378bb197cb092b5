// `ehlo queue` against the socket of a relay: what it shows, what it brings about, its exit codes, and text of others that stays inert.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Dispatcher, deliverySettings, type Job, newJob } from '@ehlo/delivery';
import { type Means, MemoryQueue, Runner, wallClock } from '@ehlo/relay';
import { type Control, control, type ShownJob } from '@ehlo/relay/control';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from 'vitest';
import { QueueError } from '../src/queue-client.ts';
import { type QueueMeans, queueList, queueShow, queueStatus, queueWhy, queueWish, type Wish } from '../src/queue-command.ts';
import type { QueueOptions } from '../src/queue-options.ts';
import { test } from './cli.ts';

/** Times that are shown by the hour: a slow machine does not change them. */
const TEN_DAYS = 864_000_000;
const HOSTILE = '\u001b[31mjoe\u202e\r\n250 done@example.net';

let folder: string;
let socket: string;
let queue: MemoryQueue;
let runner: Runner;
let open: Control;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ehlo-queue-'));
  socket = join(folder, 'control.sock');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeEach(async () => {
  queue = new MemoryQueue(wallClock);
  const means: Means = {
    queue,
    schedule: wallClock,
    lookUp: async () => ({ status: 'failed', security: 'indeterminate', ttl: 0 }),
    fetchPolicy: async () => ({ text: null }),
    open: async () => ({ stage: 'connect' }),
    boundary: () => 'b',
    failed: () => {},
  };
  const hostname = 'mx.example.org';
  runner = new Runner(new Dispatcher(deliverySettings({ hostname }), () => 0), means, { hostname });
  open = await control({ queue, runner: () => runner, socket, hostname, recount: 0 });
});
afterEach(async () => {
  await open.close();
  await runner.stop();
});

async function put(
  id: string,
  change: Partial<Job> = {},
  reversePath = 'ann@example.org',
  text = 'Subject: hello\r\n\r\ntext\r\n',
): Promise<void> {
  const octets = new TextEncoder().encode(text);
  const message = { id: `m-${id}`, reversePath, arrived: Date.now() - TEN_DAYS, size: octets.length };
  const job = newJob(id, message, 'example.net', [{ address: 'joe@example.net' }, { address: 'may@example.net' }]);
  await queue.put([{ ...job, due: Date.now() + TEN_DAYS, ...change }], [octets]);
}

interface Told {
  readonly code: number;
  readonly lines: readonly string[];
  readonly warned: readonly string[];
  readonly asked: readonly string[];
  readonly octets: string;
}

/** Runs a command; `answer`: what whoever sits there says, null: nobody does. */
async function told(command: (means: QueueMeans) => Promise<number>, answer: boolean | null = null, isTerminal = false): Promise<Told> {
  const [lines, warned, asked]: string[][] = [[], [], []];
  let octets = '';
  const means: QueueMeans = {
    write: async (line) => void lines!.push(line),
    octets: isTerminal
      ? null
      : async (bytes) => {
          octets += Buffer.from(bytes).toString('latin1');
        },
    warn: (line) => void warned!.push(line),
    confirm:
      answer === null
        ? null
        : async (question) => {
            asked!.push(question);
            return answer;
          },
    signal: new AbortController().signal,
  };
  const code = await command(means);
  return { code, lines: lines!, warned: warned!, asked: asked!, octets };
}

function options(more: Partial<QueueOptions> = {}): QueueOptions {
  return { socket, json: false, ...more };
}

const wish = (what: Wish, ids: readonly string[], more: Partial<QueueOptions> = {}, answer: boolean | null = null): Promise<Told> =>
  told((means) => queueWish(what, ids, options(more), means), answer);

describe('list', () => {
  test('a table, aligned, and how many there are', async () => {
    await put('j1');
    await put('job-2', { due: Date.now() - 1000, tries: 3 });
    await put('j3', { held: true }, '');
    const { code, lines } = await told((means) => queueList(options(), means));
    expect(code).toBe(0);
    expect(lines).toEqual([
      'ID     STATE    NEXT   AGE   TRIES  OCTETS  FROM             TO                          LAST',
      'j1     waiting  10 d   10 d      0      24  ann@example.org  joe@example.net and 1 more',
      'job-2  due      now    10 d      3      24  ann@example.org  joe@example.net and 1 more',
      'j3     held     never  10 d      0      24  <>               joe@example.net and 1 more',
      '3 jobs: 1 waiting, 1 due, 1 held',
    ]);
  });

  test('what was said last stands at the end of the row', async () => {
    const last = { at: 0, status: '4.7.1', category: 'greylisted', host: 'mx.example.net', reply: { code: 451, lines: ['come', 'back'] } };
    await put('j1', { recipients: [{ address: 'joe@example.net', state: 'due', last }] });
    const { lines } = await told((means) => queueList(options(), means));
    expect(lines[1]).toMatch(/ joe@example\.net {2}4\.7\.1 greylisted, mx\.example\.net: 451 come back$/);
  });

  test('filters, a limit, and nothing', async () => {
    for (const id of ['a', 'b', 'c']) await put(id, id === 'b' ? { domain: 'example.com' } : {});
    const found = async (more: Partial<QueueOptions>): Promise<readonly string[]> => {
      const { lines } = await told((means) => queueList(options({ json: true, ...more }), means));
      return lines.map((line) => (JSON.parse(line) as ShownJob).job.id);
    };
    expect(await found({ domain: 'example.com' })).toEqual(['b']);
    expect(await found({ most: 2 })).toEqual(['a', 'b']);
    expect(await found({ older: 900_000 })).toEqual([]);
    expect(await found({ sender: '@example.org', recipient: 'may@example.net', state: 'waiting', message: 'm-c', older: 60 })).toEqual([
      'c',
    ]);
    expect((await told((means) => queueList(options({ domain: 'none.example' }), means))).lines).toEqual(['no jobs']);
  });

  test('addresses and replies of others are inert text on one line, as a table and as JSON', async () => {
    const reply = { code: 550, lines: ['\u001b]0;title\u0007', '\u0085next'] };
    await put('j1', { recipients: [{ address: HOSTILE, state: 'due', last: { at: 0, status: '5.1.1', category: 'x', reply } }] }, HOSTILE);
    for (const json of [false, true]) {
      const { lines } = await told((means) => queueList(options({ json }), means));
      expect(lines.join('')).not.toMatch(/[\p{C}]/u);
      expect(lines).toHaveLength(json ? 1 : 3);
      if (json) expect((JSON.parse(lines[0]!) as ShownJob).job.recipients[0]!.address).toBe(HOSTILE);
    }
  });

  test('the command itself, in a pipe: no colours, and the exit code', async ({ run }) => {
    await put('j1');
    const cli = run(['queue', 'list', '--socket', socket, '--older', '30 min']);
    await cli.line(/^1 job: 1 waiting$/);
    expect([await cli.exited, cli.errors, cli.lines.length]).toEqual([0, '', 3]);
    const named = run(['queue', 'list', '--json'], { EHLO_SOCKET: socket });
    expect(JSON.parse(await named.line(/^\{/))).toMatchObject({ state: 'waiting', job: { id: 'j1' } });
    expect(await named.exited).toBe(0);
  });
});

describe('the configuration of a relay', () => {
  test('names the socket', async ({ run, folder: own }) => {
    const file = join(own, 'relay.json5');
    const write = (control: object): void =>
      writeFileSync(
        file,
        JSON.stringify({
          hostname: 'mx.example.org',
          postmaster: 'ann@example.org',
          listeners: [{ kind: 'mx', host: '127.0.0.1', port: 25 }],
          queue: { kind: 'memory' },
          ...control,
        }),
      );
    write({ control: { socket } });
    const cli = run(['queue', 'status', '--config', file]);
    expect([await cli.exited, cli.errors]).toEqual([0, '']);
    expect(cli.lines[0]).toMatch(/^relay mx\.example\.org/);
    write({});
    const none = run(['queue', 'status', '--config', file]);
    expect([await none.exited, none.errors]).toEqual([2, `ehlo: ${file}: control is not there: a relay without it can't be looked at\n`]);
    const wrong = run(['queue', 'status', '--config', join(own, 'none')]);
    expect([await wrong.exited, wrong.errors]).toEqual([2, expect.stringMatching(/^ehlo: --config: there is no file /)]);
  });
});

describe('show and why', () => {
  test('all that is known of a job', async () => {
    const last = { at: 0, status: '2.1.5', category: 'accepted', host: 'mx.example.net', reply: { code: 250, lines: ['OK'] } };
    await put('j1', {
      recipients: [
        { address: 'joe@example.net', state: 'relayed', last },
        { address: 'may@example.net', state: 'due' },
      ],
    });
    const { code, lines } = await told((means) => queueShow('j1', options(), means));
    expect(code).toBe(0);
    expect(lines).toEqual([
      'job      j1',
      expect.stringMatching(/^state {4}waiting, next try 20\S+ \S+Z \(in 10 d\)$/),
      'domain   example.net',
      'tried    0 tries failed, 0 transactions',
      'message  m-j1, 24 octets',
      'from     ann@example.org',
      expect.stringMatching(/^arrived {2}20\S+ \S+Z \(10 d ago\)$/),
      'recipients',
      '  joe@example.net relayed',
      '    1970-01-01 00:00:00Z  2.1.5 accepted, mx.example.net: 250 OK',
      '  may@example.net due',
    ]);
  });

  test('the octets of the message as they are, and on a terminal as inert text', async () => {
    await put('j1', {}, 'ann@example.org', 'Subject: \u001b[31m\r\n\r\ntwo\r\nlines');
    const piped = await told((means) => queueShow('j1', options({ raw: true }), means));
    expect([piped.octets, piped.lines]).toEqual(['Subject: \u001b[31m\r\n\r\ntwo\r\nlines', []]);
    const seen = await told((means) => queueShow('j1', options({ raw: true }), means), null, true);
    expect(seen.lines).toEqual(['Subject: \\u{1b}[31m', '', 'two', 'lines']);
  });

  test('why each recipient stands where it does, in sentences', async () => {
    await put('j1', { held: true });
    const { lines } = await told((means) => queueWhy('j1', options(), means));
    expect(lines).toEqual([
      'job j1 for example.net, held',
      '  joe@example.net due',
      expect.stringMatching(/An operator has it held: nothing is done until it is released\.$/),
      '  may@example.net due',
      expect.stringMatching(/An operator has it held/),
    ]);
    const [json] = (await told((means) => queueWhy('j1', options({ json: true }), means))).lines;
    expect(JSON.parse(json!)).toMatchObject({ state: 'held', steps: [[{ what: 'held' }], [{ what: 'held' }]] });
  });

  test.each(['show', 'why'] as const)('%s of a job that is not there is an error, 1', async (command) => {
    const call = command === 'show' ? queueShow : queueWhy;
    const error = await told((means) => call('none\u001b', options(), means)).catch((one: unknown) => one);
    expect(error).toBeInstanceOf(QueueError);
    expect(error).toMatchObject({ exit: 1, message: 'there is no job none\\u{1b} in the queue' });
  });
});

describe('wishes', () => {
  test('hold, release and retry of those that are named, or selected', async () => {
    for (const id of ['a', 'b', 'c']) await put(id);
    expect(await wish('hold', ['a', 'b'])).toMatchObject({ code: 0, lines: ['hold: 2 jobs: 2 done'], warned: [] });
    expect(await wish('release', [], { state: 'held' })).toMatchObject({ code: 0, lines: ['release: 2 jobs: 2 done'] });
    expect(await wish('retry', [], { all: true, json: true })).toMatchObject({
      code: 0,
      lines: ['{"id":"a","result":"done"}', '{"id":"b","result":"done"}', '{"id":"c","result":"done"}'],
    });
    expect((await queue.take(10)).length).toBe(3);
  });

  test('more names than one request has', async () => {
    const names = Array.from({ length: 45 }, (_, i) => `j${i} /?&é`);
    for (const id of names) await put(id);
    expect(await wish('hold', names)).toMatchObject({ code: 0, lines: ['hold: 45 jobs: 45 done'] });
  });

  test('what is gone, and what another relay has, is told, and the exit code is 1', async () => {
    await put('a', { due: 0 });
    await queue.take(1);
    const { code, lines, warned } = await wish('hold', ['a', 'none']);
    expect([code, lines]).toEqual([1, ['hold: 2 jobs: 1 leased, 1 gone']]);
    expect(warned).toEqual([
      'a: another relay has it, or this one that stops; nothing was done: ask that one, or once more in a while',
      'none: there is no such job in the queue (any more)',
    ]);
    expect(await wish('retry', [], { domain: 'none.example' })).toMatchObject({ code: 1, lines: ['retry: no jobs'] });
  });

  test('what can not be taken back is asked about, with how much it is', async () => {
    await put('a');
    await put('b', { held: true });
    expect(await wish('delete', [], { all: true }, false)).toMatchObject({
      code: 1,
      asked: ['2 jobs: 1 waiting, 1 held; delete them, and tell nobody? [y/N] '],
    });
    expect(queue.size).toBe(2);
    expect(await wish('bounce', ['a'], {}, true)).toMatchObject({
      code: 0,
      asked: ['1 job: 1 waiting; give them up, and tell their senders? [y/N] '],
    });
    expect(await wish('delete', ['b'], {}, true)).toMatchObject({ code: 0, lines: ['delete: 1 job: 1 done'] });
    expect(queue.size).toBe(1);
    expect(await wish('delete', ['none'], {}, true)).toMatchObject({ code: 1, asked: [], lines: ['no jobs'] });
  });

  test('where nobody sits, it needs --yes', async () => {
    await put('a');
    await expect(wish('delete', ['a'])).rejects.toMatchObject({ exit: 2, message: 'delete is for ever: give --yes' });
    expect(await wish('delete', ['a'], { yes: true })).toMatchObject({ code: 0 });
    expect(queue.size).toBe(0);
  });

  test('a wish for nothing is none', async () => {
    await put('a');
    await expect(wish('delete', [], { yes: true })).rejects.toMatchObject({ exit: 2 });
    expect(queue.size).toBe(1);
  });

  test('the command itself, where standard input is no terminal', async ({ run }) => {
    await put('a');
    const asked = run(['queue', 'bounce', 'a', '--socket', socket], {}, '');
    expect([await asked.exited, asked.errors]).toEqual([2, 'ehlo: bounce is for ever: give --yes\n']);
    const meant = run(['queue', 'delete', '--domain', 'example.net', '--yes', '--socket', socket], {}, '');
    expect([await meant.exited, meant.lines]).toEqual([0, ['delete: 1 job: 1 done']]);
  });
});

describe('status', () => {
  test('how the relay fares, and its queue', async () => {
    await put('a', { due: Date.now() - TEN_DAYS });
    await put('b');
    const { lines } = await told((means) => queueStatus(options(), means));
    expect(lines).toEqual([
      expect.stringMatching(/^relay mx\.example\.org: new for \d+ s, 0 jobs here, 0 orders under way$/),
      'queue 2 jobs: 0 leased, 1 due (since 10 d), 1 waiting, 0 held',
    ]);
    const [json] = (await told((means) => queueStatus(options({ json: true }), means))).lines;
    expect(JSON.parse(json!)).toMatchObject({ version: 1, hostname: 'mx.example.org', queue: { due: 1 } });
  });

  test('it is followed until the relay has stopped', async ({ run }) => {
    const cli = run(['queue', 'status', '--follow', '--socket', socket]);
    await cli.line(/^relay mx\.example\.org/);
    await open.close();
    await cli.line(/^the relay has stopped$/);
    expect(await cli.exited).toBe(0);
  });
});

describe('what can not be asked', () => {
  test('no relay, and what is none', async () => {
    const nobody = told((means) => queueList(options({ socket: join(folder, 'none') }), means));
    await expect(nobody).rejects.toMatchObject({ exit: 69, message: expect.stringMatching(/^no relay listens on \S+none: start it/) });
    const other = createServer((_, response) => response.end('<html>\n'));
    const path = join(folder, 'other');
    await new Promise<void>((done) => other.listen(path, done));
    await expect(told((means) => queueStatus(options({ socket: path }), means))).rejects.toMatchObject({
      message: `${path}: what listens there is no relay`,
    });
    await new Promise((done) => other.close(done));
  });

  test('an answer that breaks off is told so', async () => {
    await put('a');
    const [shown] = (await told((means) => queueList(options({ json: true }), means))).lines;
    const cut = createServer((_, response) => {
      response.write(`${shown}\n`);
      setTimeout(() => response.destroy(), 20);
    });
    const path = join(folder, 'cut');
    await new Promise<void>((done) => cut.listen(path, done));
    await expect(told((means) => queueList(options({ socket: path }), means))).rejects.toThrow(/has broken off: this is not all of it/);
    await new Promise((done) => cut.close(done));
  });

  test('what the relay says of a wrong selection is said', async ({ run }) => {
    await expect(told((means) => queueList(options({ state: 'gone' }), means))).rejects.toMatchObject({
      exit: 2,
      message: expect.stringMatching(/^state is one of/),
    });
    const cli = run(['queue', 'list', '--state', 'gone', '--socket', socket]);
    expect([await cli.exited, cli.errors]).toEqual([2, expect.stringContaining('Allowed choices are leased, held, waiting, due')]);
  });
});
