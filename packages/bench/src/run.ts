import { type IdleFigures, measureIdle, measureSessions } from './connections.ts';
import { RUNTIMES, type Runtime } from './contender.ts';
import type { PeerName } from './peers.ts';
import { onAllProcessors } from './processor.ts';
import { type Effort, measure, type Row, type Samples } from './row.ts';
import { bodyRows, messageRows, sessionRows } from './rows.ts';
import { measureSending, type SendingSample, type SendingSamples } from './sending.ts';
import { measureSource } from './source.ts';
import { measureStorage, type StorageSamples } from './storage.ts';

/** What a run measures, each thing once and when it is first asked for: more than one table shows it. */
export class Run {
  readonly effort: Effort;
  readonly messages: readonly Row[] = messageRows();
  readonly bodies: readonly Row[];
  readonly sessions: readonly Row[] = sessionRows();
  readonly #peers: readonly PeerName[];
  readonly #measured = new Map<string, Promise<unknown>>();

  /** `scale` makes the bodies smaller, for a test. */
  constructor(effort: Effort, peers: readonly PeerName[] = [], scale = 1) {
    this.effort = effort;
    this.#peers = peers;
    this.bodies = bodyRows(scale);
  }

  /** The row of that name. Sessions have a connection each; of the other rows the connections are kept. */
  row(name: string): Promise<Samples> {
    return this.#once(name, () => {
      const row = [...this.messages, ...this.bodies, ...this.sessions].find((one) => one.name === name)!;
      return (row.unit === 'sessions' ? measureSessions : measure)(row, this.effort, this.#peers);
    });
  }

  async idle(): Promise<Record<Runtime, IdleFigures>> {
    const figures: Partial<Record<Runtime, IdleFigures>> = {};
    for (const runtime of RUNTIMES) figures[runtime] = await this.#once(`idle, ${runtime}`, () => measureIdle(this.effort, runtime));
    return figures as Record<Runtime, IdleFigures>;
  }

  storage(): Promise<StorageSamples> {
    // Its threads are the system's to place.
    return this.#once('storage', () => onAllProcessors(() => measureStorage(this.effort)));
  }

  sending(): Promise<SendingSamples> {
    return this.#once('sending', () => measureSending(this.effort));
  }

  source(): Promise<SendingSample[]> {
    return this.#once('source', () => measureSource(this.effort));
  }

  #once<T>(name: string, measured: () => Promise<T>): Promise<T> {
    const known = this.#measured.get(name) ?? measured();
    this.#measured.set(name, known);
    return known as Promise<T>;
  }
}
