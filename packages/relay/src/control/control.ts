import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Job, Queue } from '@ehlo/delivery';
import { explainStep, stepsAtRest } from '@ehlo/delivery/words';
import type { Gauges, Metrics } from '../watch/index.ts';
import { Census } from './census.ts';
import { sendLines, sendOctets } from './lines.ts';
import { type MetricsPlace, type MetricsServer, serveMetrics } from './metrics-server.ts';
import { isMeant, isPassedOver, type JobSight, queriesOf, type Selection, SelectionError, selectionOf, stateOf } from './selection.ts';
import { listenPrivately } from './socket.ts';
import type { ControlStatus, JobSteps, ShownJob, WishTold } from './view.ts';
import { type Told, WISHES, type Wish, Wishes } from './wishes.ts';

/** Ours: octets of the first line and the fields of a request, connections at the same time, and milliseconds for a request and for a reader that stands still. */
const MOST_HEADER = 16_384;
const MOST_CONNECTIONS = 64;
const REQUEST_MS = 10_000;
const STILL_MS = 120_000;

export interface ControlOptions {
  readonly queue: Queue;
  /** The runner that works now: it may be another after the relay has read its settings again. */
  readonly runner: () => Told;
  /** The path of the Unix socket, in a folder to which no other user may write. */
  readonly socket: string;
  /** The name of this host. */
  readonly hostname: string;
  /** The clock of the queue. Default: that of the machine. */
  readonly now?: () => number;
  /** Milliseconds for which a count of the whole queue stands. Default: 10,000. */
  readonly recount?: number;
  /** Where OpenMetrics text is read, and what has counted (`watched`). Default: nowhere. */
  readonly metrics?: MetricsPlace & { readonly counts: Metrics };
  /** Sessions of clients that are open: for the metrics. */
  readonly clients?: () => number;
  /** Told of every wish, before it is carried out. */
  readonly wished?: (what: Wish, job: Job) => void;
  /** Told of what went wrong while a request was answered. Default: `process.emitWarning`. */
  readonly failed?: (error: unknown, what: string) => void;
}

export interface Control {
  /** The port of the metrics; 0: there are none. */
  readonly metrics: number;
  /** Ends every connection, and removes the socket. */
  close(): Promise<void>;
}

/**
 * Lets the owner of this process look at a relay and its queue, and operate it, by HTTP over a Unix socket of mode 0600; `ehlo queue` asks it. Rejects with
 * `SocketError` where it can't listen.
 *
 * `GET /v1/status`, `/v1/jobs`, `/v1/why` and `/v1/content`, `POST /v1/retry`, `/v1/hold`, `/v1/release`, `/v1/delete` and `/v1/bounce`; the jobs that are
 * meant are named in the query. Answers are lines of JSON, made as they are read.
 *
 * @example
 * ```ts
 * import { mkdtempSync, rmSync } from 'node:fs';
 * import { Dispatcher, deliverySettings } from '@ehlo/delivery';
 * import { type Means, MemoryQueue, Runner, wallClock } from '@ehlo/relay';
 * import { control } from '@ehlo/relay/control';
 * const hostname = 'mx.example.org';
 * const queue = new MemoryQueue(wallClock);
 * const means: Means = {
 *   queue,
 *   schedule: wallClock,
 *   lookUp: async () => ({ status: 'failed', security: 'indeterminate', ttl: 0 }),
 *   fetchPolicy: async () => ({ text: null }),
 *   open: async () => ({ stage: 'connect' }),
 *   boundary: () => 'b1',
 *   failed: () => {},
 * };
 * const runner = new Runner(new Dispatcher(deliverySettings({ hostname }), Math.random), means, { hostname });
 * const folder = mkdtempSync('/tmp/ehlo-');
 * const open = await control({ queue, runner: () => runner, hostname, socket: `${folder}/control.sock` });
 * await open.close();
 * rmSync(folder, { recursive: true });
 * ```
 */
export async function control(options: ControlOptions): Promise<Control> {
  const desk = new Desk(options);
  const failed = options.failed ?? ((error) => process.emitWarning(error instanceof Error ? error : String(error)));
  const server = createServer(
    { maxHeaderSize: MOST_HEADER, requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, connectionsCheckingInterval: 1000 },
    (request, response) => {
      response.on('error', () => {});
      void desk.answer(request, response).catch((error: unknown) => {
        if (response.destroyed) return;
        failed(error, `${request.method} ${request.url}`);
        if (response.headersSent) response.destroy();
        else refuse(response, 500, 'it failed; the relay has said why');
      });
    },
  );
  server.maxConnections = MOST_CONNECTIONS;
  server.setTimeout(STILL_MS);
  await listenPrivately(server, options.socket);
  server.on('error', (error) => failed(error, 'control'));
  const close = (): Promise<void> =>
    new Promise((done) => {
      server.close(() => done());
      server.closeAllConnections();
    });
  const { metrics } = options;
  let pages: MetricsServer | null = null;
  try {
    pages = metrics === undefined ? null : await serveMetrics(metrics, async () => metrics.counts.text(await desk.gauges()), failed);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    metrics: pages?.port ?? 0,
    close: async () => {
      await Promise.all([pages?.close(), close()]);
    },
  };
}

class Desk {
  readonly #options: ControlOptions;
  readonly #now: () => number;
  readonly #census: Census;
  readonly #started: number;

  constructor(options: ControlOptions) {
    const { queue, runner, now = Date.now, recount = 10_000 } = options;
    this.#options = options;
    this.#now = now;
    this.#census = new Census(queue, (job) => runner().holds(job), now, recount);
    this.#started = now();
  }

  async answer({ method, url = '' }: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = urlOf(url);
    if (asked === null) return refuse(response, 400, 'this is no address');
    const { pathname, searchParams: query } = asked;
    const [, version, what = ''] = pathname.split('/');
    if (version !== 'v1') return refuse(response, 404, 'this relay speaks v1: /v1/status');
    const isWish = WISHES.has(what);
    if (!isWish && !Object.hasOwn(READS, what))
      return refuse(response, 404, `there is /v1/${[...Object.keys(READS), ...WISHES].join(', /v1/')}`);
    const wanted = isWish ? 'POST' : 'GET';
    if (method !== wanted) return refuse(response, 405, `/v1/${what} is for ${wanted}`, { allow: wanted });
    try {
      if (isWish) await sendLines(response, this.#wish(what as Wish, wishedOf(query)));
      else await READS[what as keyof typeof READS](this, query, response);
    } catch (error) {
      if (!(error instanceof SelectionError)) throw error;
      refuse(response, 400, error.message);
    }
  }

  async status(): Promise<ControlStatus> {
    const { runner, hostname, failed } = this.#options;
    const queue = await this.#census.counts().catch((error: unknown) => {
      failed?.(error, 'count');
      return null;
    });
    const { state, size: leased, open } = runner();
    return { version: 1, hostname, state, started: this.#started, now: this.#now(), leased, open, queue };
  }

  /** What the metrics say of now. */
  async gauges(): Promise<Gauges> {
    const { hostname, started, now, leased, open, queue } = await this.status();
    const { clients } = this.#options;
    return { hostname, started, now, leased, open, queue, ...(clients === undefined ? {} : { clients: clients() }) };
  }

  async *jobs(selection: Selection): AsyncGenerator<ShownJob> {
    const where = this.#where();
    for (const query of queriesOf(selection, where.now)) {
      for await (const job of this.#options.queue.find(query))
        if (isMeant(job, selection, where)) yield { state: stateOf(job, where), job };
    }
  }

  async *steps(selection: Selection): AsyncGenerator<JobSteps> {
    const { runner } = this.#options;
    for await (const shown of this.jobs(selection)) {
      const { job } = shown;
      const steps = job.recipients.map((_, index) => {
        const known = runner().why(job.id, index);
        return (known.length > 0 ? known : stepsAtRest(job, index)).map((step) => ({ ...step, text: explainStep(step) }));
      });
      yield { ...shown, steps };
    }
  }

  content(message: string): AsyncIterable<Uint8Array> {
    return this.#options.queue.content(message);
  }

  async *#wish(what: Wish, selection: Selection): AsyncGenerator<WishTold> {
    const { queue, runner, wished } = this.#options;
    const wishes = new Wishes(queue, runner());
    const missing = new Set(selection.ids);
    const began = this.#now();
    for await (const { job } of this.jobs(selection)) {
      if (isPassedOver(what, job, selection, began)) continue;
      missing.delete(job.id);
      wished?.(what, job);
      yield { id: job.id, result: await wishes.wish(job, what) };
    }
    for (const id of missing) yield { id, result: 'gone' };
  }

  #where(): JobSight {
    return { now: this.#now(), holds: (job) => this.#options.runner().holds(job) };
  }
}

/** What is read, by the segment behind the version. */
const READS = {
  status: async (desk: Desk, _query: URLSearchParams, response: ServerResponse): Promise<void> => {
    const text = JSON.stringify(await desk.status());
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(`${text}\n`);
  },
  jobs: (desk: Desk, query: URLSearchParams, response: ServerResponse): Promise<void> => {
    const most = mostOf(query);
    return sendLines(response, first(desk.jobs(selectionOf(query, ['most'])), most));
  },
  why: (desk: Desk, query: URLSearchParams, response: ServerResponse): Promise<void> => {
    const most = mostOf(query);
    return sendLines(response, first(desk.steps(selectionOf(query, ['most'])), most));
  },
  content: async (desk: Desk, query: URLSearchParams, response: ServerResponse): Promise<void> => {
    const { message } = selectionOf(query);
    if (message === undefined) throw new SelectionError('the message is to be named');
    for await (const _ of desk.jobs({ message })) return await sendOctets(response, desk.content(message));
    refuse(response, 404, 'there is no such message in the queue');
  },
};

/** A wish is for jobs that are named in some way: `all` stands for every one. */
function wishedOf(query: URLSearchParams): Selection {
  const selection = selectionOf(query, ['all']);
  const isAll = query.get('all') === 'yes';
  if (Object.keys(selection).length === 0 && !isAll) throw new SelectionError('name jobs by id or another filter, or all=yes');
  return selection;
}

function mostOf(query: URLSearchParams): number {
  const most = query.get('most');
  if (most !== null && !/^[0-9]{1,9}$/.test(most)) throw new SelectionError('most is a whole number');
  return most === null ? Number.POSITIVE_INFINITY : Number(most);
}

function urlOf(url: string): URL | null {
  try {
    return new URL(url, 'http://relay');
  } catch {
    return null;
  }
}

async function* first<T>(all: AsyncIterable<T>, most: number): AsyncGenerator<T> {
  let left = most;
  if (left <= 0) return;
  for await (const one of all) {
    yield one;
    if (--left <= 0) return;
  }
}

function refuse(response: ServerResponse, status: number, error: string, headers: { readonly [name: string]: string } = {}): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers }).end(`${JSON.stringify({ error })}\n`);
}
