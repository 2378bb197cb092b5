// Bugs in what is said, decided and forgotten.
import type { Mutant } from './mutant.ts';

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
    file: 'server/machine.ts',
    find: '    if (recipient !== undefined) this.#add(recipient);',
    replace:
      '    if (recipient !== undefined) {\n      this.#add(recipient);\n      this.#reply(this.policy.replies.rcpt, NO_CHANGE, 0);\n    }',
    law: REPLIES,
  },
  {
    name: 'an empty line has no reply',
    file: 'server/command.ts',
    find: "    else refuse(machine, null, 'unknown-verb'",
    replace: "    else if (from !== to) refuse(machine, null, 'unknown-verb'",
    law: REPLIES,
  },
  {
    name: 'a line that is too long has a reply and is then executed',
    file: 'server/command.ts',
    find: '  else if (input.overlong) refuse(machine, verb',
    replace:
      "  else if (input.overlong && verb !== null && (execute(machine, verb), machine.phase === 'closed')) return true;\n  else if (input.overlong) refuse(machine, verb",
    law: REPLIES,
    cases: 999,
  },
  {
    name: 'a refused message is answered at once, and again at its end',
    file: 'server/message-effects.ts',
    find: '    events: aborted(at, cause, reply),\n',
    replace: '    events: aborted(at, cause, reply),\n    reply,\n',
    law: REPLIES,
  },
  // TLS
  {
    name: 'plaintext after STARTTLS is kept',
    file: 'server/session.ts',
    find: "    if (isPlain) machine.take('plaintext');\n    return isPlain;",
    replace: '    return false;',
    law: INJECTED,
  },
  {
    name: 'octets before the handshake are queued',
    file: 'server/session.ts',
    find: "    if (phase === 'tls') return this.#machine.take('plaintext');\n",
    replace: '',
    law: INJECTED,
  },
  {
    name: 'identity survives STARTTLS',
    file: 'server/effects.ts',
    find: 'own: NO_OWN, identity: null }',
    replace: 'own: NO_OWN }',
    law: HANDSHAKE,
  },
  {
    name: 'hello survives STARTTLS',
    file: 'server/effects.ts',
    find: 'tls, speaksSmtp: false, hello: null, own',
    replace: 'tls, speaksSmtp: false, own',
    law: HANDSHAKE,
  },
  {
    name: 'after the handshake no new EHLO is needed',
    file: 'server/trigger-rows.ts',
    find: "effect: 'secure', to: 'greeted' }",
    replace: "effect: 'secure', to: 'ready' }",
    law: HANDSHAKE,
  },
  {
    name: 'STARTTLS is still offered under TLS',
    file: 'server/offer.ts',
    find: ' && facts.tls === null),',
    replace: '),',
    law: SECURE,
  },
  // Messages
  {
    name: 'CR lost before a non-LF',
    file: 'server/dot-reader.ts',
    find: 'this.#keepCr(bytes, i, to);',
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
    find: '  else if (size > messageSize + drain) machine',
    replace:
      "  else if ((machine.transaction.verdict?.reply.code ?? 552) !== 552 && reader.bareLf > 0) machine.take('end-of-data');\n  else if (size > messageSize + drain) machine",
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
    file: 'server/facts.ts',
    find: " && phase !== 'message'",
    replace: '',
    law: BODIES,
    cases: 3000,
  },
  {
    name: 'a message that is cut off ends in nothing',
    file: 'server/machine.ts',
    find: '    for (const event of aborted(this, cause)) this.events.push(event);\n',
    replace: '',
    law: BODIES,
    cases: 999,
  },
  // The end of a session
  {
    name: 'a late answer is taken',
    file: 'server/session.ts',
    find: '    if (machine.question !== question) return false;\n    machine.accept(',
    replace: '    machine.accept(',
    law: CLOSED,
  },
  {
    name: 'a question survives the end',
    file: 'server/machine.ts',
    find: "    this.enter('closed');\n    this.question = null;",
    replace: "    this.enter('closed');",
    law: CLOSED,
    cases: 999,
  },
  {
    name: 'closed is told twice',
    file: 'server/session.ts',
    find: "    if (machine.phase === 'closed') machine.tellEnd();\n    else machine.take('lost');",
    replace: "    if (machine.phase === 'closed') machine.events.push({ type: 'closed', cause: 'lost' });\n    else machine.take('lost');",
    law: CLOSED,
  },
  {
    name: 'a closed session reads on',
    file: 'server/session.ts',
    find: "phase === 'closed' || input.ended || bytes.length === 0) return;",
    replace: "input.ended || bytes.length === 0) return;\n    if (phase === 'closed') this.#machine.enter('greeted');",
    law: CLOSED,
  },
  // Refusals and transactions
  {
    name: 'refused RCPT drops the sender',
    file: 'server/effects.ts',
    find: "    transaction: phase === 'mail' ? { ...transaction, onlyRefused: true } : undefined,",
    replace: "    transaction: phase === 'mail' ? NO_TRANSACTION : undefined,",
    law: REFUSED,
  },
  {
    name: 'a refused EHLO forgets the one before',
    file: 'server/effects.ts',
    find: '...(isGreeting ? { reply: bare(reply) }',
    replace: '...(isGreeting ? { reply: bare(reply), facts: { hello: null } }',
    law: REFUSED,
  },
  {
    name: 'EHLO with a broken argument resets the transaction',
    file: 'server/command.ts',
    find: '  if (!parsed.ok) return refuse(machine, verb,',
    replace:
      "  if (!parsed.ok && verb === 'EHLO') machine.transaction = { ...machine.transaction, envelope: null };\n  if (!parsed.ok) return refuse(machine, verb,",
    law: REFUSED,
    cases: 999,
  },
  {
    name: 'EHLO keeps the envelope',
    file: 'server/effects.ts',
    find: 'facts: { hello: { verb, name }, own },\n      transaction: NO_TRANSACTION,',
    replace: 'facts: { hello: { verb, name }, own },',
    law: FRESH,
  },
  {
    name: 'RSET keeps the envelope',
    file: 'server/effects.ts',
    find: 'giveUpTransaction: (at) => ({ transaction: NO_TRANSACTION, events: givenUp(at) })',
    replace: 'giveUpTransaction: (at) => ({ events: givenUp(at) })',
    law: FRESH,
  },
  {
    name: 'envelope leaks into the next transaction',
    file: 'server/effects.ts',
    find: 'parameters, recipients: [] } }',
    replace: 'parameters, recipients: ((globalThis as { planted?: [] }).planted ??= []) } }',
    law: FRESH,
  },
  {
    name: 'refused recipients are counted on',
    file: 'server/effects.ts',
    find: '  beginTransaction: ({ facts, transaction }, { question: { reversePath, wire, parameters } }) => {\n    const begun = { ...transaction,',
    replace:
      '  beginTransaction: ({ facts, transaction, counts }, { question: { reversePath, wire, parameters } }) => {\n    const begun = { ...transaction, onlyRefused: counts.refusedRecipients > 0,',
    law: FRESH,
    cases: 999,
  },
  {
    name: 'nested MAIL accepted',
    file: 'server/verb-rows.ts',
    find: "    on: 'MAIL',\n    from: ['ready'],",
    replace: "    on: 'MAIL',\n    from: ['ready', 'mail', 'rcpt'],",
    law: FRESH,
  },
  {
    name: 'DATA without recipients',
    file: 'server/verb-rows.ts',
    find: "{ on: 'DATA', from: ['rcpt'], guards",
    replace: "{ on: 'DATA', from: ['rcpt', 'mail'], guards",
    law: FRESH,
  },
  // Answers
  {
    name: 'what arrives during a question is lost',
    file: 'server/session.ts',
    find: '|| input.ended || bytes.length === 0) return;',
    replace: '|| input.ended || bytes.length === 0 || this.#machine.question !== null) return;',
    law: PATIENCE,
  },
  {
    name: 'a slow application is punished',
    file: 'server/session.ts',
    find: '    machine.accept(question, (answer',
    replace:
      "    if (machine.clock.deadline - machine.clock.now < 10_000 && question.type === 'rcpt') return this.reject(question, { code: 451, text: 'slow' });\n    machine.accept(question, (answer",
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
    find: 'looksLikeAuth(bytes, from, to)) machine.learn({ redact: true });',
    replace: 'from > to) machine.learn({ redact: true });',
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
    name: 'snapshot forgets that a line is broken',
    file: 'server/snapshot.ts',
    find: ', snapshot.broken)',
    replace: ', false)',
    law: SNAPSHOT,
    cases: 999,
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
    file: 'server/clock.ts',
    find: '    this.#ends = now + left;',
    replace: '    this.#ends = now + 300_000;',
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
    find: 'changed(replies.greeting, answer, hostname)',
    replace: "changed({ code: 220, lines: [hostname + ' ' + Math.random()] }, answer, hostname)",
    law: REPLAY,
  },
];
