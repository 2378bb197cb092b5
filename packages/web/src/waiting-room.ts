import { Refused } from './answer.ts';
import type { MailSummary } from './mail-record.ts';

/** Ours: who waits at a time. */
const MOST = 100;

interface Waiter {
  readonly wanted: (mail: MailSummary) => boolean;
  readonly found: (mail: MailSummary) => void;
}

/** Requests that wait for a mail. */
export class WaitingRoom {
  readonly #waiters: Set<Waiter> = new Set();

  /** Whoever wants the mail has it. */
  came(mail: MailSummary): void {
    for (const { wanted, found } of [...this.#waiters]) if (wanted(mail)) found(mail);
  }

  /** The next mail that is wanted; null when the time is over, or nobody waits any more. */
  async next(wanted: (mail: MailSummary) => boolean, within: number, signal: AbortSignal): Promise<MailSummary | null> {
    if (this.#waiters.size >= MOST) throw new Refused(503, `${MOST} wait already`);
    return await new Promise((resolve) => {
      const settle = (mail: MailSummary | null): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', leave);
        this.#waiters.delete(waiter);
        resolve(mail);
      };
      const leave = (): void => settle(null);
      const timer = setTimeout(leave, within);
      const waiter: Waiter = { wanted, found: settle };
      signal.addEventListener('abort', leave);
      this.#waiters.add(waiter);
    });
  }
}
