// How many steps the sources take. To be imported before them: V8 counts in what is compiled from then on.
import { Session } from 'node:inspector';

interface Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly { readonly ranges: readonly { readonly count: number }[] }[];
  }[];
}

const session = new Session();
session.connect();
session.post('Profiler.enable');
session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });

/** How many blocks of the program's sources are gone through. */
export function steps(work: () => void): number {
  take();
  work();
  const counted = take().result.filter(({ url }) => /packages\/(?:message|grammar)\/src\//.test(url));
  return counted.flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges)).reduce((sum, { count }) => sum + count, 0);
}

/** What was counted since the last time. */
function take(): Coverage {
  let taken: Coverage = { result: [] };
  session.post('Profiler.takePreciseCoverage', (error, coverage) => {
    if (error !== null) throw new Error(error.message);
    taken = coverage as Coverage;
  });
  return taken;
}
