// Bugs that servers have had, or could have: each must break the law that is there to prevent it.

export interface Mutant {
  readonly name: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** The law that has to fail. */
  readonly law: string;
  /** Cases it may take; 200 if absent. */
  readonly cases?: number;
}

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
const REPLIES = '4: one final reply to each command and each message, in order';
const HANDSHAKE = '5: the handshake forgets hello, identity and envelope';
const SECURE = '5: after the handshake a session is one that was secure from the start';
const INJECTED = '5: octets behind STARTTLS are executed neither before TLS nor after';
const ENDING = '6: only CRLF "." CRLF ends the data';
const BODIES = '6: every message that begins ends in exactly one message or aborted';
const STORED = '7: stored is what was sent, octet for octet';
const CLOSED = '8: after closed nothing more';
const REFUSED = '9: a refused command leaves hello, identity and envelope as they were';
const FRESH = '9: a transaction knows nothing of those before it';
const PATIENCE = '10: the same answers sooner or later give the same log';
const SECRETS = '11: no secret stands in an event, a trace or an error';
const SNAPSHOT = '12: a session restored from a snapshot goes on as if never stopped';
const REPLAY = '12: a recorded log replays exactly';

export const MUTANTS: readonly Mutant[] = [
  // Chunks
  {
    name: 'octets over a block are forgotten at the end of the chunk',
    file: 'body.ts',
    find: 'body.block %= core.policy.limits.dataBlock;',
    replace: 'body.block = 0;',
    law: PROGRESS,
  },
  {
    name: 'what is drained counts from the next chunk on',
    file: 'body.ts',
    find: 'drain(core, body, content.length - room);',
    replace: '',
    law: CHUNKING,
    cases: 999,
  },
  {
    name: 'a CRLF that two chunks share ends no line',
    file: 'input.ts',
    find: 'this.crlf = lf > from && bytes[lf - 1] === CR;',
    replace: 'this.crlf = lf > from && bytes !== this.#partial && bytes[lf - 1] === CR;',
    law: SPLITS,
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
    file: 'command.ts',
    find: "if (row === undefined) return { reply: 'onlyQuit', fault: 'sequence' };",
    replace: "if (row === undefined) throw new Error('no row');",
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
    file: 'dot-reader.ts',
    find: '// RFC 5321 4.5.2: "If the first character is a period',
    replace: 'this.#scratch = this.#scratch.slice();\n        // "If the first character is a period',
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
    file: 'server-session.ts',
    find: 'core.question !== null || core.outputFull ||',
    replace: 'core.question !== null ||',
    law: DEAF,
  },
  {
    name: 'each command costs stack',
    file: 'server-session.ts',
    find: '|| !step(core)) return null;',
    replace: '|| !step(core)) return null;\n      return this.nextEvent();',
    law: PIPELINE,
  },
  {
    name: 'oversize not enforced',
    file: 'body.ts',
    find: 'const room = core.policy.limits.messageSize - body.size;',
    replace: 'const room = 1e9;',
    law: SIZE,
  },
  {
    name: 'one octet too many is taken',
    file: 'body.ts',
    find: 'const room = core.policy.limits.messageSize - body.size;',
    replace: 'const room = core.policy.limits.messageSize + 1 - body.size;',
    law: SIZE,
  },
  {
    name: 'each recipient is compared with all before it',
    file: 'answer.ts',
    find: '      state.envelope!.recipients.push(',
    replace:
      '      if (state.envelope!.recipients.some((other) => other.forwardPath === question.forwardPath)) return;\n      state.envelope!.recipients.push(',
    law: RECIPIENTS,
  },
  {
    name: 'the envelope is copied for each recipient',
    file: 'answer.ts',
    find: '      state.envelope!.recipients.push(',
    replace:
      '      state.envelope = { ...state.envelope!, recipients: [...state.envelope!.recipients] };\n      state.envelope!.recipients.push(',
    law: RECIPIENTS,
  },
  // Time
  {
    name: 'timer restarts per octet',
    file: 'body.ts',
    find: 'if (body.block < core.policy.limits.dataBlock) return;',
    replace: '',
    law: TRICKLE,
  },
  {
    name: 'the timer of a command restarts with each chunk',
    file: 'server-session.ts',
    find: 'input.push(bytes);',
    replace: 'input.push(bytes);\n    this.#core.settle();',
    law: TRICKLE,
  },
  {
    name: 'an answer that never comes is awaited for ever',
    file: 'answer.ts',
    find: 'core.arm(ANSWER_LIMITS[question.type]);',
    replace: '',
    law: DEADLINE,
  },
  {
    name: 'each reply gives a deaf peer more time',
    file: 'core.ts',
    find: 'if (this.#outputSize === 0) this.flushEnds',
    replace: 'this.flushEnds',
    law: READER,
  },
  // Replies
  { name: 'reply out of order', file: 'core.ts', find: 'this.#output.push(wire);', replace: 'this.#output.unshift(wire);', law: REPLIES },
  {
    name: 'a recipient is acknowledged twice',
    file: 'answer.ts',
    find: 'core.reply(changed(REPLIES.rcpt, answer));',
    replace: 'core.reply(changed(REPLIES.rcpt, answer));\n      core.reply(REPLIES.rcpt);',
    law: REPLIES,
  },
  {
    name: 'an empty line has no reply',
    file: 'command.ts',
    find: '  if (verb === null) {',
    replace: '  if (input.from === input.to) return;\n  if (verb === null) {',
    law: REPLIES,
  },
  {
    name: 'a line that is too long has a reply and is then executed',
    file: 'command.ts',
    find: '  if (input.overlong) core.fault',
    replace: '  if (input.overlong) execute(core);\n  if (input.overlong && core.state.phase !== "closed") core.fault',
    law: REPLIES,
  },
  {
    name: 'a refused message is answered at once, and again at its end',
    file: 'body.ts',
    find: '  core.abort(cause, reply);',
    replace: '  core.reply(reply);\n  core.abort(cause, reply);',
    law: REPLIES,
  },
  // TLS
  {
    name: 'plaintext after STARTTLS is kept',
    file: 'answer.ts',
    find: 'if (!core.input.empty) core.plaintextAfterStartTls();',
    replace: '',
    law: INJECTED,
  },
  {
    name: 'octets before the handshake are queued',
    file: 'server-session.ts',
    find: "if (state.phase === 'tls') return this.#core.plaintextAfterStartTls();",
    replace: '',
    law: INJECTED,
  },
  { name: 'identity survives STARTTLS', file: 'server-session.ts', find: '    state.identity = null;\n', replace: '', law: HANDSHAKE },
  { name: 'hello survives STARTTLS', file: 'server-session.ts', find: '    state.hello = null;\n', replace: '', law: HANDSHAKE },
  {
    name: 'after the handshake no new EHLO is needed',
    file: 'table.ts',
    find: "{ on: 'secured', from: ['tls'], to: 'greeted' }",
    replace: "{ on: 'secured', from: ['tls'], to: 'ready' }",
    law: HANDSHAKE,
  },
  {
    name: 'STARTTLS is still offered under TLS',
    file: 'offer.ts',
    find: "policy.starttls !== 'off' && state.tls === null]",
    replace: "policy.starttls !== 'off']",
    law: SECURE,
  },
  // Messages
  { name: 'CR lost before a non-LF', file: 'dot-reader.ts', find: 'this.#copy(BARE_CR, 0, 1, to - from);', replace: '', law: ENDING },
  {
    name: 'bare LF ends the data',
    file: 'dot-reader.ts',
    find: "        if (byte === CR) {\n          state = 'DOT_CR';",
    replace:
      "        if (byte === LF) {\n          this.ended = true;\n          i++;\n          break;\n        }\n        if (byte === CR) {\n          state = 'DOT_CR';",
    law: ENDING,
  },
  {
    name: 'a bare LF begins a line',
    file: 'dot-reader.ts',
    find: '          this.bareLf ||= this.line;\n',
    replace: "          this.bareLf ||= this.line;\n          state = 'LINE';\n",
    law: ENDING,
  },
  {
    name: 'a bare CR begins a line',
    file: 'dot-reader.ts',
    find: "if (byte === CR) i++;\n          else state = 'TEXT';",
    replace: "if (byte === CR) i++;\n          else state = 'LINE';",
    law: ENDING,
  },
  {
    name: 'CRLF "." CR CRLF ends the data',
    file: 'dot-reader.ts',
    find: '} else if (byte === LF) {\n        this.ended',
    replace: '} else if (byte === CR) {\n        i++;\n      } else if (byte === LF) {\n        this.ended',
    law: ENDING,
  },
  {
    name: 'a refused message is over where it is refused',
    file: 'body.ts',
    find: '  if (reader.ended && core',
    replace:
      '  if (body.verdict !== null && body.verdict.code !== 552 && reader.bareLf > 0) reader.ended = true;\n  if (reader.ended && core',
    law: ENDING,
  },
  {
    name: 'first-line dot kept',
    file: 'dot-reader.ts',
    find: "state: DotState = 'LINE';",
    replace: "state: DotState = 'TEXT';",
    law: STORED,
  },
  {
    name: 'final CRLF lost',
    file: 'dot-reader.ts',
    find: '          end = i;\n          state = ',
    replace: '          end = Math.max(start, i - 2);\n          state = ',
    law: STORED,
  },
  {
    name: 'a message that is whole is aborted when the connection is lost',
    file: 'core.ts',
    find: "if (this.state.phase !== 'data' || this.state.body === null",
    replace: 'if (this.state.body === null',
    law: BODIES,
    cases: 999,
  },
  {
    name: 'a message that is cut off ends in nothing',
    file: 'server-session.ts',
    find: "  core.abort('ended');\n",
    replace: '',
    law: BODIES,
    cases: 999,
  },
  // The end of a session
  {
    name: 'a late answer is taken',
    file: 'server-session.ts',
    find: '    if (core.question !== question) return false;\n    const before',
    replace: '    const before',
    law: CLOSED,
  },
  {
    name: 'a question survives the end',
    file: 'core.ts',
    find: "('close');\n    this.question = null;",
    replace: "('close');",
    law: CLOSED,
    cases: 999,
  },
  {
    name: 'closed is told twice',
    file: 'server-session.ts',
    find: "    if (core.state.phase === 'closed') return;\n    core.abort('lost');",
    replace: "    core.abort('lost');",
    law: CLOSED,
  },
  { name: 'a closed session reads on', file: 'server-session.ts', find: "if (phase === 'closed') return false;", replace: '', law: CLOSED },
  // Refusals and transactions
  {
    name: 'refused RCPT drops the sender',
    file: 'answer.ts',
    find: "  if (question.type === 'connect') core.go('turn-away');",
    replace: "  if (question.type === 'rcpt') core.forgetTransaction();\n  if (question.type === 'connect') core.go('turn-away');",
    law: REFUSED,
  },
  {
    name: 'a refused EHLO forgets the one before',
    file: 'answer.ts',
    find: "  if (question.type === 'connect') core.go('turn-away');",
    replace: "  if (question.type === 'hello') core.state.hello = null;\n  if (question.type === 'connect') core.go('turn-away');",
    law: REFUSED,
  },
  {
    name: 'EHLO with a broken argument resets the transaction',
    file: 'command.ts',
    find: '  if (!parsed.ok) core.fault',
    replace: "  if (!parsed.ok && verb === 'EHLO') core.forgetTransaction();\n  if (!parsed.ok) core.fault",
    law: REFUSED,
  },
  { name: 'EHLO keeps the envelope', file: 'answer.ts', find: '      core.giveUpTransaction();\n', replace: '', law: FRESH },
  { name: 'RSET keeps the envelope', file: 'command.ts', find: '      core.giveUpTransaction();\n', replace: '', law: FRESH },
  {
    name: 'envelope leaks into the next transaction',
    file: 'answer.ts',
    find: 'parameters: question.parameters, recipients: [] };',
    replace: 'parameters: question.parameters, recipients: (core.planted ??= []) };',
    law: FRESH,
  },
  {
    name: 'refused recipients are counted on',
    file: 'core.ts',
    find: '    this.state.refusedRecipients = 0;\n',
    replace: '',
    law: FRESH,
    cases: 999,
  },
  {
    name: 'nested MAIL accepted',
    file: 'table.ts',
    find: "{ on: 'MAIL', from: ['ready'], guards",
    replace: "{ on: 'MAIL', from: ['ready', 'mail', 'rcpt'], guards",
    law: FRESH,
  },
  {
    name: 'DATA without recipients',
    file: 'table.ts',
    find: "{ on: 'DATA', from: ['rcpt'], to",
    replace: "{ on: 'DATA', from: ['rcpt', 'mail'], to",
    law: FRESH,
  },
  // Answers
  {
    name: 'what arrives during a question is lost',
    file: 'server-session.ts',
    find: '|| state.ended || bytes.length === 0) return;',
    replace: '|| state.ended || bytes.length === 0 || this.#core.question !== null) return;',
    law: PATIENCE,
  },
  {
    name: 'a slow application is punished',
    file: 'server-session.ts',
    find: '    const before = core.question;',
    replace:
      "    if (core.timerEnds - core.now < 10_000 && question.type === 'rcpt') return this.reject(question, { code: 451, text: 'slow' });\n    const before = core.question;",
    law: PATIENCE,
  },
  // Secrets
  {
    name: 'AUTH line in a fault unmasked',
    file: 'redact.ts',
    find: 'if (looksLikeAuth(bytes, from, to)) {',
    replace: 'if (false) {',
    law: SECRETS,
  },
  {
    name: 'the line behind a refused AUTH is shown',
    file: 'command.ts',
    find: '  if (looksLikeAuth(input.bytes, input.from, input.to)) state.redact = true;\n',
    replace: '',
    law: SECRETS,
  },
  {
    name: 'a credential in the place of a mechanism is shown',
    file: 'redact.ts',
    find: 'if (!MECHANISMS.has(mechanism.toUpperCase()))',
    replace: "if (mechanism === '')",
    law: SECRETS,
  },
  {
    name: 'a response shows in JSON',
    file: 'secret.ts',
    find: "toJSON(): string {\n    return '[secret]';",
    replace: 'toJSON(): string {\n    return String.fromCharCode(...this.#bytes);',
    law: SECRETS,
  },
  {
    name: 'responses are traced',
    file: 'auth.ts',
    find: 'line: showResponse(bytes, from, to)',
    replace: 'line: String.fromCharCode(...bytes.subarray(from, Math.min(to, from + 200)))',
    law: SECRETS,
  },
  // Snapshots
  {
    name: 'snapshot forgets a half-read line',
    file: 'input.ts',
    find: '[this.#partial.subarray(0, this.#held), ',
    replace: '[',
    law: SNAPSHOT,
  },
  { name: 'snapshot forgets where a message stands', file: 'snapshot.ts', find: '  reader.state = dots;\n', replace: '', law: SNAPSHOT },
  {
    name: 'snapshot gives all the time anew',
    file: 'snapshot.ts',
    find: 'now + snapshot.timerLeft;',
    replace: 'now + 300_000;',
    law: SNAPSHOT,
  },
  {
    name: 'snapshot loses output',
    file: 'snapshot.ts',
    find: 'if (snapshot.output.length > 0) core',
    replace: 'if (snapshot.output.length > 1000) core',
    law: SNAPSHOT,
  },
  {
    name: 'chance in a reply',
    file: 'answer.ts',
    find: "core.named('greeting')",
    replace: "{ code: 220, lines: [core.policy.hostname + ' ' + Math.random()] }",
    law: REPLAY,
  },
];
