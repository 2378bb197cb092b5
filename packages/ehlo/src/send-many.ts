import type { Client, RecipientOutcome, SendResult } from '#adapter';
import { ClientError, Pool } from '#adapter';
import type { TextEnvelope } from './header-letter.ts';
import type { Letter } from './send-message.ts';
import type { Progress, SendPrinter } from './send-printer.ts';
import type { TimeTable } from './timing.ts';

/** How many messages, by how many connections at a time. */
export interface Amount {
  readonly count: number;
  readonly concurrency: number;
}

/**
 * Sends one message after the other by a pool whose first connection is there, and shows how far it is. Resolves with the outcomes that matter for
 * the exit code: the first of each kind.
 */
export async function sendMany(
  { count, concurrency }: Amount,
  open: () => Promise<Client>,
  { reversePath, recipients }: TextEnvelope,
  next: () => Promise<Letter>,
  printer: SendPrinter,
  table: TimeTable,
  bar: Progress,
  signal: AbortSignal,
): Promise<readonly RecipientOutcome[]> {
  const pool = new Pool(open, { size: concurrency });
  const statuses = { accepted: 0, refused: 0, unsent: 0, unknown: 0 };
  const kinds = new Map<string, RecipientOutcome>();
  const began = performance.now();
  const seconds = (): number => (performance.now() - began) / 1000;
  const sending = new Set<Promise<void>>();
  let [begun, done] = [0, 0];
  const settled = (number: number, { outcomes, error }: SendResult): void => {
    for (const outcome of outcomes) {
      statuses[outcome.status]++;
      kinds.set(`${outcome.status} ${outcome.retry}`, outcome);
      printer.one(number, outcome, outcome.status === 'unsent' && error instanceof ClientError ? error.message : undefined);
    }
    bar.show(++done, done / seconds());
  };
  try {
    while (begun < count && !signal.aborted) {
      await pool.room();
      if (signal.aborted) break;
      const number = ++begun;
      const { message, facts } = await next();
      const sent: Promise<void> = pool
        .send({ reversePath, recipients }, message, { signal, ...(facts === undefined ? {} : { facts }) })
        .then((result) => settled(number, result))
        .finally(() => sending.delete(sent));
      sending.add(sent);
    }
    await Promise.all(sending);
  } finally {
    await pool.close({ now: signal.aborted });
  }
  bar.clear();
  printer.tally({ messages: begun, seconds: seconds(), statuses }, table.rows);
  return [...kinds.values()];
}
