import { FINAL_STATES, isAcceptance, type JobCounts, putOf } from '@ehlo/delivery';
import { type Distribution, type Family, openMetrics, type Sample } from './openmetrics.ts';
import type { Seen } from './seen.ts';

/** What is read when the text is made. */
export interface Gauges {
  readonly hostname: string;
  /** Of the queue; null: it could not be counted. */
  readonly queue: JobCounts | null;
  readonly now: number;
  /** When the relay was started. */
  readonly started: number;
  /** Jobs that it has, and orders that are under way. */
  readonly leased: number;
  readonly open: number;
  /** Open sessions of clients; absent: not counted. */
  readonly clients?: number;
}

/** Upper bounds in seconds. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/** Ours: values of a label; what would be one more counts as `other`. */
const MOST_VALUES = 100;

/** What is counted: the name of each family, the label that tells its samples apart, and what it says. */
const COUNTERS = {
  ehlo_messages: { label: null, help: 'Messages that were taken into the queue.' },
  ehlo_jobs_put: { label: null, help: 'Jobs that were taken into the queue, notices and copies included.' },
  ehlo_recipients: { label: 'state', help: 'Recipients that are final, by how they ended.' },
  ehlo_deferrals: { label: 'category', help: 'Recipients that are tried again later, by what was said or met.' },
  ehlo_unknown: { label: null, help: 'Attempts of which nobody knows whether they have delivered.' },
  ehlo_notices: { label: 'action', help: 'Recipients of which a sender was told.' },
  ehlo_leases_lost: { label: null, help: 'Commits that came when another relay had the job.' },
  ehlo_sessions: { label: 'result', help: 'Sessions with servers that were tried: opened, or the stage at which they failed.' },
  ehlo_tls: {
    label: 'result',
    help: 'TLS of sessions that were tried: verified, unverified, none, or the failure by its name of RFC 8460 4.3.',
  },
  ehlo_lookups: { label: 'result', help: 'Look-ups in the DNS.' },
  ehlo_policies: { label: 'result', help: 'MTA-STS policies that were fetched.' },
  ehlo_failures: { label: 'what', help: 'Calls of the queue, the DNS or the network that broke their promise.' },
  ehlo_wishes: { label: 'what', help: "Operators' wishes." },
} as const satisfies { readonly [name: string]: { readonly label: string | null; readonly help: string } };

type Counter = keyof typeof COUNTERS;

/**
 * Counts what is seen of a relay, and writes it as OpenMetrics text. No label holds an address, a domain or a host: their numbers are bounded.
 *
 * @example
 * ```ts
 * import { Metrics } from '@ehlo/relay/watch';
 * const metrics = new Metrics();
 * metrics.see({ type: 'wished', at: 0, what: 'hold', job: 'j1' });
 * const text = metrics.text({ hostname: 'mx.example.org', queue: null, now: 0, started: 0, leased: 0, open: 0 });
 * [text.includes('ehlo_wishes_total{what="hold"} 1\n'), text.endsWith('# EOF\n')]
 * // → [true, true]
 * ```
 */
export class Metrics {
  readonly #counts = new Map<Counter, Map<string, number>>();
  readonly #commits = new Map<string, { readonly counts: number[]; sum: number }>();
  #sessions = 0;

  see(seen: Seen): void {
    switch (seen.type) {
      case 'put':
        this.#add('ehlo_messages');
        this.#add('ehlo_jobs_put', '', seen.jobs.length);
        this.#commit('put', seen.ms);
        break;
      case 'begun':
        this.#commit('begin', seen.ms);
        break;
      case 'settled':
        this.#commit('settle', seen.ms);
        this.#settled(seen);
        break;
      case 'opened': {
        const { tls, verified, result } = seen.opened;
        this.#sessions++;
        this.#add('ehlo_sessions', 'opened');
        this.#add('ehlo_tls', result ?? (verified ? 'verified' : tls ? 'unverified' : 'none'));
        break;
      }
      case 'unreached':
        this.#add('ehlo_sessions', seen.failed.stage);
        if (seen.failed.result !== undefined) this.#add('ehlo_tls', seen.failed.result);
        break;
      case 'ended':
        this.#sessions--;
        break;
      case 'looked-up':
        this.#add('ehlo_lookups', seen.answer.status);
        break;
      case 'policy':
        this.#add('ehlo_policies', seen.answer.text === null ? (seen.answer.problem ?? 'none') : 'fetched');
        break;
      case 'failed':
        this.#add('ehlo_failures', seen.what);
        break;
      case 'wished':
        this.#add('ehlo_wishes', seen.what);
    }
  }

  /** Everything, as OpenMetrics text. */
  text(gauges: Gauges): string {
    return openMetrics([...gaugeFamilies(gauges, this.#sessions), ...this.#counters(), this.#commitFamily()]);
  }

  #settled({ job, change, isWhole, at }: Extract<Seen, { type: 'settled' }>): void {
    if (!isWhole) this.#add('ehlo_leases_lost');
    for (const one of isWhole ? change.recipients : change.recipients.filter(isAcceptance)) {
      const { state, last, unknown } = one;
      if (state !== 'due') this.#add('ehlo_recipients', state);
      else if (last !== undefined && change.due !== null && change.due > at) this.#add('ehlo_deferrals', last.category);
      if (unknown !== undefined) this.#add('ehlo_unknown');
    }
    const put = isWhole ? change.put : putOf(job, change, { acceptances: true });
    this.#add('ehlo_jobs_put', '', put.length);
    for (const { content } of put) {
      if (content !== 'same') for (const { action } of content.recipients) this.#add('ehlo_notices', action);
    }
  }

  #add(name: Counter, value = '', by = 1): void {
    let counts = this.#counts.get(name);
    if (counts === undefined) {
      counts = new Map();
      this.#counts.set(name, counts);
    }
    const key = counts.has(value) || counts.size < MOST_VALUES ? value : 'other';
    counts.set(key, (counts.get(key) ?? 0) + by);
  }

  #commit(kind: string, ms: number): void {
    let commits = this.#commits.get(kind);
    if (commits === undefined) {
      commits = { counts: Array.from({ length: BOUNDS.length + 1 }, () => 0), sum: 0 };
      this.#commits.set(kind, commits);
    }
    const seconds = Math.max(0, ms / 1000);
    const place = BOUNDS.findIndex((bound) => seconds <= bound);
    commits.counts[place < 0 ? BOUNDS.length : place]!++;
    commits.sum += seconds;
  }

  #counters(): readonly Family[] {
    return Object.entries(COUNTERS).map(([name, { label, help }]) => {
      const counts = this.#counts.get(name as Counter) ?? new Map<string, number>();
      // What is counted without a label is there from the start, as are the ends of recipients: a rate needs a beginning.
      const known: readonly string[] = label === null ? [''] : name === 'ehlo_recipients' ? FINAL_STATES : [];
      const values = [...new Set([...known, ...counts.keys()])];
      return { name, type: 'counter' as const, help, samples: values.map((value) => sampleOf(label, value, counts.get(value) ?? 0)) };
    });
  }

  #commitFamily(): Family {
    const samples = [...this.#commits].map(([kind, { counts, sum }]): Sample => {
      const value: Distribution = { bounds: BOUNDS, counts: [...counts], sum };
      return { labels: { kind }, value };
    });
    const help = 'Commits of the queue: messages that are put, attempts that begin, and what became of them.';
    return { name: 'ehlo_commit_seconds', type: 'histogram', unit: 'seconds', help, samples };
  }
}

function sampleOf(label: string | null, value: string, count: number): Sample {
  return { labels: label === null ? {} : { [label]: value }, value: count };
}

function gaugeFamilies({ hostname, queue, now, started, leased, open, clients }: Gauges, sessions: number): readonly Family[] {
  const gauge = (name: string, help: string, samples: readonly Sample[], unit?: string): Family => {
    return { name, type: 'gauge', help, samples, ...(unit === undefined ? {} : { unit }) };
  };
  const one = (value: number): readonly Sample[] => [{ labels: {}, value }];
  const states = queue === null ? [] : (['leased', 'due', 'waiting', 'held'] as const);
  const oldest = queue === null ? [] : one(queue.oldest === null ? 0 : Math.max(0, now - queue.oldest) / 1000);
  return [
    { name: 'ehlo_relay', type: 'info', help: 'This relay.', samples: [{ labels: { hostname }, value: 1 }] },
    gauge('ehlo_start_time_seconds', 'When it was started, in seconds since 1970.', one(started / 1000), 'seconds'),
    gauge(
      'ehlo_jobs',
      'Jobs of the queue by state, of all relays that share it.',
      states.map((state) => ({ labels: { state }, value: queue![state] })),
    ),
    gauge('ehlo_oldest_due_seconds', 'For how long the first job is due that nobody has taken.', oldest, 'seconds'),
    gauge('ehlo_jobs_here', 'Jobs that this relay has.', one(leased)),
    gauge('ehlo_orders_open', 'Look-ups, sessions, transactions and commits that are under way.', one(open)),
    gauge('ehlo_sessions_open', 'Sessions with servers that are open.', one(sessions)),
    ...(clients === undefined ? [] : [gauge('ehlo_clients_open', 'Sessions of clients that are open.', one(clients))]),
  ];
}
