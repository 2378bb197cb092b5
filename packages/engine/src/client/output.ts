import { concat } from '../octets.ts';
import type { ClientCore } from './core.ts';
import { fireTransaction } from './run.ts';

/**
 * Parts are joined up to this size: copying this much takes less time than a write, and the end of a message leaves with its last block where both
 * fit. A part that is larger goes alone, without copying.
 */
const MOST = 65_536;

/** Returns the next output block. */
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
