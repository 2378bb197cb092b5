import { expand } from '../octets.ts';
import { base64, Shims } from '../shim.ts';
import type { Subject } from './run.ts';

/** A client's engine that a program drives over standard input and output. It is run once for each check, or for one behind the other where it says that it takes another. */
export function shimSubject(command: string, patience: number): Subject {
  const shims = new Shims(command, patience);
  return {
    several: true,
    tellsOfEach: true,
    work: async ({ from, to, content }, _, examine, protocol) => {
      const shim = await shims.begin({ client: { protocol, from, to, content: base64(expand(content, {})) } });
      try {
        await examine(shim);
        await shim.over();
        const { done } = shim;
        shims.done(shim);
        return done === null ? null : done ? 0 : 1;
      } catch (error) {
        shim.stop();
        throw error;
      }
    },
    close: () => shims.close(),
  };
}
