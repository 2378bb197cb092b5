// Bugs in what is said, decided and forgotten.
import type { Mutant } from './mutants.ts';

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
const SECRETS = '11: what is told does not depend on what is secret';
const SNAPSHOT = '12: a session restored from a snapshot goes on as if never stopped';
const REPLAY = '12: a recorded log replays exactly';

export const DIALOGUE_BUGS: readonly Mutant[] = [
  // Replies
  {
    name: 'reply out of order',
    file: 'server/outbox.ts',
    find: 'this.#queue.push(wire);',
    replace: 'this.#queue.unshift(wire);',
    law: REPLIES,
  },
  {
    name: 'a recipient is acknowledged twice',
    file: 'server/answer.ts',
    find: '      countDomain(core, question.forwardPath);\n',
    replace: '      core.reply(REPLIES.rcpt);\n',
    law: REPLIES,
  },
  {
    name: 'an empty line has no reply',
    file: 'server/command.ts',
    find: '  if (verb === null) return core',
    replace: '  if (input.from === input.to) return;\n  if (verb === null) return core',
    law: REPLIES,
  },
  {
    name: 'a line that is too long has a reply and is then executed',
    file: 'server/command.ts',
    find: '  else if (input.overlong) refuseLine',
    replace:
      '  else if (input.overlong && (execute(core), core.state.phase === "closed")) return true;\n  else if (input.overlong) refuseLine',
    law: REPLIES,
    cases: 999,
  },
  {
    name: 'a refused message is answered at once, and again at its end',
    file: 'server/core.ts',
    find: '    this.abort(cause, reply);',
    replace: '    this.reply(reply);\n    this.abort(cause, reply);',
    law: REPLIES,
  },
  // TLS
  {
    name: 'plaintext after STARTTLS is kept',
    file: 'server/answer.ts',
    find: 'if (!core.input.empty) core.plaintextAfterStartTls();',
    replace: '',
    law: INJECTED,
  },
  {
    name: 'octets before the handshake are queued',
    file: 'server/session.ts',
    find: "if (state.phase === 'tls') return this.#core.plaintextAfterStartTls();",
    replace: '',
    law: INJECTED,
  },
  { name: 'identity survives STARTTLS', file: 'server/session.ts', find: '    state.identity = null;\n', replace: '', law: HANDSHAKE },
  { name: 'hello survives STARTTLS', file: 'server/session.ts', find: '    state.hello = null;\n', replace: '', law: HANDSHAKE },
  {
    name: 'after the handshake no new EHLO is needed',
    file: 'server/table.ts',
    find: "{ on: 'secured', from: ['tls'], to: 'greeted' }",
    replace: "{ on: 'secured', from: ['tls'], to: 'ready' }",
    law: HANDSHAKE,
  },
  {
    name: 'STARTTLS is still offered under TLS',
    file: 'server/offer.ts',
    find: "policy.starttls !== 'off' && state.tls === null }",
    replace: "policy.starttls !== 'off' }",
    law: SECURE,
  },
  // Messages
  {
    name: 'CR lost before a non-LF',
    file: 'server/dot-reader.ts',
    find: 'this.#copy(BARE_CR, 0, 1, to - from);',
    replace: '',
    law: ENDING,
  },
  {
    name: 'bare LF ends the data',
    file: 'server/dot-reader.ts',
    find: "        if (byte === CR) {\n          state = 'DOT_CR';",
    replace:
      "        if (byte === LF) {\n          this.ended = true;\n          i++;\n          break;\n        }\n        if (byte === CR) {\n          state = 'DOT_CR';",
    law: ENDING,
  },
  {
    name: 'a bare LF begins a line',
    file: 'server/dot-reader.ts',
    find: '          this.bareLf ||= this.line;\n',
    replace: "          this.bareLf ||= this.line;\n          state = 'LINE';\n",
    law: ENDING,
  },
  {
    name: 'a bare CR begins a line',
    file: 'server/dot-reader.ts',
    find: "if (byte === CR) i++;\n          else state = 'TEXT';",
    replace: "if (byte === CR) i++;\n          else state = 'LINE';",
    law: ENDING,
  },
  {
    name: 'CRLF "." CR CRLF ends the data',
    file: 'server/dot-reader.ts',
    find: '} else if (byte === LF) {\n        this.ended',
    replace: '} else if (byte === CR) {\n        i++;\n      } else if (byte === LF) {\n        this.ended',
    law: ENDING,
  },
  {
    name: 'a refused message is over where it is refused',
    file: 'server/body.ts',
    find: '  else if (size > messageSize + drain) {',
    replace:
      '  else if (verdict !== null && verdict.code !== 552 && reader.bareLf > 0) finish(core, body);\n  else if (size > messageSize + drain) {',
    law: ENDING,
  },
  {
    name: 'first-line dot kept',
    file: 'server/dot-reader.ts',
    find: "state: DotState = 'LINE';",
    replace: "state: DotState = 'TEXT';",
    law: STORED,
  },
  {
    name: 'final CRLF lost',
    file: 'server/dot-reader.ts',
    find: '          end = i;\n          state = ',
    replace: '          end = Math.max(start, i - 2);\n          state = ',
    law: STORED,
  },
  {
    name: 'a message that is whole is aborted when the connection is lost',
    file: 'server/core.ts',
    find: 'return RECEIVING.has(phase) && ',
    replace: 'return ',
    law: BODIES,
    cases: 3000,
  },
  {
    name: 'a message that is cut off ends in nothing',
    file: 'server/core.ts',
    find: '    this.abort(cause);\n',
    replace: '',
    law: BODIES,
    cases: 999,
  },
  // The end of a session
  {
    name: 'a late answer is taken',
    file: 'server/session.ts',
    find: '    if (core.question !== question) return false;\n    accepted(',
    replace: '    accepted(',
    law: CLOSED,
  },
  {
    name: 'a question survives the end',
    file: 'server/core.ts',
    find: "('close');\n    this.question = null;",
    replace: "('close');",
    law: CLOSED,
    cases: 999,
  },
  {
    name: 'closed is told twice',
    file: 'server/session.ts',
    find: "if (core.state.phase === 'closed') core.tellEnd();\n    else core.close('lost');",
    replace: "core.close('lost');",
    law: CLOSED,
  },
  {
    name: 'a closed session reads on',
    file: 'server/session.ts',
    find: "phase === 'closed' || core.holds",
    replace: 'core.holds',
    law: CLOSED,
  },
  // Refusals and transactions
  {
    name: 'refused RCPT drops the sender',
    file: 'server/answer.ts',
    find: "  if (question.type === 'connect') core.go('turn-away');",
    replace: "  if (question.type === 'rcpt') core.forgetTransaction();\n  if (question.type === 'connect') core.go('turn-away');",
    law: REFUSED,
  },
  {
    name: 'a refused EHLO forgets the one before',
    file: 'server/answer.ts',
    find: "  if (question.type === 'connect') core.go('turn-away');",
    replace: "  if (question.type === 'hello') core.state.hello = null;\n  if (question.type === 'connect') core.go('turn-away');",
    law: REFUSED,
  },
  {
    name: 'EHLO with a broken argument resets the transaction',
    file: 'server/command.ts',
    find: '  else refuse(core, verb, parsed.code,',
    replace: "  if (!parsed.ok && verb === 'EHLO') core.forgetTransaction();\n  if (!parsed.ok) refuse(core, verb, parsed.code,",
    law: REFUSED,
    cases: 999,
  },
  {
    name: 'EHLO keeps the envelope',
    file: 'server/answer.ts',
    find: '      core.giveUpTransaction();\n      state.hello = { verb',
    replace: '      state.hello = { verb',
    law: FRESH,
  },
  { name: 'RSET keeps the envelope', file: 'server/command.ts', find: '      core.giveUpTransaction();\n', replace: '', law: FRESH },
  {
    name: 'envelope leaks into the next transaction',
    file: 'server/answer.ts',
    find: 'parameters: question.parameters, recipients: [] };',
    replace: 'parameters: question.parameters, recipients: (core.planted ??= []) };',
    law: FRESH,
  },
  {
    name: 'refused recipients are counted on',
    file: 'server/core.ts',
    find: '    this.state.onlyRefused = false;\n',
    replace: '',
    law: FRESH,
    cases: 999,
  },
  {
    name: 'nested MAIL accepted',
    file: 'server/table.ts',
    find: "{ on: 'MAIL', from: ['ready'], guards",
    replace: "{ on: 'MAIL', from: ['ready', 'mail', 'rcpt'], guards",
    law: FRESH,
  },
  {
    name: 'DATA without recipients',
    file: 'server/table.ts',
    find: "{ on: 'DATA', from: ['rcpt'], guards",
    replace: "{ on: 'DATA', from: ['rcpt', 'mail'], guards",
    law: FRESH,
  },
  // Answers
  {
    name: 'what arrives during a question is lost',
    file: 'server/session.ts',
    find: '|| state.ended || bytes.length === 0) return;',
    replace: '|| state.ended || bytes.length === 0 || this.#core.question !== null) return;',
    law: PATIENCE,
  },
  {
    name: 'a slow application is punished',
    file: 'server/session.ts',
    find: '    accepted(core, question, (answer',
    replace:
      "    if (core.timerEnds - core.now < 10_000 && question.type === 'rcpt') return this.reject(question, { code: 451, text: 'slow' });\n    accepted(core, question, (answer",
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
    file: 'server/command.ts',
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
    file: 'server/auth.ts',
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
  {
    name: 'snapshot forgets where a message stands',
    file: 'server/snapshot.ts',
    find: 'return { state: reader.state,',
    replace: "return { state: 'TEXT',",
    law: SNAPSHOT,
  },
  {
    name: 'snapshot gives all the time anew',
    file: 'server/snapshot.ts',
    find: 'now + snapshot.timerLeft;',
    replace: 'now + 300_000;',
    law: SNAPSHOT,
  },
  {
    name: 'snapshot loses output',
    file: 'server/outbox.ts',
    find: 'if (queue.length > 0)',
    replace: 'if (queue.length > 1000)',
    law: SNAPSHOT,
  },
  {
    name: 'chance in a reply',
    file: 'server/decision.ts',
    find: "core.named('greeting')",
    replace: "{ code: 220, lines: [core.policy.hostname + ' ' + Math.random()] }",
    law: REPLAY,
  },
];
