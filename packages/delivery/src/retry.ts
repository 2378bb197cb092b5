// When to try again (RFC 5321 4.5.4.1).

import type { EpochMs, Job } from './job.ts';
import { type DeliverySettings, expiryOf } from './settings.ts';

/**
 * When a job is due after a try that failed at `now`: a pause by the number of its tries, longer by chance (a number from 0 to 1), but no
 * later than the time at which its sender is told of the delay, or at which it expires.
 *
 * @example
 * ```ts
 * import { deliverySettings, dueAfter } from '@ehlo/delivery';
 * const message = { id: 'm', reversePath: '', arrived: 0, size: 0 };
 * const job = { version: 1 as const, id: 'j', message, domain: 'example.net', recipients: [], due: 0 };
 * dueAfter(job, 1, 0, 0, deliverySettings({ hostname: 'mx.example.org' })) / 60_000
 * // → 30
 * ```
 */
export function dueAfter(job: Job, tries: number, now: EpochMs, chance: number, settings: DeliverySettings): EpochMs {
  const { pauses, jitter, delayed } = settings;
  const { message } = job;
  const pause = pauses[Math.min(tries, pauses.length) - 1]!;
  const next = now + Math.round(pause * (1 + jitter * chance));
  const soonest = now + Math.min(pauses[0]!, pause);
  // Not much later than it expires, and at the time at which the sender is to be told; but no pause is shorter than the first.
  const expiry = Math.max(expiryOf(settings, message), soonest);
  const late = delayed > 0 && delayedAt(job, settings) >= soonest ? delayedAt(job, settings) : next;
  // RFC 2852 4.1.3: under mode R nothing is tried after the by-time, and under N the sender is told then, however near that is.
  const by = message.by !== undefined && message.by.until > now ? message.by.until : next;
  return Math.min(next, expiry, late, by);
}

/** From when on a failed try tells the sender that the message is late. */
export function delayedAt({ message }: Job, { delayed }: DeliverySettings): EpochMs {
  return Math.max(message.arrived, message.release ?? 0) + delayed;
}
