import type { Reply } from '@ehlo/grammar';
import { ask } from './answer.ts';
import type { Body, Core } from './core.ts';
import { DotReader } from './dot-reader.ts';
import type { AbortCause, BareLineEnd } from './events.ts';
import { REPLIES } from './replies.ts';

/** 354 has been said: the message begins. */
export function beginBody(core: Core): void {
  core.state.body = { reader: new DotReader(), size: 0, block: 0, drained: 0, verdict: null };
}

/** Reads what has arrived of the message. */
export function readBody(core: Core): boolean {
  const { input, policy } = core;
  const body = core.state.body!;
  if (!input.readChunk()) return false;
  const { reader } = body;
  const strict = policy.bareLineEnds === 'reject' && body.verdict === null;
  const from = input.from;
  const end = reader.read(input.bytes, from, input.to, strict);
  input.advance(end);
  progress(core, body, end - from);
  if (body.verdict !== null) drain(core, body, reader.content.length);
  else {
    keep(core, body, reader.content);
    if (strict && reader.bareCr + reader.bareLf > 0) refuseBody(core, 'bare-line-end', bareReply(reader));
  }
  if (reader.ended && core.state.phase === 'data') finish(core, body);
  return true;
}

/** The rest of the message is not wanted: it is read to its true end, and then answered by `reply`. */
export function refuseBody(core: Core, cause: AbortCause, reply: Reply): void {
  core.abort(cause, reply);
  if (core.state.body !== null && core.state.body.verdict === null) core.state.body.verdict = reply;
}

/** The timer restarts at each block, not at each octet: a peer that trickles can't hold on. */
function progress(core: Core, body: Body, read: number): void {
  body.block += read;
  if (body.block < core.policy.limits.dataBlock) return;
  // What is left over counts for the next block, wherever the chunks were cut.
  body.block %= core.policy.limits.dataBlock;
  core.arm('dataTimeout');
}

/** Hands content on, up to the size that EHLO announced (RFC 1870 6.3). */
function keep(core: Core, body: Body, content: Uint8Array): void {
  const room = core.policy.limits.messageSize - body.size;
  const kept = content.length > room ? content.subarray(0, room) : content;
  body.size += kept.length;
  if (kept.length > 0) core.events.push({ type: 'chunk', bytes: kept });
  if (content.length <= room) return;
  refuseBody(core, 'too-large', REPLIES.tooLarge);
  drain(core, body, content.length - room);
}

/** A refused message is read on to its end, for what follows must not be taken for commands; but not without limit. */
function drain(core: Core, body: Body, octets: number): void {
  body.drained += octets;
  if (body.drained <= core.policy.limits.drain) return;
  core.reply(core.named('draining'));
  core.close('drain');
}

function finish(core: Core, body: Body): void {
  if (body.verdict !== null) {
    core.reply(body.verdict);
    core.endTransaction();
    if (body.verdict.code === 421) core.close('refused');
    return;
  }
  core.go('end-of-data');
  ask(core, { type: 'message', envelope: core.state.envelope!, size: body.size, deviations: bareLineEnds(body.reader) });
}

const NO_DEVIATIONS: readonly BareLineEnd[] = [];

function bareLineEnds(reader: DotReader): readonly BareLineEnd[] {
  if (reader.bareCr + reader.bareLf === 0) return NO_DEVIATIONS;
  const found: BareLineEnd[] = [];
  if (reader.bareCr > 0) found.push({ name: 'bare-cr', line: reader.bareCr });
  if (reader.bareLf > 0) found.push({ name: 'bare-lf', line: reader.bareLf });
  return found;
}

function bareReply(reader: DotReader): Reply {
  const [found] = bareLineEnds(reader);
  const octet = found!.name === 'bare-cr' ? 'a CR without LF' : 'an LF without CR';
  const { code, enhanced } = REPLIES.bareLineEnd;
  return {
    code,
    enhanced: enhanced!,
    lines: [`Line ${found!.line} of the message has ${octet}; every line must end with CR LF (RFC 5321 2.3.8)`],
  };
}
