import { parseCommand, type Reply } from '@ehlo/grammar';
import { ask } from './answer.ts';
import { newBody, progress } from './body.ts';
import { ChunkReader } from './chunk-reader.ts';
import type { Core, RefusedChunk } from './core.ts';
import type { FaultCode } from './events.ts';
import { offers } from './offer.ts';
import { REPLIES } from './replies.ts';

/** Fewer octets than that in a chunk are hardly worth a command. */
const SMALL_CHUNK = 64;

/** RFC 3030 2: `BDAT size [LAST]`, where the table lets it through. */
export function takeChunk(core: Core, size: number, last: boolean, line: string): void {
  const { state, policy } = core;
  const { messageSize, drain, smallChunks } = policy.limits;
  if (size < SMALL_CHUNK && !last && ++state.smallChunks > smallChunks) {
    const reply = core.named('tooManyFaults');
    core.events.push({ type: 'fault', code: 'small-chunks', offset: 0, reply, line });
    core.reply(reply);
    return core.close('faults');
  }
  // What is beyond the largest message is read and dropped, but not without limit.
  if (size - messageSize > drain) return refuseChunk(core, REPLIES.tooLarge, 'too-large', line);
  beginChunk(core, size, last);
}

/** The first chunk of a message is asked about as DATA is. */
function beginChunk(core: Core, size: number, last: boolean): void {
  const { state } = core;
  const first = state.body === null;
  if (state.body?.reader instanceof ChunkReader) state.body.reader.begin(size, last);
  else state.body = newBody(new ChunkReader(state.envelope!.parameters.body === 'BINARYMIME', size, last));
  core.go('BDAT');
  if (first) ask(core, { type: 'data', verb: 'BDAT', envelope: state.envelope! });
}

/** RFC 3030 2: what follows BDAT is the chunk, never commands; so the size has to be known, and is read before the reply: else the session closes. */
export function refuseChunk(core: Core, reply: Reply, fault: FaultCode, line: string): void {
  const { input, policy, state } = core;
  const parsed = parseCommand(input.bytes, core.dialect, input.from, input.to);
  const size = parsed.ok && parsed.value.verb === 'BDAT' && !input.overlong ? parsed.value.size : Number.POSITIVE_INFINITY;
  if (size <= policy.limits.drain) {
    const spent = ++state.faults >= policy.limits.faults;
    const answer = spent ? core.named('tooManyFaults') : reply;
    core.events.push({ type: 'fault', code: fault, offset: 0, reply: answer, line });
    state.refusedChunk = { left: size, block: 0, last: parsed.ok && parsed.value.verb === 'BDAT' && parsed.value.last, reply: answer };
    return;
  }
  // More than is read in vain: that it is too large is worth knowing, for the client need not come again; else 421 tells why it ends.
  const tooMuch = fault === 'too-large' ? reply : core.named('draining');
  core.fault(fault, size < Number.POSITIVE_INFINITY ? tooMuch : core.named('bdatLost'), line, parsed.ok ? 0 : parsed.offset);
  if (core.state.phase !== 'closed') core.close('bdat');
}

/** Reads on through a refused chunk; its reply comes when the last octet has. */
export function readRefusedChunk(core: Core, chunk: RefusedChunk): boolean {
  const { input, state, policy } = core;
  if (chunk.left > 0) {
    if (!input.readChunk()) return false;
    const end = Math.min(input.to, input.from + chunk.left);
    chunk.left -= end - input.from;
    progress(core, chunk, end - input.from);
    input.advance(end);
    if (chunk.left > 0) return true;
  }
  state.refusedChunk = null;
  if (state.faults >= policy.limits.faults) {
    core.reply(chunk.reply);
    core.close('faults');
    return true;
  }
  core.delay = policy.limits.faultDelay;
  if (offers(core, 'CHUNKING')) failChunk(core, chunk.reply, chunk.last);
  else core.reply(chunk.reply);
  core.delay = 0;
  return true;
}

/**
 * RFC 3030 2: after a chunk that failed the transaction is lost, whatever comes before RSET; here its last chunk ends it too. The
 * octets of the failed chunk have been read.
 */
function failChunk(core: Core, reply: Reply, last: boolean): void {
  const { state } = core;
  core.abort('chunk', reply);
  if (last) core.conclude(reply);
  else core.reply(reply);
  if (state.envelope === null) return;
  if (last) return core.endTransaction();
  state.body ??= newBody(new ChunkReader(true, 0, false));
  state.body.verdict ??= reply;
  core.go('chunk-refused');
}
