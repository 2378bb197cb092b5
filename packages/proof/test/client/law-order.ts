// Laws 1, 2, 5 and 8: chunks, calls in any order, TLS, and the end.
import { AUTH, CHUNKING, type ClientEvent, type ClientOptions, type ClientSession, SmtpUsageError } from '@ehlo/engine';
import { latin1, octets } from '@ehlo/grammar';
import fc from 'fast-check';
import { type ClientClass, type Played, play, type ServerScript, VERIFIED } from '../../src/index.ts';
import { holds, type Law, property, same } from '../laws/law.ts';
import { mail } from './scenarios.ts';

const text = fc.constantFrom('ok', '', '2.1.0 ok', '5.1.1 no', 'caf\xe9', 'x'.repeat(600));

/** A reply of one class, as servers write them, quirks included. */
const reply = (codes: readonly number[]): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom(...codes), fc.array(text, { maxLength: 3 }), text, fc.constantFrom('\r\n', '\r\n', '\r\n', '\n'))
    .map(([code, lines, last, end]) =>
      [...lines.map((line) => `${code}-${line}${end}`), `${code}${last === '' ? '' : ' '}${last}${end}`].join(''),
    );

const several = (codes: readonly number[]): fc.Arbitrary<string[]> => fc.array(reply(codes), { minLength: 1, maxLength: 4 });

const script: fc.Arbitrary<ServerScript> = fc.record({
  GREETING: several([220, 220, 220, 554]),
  EHLO: fc.array(
    fc.oneof(
      {
        weight: 3,
        arbitrary: fc
          .subarray(['PIPELINING', 'SIZE 1000', '8BITMIME', 'STARTTLS', 'AUTH PLAIN', 'LIMITS RCPTMAX=2', 'odd='])
          .map((lines) => ['mx.example.net', ...lines].map((line, i) => `250${i < lines.length ? '-' : ' '}${line}\r\n`).join('')),
      },
      { weight: 1, arbitrary: reply([500, 502, 550, 421]) },
    ),
    { minLength: 1, maxLength: 2 },
  ),
  STARTTLS: fc.constantFrom(['220 go<tls>'], ['454 no']),
  MAIL: several([250, 250, 250, 451, 550]),
  RCPT: several([250, 250, 251, 450, 550, 571, 421]),
  DATA: several([354, 354, 354, 450, 554]),
  END: several([250, 250, 452, 550, 421]),
  RSET: several([250]),
  QUIT: several([221, 500]),
});

const client: fc.Arbitrary<ClientOptions> = fc.record({
  hostname: fc.constant('client.example.org'),
  pipelining: fc.constantFrom('off', 'envelope', 'data', 'transactions'),
  replies: fc.constantFrom('strict', 'tolerant'),
  protocol: fc.constant('smtp'),
  trace: fc.constant(true),
});

const errand = { jobs: [mail(['a@b.example', 'c@d.example', 'e@f.example']), mail(), mail(['a@b.example'], 'caf\xe9', {})] };

/** Cuts a text at places that a number decides on. */
function cutter(seed: number): (text: string) => string[] {
  let state = seed;
  return (text) => {
    const found: string[] = [];
    for (let from = 0; from < text.length; ) {
      state = (state * 1103515245 + 12345) >>> 1;
      const to = from + 1 + (state % 9);
      found.push(text.slice(from, to));
      from = to;
    }
    return found;
  };
}

const seen = ({ events, clear, secured }: Played): unknown => [events, clear, secured];

const chunks = property(
  'client 1: any chunking of the same octets gives the same events and the same octets',
  fc.tuple(client, script, fc.nat(1 << 20)),
  (Client: ClientClass, [client, script, seed]) => {
    const whole = play({ Client, client, script, errand });
    same(seen(play({ Client, client, script, errand, cut: cutter(seed) })), seen(whole), 'conversations');
  },
);

/** TLS from the start, or by STARTTLS: what comes behind it is the same. */
const handshake = property(
  'client 5: after the handshake a session is one that was secure from the start',
  fc.tuple(client, script),
  (Client: ClientClass, [client, given]) => {
    const script: ServerScript = { ...given, GREETING: ['220 hi'], STARTTLS: ['220 go<tls>'] };
    const inClear = ['250-mx.example.net\r\n250-PIPELINING\r\n250-SMTPUTF8\r\n250-LIMITS MAILMAX=1\r\n250 STARTTLS\r\n'];
    const later = play({ Client, client, script: { ...script, EHLO: [...inClear, ...script.EHLO!] }, errand });
    const fromStart = play({ Client, client: { ...client, tls: VERIFIED }, script, errand });
    same(later.secured, fromStart.clear, 'what is sent');
    const behind = ({ events }: Played, from: number): unknown => events.slice(from).filter(({ type }) => type !== 'trace');
    const upgrade = later.events.findIndex(({ type }) => type === 'upgrade');
    holds(upgrade > 0, 'no handshake');
    const greeting = fromStart.events.findIndex(({ type }) => type === 'greeting');
    same(behind(later, upgrade + 1), behind(fromStart, greeting + 1), 'events');
  },
);

/** What may be done to a session, by whoever drives it and by its peer. */
const WORDS = [
  '220 hi\r\n',
  '250 ok\r\n',
  '250-PIPELINING\r\n',
  '250-STARTTLS\r\n',
  '250-AUTH PLAIN\r\n',
  '250-CHUNKING\r\n',
  '250 8BITMIME\r\n',
  '354 go\r\n',
  '334 VXNlcg==\r\n',
  '334 !\r\n',
  '235 in\r\n',
  '421 out\r\n',
  '452 no\r\n',
  '550-no\r\n',
  '550 no\r\n',
  '\n',
  '\r',
  '2',
  '\0',
  '\xff',
  'x',
  '\x16\x03',
];
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('receive' as const),
      text: fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 3 }).map((words) => words.join('')),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('pull' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'send',
        'send',
        'write',
        'write',
        'end',
        'authenticate',
        'respond',
        'cancel',
        'command',
        'quit',
        'abort',
        'secured',
        'nextOutput',
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('receiveEnd', 'lost', 'time', 'deadline') }) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const calls = property(
  'client 2: no octet makes any method throw; 4: one outcome for each recipient; 8: after closed nothing more',
  fc.tuple(client, fc.constantFrom('off', 'opportunistic', 'required'), fc.boolean(), fc.array(step, { maxLength: 60 })),
  (Client: ClientClass, [options, starttls, lmtp, steps]) => {
    const session = new Client({
      ...options,
      starttls,
      protocol: lmtp ? 'lmtp' : 'smtp',
      credentials: 'cleartext',
      features: [AUTH, CHUNKING],
    });
    const started = new Driven(session);
    // A welcome first, most of the time: else nothing much happens.
    for (const next of [...(steps.length % 4 === 0 ? [] : WELCOME), ...steps]) started.step(next);
    started.finish();
  },
);

const WELCOME: readonly Step[] = [
  { do: 'receive', text: '220 hi\r\n' },
  { do: 'pull' },
  { do: 'receive', text: '250-mx\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 AUTH PLAIN\r\n' },
  { do: 'pull' },
];

/** A session to which anything is done, and what it has told. */
class Driven {
  readonly #session: ClientSession;
  readonly #open: Map<number, number> = new Map();
  readonly #told: Set<string> = new Set();
  #now = 0;
  #closed = false;

  constructor(session: ClientSession) {
    this.#session = session;
  }

  step(step: Step): void {
    const session = this.#session;
    session.tick(this.#now);
    switch (step.do) {
      case 'receive':
        session.receive(octets(step.text));
        break;
      case 'send':
        if (session.canSend) this.#open.set(session.send(mail(['a@b.example', 'c@d.example', 'e@f.example']).envelope, { size: 10 }), 3);
        break;
      case 'write':
        session.write(octets('x\n.\r'));
        break;
      case 'authenticate':
        if (session.phase === 'ready') misused(() => session.authenticate('PLAIN', octets('\0joe\0secret')));
        break;
      case 'respond':
        session.respond(octets('secret'));
        break;
      case 'command':
        if (session.phase === 'ready') misused(() => session.command('VRFY', 'joe'));
        break;
      case 'secured':
        if (session.phase === 'tls') session.secured(VERIFIED);
        break;
      case 'time':
        this.#now += 1000;
        break;
      case 'deadline':
        this.#now = Math.min(session.deadline, this.#now + 1e7);
        break;
      case 'pull':
        this.#pull();
        break;
      case 'end':
      case 'cancel':
      case 'quit':
      case 'abort':
      case 'nextOutput':
      case 'receiveEnd':
      case 'lost':
        session[step.do]();
        break;
    }
    session.tick(this.#now);
    holds(session.phase === 'closed' || session.wants !== 'close', 'it wants to close, and is not closed');
  }

  /** Ends it, if it has not ended: every recipient has its outcome then. */
  finish(): void {
    this.#pull();
    this.#session.lost();
    this.#pull();
    holds(this.#closed, 'it does not end');
    holds(
      [...this.#open.values()].every((left) => left === 0),
      `${JSON.stringify([...this.#open])} have no outcome`,
    );
    // Whatever is done to it now.
    for (const next of WELCOME) this.step(next);
    for (const next of ['write', 'end', 'respond', 'cancel', 'quit', 'abort', 'receiveEnd', 'lost', 'nextOutput', 'pull'] as const)
      this.step({ do: next });
    holds(!this.#session.canSend && !this.#session.reads && this.#session.wants === 'close', 'it goes on');
  }

  #pull(): void {
    for (let events = 0; events < 1000; events++) {
      const event = this.#session.nextEvent();
      if (event !== null) this.#take(event);
      else {
        const bytes = this.#session.nextOutput();
        if (bytes === null) return;
        holds(!this.#closed, 'octets after closed');
        this.#session.written(bytes.length);
      }
    }
  }

  #take(event: ClientEvent): void {
    holds(!this.#closed, `${event.type} after closed`);
    if (event.type === 'closed') this.#closed = true;
    if (event.type === 'outcome') {
      const name = `${event.transaction} ${event.index}`;
      holds(!this.#told.has(name), `${name} is told twice`);
      this.#told.add(name);
      this.#open.set(event.transaction, this.#open.get(event.transaction)! - 1);
    }
    if (event.type === 'settled') same(this.#open.get(event.transaction), 0, 'recipients without an outcome');
  }
}

/** What the program does wrong may throw, as what it is. */
function misused(call: () => void): void {
  try {
    call();
  } catch (error) {
    if (!(error instanceof SmtpUsageError) && (error as Error).name !== 'SmtpUsageError') throw error;
  }
}

const premature: Law<ClientClass> = {
  name: 'client: a reply that begins before anything was asked that it could answer is none',
  check(Client) {
    for (const [before, after] of [
      ['250 o', 'k\r\n'],
      ['250-ok\r\n', '250 ok\r\n'],
      ['2', '50 ok\r\n'],
    ] as const) {
      const session = new Client({ hostname: 'client.example.org' });
      for (const reply of ['220 hi\r\n', '250 mx.example.net\r\n']) {
        session.receive(octets(reply));
        output(session);
      }
      session.receive(octets(before));
      const id = session.send(mail().envelope);
      holds(output(session).startsWith('MAIL'), 'MAIL');
      session.receive(octets(after));
      same(output(session), '', 'what is sent');
      const events = [];
      for (let event = session.nextEvent(); event !== null; event = session.nextEvent()) events.push(event);
      holds(
        events.some((event) => event.type === 'outcome' && event.transaction === id && event.status === 'unsent'),
        'the recipient is not unsent',
      );
    }
  },
};

const protection: Law<ClientClass> = {
  name: 'client 11: credentials go only where the connection is as safe as was asked for',
  check(Client) {
    const { peerCertificate: _, ...anybody } = VERIFIED;
    const ranks = ['cleartext', 'encrypted', 'verified'] as const;
    for (const [least, credentials] of [...ranks, undefined].entries()) {
      for (const [rank, tls] of [null, anybody, VERIFIED].entries()) {
        const session = new Client({
          hostname: 'client.example.org',
          features: [AUTH],
          ...(credentials === undefined ? {} : { credentials }),
          ...(tls === null ? {} : { tls }),
        });
        for (const reply of ['220 hi\r\n', '250-mx.example.net\r\n250 AUTH PLAIN\r\n']) {
          session.receive(octets(reply));
          output(session);
        }
        let code = 'none';
        try {
          session.authenticate('PLAIN', octets('\0joe\0secret'));
        } catch (error) {
          code = (error as SmtpUsageError).code;
        }
        same(
          [code, output(session) !== ''],
          rank >= Math.min(least, 2) ? ['none', true] : ['unprotected', false],
          `${credentials} over ${rank}`,
        );
      }
    }
  },
};

/** Octets that stand in a session's output, as text. */
export function output(session: ClientSession): string {
  let text = '';
  for (let bytes = session.nextOutput(); bytes !== null; bytes = session.nextOutput()) {
    text += latin1(bytes, 0, bytes.length);
    session.written(bytes.length);
  }
  return text;
}

export const CLIENT_ORDER_LAWS: readonly Law<ClientClass>[] = [chunks, handshake, calls, premature, protection];
