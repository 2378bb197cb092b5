import { concat } from '../octets.ts';
import type { ClientCore } from './core.ts';
import { fireTransaction } from './run.ts';

/**
 * More octets are not put together: so many are copied in less time than a write takes, and the end of a message goes out with it. A block that fills
 * this goes where it lies.
 */
const MOST = 65_536;

/** Takes the next octets for the wire, as many as are put together. */
export function takeOutput(core: ClientCore): Uint8Array | null {
  const taken: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { body } = core;
    const fromBody = body !== null && !body.done;
    const part = fromBody ? body.peek() : core.output[0];
    if (!part || (size > 0 && size + part.bytes.length > MOST)) break;
    taken.push(part.bytes);
    size += part.bytes.length;
    if (fromBody) body.taken(part);
    else core.output.shift();
    const { due } = part;
    if (due !== null) due.live = true;
    if (due?.to === 'END') fireTransaction(core, due.transaction!, 'handed');
  }
  if (size === 0) return null;
  core.unwritten += size;
  core.body?.leaves(core.now);
  core.settle();
  return concat(taken);
}
