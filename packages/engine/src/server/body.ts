import type { Reply } from '@ehlo/grammar';
import { ask } from './answer.ts';
import { ChunkReader } from './chunk-reader.ts';
import type { Body, Core, Progress } from './core.ts';
import { DotReader } from './dot-reader.ts';
import type { BareLineEnd } from './events.ts';
import { REPLIES } from './replies.ts';

/** 354 has been said: the message begins. */
export function beginBody(core: Core): void {
  core.state.body = newBody(new DotReader());
}

/** A message of which nothing has been read. */
export function newBody(reader: Body['reader']): Body {
  return { reader, size: 0, block: 0, verdict: null, delay: 0 };
}

/**
 * Reads what has arrived of the message. What follows from it waits until the program comes back from its content: it may discard the
 * message at any event, and wherever the octets were cut, that decides before the size, a bare line end or the end of the chunk does.
 */
export function readBody(core: Core): boolean {
  const { input } = core;
  const body = core.state.body!;
  if (judge(core, body)) return true;
  if (!input.readChunk()) return false;
  const from = input.from;
  const end = body.reader.read(input.bytes, from, input.to, isStrict(core, body));
  input.advance(end);
  progress(core, body, end - from);
  handOn(core, body, body.reader.content);
  return true;
}

/** Carries out what follows from the octets that have been read; false if nothing does. */
function judge(core: Core, body: Body): boolean {
  const { messageSize, drain } = core.policy.limits;
  const { reader, size, verdict } = body;
  if (verdict === null && size > messageSize) core.refuseBody('too-large', REPLIES.tooLarge);
  else if (isStrict(core, body) && reader.bareCr + reader.bareLf > 0) core.refuseBody('bare-line-end', bareReply(reader));
  else if (size > messageSize + drain) {
    // A refused message is read on to its end, for what follows must not be taken for commands; but not without limit.
    core.reply(core.named('draining'));
    core.close('drain');
  } else if (reader.ended) finish(core, body);
  else return false;
  return true;
}

/** Whether a CR or LF that stands alone refuses the message. */
function isStrict({ policy }: Core, { verdict }: Body): boolean {
  return policy.bareLineEnds === 'reject' && verdict === null;
}

/** The timer restarts at each block, not at each octet: a peer that trickles can't hold on. */
export function progress(core: Core, content: Progress, read: number): void {
  content.block += read;
  if (content.block < core.policy.limits.dataBlock) return;
  // What is left over counts for the next block, wherever the chunks were cut.
  content.block %= core.policy.limits.dataBlock;
  core.arm('dataTimeout');
}

/** Hands content on, up to the size that EHLO announced (RFC 1870 6.3). */
function handOn(core: Core, body: Body, content: Uint8Array): void {
  const room = Math.max(0, core.policy.limits.messageSize - body.size);
  body.size += content.length;
  const bytes = content.length > room ? content.subarray(0, room) : content;
  if (body.verdict === null && bytes.length > 0) core.events.push({ type: 'chunk', bytes });
}

/** The message has been read to its end, or a chunk of it has. */
function finish(core: Core, body: Body): void {
  const { reader, verdict } = body;
  core.delay = body.delay;
  body.delay = 0;
  if (reader instanceof ChunkReader && !reader.last) {
    core.reply(verdict ?? chunkReply(reader));
    core.go('end-of-chunk');
  } else if (verdict !== null) {
    core.conclude(verdict);
    core.endTransaction();
  } else {
    core.go('end-of-data');
    askForDecision(core);
    return;
  }
  if (verdict?.code === 421) core.close('refused');
}

/** The message is whole: whoever takes responsibility for it decides, in LMTP for each recipient (RFC 2033 4.2). */
export function askForDecision(core: Core): true {
  const { envelope, body, decided } = core.state;
  const recipient = core.policy.protocol === 'lmtp' ? envelope!.recipients[decided]! : null;
  ask(core, { type: 'message', envelope: envelope!, recipient, size: body!.size, deviations: bareLineEnds(body!.reader) });
  return true;
}

function chunkReply({ size }: ChunkReader): Reply {
  return { ...REPLIES.chunk, lines: [`${size} octets received`] };
}

const NO_DEVIATIONS: readonly BareLineEnd[] = [];

function bareLineEnds(reader: Body['reader']): readonly BareLineEnd[] {
  if (reader.bareCr + reader.bareLf === 0) return NO_DEVIATIONS;
  const found: BareLineEnd[] = [];
  if (reader.bareCr > 0) found.push({ name: 'bare-cr', line: reader.bareCr });
  if (reader.bareLf > 0) found.push({ name: 'bare-lf', line: reader.bareLf });
  return found;
}

function bareReply(reader: Body['reader']): Reply {
  const [found] = bareLineEnds(reader);
  const octet = found!.name === 'bare-cr' ? 'a CR without LF' : 'an LF without CR';
  return {
    ...REPLIES.bareLineEnd,
    lines: [`Line ${found!.line} of the message has ${octet}; every line must end with CR LF (RFC 5321 2.3.8)`],
  };
}
