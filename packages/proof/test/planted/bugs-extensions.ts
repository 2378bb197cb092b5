// Bugs in chunks, in LMTP, in what proxies tell, and in replies that are held back.
import type { Mutant } from './mutant.ts';

const CHUNKING = '1: any chunking of the same octets gives the same events and replies';
const KEPT = '3: what a peer sends without end is not kept';
const RECIPIENTS = '3: a recipient costs the same whether it is the first or the last of many';
const LINEAR = '3: work is linear in octets, those in chunks of one included';
const SIZE = '3: a message beyond the size limit is refused at its true end, and never handed over beyond it';
const DEADLINE = '3: while anything is awaited there is a deadline, and it never lies in the past';
const TRICKLE = '3: a peer that trickles octets can not hold a session';
const PROGRESS = '3: a peer that sends a block in time may go on, and one that does not is cut off';
const REPLIES = '4: one final reply to each command and each message, in order';
const UTF8 = '4: UTF-8 is said only to a client that takes it';
const HANDSHAKE = '5: after the handshake a session is one that was secure from the start';
const EXACT = '6: a chunk is exactly its octets, whether it is taken or refused';
const BROKEN =
  '6: a line that a bare LF breaks has one reply, and nothing of it is carried out; nor is anything of a chunk that may follow';
const BODIES = '6: every message that begins ends in exactly one message or aborted';
const STORED = '7: stored is what was sent, octet for octet';
const REFUSED = '9: a refused command leaves hello, identity and envelope as they were';
const ANEW = '9: XCLIENT begins the session anew, with the peer that it tells';
const SNAPSHOT = '12: a session restored from a snapshot goes on as if never stopped';

export const EXTENSION_BUGS: readonly Mutant[] = [
  // Chunks
  {
    name: 'a dot at the beginning of a chunk is taken out',
    file: 'server/chunk-reader.ts',
    find: 'this.content = bytes.subarray(from, end);',
    replace: 'this.content = bytes.subarray(end > from && bytes[from] === 0x2e ? from + 1 : from, end);',
    law: STORED,
  },
  {
    name: 'the line ends of a binary message are looked at',
    file: 'server/chunk-reader.ts',
    find: 'this.binary ? limit :',
    replace: 'false ? limit :',
    law: STORED,
  },
  {
    name: 'a CRLF that two chunks of a message share is bare',
    file: 'server/chunk-reader.ts',
    find: '  begin(size: number, last: boolean): void {\n',
    replace: '  begin(size: number, last: boolean): void {\n    if (this.cr) this.bareCr ||= this.line;\n',
    law: STORED,
  },
  {
    name: 'a CRLF in a chunk that two reads share is bare',
    file: 'server/chunk-reader.ts',
    find: 'if (bytes[i] === LF) {',
    replace: 'if (bytes[i] === LF && i > from) {',
    law: CHUNKING,
  },
  {
    name: 'each chunk is searched from the beginning of what was read',
    file: 'server/chunk-reader.ts',
    find: '    let i = from;\n',
    replace: '    for (let k = 0; k < from; k++) if (bytes[k] === -1) break;\n    let i = from;\n',
    law: LINEAR,
  },
  {
    name: 'the octets of a refused chunk are commands',
    file: 'server/message-effects.ts',
    find: 'refusedChunk: { left: size, block',
    replace: 'refusedChunk: { left: 0, block',
    law: EXACT,
  },
  {
    name: 'a refused chunk is read one octet short',
    file: 'server/message-effects.ts',
    find: 'refusedChunk: { left: size, block',
    replace: 'refusedChunk: { left: Math.max(0, size - 1), block',
    law: EXACT,
  },
  {
    name: 'what stands behind a bare LF is a line',
    file: 'server/command.ts',
    find: '  else if (input.rest) return true;\n',
    replace: '',
    law: BROKEN,
  },
  {
    name: 'the chunk of a BDAT that a bare LF breaks begins behind that LF',
    file: 'server/command.ts',
    find: 'size: input.overlong || input.broken ?',
    replace: 'size: input.overlong ?',
    law: BROKEN,
  },
  {
    name: 'LAST of a refused chunk does not count',
    file: 'server/message-effects.ts',
    find: 'left: size, block: 0, last, reply',
    replace: 'left: size, block: 0, last: false, reply',
    law: EXACT,
  },
  {
    name: 'a later chunk mends a failed one',
    file: 'server/message-effects.ts',
    find: 'verdict: { reply, delay: 0 } },\n      reply,',
    replace: 'verdict: null },\n      reply,',
    law: EXACT,
  },
  {
    name: 'a failed chunk leaves the transaction as it was',
    file: 'server/trigger-rows.ts',
    find: "effect: 'failChunk', to: 'chunks' }",
    replace: "effect: 'failChunk', to: 'rcpt' }",
    law: REFUSED,
  },
  {
    name: 'what is dropped of a refused chunk is kept',
    file: 'server/body.ts',
    find: '    progress(machine, chunk, end - input.from);\n',
    replace: '    progress(machine, chunk, end - input.from);\n    (chunk.planted ??= []).push(input.bytes);\n',
    law: KEPT,
  },
  {
    name: 'the size limit begins anew with each chunk',
    file: 'server/message-effects.ts',
    find: '  nextChunk: (at, chunk) => ({ chunk,',
    replace: '  nextChunk: (at, chunk) => ({ transaction: { ...at.transaction, message: { ...at.transaction.message!, size: 0 } }, chunk,',
    law: SIZE,
  },
  {
    name: 'DATA is taken for a binary message',
    file: 'server/verb-rows.ts',
    find: "guards: ['not-binary'], asks",
    replace: 'asks',
    law: BODIES,
  },
  {
    name: 'RCPT is taken between two chunks',
    file: 'server/verb-rows.ts',
    find: "    on: 'RCPT',\n    from: IN_TRANSACTION,",
    replace: "    on: 'RCPT',\n    from: [...IN_TRANSACTION, 'chunks'],",
    law: BODIES,
    cases: 3000,
  },
  {
    name: 'RSET between two chunks tells nothing of the message',
    file: 'server/change.ts',
    find: "[...aborted(at, 'reset'), { type: 'reset' }]",
    replace: "[{ type: 'reset' }]",
    law: BODIES,
    cases: 999,
  },
  {
    name: 'a connection that is lost between two chunks ends no message',
    file: 'server/facts.ts',
    find: "phase !== 'message' &&",
    replace: "phase !== 'message' && phase !== 'chunks' &&",
    law: BODIES,
  },
  {
    name: 'a message that nobody has taken is aborted',
    file: 'server/facts.ts',
    find: " && question?.type !== 'data'",
    replace: '',
    law: BODIES,
  },
  // Time in chunks
  {
    name: 'each octet of a refused chunk gives more time',
    file: 'server/session.ts',
    find: 'drain: (machine) => readBlock(machine, drain)',
    replace: 'drain: (machine) => drain(machine) && settled(machine)',
    law: TRICKLE,
  },
  {
    name: 'a refused chunk has as much time as a command',
    file: 'server/table.ts',
    find: "drain: 'dataTimeout'",
    replace: "drain: 'commandTimeout'",
    law: TRICKLE,
  },
  {
    name: 'the blocks of a refused chunk do not count',
    file: 'server/body.ts',
    find: '    progress(machine, chunk, end - input.from);\n',
    replace: '',
    law: PROGRESS,
  },
  // LMTP
  {
    name: 'LMTP: the last chunk is answered though there are no recipients',
    file: 'server/change.ts',
    find: 'envelope?.recipients.length ?? 0',
    replace: 'envelope?.recipients.length || 1',
    law: REPLIES,
  },
  {
    name: 'LMTP: one decision for all recipients',
    file: 'server/guards.ts',
    find: "policy.protocol === 'smtp' || decided + 1",
    replace: "policy.protocol !== '' || decided + 1",
    law: REPLIES,
  },
  {
    name: 'LMTP: a refused message has one reply',
    file: 'server/change.ts',
    find: "const times = policy.protocol === 'lmtp' ?",
    replace: "const times = policy.protocol === '' ?",
    law: EXACT,
  },
  {
    name: 'LMTP: every decision is about the first recipient',
    file: 'server/body.ts',
    find: 'envelope.recipients[decided]!',
    replace: 'envelope.recipients[0]!',
    law: BODIES,
  },
  {
    name: 'LMTP: the recipients are copied for each decision',
    file: 'server/body.ts',
    find: "{ type: 'message', envelope, recipient",
    replace: "{ type: 'message', envelope: { ...envelope, recipients: [...envelope.recipients] }, recipient",
    law: RECIPIENTS,
  },
  {
    name: 'LMTP: the next decision is asked for while a reply is held back',
    file: 'server/session.ts',
    find: 'if (machine.clock.holds) return false;',
    replace: "if (machine.clock.holds && phase !== 'message') return false;",
    law: REPLIES,
  },
  // Replies that are held back
  {
    name: 'commands are read while a reply is held back',
    file: 'server/session.ts',
    find: 'if (machine.clock.holds) return false;',
    replace: '',
    law: REPLIES,
  },
  {
    name: 'no reply is ever held back',
    file: 'server/machine.ts',
    find: 'if (delay > 0 && !this.clock.holds)',
    replace: 'if (delay > 1e9)',
    law: REPLIES,
  },
  {
    name: 'a reply is held back for ever',
    file: 'server/clock.ts',
    find: 'this.#ends = this.now + milliseconds;',
    replace: 'this.#ends = NEVER;',
    law: DEADLINE,
  },
  {
    name: 'the last reply is lost where it is held back',
    file: 'server/machine.ts',
    find: '    this.question = null;\n    this.release();',
    replace: '    this.question = null;\n    this.clock.stop();',
    law: REPLIES,
  },
  // What is said, and to whom
  {
    name: 'UTF-8 in any reply',
    file: 'server/effects.ts',
    find: "if (question.type !== 'info') return { reply };",
    replace: "if (question.type !== 'info') return { reply, utf8: true };",
    law: UTF8,
  },
  {
    name: 'UTF-8 in the answer to any VRFY',
    file: 'server/effects.ts',
    find: 'if (question.smtpUtf8) return',
    replace: 'return',
    law: UTF8,
  },
  // Proxies
  {
    name: 'XCLIENT of anybody',
    file: 'server/guards.ts',
    find: "(at) => offers(at, 'XCLIENT')",
    replace: '() => true',
    law: REFUSED,
  },
  {
    name: 'XCLIENT once more by whom it let in',
    file: 'server/offer.ts',
    find: ' && !facts.proxied',
    replace: '',
    law: ANEW,
  },
  {
    name: 'XFORWARD that is refused tells something',
    file: 'server/command.ts',
    find: '  const isDetailed = ',
    replace:
      "  if (verb === 'XFORWARD') machine.transaction = { ...machine.transaction, forwarded: { name: 'x' } };\n  const isDetailed = ",
    law: REFUSED,
  },
  {
    name: 'hello survives XCLIENT',
    file: 'server/effects.ts',
    find: 'proxied: true, speaksSmtp: false, hello: null, own',
    replace: 'proxied: true, speaksSmtp: false, own',
    law: ANEW,
  },
  {
    name: 'identity survives XCLIENT',
    file: 'server/effects.ts',
    find: 'facts: { peer, identity, proxied',
    replace: 'facts: { peer, identity: identity ?? at.facts.identity, proxied',
    law: ANEW,
  },
  {
    name: 'what XFORWARD told survives its transaction',
    file: 'server/machine.ts',
    find: 'if (transaction !== undefined) this.transaction = transaction;',
    replace:
      'if (transaction !== undefined) this.transaction = { ...transaction, forwarded: transaction.forwarded ?? this.transaction.forwarded };',
    law: ANEW,
  },
  {
    name: 'what EHLO offered is taken behind XCLIENT',
    file: 'server/offer.ts',
    find: "facts.hello === null || facts.hello.verb === 'HELO'",
    replace: "(facts.hello === null && !facts.proxied) || facts.hello?.verb === 'HELO'",
    law: ANEW,
    cases: 999,
  },
  {
    name: 'what EHLO offered in clear is offered under TLS',
    file: 'server/offer.ts',
    find: '(facts.tls === null ? 0 : 1)',
    replace: '0',
    law: HANDSHAKE,
  },
  // Snapshots
  {
    name: 'a snapshot shares the envelope with its session',
    file: 'server/snapshot.ts',
    find: 'return envelope === null ? null : { ...envelope, recipients: [...envelope.recipients] };',
    replace: 'return envelope;',
    law: SNAPSHOT,
  },
  {
    name: 'a snapshot shares a refused chunk with its session',
    file: 'server/snapshot.ts',
    find: 'facts: { ...facts, refusedChunk: facts.refusedChunk === null ? null : { ...facts.refusedChunk } },',
    replace: 'facts,',
    law: SNAPSHOT,
  },
  {
    name: 'sessions that are restored from one snapshot share a refused chunk',
    file: 'server/snapshot.ts',
    find: 'machine.facts = { ...facts, refusedChunk: facts.refusedChunk === null ? null : { ...facts.refusedChunk }, exchange: null };',
    replace: 'machine.facts = { ...facts, exchange: null };',
    law: SNAPSHOT,
  },
  {
    name: 'snapshot forgets that the program is busy with content',
    file: 'server/clock.ts',
    find: '    this.#busySince = now - busyFor;\n',
    replace: '',
    law: SNAPSHOT,
  },
  {
    name: 'snapshot forgets a reply that is held back',
    file: 'server/outbox.ts',
    find: '    if (late.length > 0) this.holdBack(copy(late));\n',
    replace: '',
    law: SNAPSHOT,
  },
  {
    name: 'snapshot forgets how much of a chunk has been read',
    file: 'server/snapshot.ts',
    find: 'return { binary, size, left,',
    replace: 'return { binary, size, left: size,',
    law: SNAPSHOT,
  },
  {
    name: 'snapshot forgets a CR in a chunk',
    file: 'server/snapshot.ts',
    find: 'last, cr, line, bareCr, bareLf };',
    replace: 'last, cr: false, line, bareCr, bareLf };',
    law: SNAPSHOT,
  },
];
