// What is seen of a relay: as a log of each message's life, and as OpenMetrics text that a strict reader takes.
import { type DeliveryOutcome, Dispatcher, deliverySettings, type Job } from '@ehlo/delivery';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Runner } from '../src/runner/index.ts';
import { type Gauges, type LogEvent, logEvents, Metrics, type Seen, watched } from '../src/watch/index.ts';
import { openMetrics } from '../src/watch/openmetrics.ts';
import { readOpenMetrics } from './openmetrics-reader.ts';
import { ACCEPTED, refused, World } from './world.ts';

const HOUR = 3_600_000;

/** A world whose means are watched. */
class Watched extends World {
  readonly seen: Seen[] = [];
  readonly metrics = new Metrics();
  readonly watched = watched(this.means, (seen) => {
    this.seen.push(seen);
    this.metrics.see(seen);
  });
  readonly relay: Runner;

  constructor(...args: ConstructorParameters<typeof World>) {
    super(...args);
    const [, options] = args;
    const settings = deliverySettings({ hostname: 'mx.example.org', jitter: 0, allow: ['documentation'], sts: false, ...options });
    this.relay = new Runner(new Dispatcher(settings, () => 0), this.watched, { hostname: 'mx.example.org', most: 100, poll: 60_000 });
  }

  override async put(...args: Parameters<World['put']>): Promise<void> {
    // By the queue that is watched.
    const { put } = this.queue;
    this.queue.put = async (jobs, content) => {
      this.queue.put = put;
      return await this.watched.queue.put(jobs, content as AsyncIterable<Uint8Array>);
    };
    await super.put(...args);
  }

  get events(): readonly LogEvent[] {
    return this.seen.flatMap(logEvents);
  }

  /** The events of messages, without their times. */
  get life(): readonly object[] {
    return this.events
      .filter(({ event }) => !['connected', 'disconnected', 'unreached'].includes(event))
      .map(({ at: _, ...event }) => event);
  }

  text(more: Partial<Gauges> = {}): string {
    return this.metrics.text({ hostname: 'mx.example.org', queue: null, now: this.time.now(), started: 0, leased: 0, open: 0, ...more });
  }

  /** The value of a sample. */
  value(name: string, labels: { readonly [name: string]: string } = {}): number | undefined {
    const key = JSON.stringify(labels);
    return readOpenMetrics(this.text())
      .flatMap(({ samples }) => samples)
      .find((one) => one.name === name && JSON.stringify(one.labels) === key)?.value;
  }
}

describe('the log', () => {
  test('a message that is taken at once: put, attempt, outcome, final', async () => {
    const world = new Watched();
    await world.put(['joe@example.net', 'may@example.net']);
    world.relay.start();
    await world.time.runUntil(1000);
    const name = { job: 'j-m', message: 'm' };
    const accepted = { state: 'relayed', status: '2.0.0', category: 'accepted', host: 'example.net', reply: '250 OK' };
    expect(world.life).toEqual(
      [
        {
          event: 'put',
          ...name,
          from: 'ann@example.org',
          domain: 'example.net',
          octets: 24,
          to: ['joe@example.net', 'may@example.net'],
        },
        { event: 'attempt', ...name, attempt: 1, to: ['joe@example.net', 'may@example.net'] },
        { event: 'outcome', ...name, attempt: 1, to: 'joe@example.net', ...accepted },
        { event: 'outcome', ...name, attempt: 1, to: 'may@example.net', ...accepted },
        { event: 'final', ...name, seconds: 0, tries: 0 },
      ].map((one) => expect.objectContaining(one) as object),
    );
  });

  test('one that is deferred, told of as late, and refused in the end', async () => {
    let code = 451;
    const world = new Watched({ outcome: (address) => (address.startsWith('joe') ? refused(code) : ACCEPTED) });
    await world.put(['joe@example.net']);
    world.relay.start();
    await world.time.runUntil(5 * HOUR);
    code = 550;
    await world.time.runUntil(24 * HOUR);
    const own = world.events.filter(({ job }) => job === 'j-m').map(({ event }) => event);
    expect(own.slice(0, 4)).toEqual(['put', 'attempt', 'outcome', 'deferred']);
    expect(own.slice(-4)).toEqual(['attempt', 'outcome', 'notice', 'final']);
    const notices = world.events.filter(({ event }) => event === 'notice');
    expect(notices.map(({ tells, for: to }) => [tells, to])).toEqual([
      [['delayed 4.0.0 joe@example.net'], 'ann@example.org'],
      [['failed 5.0.0 joe@example.net'], 'ann@example.org'],
    ]);
    // Each notice is a job of its own, whose life goes on from there.
    for (const { notice } of notices) expect(world.events.filter(({ job }) => job === notice).map(({ event }) => event)).toContain('final');
    expect(world.value('ehlo_notices_total', { action: 'failed' })).toBe(1);
    expect(world.value('ehlo_notices_total', { action: 'delayed' })).toBe(1);
    expect(world.value('ehlo_recipients_total', { state: 'failed' })).toBe(1);
    expect(world.value('ehlo_recipients_total', { state: 'relayed' })).toBe(2);
    expect(world.value('ehlo_deferrals_total', { category: 'system' })).toBeGreaterThan(2);
  });

  test('an outcome that nobody knows is told, and counted', async () => {
    const unknown: DeliveryOutcome = { status: 'unknown', reply: null };
    const outcomes = [unknown, ACCEPTED];
    const world = new Watched({ outcome: () => outcomes.shift() ?? ACCEPTED });
    await world.put(['joe@example.net']);
    world.relay.start();
    await world.time.runUntil(10 * HOUR);
    expect(world.events.find(({ event }) => event === 'outcome')).toMatchObject({ state: 'due', category: 'unknown', unknown: 1 });
    expect(world.value('ehlo_unknown_total')).toBe(1);
  });

  test('a lease that is lost: what was accepted is told, and nothing else', async () => {
    const world = new Watched({ outcome: (address) => (address.startsWith('joe') ? ACCEPTED : refused(550)) });
    world.queue.settle = async () => false;
    await world.put(['joe@example.net', 'may@example.net']);
    world.relay.start();
    await world.time.runUntil(1000);
    expect(world.life.slice(2)).toEqual([
      expect.objectContaining({ event: 'outcome', to: 'joe@example.net', state: 'relayed' }),
      { event: 'lost', job: 'j-m', message: 'm' },
    ]);
    expect(world.value('ehlo_leases_lost_total')).toBe(1);
    expect(world.value('ehlo_recipients_total', { state: 'failed' })).toBe(0);
  });

  test('servers that are not to be had, look-ups that fail, calls that break their promise', async () => {
    const world = new Watched();
    world.means.open = async () => ({ stage: 'tls', result: 'certificate-expired', text: 'expired\u001b[31m' });
    await world.put(['joe@example.net']);
    world.relay.start();
    await world.time.runUntil(1000);
    const unreached = world.events.find(({ event }) => event === 'unreached');
    expect(unreached).toMatchObject({ host: 'example.net', address: '192.0.2.1', port: 25, stage: 'tls', result: 'certificate-expired' });
    expect(unreached?.text).toBe('expired\u001b[31m');
    expect(world.value('ehlo_sessions_total', { result: 'tls' })).toBeGreaterThan(0);
    expect(world.value('ehlo_tls_total', { result: 'certificate-expired' })).toBeGreaterThan(0);
    const deaf = new Watched();
    deaf.means.lookUp = async () => ({ status: 'failed', security: 'indeterminate', ttl: 0 });
    await deaf.put(['joe@example.net']);
    deaf.relay.start();
    await deaf.time.runUntil(1000);
    expect(deaf.events.find(({ event }) => event === 'lookup-failed')).toMatchObject({ name: 'example.net', rr: 'MX' });
    expect(deaf.value('ehlo_lookups_total', { result: 'failed' })).toBeGreaterThan(0);
    deaf.watched.failed(new Error('no\nspace'), 'settle');
    expect(deaf.events.at(-1)).toMatchObject({ event: 'failed', what: 'settle', error: 'no\nspace' });
    expect(deaf.value('ehlo_failures_total', { what: 'settle' })).toBe(1);
  });

  test('sessions are open until they have ended', async () => {
    const world = new Watched();
    await world.put(['joe@example.net']);
    world.relay.start();
    await world.time.runUntil(100);
    expect(world.value('ehlo_sessions_open')).toBe(1);
    await world.relay.stop();
    expect(world.value('ehlo_sessions_open')).toBe(0);
    expect(world.events.map(({ event }) => event)).toEqual(expect.arrayContaining(['connected', 'disconnected']));
  });

  test('of very many recipients a hundred are named, and the others counted', () => {
    const recipients = Array.from({ length: 250 }, (_, i) => ({ address: `a${i}@b.example`, state: 'due' as const }));
    const message = { id: 'm', reversePath: '', arrived: 0, size: 1 };
    const job: Job = { version: 1, id: 'j', message, domain: 'b.example', recipients, due: 60_000 };
    const [event] = logEvents({ type: 'put', at: 0, jobs: [job], ms: 1 });
    expect([(event!.to as string[]).length, event!.others, event!.due]).toEqual([100, 150, '1970-01-01T00:01:00.000Z']);
  });
});

describe('the metrics', () => {
  test('a strict reader takes them, before anything has happened and after a day of trouble', async () => {
    const world = new Watched({ outcome: (address) => (address.startsWith('j') ? refused(451) : ACCEPTED) });
    expect(readOpenMetrics(world.text()).map(({ name }) => name)).toContain('ehlo_messages');
    for (let i = 0; i < 5; i++) await world.put([`joe${i}@example.net`, 'may@example.net'], 'x\r\n', { id: `m${i}` });
    world.relay.start();
    await world.time.runUntil(24 * HOUR);
    const queue = await world.queue.count();
    const families = readOpenMetrics(world.text({ queue, clients: 3, leased: world.relay.size, open: world.relay.open }));
    const commits = families.find(({ name }) => name === 'ehlo_commit_seconds');
    expect(commits).toMatchObject({ type: 'histogram', unit: 'seconds' });
    expect(commits!.samples.find(({ name, labels }) => name === 'ehlo_commit_seconds_count' && labels.kind === 'put')?.value).toBe(5);
    expect(families.find(({ name }) => name === 'ehlo_jobs')?.samples.map(({ labels, value }) => [labels.state, value])).toEqual([
      ['leased', queue.leased],
      ['due', queue.due],
      ['waiting', 5],
      ['held', 0],
    ]);
    expect(families.find(({ name }) => name === 'ehlo_clients_open')?.samples[0]?.value).toBe(3);
    expect(world.value('ehlo_recipients_total', { state: 'relayed' })).toBe(
      5 + Number(world.value('ehlo_notices_total', { action: 'delayed' })),
    );
  });

  test('how long the first job is due: nothing where none is', () => {
    const world = new Watched();
    const oldest = (queue: Gauges['queue']): unknown =>
      readOpenMetrics(world.text({ queue, now: 90_000 }))
        .find(({ name }) => name === 'ehlo_oldest_due_seconds')
        ?.samples.map(({ value }) => value);
    expect(oldest({ leased: 0, due: 1, waiting: 0, held: 0, oldest: 30_000 })).toEqual([60]);
    expect(oldest({ leased: 0, due: 0, waiting: 0, held: 0, oldest: null })).toEqual([0]);
    expect(oldest(null)).toEqual([]);
  });

  test('values of a label are bounded, whatever comes', () => {
    const metrics = new Metrics();
    for (let i = 0; i < 1000; i++) metrics.see({ type: 'failed', at: 0, what: `call-${i}`, error: null });
    const text = metrics.text({ hostname: 'h', queue: null, now: 0, started: 0, leased: 0, open: 0 });
    const samples = readOpenMetrics(text).find(({ name }) => name === 'ehlo_failures')!.samples;
    expect(samples).toHaveLength(101);
    expect(samples.find(({ labels }) => labels.what === 'other')?.value).toBe(900);
  });

  test('labels and numbers of any kind are read as they were', () => {
    const number = fc.oneof(fc.double({ noNaN: true }), fc.integer());
    const labels = fc.dictionary(fc.stringMatching(/^[a-z_][a-z0-9_]{0,9}$/), fc.string({ unit: 'binary' }), { maxKeys: 3 });
    fc.assert(
      fc.property(labels, number, fc.string({ unit: 'binary' }), (given, value, help) => {
        const text = openMetrics([{ name: 'x', type: 'gauge', help, samples: [{ labels: given, value }] }]);
        const [family] = readOpenMetrics(text);
        expect(family!.help).toBe(help);
        expect(family!.samples[0]).toEqual({ name: 'x', labels: given, value: Object.is(value, -0) ? 0 : value });
      }),
    );
  });
});

describe('the strict reader', () => {
  const GOOD = '# TYPE a counter\n# HELP a Words.\na_total 1\n# EOF\n';
  test.each([
    ['no end', GOOD.replace('# EOF\n', '')],
    ['something behind the end', `${GOOD}a_total 2\n`],
    ['an empty line', GOOD.replace('a_total', '\na_total')],
    ['CRLF', GOOD.replaceAll('\n', '\r\n')],
    ['a counter without _total', GOOD.replace('a_total', 'a')],
    ['a counter that is negative', GOOD.replace(' 1\n', ' -1\n')],
    ['a sample without a family', GOOD.replace('a_total', 'b_total')],
    ['the same sample twice', GOOD.replace('a_total 1\n', 'a_total 1\na_total 1\n')],
    ['a family that is told apart', '# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# TYPE a gauge\na 2\n# EOF\n'],
    ['a unit that is not in the name', GOOD.replace('# HELP', '# UNIT a seconds\n# HELP')],
    ['a label without quotes', GOOD.replace('a_total', 'a_total{b=c}')],
    ['a label twice', GOOD.replace('a_total', 'a_total{b="c",b="d"}')],
    ['an escape that is none', GOOD.replace('a_total', 'a_total{b="\\')],
    ['two spaces', GOOD.replace(' 1\n', '  1\n')],
    ['buckets that shrink', '# TYPE a histogram\na_bucket{le="1.0"} 2\na_bucket{le="+Inf"} 1\na_count 1\na_sum 1\n# EOF\n'],
    ['buckets without an end', '# TYPE a histogram\na_bucket{le="1.0"} 2\na_count 2\na_sum 1\n# EOF\n'],
    ['a count that is another', '# TYPE a histogram\na_bucket{le="+Inf"} 1\na_count 2\na_sum 1\n# EOF\n'],
  ])('takes no %s', (_, text) => {
    expect(() => readOpenMetrics(text)).toThrow();
    expect(readOpenMetrics(GOOD)).toHaveLength(1);
  });
});
