import type { Reply } from '@ehlo/grammar';
import { ChunkReader } from './chunk-reader.ts';
import type { BareLineEnd, Question } from './events.ts';
import type { Message, Progress } from './facts.ts';
import type { Machine } from './machine.ts';
import type { Policy } from './options.ts';

/**
 * Reads the octets of the message that have arrived. The next action waits until the program asks for the next event. So a `discard` made by
 * then comes before the checks of size and line ends and before the end of the chunk, however the octets were divided.
 */
export function readBody(machine: Machine): boolean {
  const { input } = machine;
  const message = machine.transaction.message!;
  if (judge(machine, message)) return true;
  if (!input.readChunk()) return false;
  const from = input.from;
  const end = message.reader.read(input.bytes, from, input.to, isStrict(machine));
  input.advance(end);
  progress(machine, message, end - from);
  handOn(machine, message, message.reader.content);
  return true;
}

/** Carries out what follows from the octets that have been read; false if nothing does. */
function judge(machine: Machine, { reader, size }: Message): boolean {
  const { limits, replies } = machine.policy;
  const { messageSize, drain } = limits;
  if (machine.transaction.verdict === null && size > messageSize) refuse(machine, 'too-large', replies.tooLarge);
  else if (isStrict(machine) && reader.bareCr + reader.bareLf > 0) refuse(machine, 'bare-line-end', bareReply(replies, reader));
  // A refused message is read on to its end, for what follows must not be taken for commands; but not without limit.
  else if (size > messageSize + drain) machine.take('too-much');
  else if (!reader.ended) return false;
  else machine.take(reader instanceof ChunkReader && !reader.last ? 'end-of-chunk' : 'end-of-data');
  return true;
}

function refuse(machine: Machine, cause: 'too-large' | 'bare-line-end', reply: Reply): void {
  machine.take('refuse-message', { cause, reply, delay: 0 });
}

/** Whether a CR or LF that stands alone refuses the message. */
function isStrict({ policy, transaction }: Machine): boolean {
  return policy.bareLineEnds === 'reject' && transaction.verdict === null;
}

/** The timer restarts at each block, not at each octet: a peer that sends single octets can't keep the session open. */
function progress({ policy, clock }: Machine, content: Progress, read: number): void {
  content.block += read;
  if (content.block < policy.limits.dataBlock) return;
  // What is left over counts for the next block, wherever the chunks were cut.
  content.block %= policy.limits.dataBlock;
  clock.start('dataTimeout');
}

/** Hands content on, up to the size that EHLO announced (RFC 1870 6.3). */
function handOn({ policy, transaction, events }: Machine, message: Message, content: Uint8Array): void {
  const room = Math.max(0, policy.limits.messageSize - message.size);
  message.size += content.length;
  const bytes = content.length > room ? content.subarray(0, room) : content;
  if (transaction.verdict === null && bytes.length > 0) events.push({ type: 'chunk', bytes });
}

/** Reads on through a refused chunk; its reply comes when the last octet has. */
export function drain(machine: Machine): boolean {
  const { input } = machine;
  const chunk = machine.facts.refusedChunk!;
  if (chunk.left > 0) {
    if (!input.readChunk()) return false;
    const end = Math.min(input.to, input.from + chunk.left);
    chunk.left -= end - input.from;
    progress(machine, chunk, end - input.from);
    input.advance(end);
    if (chunk.left > 0) return true;
  }
  machine.take('chunk-drained');
  return true;
}

/** The question about a complete message: the program takes responsibility for it or refuses, in LMTP for each recipient (RFC 2033 4.2). */
export function messageQuestion({ policy, transaction }: Machine): Question {
  const { message, decided } = transaction;
  const envelope = transaction.envelope!;
  const recipient = policy.protocol === 'lmtp' ? envelope.recipients[decided]! : null;
  return { type: 'message', envelope, recipient, size: message!.size, deviations: bareLineEnds(message!.reader) };
}

const NO_DEVIATIONS: readonly BareLineEnd[] = [];

function bareLineEnds(reader: Message['reader']): readonly BareLineEnd[] {
  if (reader.bareCr + reader.bareLf === 0) return NO_DEVIATIONS;
  const found: BareLineEnd[] = [];
  if (reader.bareCr > 0) found.push({ name: 'bare-cr', line: reader.bareCr });
  if (reader.bareLf > 0) found.push({ name: 'bare-lf', line: reader.bareLf });
  return found;
}

function bareReply({ bareLineEnd }: Policy['replies'], reader: Message['reader']): Reply {
  const [found] = bareLineEnds(reader);
  const octet = found!.name === 'bare-cr' ? 'a CR without LF' : 'an LF without CR';
  const text = `Line ${found!.line} of the message has ${octet}; every line must end with CR LF (RFC 5321 2.3.8)`;
  return { ...bareLineEnd, lines: [text] };
}
