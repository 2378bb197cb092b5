// What every server of the bench tells its parent; `--import` puts it into a server that is not ours to change, too.

/** What a server has used and taken since it began. */
export interface Report {
  /** Milliseconds, user and system. */
  readonly cpu: number;
  /** Resident set, in octets. */
  readonly rss: number;
  readonly messages: number;
  readonly octets: number;
}

/** What the parent asks for: a report, or one once garbage is collected, which takes time of the server's. */
export type Question = 'report' | 'collect';

/** What the server has received so far: messages, and octets of content (of the wire, where it does not know content). */
export const received: { messages: number; octets: number } = { messages: 0, octets: 0 };

/** Tells the parent where the server listens. */
export function listening(port: number): void {
  process.send?.({ port });
}

process.on('message', (question: Question) => {
  if (question === 'collect') globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  const report: Report = { cpu: (user + system) / 1000, rss: process.memoryUsage.rss(), ...received };
  process.send?.(report);
});
process.on('disconnect', () => process.exit());
