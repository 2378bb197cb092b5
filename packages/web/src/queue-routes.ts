import { type Answer, json, Refused } from './answer.ts';
import { type Asked, numberOf, type Route } from './router.ts';

/** A job of a relay's queue, as far as the page looks at it: what the relay says of it as JSON. */
export interface QueueJob {
  readonly id: string;
  readonly domain: string;
  readonly due: number;
  readonly tries?: number;
  readonly message: { readonly id: string; readonly reversePath: string; readonly arrived: number; readonly size: number };
  readonly recipients: readonly QueueRecipient[];
}

export interface QueueRecipient {
  readonly address: string;
  readonly state: string;
  readonly last?: {
    readonly at: number;
    readonly status: string;
    readonly category: string;
    readonly host?: string;
    readonly reply?: { readonly code: number; readonly lines: readonly string[] };
  };
}

export interface QueueEntry {
  readonly state: string;
  readonly job: QueueJob;
}

/** With the steps that led to where each recipient stands, oldest first. */
export interface QueueSteps extends QueueEntry {
  readonly steps: readonly (readonly { readonly at: number; readonly text: string }[])[];
}

/** A relay's queue. What it rejects with is shown as it is. */
export interface QueueSource {
  status(): Promise<object>;
  /** Jobs by filters of their names; as many as are taken. */
  jobs(filters: readonly (readonly [name: string, value: string])[]): AsyncIterable<QueueEntry>;
  /** Null: there is no such job. */
  why(id: string): Promise<QueueSteps | null>;
  /** What became of a wish for a job. Absent: the page may look, and no more. */
  readonly wish?: (what: string, id: string) => Promise<string>;
}

/** Ours: jobs in an answer, and recipients of one that are shown. */
const MOST_JOBS = 200;
const MOST_RECIPIENTS = 100;
const FILTERS = ['state', 'domain', 'sender', 'recipient', 'message', 'older'] as const;
const WISHES: ReadonlySet<string> = new Set(['retry', 'hold', 'release', 'delete', 'bounce']);

/** What is told of a relay's queue; it changes nothing but where its source can. */
export function queueRoutes(source: QueueSource | null): readonly Route[] {
  const route = (method: Route['method'], path: string, answer: (queue: QueueSource, asked: Asked) => Promise<Answer>): Route => ({
    method,
    path,
    answer: async (asked) => {
      if (source === null) throw new Refused(404, 'no queue is shown: the server was started without --web-queue');
      try {
        return await answer(source, asked);
      } catch (error) {
        if (error instanceof Refused) throw error;
        throw new Refused(502, error instanceof Error ? error.message : String(error));
      }
    },
  });
  return [
    route('GET', '/api/queue', async (queue) => json({ operable: queue.wish !== undefined, status: await queue.status() })),
    route('GET', '/api/queue/jobs', async (queue, { query, signal }) => {
      const most = numberOf(query, 'most', { least: 1, most: MOST_JOBS, otherwise: 100 });
      if (query.has('older')) numberOf(query, 'older', { least: 0, most: Number.MAX_SAFE_INTEGER, otherwise: 0 });
      const filters = FILTERS.flatMap((name) => (query.has(name) ? [[name, query.get(name)!] as const] : []));
      const jobs: object[] = [];
      for await (const entry of queue.jobs(filters)) {
        if (jobs.length === most || signal.aborted) return json({ jobs, more: true });
        jobs.push(summaryOf(entry));
      }
      return json({ jobs, more: false });
    }),
    route('GET', '/api/queue/jobs/{id}', async (queue, { params }) => {
      const found = await queue.why(params.id!);
      if (found === null) throw new Refused(404, 'there is no such job in the queue: it is over, or never was');
      const recipients = found.job.recipients.slice(0, MOST_RECIPIENTS).map(({ address, state, last }, i) => {
        const steps = (found.steps[i] ?? []).map(({ at, text }) => ({ at, text }));
        return { address, state, ...(last === undefined ? {} : { said: saidText(last) }), steps };
      });
      return json({ ...summaryOf(found), recipients, others: Math.max(0, found.job.recipients.length - MOST_RECIPIENTS) });
    }),
    route('POST', '/api/queue/jobs/{id}/{wish}', async (queue, { params }) => {
      const { id = '', wish = '' } = params;
      if (!WISHES.has(wish)) throw new Refused(404, `there is ${[...WISHES].join(', ')}`);
      if (queue.wish === undefined)
        throw new Refused(403, 'the queue may be looked at only: the server was started without --web-queue-operate');
      return json({ id, result: await queue.wish(wish, id) });
    }),
  ];
}

function summaryOf({ state, job }: QueueEntry): object {
  const { id, domain, due, tries = 0, message, recipients } = job;
  const open = recipients.filter((one) => one.state === 'due');
  const [first] = open.length > 0 ? open : recipients;
  const last = open.find((one) => one.last !== undefined)?.last;
  return {
    id,
    state,
    message: message.id,
    from: message.reversePath,
    to: first?.address ?? domain,
    open: open.length,
    domain,
    due,
    arrived: message.arrived,
    octets: message.size,
    tries,
    last: last === undefined ? null : saidText(last),
  };
}

function saidText({ status, category, host, reply }: NonNullable<QueueRecipient['last']>): string {
  const said = reply === undefined ? '' : `: ${reply.code} ${reply.lines.join(' ')}`;
  return `${status} ${category}${host === undefined ? '' : `, ${host}`}${said}`.slice(0, 2000);
}
