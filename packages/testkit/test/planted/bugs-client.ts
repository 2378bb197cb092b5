// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what is looked for is source, templates included.
// Bugs that clients have had, or could have.
import type { Mutant } from './mutants.ts';

const CHUNKS = 'client 1: any chunking of the same octets gives the same events and the same octets';
const CALLS = 'client 2: no octet makes any method throw; 4: one outcome for each recipient; 8: after closed nothing more';
const HANDSHAKE = 'client 5: after the handshake a session is one that was secure from the start';
const PREMATURE = 'client: a reply that begins before anything was asked that it could answer is none';
const PROTECTION = 'client 11: credentials go only where the connection is as safe as was asked for';
const SECRETS = 'client 11: what is told does not depend on what is secret, however the server repeats it';
const INJECTION = 'client: what is sent is what was given, or nothing is: no text breaks out of its place';
const WORDS = 'client: no text breaks out of a command or of an AUTH line';
const BODIES = 'client 6: mail data has no CR or LF alone and no dot that is not doubled, and ends once';
const FLIGHTS = 'client: with pipelining a flight is bounded, and without it one command is asked at a time';
const FLOODS = 'client 3: what a server sends without end is not kept';
const LINEAR = 'client 3: work is linear in the octets of a message, those that are written one by one included';
const RECIPIENTS = 'client 3: a recipient costs the same whether it is the first or the last of many';
const BLOCKS = 'client 3: no more than a block of a message is made ahead, and long runs are not copied';
const STAGES = 'client: each stage is given the time that RFC 5321 4.5.3.2 names, and no more for a reply that trickles';
const SPEED = 'client: a server that takes a message too slowly is left, and time that the program takes is not counted';
const DEADLINES = 'client: while the server is awaited there is a deadline';
const DATA = 'client 7: what is sent by DATA is what is stored, and every outcome is told once and is true';
const BDAT = 'client 7: what is sent by BDAT is what is stored, and every outcome is told once and is true';

export const CLIENT_BUGS: readonly Mutant[] = [
  // The message
  { name: 'dots are not doubled', file: 'client/body.ts', find: "stuff: transfer === 'DATA',", replace: 'stuff: false,', law: BODIES },
  {
    name: 'the dot that a message begins with is not doubled',
    file: 'client/body-writer.ts',
    find: '#state: WriterState = LINE;',
    replace: '#state: WriterState = TEXT;',
    law: BODIES,
  },
  {
    name: 'the dot behind a bare CR is not doubled',
    file: 'client/body-writer.ts',
    find: '      this.#state = LINE;\n      return LF;',
    replace: '      this.#state = TEXT;\n      return LF;',
    law: BODIES,
  },
  {
    name: 'a CR at the end of a message stays alone',
    file: 'client/body-writer.ts',
    find: "this.#state === BEHIND_CR ? '\\n'",
    replace: "this.#state === BEHIND_CR ? ''",
    law: BODIES,
  },
  {
    name: 'a bare LF stays as it is',
    file: 'client/body-writer.ts',
    find: 'byte === LF || (byte === DOT',
    replace: '(byte === LF && state === TEXT) || (byte === DOT',
    law: BODIES,
  },
  { name: 'dots are doubled in chunks', file: 'client/body.ts', find: "stuff: transfer === 'DATA',", replace: 'stuff: true,', law: BDAT },
  {
    name: 'a binary message is changed',
    file: 'client/body.ts',
    find: "const exact = body === 'BINARYMIME';",
    replace: 'const exact = false;',
    law: BDAT,
  },
  {
    name: 'the size of a chunk is that of the message',
    file: 'client/chunking.ts',
    find: '`BDAT ${bytes.length}',
    replace: '`BDAT ${bytes.length + 1}',
    law: BDAT,
  },
  {
    name: 'octets beyond ASCII go out undeclared',
    file: 'client/body.ts',
    find: "ascii: body === '7BIT'",
    replace: "ascii: body !== '7BIT'",
    law: 'client: an octet beyond ASCII that nobody said',
  },
  {
    name: 'every block is copied',
    file: 'client/body-writer.ts',
    find: 'if (clean === to || clean - from >= LONG)',
    replace: 'if (from > to)',
    law: BLOCKS,
  },
  {
    name: 'a message is made at once',
    file: 'client/body-writer.ts',
    find: 'const BLOCK = 65_536;',
    replace: 'const BLOCK = 1e9;',
    law: BLOCKS,
  },
  {
    name: 'the rest of a message is copied for each line',
    file: 'client/body-writer.ts',
    find: '      out[filled++] = this.#missing(',
    replace: '      bytes.slice(i, i + 9000);\n      out[filled++] = this.#missing(',
    law: LINEAR,
  },
  {
    name: 'an aborted message is ended',
    file: 'client/transaction.ts',
    find: "(sending && (body.ended || transaction.plan.transfer === 'DATA'))) return core.close('aborted');",
    replace: "sending) return core.phase === 'body' ? endBody(core, body!) : core.close('aborted');",
    law: DATA,
    cases: 999,
  },
  // Outcomes
  {
    name: 'a message that may have been taken is called unsent',
    file: 'client/transaction.ts',
    find: ': handed && accepted.length > 0',
    replace: ': handed && accepted.length > 99',
    law: DATA,
    cases: 999,
  },
  {
    name: 'the end of a message counts as not sent until it is answered',
    file: 'client/core.ts',
    find: "if (due?.to === 'END') due.transaction!.handed = true;",
    replace: '',
    law: 'client: no answer to the message',
  },
  {
    name: 'an outcome is told twice',
    file: 'client/transaction.ts',
    find: '  if (transaction.told[index] === 1) return;\n',
    replace: '',
    law: DATA,
    cases: 999,
  },
  {
    name: 'what is left has no outcome when the session ends',
    file: 'client/core.ts',
    find: 'if (transaction !== null) settleAll(',
    replace: "if (transaction !== null && transaction.mail === 'accepted') settleAll(",
    law: CALLS,
    cases: 999,
  },
  {
    name: 'a recipient that is refused for now counts as accepted',
    file: 'client/transaction.ts',
    find: "if (reply.code >= 400) tell(core, transaction, index, refused('rcpt', reply, isTooMany(reply) && transaction.accepted.length > 0));",
    replace:
      "if (reply.code >= 500) tell(core, transaction, index, refused('rcpt', reply, isTooMany(reply) && transaction.accepted.length > 0));",
    law: 'client: some recipients are refused',
  },
  {
    name: 'a refused message is taken for accepted if its code is 4yz',
    file: 'client/transaction.ts',
    find: "reply.code >= 400\n        ? refused('message', refusal ?? reply)",
    replace: "reply.code >= 500\n        ? refused('message', refusal ?? reply)",
    law: DATA,
    cases: 999,
  },
  {
    name: 'the refusal in the middle of a message is lost',
    file: 'client/transaction.ts',
    find: "  settleAll(core, body.transaction, refused('body', reply));\n",
    replace: '',
    law: 'client: a refusal in the middle of the message',
  },
  {
    name: 'LMTP has one answer for all',
    file: 'client/transaction.ts',
    find: 'if (lmtp && transaction.ends < accepted.length) {',
    replace: 'if (lmtp && transaction.ends < 1) {',
    law: 'client: LMTP: an answer for each recipient that was accepted',
  },
  {
    name: 'more chunks follow one that was refused',
    file: 'client/transaction.ts',
    find: '      core.body!.stop();\n',
    replace: '',
    law: 'client: behind a chunk that was refused no more are sent, what was announced is, and RSET comes before what follows',
    cases: 999,
  },
  {
    name: "what was announced of a chunk is read of memory that is the program's again",
    file: 'client/body.ts',
    find: 'bytes: copy(bytes), due',
    replace: 'bytes, due',
    law: 'client: a message that is given up among its chunks leaves what was announced and the session',
  },
  {
    name: 'a message that is given up between two chunks holds the session',
    file: 'client/transaction.ts',
    find: '  stopped(core, transaction);\n  advance(core);',
    replace: '  advance(core);',
    law: 'client: a message that is given up among its chunks leaves what was announced and the session',
  },
  // Replies
  {
    name: 'of two codes the better counts',
    file: 'client/reply-reader.ts',
    find: 'Math.max(code, before)',
    replace: 'Math.min(code, before)',
    law: 'client: a reply has two codes, the worse one first',
  },
  {
    name: 'a reply to nothing is dropped',
    file: 'client/transaction.ts',
    find: "reply.code < 400) return core.fault('unsolicited-reply', line);",
    replace: 'reply.code < 400) return;',
    law: 'client: a reply too many to MAIL',
  },
  {
    name: 'half a reply waits for its question',
    file: 'client/reply-reader.ts',
    find: 'core.premature = true;',
    replace: 'core.premature = false;',
    law: PREMATURE,
  },
  {
    name: 'a reply begins anew with each chunk',
    file: 'client/reply-reader.ts',
    find: '    const { input } = core;\n',
    replace: '    const { input } = core;\n    this.#lines = [];\n',
    law: CHUNKS,
  },
  {
    name: 'garbage is skipped',
    file: 'client/reply-reader.ts',
    find: "if (digits === '') return this.#fault(core, 'malformed-reply', shown);",
    replace: "if (digits === '') return;",
    law: 'client: garbage before a reply',
  },
  {
    name: 'a reply has any number of lines',
    file: 'client/reply-reader.ts',
    find: '|| this.#octets > limits.replyOctets || this.#lines.length === limits.replyLines',
    replace: '',
    law: FLOODS,
  },
  {
    name: 'a line that is too long is waited for',
    file: 'client/lines.ts',
    find: 'lf >= 0 || line.length >= most',
    replace: 'lf >= 0',
    law: FLOODS,
  },
  {
    name: 'the text behind the name of a server switches extensions on',
    file: 'client/capabilities.ts',
    find: "verb === 'HELO' ? [] : rest",
    replace: "verb === 'HELO' ? [] : [first.slice(first.indexOf(' ') + 1), ...rest]",
    law: 'client: keywords where they do not count',
  },
  {
    name: '250 answers DATA',
    file: 'client/answer.ts',
    find: "first === (to === 'DATA' ? 3 : 2)",
    replace: "first === (to === 'DATA' ? 3 : 2) || to === 'DATA'",
    law: 'client: 250 to DATA',
  },
  // Order
  {
    name: 'RSET before the first message',
    file: 'client/core.ts',
    find: '  half = false;\n',
    replace: '  half = true;\n',
    law: 'client: nothing is wrong',
  },
  {
    name: 'no RSET behind a transaction that came to nothing',
    file: 'client/transaction.ts',
    find: '  if (half) core.half = true;\n',
    replace: '',
    law: 'client: a transaction that came to nothing',
  },
  {
    name: 'pipelining without PIPELINING',
    file: 'client/core.ts',
    find: "return this.offers('PIPELINING') && ",
    replace: 'return ',
    law: FLIGHTS,
  },
  {
    name: 'a flight has no bound',
    file: 'client/core.ts',
    find: ' && this.flight + line.length + 2 <= this.limits.flight',
    replace: '',
    law: FLIGHTS,
  },
  { name: 'a flight only grows', file: 'client/answer.ts', find: '  core.flight -= due.size;\n', replace: '', law: FLIGHTS },
  {
    name: 'DATA for nobody',
    file: 'client/transaction.ts',
    find: 'if (answered && !wanted(transaction)) return over(core, transaction);',
    replace: '',
    law: 'client: a transaction that came to nothing',
  },
  {
    name: 'each recipient is compared with all others',
    file: 'client/transaction.ts',
    find: '    transaction.pending--;\n',
    replace: '    transaction.pending--;\n    transaction.plan.recipients.find((one) => one.index === -1);\n',
    law: RECIPIENTS,
  },
  {
    name: 'a session ends twice',
    file: 'client/core.ts',
    find: "    this.events.push({ type: 'closed', cause, stage, reply, limit });",
    replace: "    for (const _ of [1, 2]) this.events.push({ type: 'closed', cause, stage, reply, limit });",
    law: CALLS,
  },
  // Security
  {
    name: 'replies behind STARTTLS are kept',
    file: 'client/reply-reader.ts',
    find: "      if (core.phase === 'tls' && !input.empty) return core.fault('plaintext-after-starttls', '');\n",
    replace: '',
    law: 'client: replies are injected behind the answer to STARTTLS',
  },
  {
    name: 'HELO where TLS is required',
    file: 'client/answer.ts',
    find: "if (!unknown || core.options.starttls === 'required')",
    replace: 'if (!unknown)',
    law: 'client: EHLO is refused, and TLS is required',
  },
  {
    name: 'clear text where TLS is required and refused',
    file: 'client/answer.ts',
    find: "  if (core.options.starttls === 'required') return core.leave('tls', reply);\n",
    replace: '',
    law: 'client: STARTTLS is refused, and TLS is required',
  },
  {
    name: 'what was offered in clear is remembered',
    file: 'client/answer.ts',
    find: "  core.events.push({ type: 'hello', capabilities: core.capabilities });",
    replace:
      "  core.planted = [...(core.planted ?? []), ...core.capabilities.extensions];\n  core.capabilities = { ...core.capabilities, extensions: new Map(core.planted) };\n  core.events.push({ type: 'hello', capabilities: core.capabilities });",
    law: HANDSHAKE,
  },
  {
    name: 'credentials go anywhere',
    file: 'client/guards.ts',
    find: "credentials === 'cleartext' || (",
    replace: "credentials !== 'x' || (",
    law: PROTECTION,
  },
  {
    name: 'credentials go to whoever answers',
    file: 'client/guards.ts',
    find: "credentials === 'encrypted' || ",
    replace: "credentials !== 'x' || ",
    law: PROTECTION,
  },
  {
    name: 'the AUTH line is shown',
    file: 'client/auth.ts',
    find: "null, 0, fits && written !== '' ? `${line} ${WITHHELD}` : line",
    replace: 'null, 0',
    law: SECRETS,
  },
  {
    name: 'a response is shown',
    file: 'client/auth.ts',
    find: "core.ask('AUTH', text, null, 0, WITHHELD);",
    replace: "core.ask('AUTH', text);",
    law: SECRETS,
  },
  {
    name: 'a refusal that repeats the credentials is shown',
    file: 'redact.ts',
    find: 'if (this.#needles.size === 0) return false;',
    replace: 'return false;',
    law: 'client: AUTH is refused, and the refusal repeats the credentials',
  },
  {
    name: 'a short secret is looked for, and tells by that where it stands',
    file: 'redact.ts',
    find: 'this.#silent = told?.some((secret) => secret.length < SHORTEST_SECRET) ?? false;',
    replace: '',
    law: SECRETS,
  },
  {
    name: 'a short response is shown where nobody has said that it is secret',
    file: 'redact.ts',
    find: 'if (secrets === null) this.#silent ||=',
    replace: 'if (secrets === undefined) this.#silent ||=',
    law: SECRETS,
  },
  {
    name: 'a secret is forgotten with its exchange',
    file: 'redact.ts',
    find: '    this.#words = null;\n    this.#silent = false;\n',
    replace: '    this.#words = null;\n    this.#silent = false;\n    this.#needles.clear();\n',
    law: SECRETS,
  },
  {
    name: 'a secret in base64 is shown',
    file: 'needle.ts',
    find: ' || needle.base64.some((text) => base64.includes(text))',
    replace: '',
    law: SECRETS,
  },
  {
    name: 'a secret in base64 is found in one place of three',
    file: 'needle.ts',
    find: 'base64: [0, 1, 2].map',
    replace: 'base64: [0].map',
    law: SECRETS,
  },
  {
    name: 'a secret in hexadecimal is shown',
    file: 'needle.ts',
    find: ' || hex.includes(needle.hex)',
    replace: '',
    law: SECRETS,
  },
  {
    name: 'a secret that is quoted is shown',
    file: 'needle.ts',
    find: "small.replaceAll(/\\\\(.)/gs, '$1'), ",
    replace: '',
    law: SECRETS,
  },
  {
    name: 'a secret in capitals is shown',
    file: 'needle.ts',
    find: 'const small = text.toLowerCase();',
    replace: 'const small = text;',
    law: SECRETS,
  },
  {
    name: 'a secret in pieces is shown',
    file: 'client/reply-reader.ts',
    find: 'if (!core.redactor.active) this.#tell(core);',
    replace: 'this.#tell(core);',
    law: SECRETS,
  },
  {
    name: 'a secret whose pieces stand behind enhanced codes is shown',
    file: 'redact.ts',
    find: '[lines, bare, bare.map((line) => line.trim())]',
    replace: '[lines]',
    law: SECRETS,
  },
  {
    name: 'the AUTH line has any length',
    file: 'client/auth.ts',
    find: 'const LONGEST_COMMAND = 510;',
    replace: 'const LONGEST_COMMAND = 51_000;',
    law: WORDS,
  },
  {
    name: 'an address is sent as it comes',
    file: 'client/address.ts',
    find: 'fault: `${shown(text)} is no local-part@domain${at}`',
    replace: 'fault: null',
    law: INJECTION,
  },
  {
    name: 'a parameter is sent as it comes',
    file: 'client/plan.ts',
    find: 'if (codec.parse(formatted) === undefined || marks(formatted) > marks(JSON.stringify(value))) {',
    replace: 'if (false) {',
    law: INJECTION,
  },
  // Time
  {
    name: 'each octet that leaves gives more time',
    file: 'client/body.ts',
    find: 'if (Math.floor(this.#octets / block) > blocks) this.block = {};',
    replace: 'if (blocks >= 0) this.block = {};',
    law: SPEED,
  },
  { name: 'no least speed', file: 'client/body.ts', find: 'return rate === 0 ?', replace: 'return rate !== 0 ?', law: SPEED },
  {
    name: 'the last answer is waited for as briefly as the first',
    file: 'client/core.ts',
    find: "END: 'messageTimeout',",
    replace: "END: 'mailTimeout',",
    law: STAGES,
  },
  {
    name: 'a handshake may take for ever',
    file: 'client/core.ts',
    find: "if (this.phase === 'tls') return [this.phase, 'tlsTimeout'];",
    replace: '',
    law: DEADLINES,
  },
  { name: 'QUIT is waited for', file: 'client/core.ts', find: "  QUIT: 'quitTimeout',\n", replace: '', law: 'client: no answer to QUIT' },
];
