// When to try again (RFC 5321 4.5.4.1).

import type { EpochMs, Job, Message } from './job.ts';
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
  const { pauses, jitter } = settings;
  const { message } = job;
  const pause = pauses[Math.min(tries, pauses.length) - 1]!;
  const next = now + Math.round(pause * (1 + jitter * chance));
  const soonest = now + Math.min(pauses[0]!, pause);
  // Not much later than it expires, and at the time at which the sender is to be told; but no pause is shorter than the first.
  const expiry = Math.max(expiryOf(settings, message), soonest);
  const late = delayedAt(job, settings);
  return byTime(message, Math.min(next, expiry, late >= soonest ? late : next), now);
}

/** RFC 2852 4.1.3: under mode R nothing is tried after the by-time, and under N the sender is told then, however near that is. */
export function byTime({ by }: Message, due: EpochMs, now: EpochMs): EpochMs {
  return by !== undefined && by.until > now ? Math.min(by.until, due) : due;
}

/** From when on the sender is told, once, that the message is late; infinite: never. Who has set a by-time of mode N has said when (RFC 2852 4.1.3). */
export function delayedAt({ message: { arrived, release = 0, by } }: Job, { delayed }: DeliverySettings): EpochMs {
  if (by?.mode === 'N') return by.until;
  return delayed > 0 ? Math.max(arrived, release) + delayed : Number.POSITIVE_INFINITY;
}
