// Sessions: octets of a stranger, and between them whatever a program, a transport and the time may do.
import { AUTH, CHUNKING, ClientSession, ServerSession, SmtpUsageError } from '../../packages/engine/dist/index.js';
import { octets, PARAMETERS } from '../../packages/grammar/dist/index.js';
import { account } from '../../packages/proof/dist/laws/account.js';
import { SETUPS } from '../../packages/proof/dist/space/setups.js';
import { anonymous, cramMd5, external, login, oauthBearer, plain, SHA1, scram, xoauth2 } from '../../packages/sasl/dist/index.js';
import { demand, octetsOf, same, spoken, textOf } from './laws.mjs';

/** Octets from here on stand for what is done beside them. */
const FIRST_ACT = 0xf0;
const VERBS = 'EHLO HELO LHLO MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY EXPN HELP ETRN STARTTLS AUTH XCLIENT XFORWARD'.split(' ');
const WORDS = [
  ...VERBS.map((verb) => `${verb} `),
  ...[
    'EHLO c.example\r\n',
    'MAIL FROM:<a@b.example>\r\n',
    'RCPT TO:<x@y.example>\r\n',
    'DATA\r\n',
    '.\r\n',
    '\r\n.\r\n',
    '\r\n',
    'BDAT 3\r\nabc',
  ],
  ...[
    'BDAT 3 LAST\r\nabc',
    'QUIT\r\n',
    'RSET\r\n',
    'AUTH PLAIN AGEAYg==\r\n',
    ' SIZE=1',
    ' BODY=BINARYMIME',
    ' SMTPUTF8',
    ' NOTIFY=NEVER',
    '<>',
    '@',
    '\r',
    '\n',
  ],
  ...Array.from({ length: 12 }, (_, act) => String.fromCharCode(FIRST_ACT + act)),
];
const TLS = { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', servername: '' };
const NOTICES = new Set(['chunk', 'aborted', 'reset', 'fault', 'trace', 'unacknowledged', 'closed']);
/** More than a session can have to tell of so many octets. */
const most = (size) => 200 + 60 * size;

/** Octets, and acts, in their order. */
function parts(input) {
  const list = [];
  let from = 0;
  for (let i = 0; i <= input.length; i++) {
    if (i < input.length && input[i] < FIRST_ACT) continue;
    if (i > from) list.push({ octets: input.slice(from, i) });
    if (i < input.length) list.push({ act: input[i] - FIRST_ACT });
    from = i + 1;
  }
  return list;
}

/** Answers to a question; what else is done. */
const ANSWERS = [
  (session, question) => session.accept(question, question.type === 'auth' ? { identity: 'a' } : {}),
  (session, question) => session.reject(question, { code: question.type === 'connect' ? 554 : 550, text: 'no' }),
  (session, question) => session.reject(question, { code: 421, text: 'no' }),
  (session, question) => session.accept(question, { ...(question.type === 'auth' ? { identity: 'a' } : {}), delay: 50 }),
  (session, question) => (question.type === 'auth' ? session.challenge(question, octets('go')) : session.accept(question, {})),
];
const ACTS = [
  (at) => at.pass(),
  ({ session }) => session.receiveEnd(),
  ({ session }) => session.lost(),
  ({ session }) => session.shutdown(),
  ({ session }) => session.discard({ code: 550, text: 'no' }),
  ({ session }) => session.phase === 'tls' && session.secured(TLS),
  (at) => at.last !== null && demand(at.open !== null || !ANSWERS[0](at.session, at.last), 'an answer is taken twice'),
];

/** A server's session, driven; its log is the same however the octets are cut. */
class Driven {
  session;
  now = 0;
  open = null;
  last = null;
  #log = [];
  #output = '';
  #closed = false;
  #events = 0;
  #acts = [];
  #most;

  constructor(options, size) {
    this.session = new ServerSession(options);
    this.#most = most(size);
  }

  run(list, cut) {
    // Octets may be there before the session begins; where none are, it begins with what it does by itself.
    if (list[0]?.octets === undefined) this.#settle();
    for (let i = 0; i < list.length; i++) {
      const { octets, act } = list[i];
      if (octets === undefined) {
        if (act < ANSWERS.length) continue;
        ACTS[(act - ANSWERS.length) % ACTS.length](this);
        this.#settle();
      } else {
        // The answers that stand behind octets are to what they ask.
        this.#acts = [];
        for (let k = i + 1; list[k]?.act < ANSWERS.length; k++) this.#acts.push(list[k].act);
        for (const piece of cut(octets)) {
          this.session.receive(piece);
          this.#settle();
        }
      }
    }
    return { log: this.#log, output: this.#output, phase: this.session.phase };
  }

  pass() {
    const { deadline } = this.session;
    if (!Number.isFinite(deadline)) return demand(this.session.phase === 'closed', 'no deadline in', this.session.phase);
    this.now = Math.max(this.now, deadline);
    this.session.tick(this.now);
  }

  #settle() {
    for (let more = true; more; ) {
      more = false;
      for (let event = this.session.nextEvent(); event !== null; event = this.session.nextEvent()) {
        demand(++this.#events < this.#most, 'events without end');
        demand(!this.#closed, 'told behind the end', event.type);
        this.#tell(event);
      }
      const bytes = this.session.nextOutput();
      if (bytes !== null) {
        this.session.written(bytes.length);
        this.#output += textOf(bytes);
        more = true;
      }
      if (this.open === null) continue;
      const question = this.open;
      this.open = null;
      demand(ANSWERS[this.#acts.shift() ?? 0](this.session, question), 'an answer is not taken', question.type);
      more = true;
    }
  }

  #tell(event) {
    const last = this.#log.at(-1);
    if (event.type === 'closed') this.#closed = true;
    if (event.type === 'chunk') {
      const text = textOf(event.bytes);
      if (last?.chunk !== undefined) last.chunk += text;
      else this.#log.push({ chunk: text });
      return;
    }
    if (!NOTICES.has(event.type)) this.open = this.last = event;
    this.#log.push({ event: JSON.stringify(event) });
  }
}

const cuts = [(piece) => [piece], (piece) => Array.from(piece, (octet) => new Uint8Array([octet]))];

const lines = (piece) =>
  textOf(piece)
    .split(/(?<=\n)/)
    .map(octetsOf);

function served(options, input) {
  const list = parts(input);
  const [whole, single] = cuts.map((cut) => new Driven(options, input.length).run(list, cut));
  same(single, whole, 'octet by octet');
  repliesOf(whole.output);
  return whole;
}

/** RFC 5321 4.2: what a server says is replies, and nothing else. */
function repliesOf(output) {
  const replies = [];
  const reply = /((?:[2-5][0-9]{2}-[^\r\n]*\r\n)*)([2-5][0-9]{2})(?: [^\r\n]*)?\r\n/y;
  while (reply.lastIndex < output.length) {
    const found = reply.exec(output);
    demand(found !== null, 'no reply', output);
    replies.push({ code: Number(found[2]), lines: [] });
  }
  return replies;
}

/** The first octet chooses the server. */
function anyServer(input) {
  const setups = Object.values(SETUPS);
  served(setups[(input[0] ?? 0) % setups.length], input.subarray(1));
}

/** Every reply answers something, by the standards alone. */
function accounted(options, setting) {
  return (input) => {
    const stream = input.filter((octet) => octet < FIRST_ACT);
    const { output, phase } = served(options, stream);
    account([textOf(stream)], repliesOf(output), phase !== 'closed' && phase !== 'auth', setting);
  };
}

const hostname = 'mx.example.org';
const sink = { hostname, preset: 'sink', extensions: ['PIPELINING', 'CHUNKING', 'BINARYMIME', '8BITMIME', 'ENHANCEDSTATUSCODES'] };
const inServer = () => [...spoken('server', 'in'), ...spoken('smuggling', 'in')];
const beginning = (text) => (seed) => octetsOf(text + textOf(seed));

const CLIENT_ACTS = [
  (client) => client.send({ reversePath: 'a@b.example', recipients: [{ forwardPath: 'c@d.example' }, { forwardPath: 'e@f.example' }] }),
  (client) => client.write(octets('x\r\n.y\r\n')),
  (client) => client.end(),
  (client) => client.abort(),
  (client) => client.quit(),
  (client) => client.command('NOOP'),
  (client) => client.tick(client.deadline),
  (client) => client.receiveEnd(),
  (client) => client.lost(),
  (client) => client.secured(TLS),
  (client) => client.authenticate('PLAIN', octets('\0a\0secret'), { secrets: ['secret'] }),
  (client) => client.respond(octets('x')),
  (client) => client.cancel(),
];

/** What a client has done and told. */
function sent(options, input, cut) {
  const client = new ClientSession({ hostname: 'c.example', features: [AUTH, CHUNKING], parameters: PARAMETERS, ...options });
  const log = [];
  const outcomes = new Map();
  let output = '';
  let closed = false;
  let transactions = 0;
  const settle = () => {
    for (;;) {
      const event = client.nextEvent();
      const bytes = event === null ? client.nextOutput() : null;
      if (event === null && bytes === null) return;
      if (bytes !== null) {
        client.written(bytes.length);
        output += textOf(bytes);
        demand(output.length < 1_000_000, 'output without end');
        continue;
      }
      demand(!closed, 'told behind the end', event.type);
      if (event.type === 'closed') closed = true;
      if (event.type === 'outcome') {
        const key = `${event.transaction} ${event.index}`;
        demand(!outcomes.has(key), 'two outcomes', key);
        outcomes.set(key, event.status);
      }
      log.push(JSON.stringify(event));
    }
  };
  client.tick(0);
  for (const { octets, act } of [...parts(input), { act: 8 }]) {
    if (octets !== undefined) {
      for (const piece of cut(octets)) {
        client.receive(piece);
        settle();
      }
      continue;
    }
    try {
      const id = CLIENT_ACTS[act % CLIENT_ACTS.length](client);
      if (act % CLIENT_ACTS.length === 0) transactions = Math.max(transactions, id);
    } catch (error) {
      if (!(error instanceof SmtpUsageError)) throw error;
    }
    settle();
  }
  same(outcomes.size, 2 * transactions, 'one outcome for each recipient');
  demand(!/(^|[^\r])\n|\r(?!\n)/.test(output), 'a bare CR or LF is sent', output);
  return { log, output };
}

function anyClient(input) {
  const flags = input[0] ?? 0;
  const levels = ['off', 'envelope', 'data', 'transactions'];
  const options = {
    pipelining: levels[flags % 4],
    credentials: 'cleartext',
    starttls: flags & 4 ? 'off' : 'opportunistic',
    protocol: flags & 8 ? 'lmtp' : 'smtp',
  };
  // A reply that comes before its command has left is none: so replies come one by one.
  const [whole, single] = [lines, cuts[1]].map((cut) => sent(options, input.subarray(1), cut));
  same(single, whole, 'octet by octet');
}

const REPLIES = [
  '250 ok\r\n',
  '220 mx.example\r\n',
  '250-',
  '250-PIPELINING\r\n',
  '250 CHUNKING\r\n',
  '354 go\r\n',
  '550 5.1.1 no\r\n',
  '421 bye\r\n',
  '334 \r\n',
  '235 ok\r\n',
  '452 4.5.3 ',
];
const MECHANISMS = [plain(), login(), cramMd5(), external(), anonymous(), oauthBearer(), xoauth2(), ...scram(), ...scram(SHA1)].flat();
const BINDINGS = new Map([['tls-exporter', octets('binding')]]);

/** Both sides of a mechanism, each with a stranger on the other; the first octet chooses it. */
function exchanged(input) {
  const mechanism = MECHANISMS[(input[0] ?? 0) % MECHANISMS.length];
  const lines = textOf(input.subarray(1)).split('\n').map(octetsOf);
  let step = mechanism.server({ nonce: 'nonce', hostname, pepper: octets('pepper pepper pepper pepper pepper'), bindings: BINDINGS });
  let judged = false;
  for (let i = 0, steps = 0; step.type !== 'success' && step.type !== 'failure'; ) {
    demand(++steps < 50, 'an exchange without end');
    if (step.type === 'challenge') {
      if (i === lines.length) break;
      step = step.next(lines[i++]);
    } else if (step.type === 'lookup') step = step.next(step.user === 'tim' ? 'pencil' : null);
    else if (step.type === 'verify') {
      judged = true;
      step = step.next(step.claim.user ?? 'a');
    } else step = step.next(new Uint8Array(step.derivation.length));
  }
  demand(step.type !== 'success' || judged || mechanism.asks.includes('lookup'), 'who was not looked at is admitted', mechanism.name);
  let ours = mechanism.client({
    credentials: { user: 'tim', password: 'pencil', token: 'token' },
    nonce: 'nonce',
    bindings: BINDINGS,
    host: hostname,
    port: 25,
  });
  for (let i = 0, steps = 0; ours.type !== 'failure'; ) {
    demand(++steps < 50, 'an exchange without end');
    if (ours.type === 'derive') ours = ours.next(new Uint8Array(ours.derivation.length));
    else if (i === lines.length) break;
    else ours = ours.next(lines[i++]);
  }
}

export const SESSIONS = {
  server: { seeds: () => inServer().flatMap((seed) => [beginning('\0')(seed), beginning('\x01')(seed)]), words: WORDS, run: anyServer },
  lmtp: {
    seeds: () => spoken('server', 'in', ({ options }) => options.preset === 'lmtp'),
    words: WORDS,
    run: accounted({ hostname, preset: 'lmtp', ask: ['rcpt', 'message'] }, { lmtp: true, chunking: true, lfEnds: false }),
  },
  bdat: {
    seeds: () => inServer().filter((seed) => textOf(seed).includes('BDAT')),
    words: WORDS,
    run: accounted(sink, { lmtp: false, chunking: true, lfEnds: true }),
  },
  client: {
    seeds: () => spoken('client', 'in').flatMap((seed) => [beginning('\0')(seed), beginning('\x02\xf0')(seed)]),
    words: [...REPLIES, ...Array.from({ length: 13 }, (_, act) => String.fromCharCode(FIRST_ACT + act))],
    run: anyClient,
  },
  auth: {
    seeds: () =>
      MECHANISMS.map((_, i) =>
        octetsOf(`${String.fromCharCode(i)}\0tim\0pencil\nn,,n=tim,r=nonce\nr=nonceX,s=c2FsdA==,i=4096\nv=c2FsdA==`),
      ),
    words: [
      'n,,',
      'y,,',
      'p=tls-exporter,,',
      'n=tim',
      'r=nonce',
      's=c2FsdA==',
      'i=4096',
      'c=biws',
      'p=c2FsdA==',
      '\0',
      '\n',
      'tim',
      'pencil',
      '\x01auth=Bearer token\x01\x01',
      'user=tim\x01',
      'e=x',
      'm=x',
      '=2C',
      '=3D',
      'a=tim',
    ],
    run: exchanged,
  },
};
