import { encodeUtf8 } from '@ehlo/grammar';
import { concat, EMPTY } from '../octets.ts';
import { Body } from './body.ts';
import type { ClientCore } from './core.ts';
import type { Part } from './due.ts';
import type { ClientFeature } from './features.ts';
import { isAnswered, moreEnds, noneWanted } from './guards.ts';
import type { Rows, TransactionRow, TransactionTrigger } from './row.ts';
import type { Transaction } from './transaction.ts';
import { endBody, expectAnother, giveUp, leaveHalfOpen, refuseAtBody, refuseAtMessage, tellEnd, tellReady } from './transaction-effects.ts';

/** BDAT (RFC 3030), where the server offers CHUNKING. */
export interface ChunkingFeature extends ClientFeature {
  readonly name: 'chunking';
  /** What it adds to the table of a transaction; these rows come first. */
  readonly transaction: Rows<TransactionTrigger, TransactionRow>;
}

/** Chunks that wait for their replies, with pipelining. */
const MOST_CHUNKS = 8;

const byBdat = (_: ClientCore, { plan }: Transaction): boolean => plan.transfer === 'BDAT';
const someWanted = (core: ClientCore, transaction: Transaction): boolean => !noneWanted(core, transaction);
const lastEnd = (core: ClientCore, transaction: Transaction): boolean => !moreEnds(core, transaction);
/** No reply of the transaction is due any more. */
const chunksAnswered = ({ due }: ClientCore, transaction: Transaction): boolean => !due.some((one) => one.transaction === transaction);
const chunkMissing = (_: ClientCore, { refusal }: Transaction): boolean => refusal !== null;

function beginChunks(core: ClientCore, transaction: Transaction): void {
  core.body = new Body(transaction, core.options.newlines, (body) => parts(core, body));
}
function keepRefusal({ reply }: ClientCore, transaction: Transaction): void {
  transaction.refusal ??= reply;
}
function stopBody({ body }: ClientCore): void {
  body!.stop();
}
/** A chunk is missing, but the server accepts the message: its content there is unknown. */
function doubtMessage(core: ClientCore, transaction: Transaction): void {
  tellEnd(core, transaction, { status: 'unknown', stage: 'message', cause: 'fault', reply: core.reply });
}

/** What BDAT adds to the order of a transaction (RFC 3030 2). */
export const CHUNKING_ROWS: Rows<TransactionTrigger, TransactionRow> = {
  say: [
    // BDAT comes "after all MAIL and RCPT responses are collected".
    { from: ['envelope'], guards: [byBdat, isAnswered, someWanted], effects: [beginChunks, tellReady], to: 'body' },
  ],
  end: [{ from: ['body'], guards: [byBdat], effects: [endBody], to: 'end' }],
  handed: [
    // The last chunk was announced before the message was stopped.
    { from: ['stopped'] },
  ],
  BDAT: [
    { from: ['stopped'], guards: [chunksAnswered], effects: [leaveHalfOpen], to: 'over' },
    { from: ['body', 'stopped', 'end', 'message'] },
  ],
  'BDAT refused': [
    {
      from: ['body', 'end'],
      guards: [chunksAnswered],
      effects: [keepRefusal, stopBody, refuseAtBody, leaveHalfOpen],
      to: 'over',
    },
    { from: ['body', 'end'], effects: [keepRefusal, stopBody, refuseAtBody], to: 'stopped' },
    { from: ['stopped'], guards: [chunksAnswered], effects: [leaveHalfOpen], to: 'over' },
    { from: ['stopped'] },
    // The last chunk has been sent: its reply decides.
    { from: ['message'], effects: [keepRefusal] },
  ],
  END: [
    { from: ['message', 'stopped'], guards: [chunkMissing, moreEnds], effects: [doubtMessage, expectAnother] },
    { from: ['message', 'stopped'], guards: [chunkMissing], effects: [doubtMessage], to: 'over' },
  ],
  'END refused': [
    // A BDAT that is refused clears nothing: RSET has to.
    { from: ['message', 'stopped'], guards: [byBdat, lastEnd], effects: [refuseAtMessage, leaveHalfOpen], to: 'over' },
  ],
  abort: [
    { from: ['body'], guards: [byBdat, chunksAnswered], effects: [stopBody, giveUp, leaveHalfOpen], to: 'over' },
    { from: ['body'], guards: [byBdat], effects: [stopBody, giveUp], to: 'stopped' },
  ],
};

/** Names BDAT among the features of a client session: a message goes by BDAT where the server offers CHUNKING, else by DATA. */
export const CHUNKING: ChunkingFeature = { name: 'chunking', transaction: CHUNKING_ROWS };

function parts(core: ClientCore, { writer, ended, transaction }: Body): Part[] {
  if (core.due.length >= (core.pipelines('envelope') ? MOST_CHUNKS : 1)) return [];
  const block = writer.next();
  const last = ended && writer.idle;
  if (block === null && !last) return [];
  const bytes = concat([block ?? EMPTY, encodeUtf8(last ? writer.finish() : '')]);
  const command = encodeUtf8(`BDAT ${bytes.length}${last ? ' LAST' : ''}\r\n`);
  const size = command.length + bytes.length;
  const due = core.expect(last ? 'END' : 'BDAT', transaction, 0, size);
  return [
    { bytes: command, due: null },
    { bytes, due },
  ];
}
