// Which blocks of code have been reached, by V8's own count.
import { Session } from 'node:inspector';

const OURS = /packages\/[a-z]+\/dist\//;

export class Coverage {
  #session = new Session();
  #blocks = new Set();

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: false, detailed: true });
  }

  get size() {
    return this.#blocks.size;
  }

  /** Whether blocks have been reached since the last look that had not been reached before. */
  grows() {
    const before = this.#blocks.size;
    this.#session.post('Profiler.takePreciseCoverage', (_, taken) => {
      for (const { url, functions } of taken?.result ?? []) {
        if (!OURS.test(url)) continue;
        for (const { ranges } of functions)
          for (const { count, startOffset, endOffset } of ranges) if (count > 0) this.#blocks.add(`${url} ${startOffset} ${endOffset}`);
      }
    });
    return this.#blocks.size > before;
  }
}
