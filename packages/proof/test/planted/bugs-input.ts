// Bugs in what is read, kept and timed.
import type { Mutant } from './mutant.ts';

const CHUNKING = '1: any chunking of the same octets gives the same events and replies';
const SPLITS = '1: … and so does every split in two';
const LENDING = '1: octets are lent only until the session wants to read again';
const THROWS = '2: no octet from the network makes any method throw';
const KEPT = '3: what a peer sends without end is not kept';
const DEAF = '3: for a peer that never reads, reading stops and no reply is made';
const PIPELINE = '3: any number of commands in one chunk costs no stack, and output comes in portions';
const RECIPIENTS = '3: a recipient costs the same whether it is the first or the last of many';
const LINEAR = '3: work is linear in octets, those in chunks of one included';
const SIZE = '3: a message beyond the size limit is refused at its true end, and never handed over beyond it';
const DEADLINE = '3: while anything is awaited there is a deadline, and it never lies in the past';
const TRICKLE = '3: a peer that trickles octets can not hold a session';
const PROGRESS = '3: a peer that sends a block in time may go on, and one that does not is cut off';
const READER = '3: a peer that never reads its replies is cut off, whatever it sends';

export const INPUT_BUGS: readonly Mutant[] = [
  // Chunks
  {
    name: 'octets over a block are forgotten at the end of the chunk',
    file: 'server/body.ts',
    find: 'content.block %= policy.limits.dataBlock;',
    replace: 'content.block = 0;',
    law: PROGRESS,
  },
  {
    name: 'what is drained counts by the block',
    file: 'server/body.ts',
    find: 'else if (size > messageSize + drain)',
    replace: 'else if (size > messageSize && reader.content.length > drain)',
    law: CHUNKING,
    cases: 999,
  },
  {
    name: 'what follows from content is carried out before the program has seen it',
    file: 'server/body.ts',
    find: '  handOn(machine, message, message.reader.content);\n',
    replace: '  handOn(machine, message, message.reader.content);\n  judge(machine, message);\n',
    law: CHUNKING,
  },
  {
    name: 'a CRLF that two chunks share ends no line',
    file: 'input.ts',
    find: 'this.crlf = lf > from && bytes[lf - 1] === CR;',
    replace: 'this.crlf = lf > from && bytes !== this.#partial && bytes[lf - 1] === CR;',
    law: SPLITS,
  },
  {
    name: 'of a line that is too long the CR in front of its LF is forgotten',
    file: 'input.ts',
    find: '    if (end < to) this.#partial[limit - 1] = bytes[to - 1]!;\n',
    replace: '',
    law: CHUNKING,
    cases: 999,
  },
  {
    name: 'pipelining is judged by the borders of chunks',
    file: 'input.ts',
    find: 'if (this.#at === bytes.length) this.#next();\n      return true;',
    replace: 'this.#next();\n      return true;',
    law: CHUNKING,
  },
  {
    name: 'the beginning of a line is kept where it lies',
    file: 'input.ts',
    find: 'if (end > from) this.#partial.set(bytes.subarray(from, end), this.#held);',
    replace:
      'if (this.#held === 0) this.#partial = bytes.subarray(from, end);\n    else if (end > from) this.#partial.set(bytes.subarray(from, end), this.#held);',
    law: LENDING,
  },
  // Throws
  {
    name: 'a verb without a row throws',
    file: 'server/table.ts',
    find: '[...VERB_ROWS, ...REFUSED_ROWS]',
    replace: '[...VERB_ROWS]',
    law: THROWS,
  },
  // Memory and work
  { name: 'unbounded line', file: 'input.ts', find: 'const room = limit - this.#held;', replace: 'const room = 1e9;', law: KEPT },
  {
    name: 'chunks are kept',
    file: 'input.ts',
    find: 'this.#chunk = this.#queue.shift() ?? EMPTY;',
    replace: '(globalThis.planted ??= []).push(this.#chunk);\n    this.#chunk = this.#queue.shift() ?? EMPTY;',
    law: KEPT,
  },
  {
    name: 'quadratic partial line',
    file: 'input.ts',
    find: 'new Uint8Array(Math.max(needed, Math.min(limit, 2 * this.#partial.length), 128))',
    replace: 'new Uint8Array(needed)',
    law: LINEAR,
  },
  {
    name: 'each dot is copied with all that came before it',
    file: 'server/dot-reader.ts',
    find: '            start = text;\n',
    replace: '            start = text;\n            block.slice();\n',
    law: LINEAR,
  },
  {
    name: 'a line is searched again from its beginning at each octet',
    file: 'input.ts',
    find: '      let i = from;\n',
    replace: '      for (let k = 0; k < this.#held; k++) if (this.#partial[k] === LF) break;\n      let i = from;\n',
    law: LINEAR,
  },
  {
    name: 'output without a cap',
    file: 'server/session.ts',
    find: 'machine.question !== null || machine.outputFull ||',
    replace: 'machine.question !== null ||',
    law: DEAF,
  },
  {
    name: 'each command costs stack',
    file: 'server/session.ts',
    find: '|| machine.outputFull || !step(machine)) return null;',
    replace: '|| !step(machine)) return null;\n      return this.nextEvent();',
    law: PIPELINE,
  },
  {
    name: 'oversize not enforced',
    file: 'server/body.ts',
    find: 'if (machine.transaction.verdict === null && size > messageSize)',
    replace: 'if (machine.transaction.verdict === null && size > 1e9)',
    law: SIZE,
  },
  {
    name: 'one octet too many is taken',
    file: 'server/body.ts',
    find: 'Math.max(0, policy.limits.messageSize - message.size)',
    replace: 'Math.max(0, policy.limits.messageSize + 1 - message.size)',
    law: SIZE,
  },
  {
    name: 'each recipient is compared with all before it',
    file: 'server/machine.ts',
    find: '    this.transaction.envelope!.recipients.push(recipient);',
    replace:
      '    if (this.transaction.envelope!.recipients.some((other) => other.forwardPath === recipient.forwardPath)) return;\n    this.transaction.envelope!.recipients.push(recipient);',
    law: RECIPIENTS,
  },
  {
    name: 'the envelope is copied for each recipient',
    file: 'server/machine.ts',
    find: '    this.transaction.envelope!.recipients.push(recipient);',
    replace:
      '    const envelope = this.transaction.envelope!;\n    this.transaction = { ...this.transaction, envelope: { ...envelope, recipients: [...envelope.recipients, recipient] } };',
    law: RECIPIENTS,
  },
  // Time
  {
    name: 'timer restarts per octet',
    file: 'server/body.ts',
    find: 'if (content.block < policy.limits.dataBlock) return;',
    replace: '',
    law: TRICKLE,
  },
  {
    name: 'the rest of a broken line restarts the timer of a command',
    file: 'server/session.ts',
    find: '(machine.input.rest || settled(machine))',
    replace: 'settled(machine)',
    law: TRICKLE,
  },
  {
    name: 'the timer of a command restarts with each chunk',
    file: 'server/session.ts',
    find: 'input.push(bytes);',
    replace: 'input.push(bytes);\n    this.#machine.settle();',
    law: TRICKLE,
  },
  {
    name: 'an answer that never comes is awaited for ever',
    file: 'server/machine.ts',
    find: '    this.clock.start(ANSWER_LIMITS[question.type]);\n',
    replace: '',
    law: DEADLINE,
  },
  {
    name: 'each reply gives a deaf peer more time',
    file: 'server/machine.ts',
    find: '    if (this.outbox.size === 0) this.clock.awaitReader();\n    this.outbox.push(wire);',
    replace: '    this.clock.awaitReader();\n    this.outbox.push(wire);',
    law: READER,
  },
];
