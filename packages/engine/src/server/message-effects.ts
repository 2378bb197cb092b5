// What the rows of a message do, by DATA and by BDAT.
import { aborted, type Change, conclusion, type Effects } from './change.ts';
import { ChunkReader } from './chunk-reader.ts';
import { DotReader } from './dot-reader.ts';
import { faultsWith } from './effects.ts';
import { type Message, NO_TRANSACTION, type Transaction, type View } from './facts.ts';
import { isSmall } from './guards.ts';
import type { MessageEffect, Row } from './row.ts';

export const MESSAGE_EFFECTS: Effects<MessageEffect> = {
  beginData: ({ transaction }) => ({ transaction: { ...transaction, message: newMessage(new DotReader()) } }),

  beginChunks: (at, { size, last }) => {
    const envelope = at.transaction.envelope!;
    const message = newMessage(new ChunkReader(envelope.parameters.body === 'BINARYMIME', size, last));
    return {
      transaction: { ...at.transaction, message },
      counts: smallChunks(at, size, last),
      asks: { type: 'data', verb: 'BDAT', envelope },
    };
  },

  nextChunk: (at, chunk) => ({ chunk, counts: smallChunks(at, chunk.size, chunk.last) }),

  endOfChunk: ({ policy, transaction }) => {
    const { message, verdict } = transaction;
    if (verdict !== null) return { ...verdict, transaction: { ...transaction, verdict: { reply: verdict.reply, delay: 0 } } };
    return { reply: { ...policy.replies.chunk, lines: [`${(message!.reader as ChunkReader).size} octets received`] } };
  },

  concludeRefused: (at) => ({ ...conclusion(at, at.transaction.verdict!), transaction: NO_TRANSACTION }),

  takeResponsibility: (at, { question }, row) => ({
    transaction: decided(at, row),
    counts: { idleCommands: 0, refusedRecipients: 0 },
    accepts: question,
  }),

  refuseDecision: (at, { reply, delay }, row) => ({ transaction: decided(at, row), reply, delay }),

  refuseMessage: (at, { cause, reply, delay }) => ({
    events: aborted(at, cause, reply),
    transaction: { ...at.transaction, verdict: { reply, delay } },
  }),

  refuseFirstChunk: ({ transaction }, { reply, delay }) => ({ transaction: { ...transaction, verdict: { reply, delay } }, delay: 0 }),

  refuseChunk: (at, { code, reply, line, size, last }) => {
    const { policy, counts } = at;
    const faults = counts.faults + 1;
    const answer = faults >= policy.limits.faults ? policy.replies.tooManyFaults : reply;
    return {
      facts: { refusedChunk: { left: size, block: 0, last, reply: answer } },
      counts: { faults },
      events: [{ type: 'fault', code, offset: 0, reply: answer, line }],
    };
  },

  // The chunk is too large to read and drop. If the message is too large, that is the reply: the client need not try again. Else 421 says why it ends.
  loseChunk: (at, { code, reply, line, size, offset }, row) => {
    const { draining, bdatLost } = at.policy.replies;
    const why = size === Number.POSITIVE_INFINITY ? bdatLost : code === 'too-large' ? reply : draining;
    const answer = row.reply === undefined ? why : at.policy.replies[row.reply];
    return { counts: faultsWith(at, code), events: [{ type: 'fault', code, offset, reply: answer, line }], reply: answer };
  },

  answerChunk: (at, _, row) => {
    const { reply, last } = at.facts.refusedChunk!;
    const delay = at.policy.limits.faultDelay;
    const concludes = last && row.to !== 'closed' && at.policy.extensions.has('CHUNKING');
    return { facts: { refusedChunk: null }, ...(concludes ? conclusion(at, { reply, delay }) : { reply, delay }) };
  },

  // RFC 3030 2: after a chunk that failed the transaction is lost, whatever comes before RSET; here its last chunk ends it too.
  failChunk: (at) => {
    const { reply } = at.facts.refusedChunk!;
    return {
      facts: { refusedChunk: null },
      transaction: { ...at.transaction, message: newMessage(new ChunkReader(true, 0, false)), verdict: { reply, delay: 0 } },
      reply,
      delay: at.policy.limits.faultDelay,
    };
  },

  failLastChunk: (at) => {
    const { reply } = at.facts.refusedChunk!;
    return {
      facts: { refusedChunk: null },
      transaction: NO_TRANSACTION,
      ...conclusion(at, { reply, delay: at.policy.limits.faultDelay }),
    };
  },
};

/** A message of which nothing has been read. */
function newMessage(reader: Message['reader']): Message {
  return { reader, size: 0, block: 0 };
}

function smallChunks({ counts }: View, size: number, last: boolean): NonNullable<Change['counts']> {
  return isSmall(size, last) ? { smallChunks: counts.smallChunks + 1 } : {};
}

/** The transaction after a decision; the last decision ends it. RFC 5321 4.1.1.4: the end of data consumes the buffers. */
function decided({ transaction }: View, { to }: Row): Transaction {
  return to === 'message' ? { ...transaction, decided: transaction.decided + 1 } : NO_TRANSACTION;
}
