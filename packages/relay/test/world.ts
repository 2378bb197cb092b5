// Means of tables: names, hosts that answer, and everything that was asked.

import {
  type DeliveryOptions,
  type DeliveryOutcome,
  Dispatcher,
  deliverySettings,
  type Job,
  newJob,
  type OpenOrder,
  type Queue,
  type Transaction,
} from '@ehlo/delivery';
import { MemoryQueue } from '../src/memory-queue.ts';
import { type Means, type RemoteSession, Runner, type Schedule } from '../src/runner/index.ts';
import { VirtualTime } from './virtual-time.ts';

interface Sent {
  readonly address: string;
  readonly transaction: Transaction;
  readonly content: string;
}

export interface Tables {
  /** How often leases are renewed. */
  readonly renewal?: number;
  readonly outcome?: (address: string) => DeliveryOutcome;
  /** What a session does before it sends, or behind it. */
  readonly before?: () => Promise<void>;
  readonly behind?: () => Promise<void>;
  /** The queue and the clock as its process sees them. */
  readonly seen?: { queue(queue: MemoryQueue): Queue; schedule(time: VirtualTime): Schedule };
}

export const ACCEPTED: DeliveryOutcome = { status: 'accepted', reply: { code: 250, lines: ['OK'] } };

export function refused(code: number): DeliveryOutcome {
  return { status: 'refused', stage: 'rcpt', permanent: code >= 500, reply: { code, lines: ['no'] } };
}

/** A runner over a queue, in virtual time; several worlds may share both. */
export class World {
  readonly time: VirtualTime;
  readonly queue: MemoryQueue;
  readonly sent: Sent[] = [];
  readonly failures: string[] = [];
  readonly means: Means;
  readonly runner: Runner;
  closed = 0;

  constructor(tables: Tables = {}, options: Partial<DeliveryOptions> = {}, shared?: World) {
    this.time = shared?.time ?? new VirtualTime();
    this.queue = shared?.queue ?? new MemoryQueue({ now: () => this.time.now() });
    this.means = {
      queue: tables.seen?.queue(this.queue) ?? this.queue,
      schedule: tables.seen?.schedule(this.time) ?? this.time,
      lookUp: async ({ rr }) =>
        rr === 'A'
          ? { status: 'found', security: 'insecure', ttl: 60, addresses: ['192.0.2.1'] }
          : { status: 'empty', security: 'insecure', ttl: 60 },
      fetchPolicy: async () => ({ text: null }),
      open: async (order) => this.#session(order, tables),
      boundary: () => 'boundary',
      failed: (_, what) => this.failures.push(what),
    };
    const settings = deliverySettings({ hostname: 'mx.example.org', jitter: 0, allow: ['documentation'], sts: false, ...options });
    this.runner = new Runner(new Dispatcher(settings, () => 0), this.means, {
      hostname: 'mx.example.org',
      most: 100,
      ...(tables.renewal === undefined ? {} : { renewal: tables.renewal }),
    });
  }

  /** A message of one job. */
  async put(recipients: readonly string[], text = 'Subject: hello\r\n\r\ntext\r\n', message: Partial<Job['message']> = {}): Promise<void> {
    const octets = new TextEncoder().encode(text);
    const whole = { id: 'm', reversePath: 'ann@example.org', arrived: this.time.now(), size: octets.length, ...message };
    const to = recipients.map((address) => ({ address }));
    await this.queue.put([newJob(`j-${whole.id}`, whole, 'example.net', to)], [octets]);
  }

  #session({ target }: OpenOrder, { outcome = () => ACCEPTED, before, behind }: Tables): RemoteSession {
    const ended = withResolvers();
    return {
      opened: { extensions: {}, tls: false, verified: false },
      send: async (transaction, content) => {
        await before?.();
        let text = '';
        try {
          for await (const bytes of content) text += new TextDecoder().decode(bytes);
        } catch {
          ended.resolve();
          const unsent: DeliveryOutcome = { status: 'unsent', stage: 'data', cause: 'message', reply: null };
          return { outcomes: transaction.recipients.map(() => unsent), open: false };
        }
        this.sent.push({ address: target.address, transaction, content: text });
        await behind?.();
        return { outcomes: transaction.recipients.map(({ address }) => outcome(address)), open: true };
      },
      close: () => {
        this.closed++;
        ended.resolve();
      },
      ended: ended.promise,
    };
  }
}

export function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
