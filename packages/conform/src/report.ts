import type { Protocol, Verdict } from './check.ts';
import type { Finding } from './run-check.ts';

/** How many checks came to what. */
export type Counts = { readonly [verdict in Verdict | 'skipped']: number };

/** What an examination has found. */
export interface Report {
  /** Who was examined, e.g. `127.0.0.1:2525`; of a client, how it is started. */
  readonly examined: string;
  /** As what it was examined. */
  readonly role: Protocol | 'client';
  /** What could not be decided is a failure, too. */
  readonly requireAll: boolean;
  readonly counts: Counts;
  readonly findings: readonly Finding[];
}

/** Makes a report of findings. */
export function reportOf({ examined, role, requireAll }: Omit<Report, 'counts' | 'findings'>, findings: readonly Finding[]): Report {
  return { examined, role, requireAll, counts: countsOf(findings), findings };
}

/** Counts findings. */
export function countsOf(findings: readonly Pick<Finding, 'verdict'>[]): Counts {
  const counts = { violates: 0, inconclusive: 0, permitted: 0, conforms: 0, skipped: 0 };
  for (const { verdict } of findings) counts[verdict]++;
  return counts;
}

/** Whether what was found is a failure: a violation; with `requireAll` what could not be decided, too. */
export function fails({ violates, inconclusive }: Counts, requireAll: boolean): boolean {
  return violates > 0 || (requireAll && inconclusive > 0);
}
