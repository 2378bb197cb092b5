import type { Context } from './context.ts';
import type { EpochMs } from './job.ts';
import { parseTlsrptRecord, type TlsDomainReport } from './tls-ledger.ts';

/** Ours: reports of a day go out within so many milliseconds after it. */
const SPREAD = 4 * 3_600_000;

/** Sends TLS reports of days that are over to those who want them (RFC 8460 3). */
export class Reporter {
  readonly #context: Context;
  readonly #spread: number;

  constructor(context: Context) {
    this.#context = context;
    this.#spread = Math.floor(context.chance.of('reports') * SPREAD);
  }

  /** RFC 8460 4.1: not all at midnight. */
  get due(): EpochMs {
    return this.#context.ledger.due + this.#spread;
  }

  /** Looks up where the reports of the domain go. */
  report(): void {
    const { ledger, now } = this.#context;
    for (const report of ledger.take(now)) this.#ask(report);
  }

  #ask(report: TlsDomainReport): void {
    const { orders } = this.#context;
    orders.ask({ type: 'lookup', name: `_smtp._tls.${report.domain}`, rr: 'TXT' }, ['dns'], ({ status, txt = [] }) => {
      const rua = status === 'found' ? parseTlsrptRecord(txt) : [];
      if (rua.length > 0) orders.say({ type: 'report', rua, report, at: this.#context.now });
    });
  }
}
