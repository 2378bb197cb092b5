import { type Refusal, reject } from '@ehlo/driver';
import { isReplyCode } from '@ehlo/grammar';
import { accepts, linesOf, replyOctets, withLines } from './reply-octets.ts';
import { type Action, type After, milliseconds, type Stage, type StubReply } from './stub.ts';
import type { Cut, Directive } from './wire.ts';

/** How a stub may spoil a connection. */
export const CUTS: readonly Cut[] = ['stall', 'drop', 'reset', 'halfClose'];

/** The usual reply, now. */
export const PLAIN: Directive = { instead: null, delay: 0, split: null, cut: null };

/** For transcripts. */
export const WORDS: { readonly [kind in Cut]: string } = { stall: 'silent', drop: 'dropped', reset: 'reset', halfClose: 'half closed' };

/** What a stub does to a reply. */
export function directiveOf(action: Action, stage: Stage): Directive {
  const { reply, delay = 0 } = action;
  const split = reply?.split;
  return {
    instead: reply === undefined ? null : saying(reply, stage),
    delay: milliseconds(delay),
    split: split === undefined ? null : { every: split.every, pause: milliseconds(split.pause ?? 0) },
    cut: cutOf(action, stage),
  };
}

/** What is said in place of a reply. At `hello` one line takes the place of the first: the rest tells what there is. */
function saying(reply: StubReply, stage: Stage): (usual: Uint8Array) => Uint8Array {
  const octets = replyOctets(reply);
  if (stage !== 'hello' || !accepts(reply) || reply.raw !== undefined || Array.isArray(reply.text)) return () => octets;
  return (usual) => {
    const [, ...rest] = linesOf(usual);
    return withLines(
      octets,
      rest.map((line) => line.slice(4)),
    );
  };
}

/** Of the reply: what counts content is done when that has come, and in place of the reply to a chunk at the latest. */
function cutOf(action: Action, stage: Stage): Directive['cut'] {
  const kind = CUTS.find((name) => action[name] !== undefined);
  if (kind === undefined) return null;
  const { after } = afterOf(action[kind]);
  if (stage === 'data' && after > 0) return null;
  return { kind, after: stage === 'chunk' ? 0 : after };
}

/** Of content: the first octets of a message count from where the cut was decided on. */
export function contentCut(action: Action | null, from: number): { readonly kind: Cut; readonly after: number } | null {
  const kind = CUTS.find((name) => action?.[name] !== undefined);
  const { after } = afterOf(kind === undefined ? undefined : action?.[kind]);
  return kind === undefined || after === 0 ? null : { kind, after: from + after };
}

function afterOf(cut: true | After | undefined): After {
  return cut === undefined || cut === true ? { after: 0 } : cut;
}

/** A refusal that the engine can say: where it can't say the code of the stub, another stands for that until the reply is on the wire. */
export function refusal({ code = 550 }: StubReply, stage: Stage): Refusal {
  // RFC 5321 4.3.2: what a connection can be refused with.
  const sayable = stage === 'connect' ? [421, 521, 554].includes(code) : isReplyCode(code) && code >= 400;
  const said = sayable ? code : stage === 'connect' ? 554 : 550;
  return reject(said, `${String(said)[0]}.0.0`, 'refused by a stub');
}
