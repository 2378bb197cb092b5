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
  return { reader, size: 0, block: 0, drained: 0, verdict: null, delay: 0 };
}

/** Reads what has arrived of the message. */
export function readBody(core: Core): boolean {
  const { input, policy } = core;
  const body = core.state.body!;
  const { reader } = body;
  // A chunk of no octets has ended before any could arrive.
  if (!input.readChunk() && !reader.ended) return false;
  const strict = policy.bareLineEnds === 'reject' && body.verdict === null;
  const from = input.from;
  const end = reader.read(input.bytes, from, input.to, strict);
  input.advance(end);
  progress(core, body, end - from);
  if (body.verdict !== null) drain(core, body, reader.content.length);
  else {
    keep(core, body, reader.content);
    if (strict && reader.bareCr + reader.bareLf > 0) core.refuseBody('bare-line-end', bareReply(reader));
  }
  if (reader.ended && core.state.phase !== 'closed') finish(core, body);
  return true;
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
function keep(core: Core, body: Body, content: Uint8Array): void {
  const room = core.policy.limits.messageSize - body.size;
  const kept = content.length > room ? content.subarray(0, room) : content;
  body.size += kept.length;
  if (kept.length > 0) core.events.push({ type: 'chunk', bytes: kept });
  if (content.length <= room) return;
  core.refuseBody('too-large', REPLIES.tooLarge);
  drain(core, body, content.length - room);
}

/** A refused message is read on to its end, for what follows must not be taken for commands; but not without limit. */
function drain(core: Core, body: Body, octets: number): void {
  body.drained += octets;
  if (body.drained <= core.policy.limits.drain) return;
  core.reply(core.named('draining'));
  core.close('drain');
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
