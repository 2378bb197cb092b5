// What goes onto the wire: commands that nobody can forge, in flights that are bounded, and mail data that ends once.
import { AUTH, CHUNKING, type ClientEnvelope, type ClientSession } from '@ehlo/engine';
import { ANYTHING, type Command, DIALECT, formatMailbox, NULL_PATH, octets, PARAMETERS, parseCommand } from '@ehlo/grammar';
import fc from 'fast-check';
import type { ClientClass } from '../../src/index.ts';
import { contentOf, dataEnd } from '../../src/laws/reference.ts';
import { holds, type Law, property, same } from '../laws/law.ts';
import { output } from './law-order.ts';
import { normalised } from './law-pair.ts';

const EVERYTHING =
  'PIPELINING SIZE 8BITMIME SMTPUTF8 DSN DELIVERBY FUTURERELEASE MT-PRIORITY RRVS REQUIRETLS AUTH CHUNKING BINARYMIME'.split(' ');

/** A session that the server has welcomed, with these extensions. */
export function open(
  Client: ClientClass,
  extensions: readonly string[],
  options: Partial<ConstructorParameters<ClientClass>[0]> = {},
): ClientSession {
  const session = new Client({ hostname: 'client.example.org', starttls: 'off', features: [AUTH], parameters: PARAMETERS, ...options });
  session.tick(0);
  session.receive(octets('220 mx.example.net\r\n'));
  output(session);
  session.receive(
    octets(['mx.example.net', ...extensions].map((line, i) => `250${i < extensions.length ? '-' : ' '}${line}\r\n`).join('')),
  );
  while (session.nextEvent() !== null);
  return session;
}

/** Text that is meant to break out of where it stands. */
const hostile = fc
  .array(
    fc.constantFrom(
      'a',
      'b.example',
      '@',
      '"',
      '\\',
      '>',
      '<',
      ' ',
      '\r\n',
      '\r',
      '\n',
      '\0',
      '\x7f',
      ':',
      '=',
      ';',
      '[',
      ']',
      'IPv6:',
      '::1',
      '.',
      '+',
      '\u00e9',
      '\ud800',
      'RCPT TO:<e@f>',
      'ORCPT=x',
    ),
    { maxLength: 10 },
  )
  .map((parts) => parts.join(''));
/** Mostly what is right: else nothing is ever sent. */
const mostly = <T>(right: fc.Arbitrary<T>, wrong: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 12, arbitrary: right }, { weight: 1, arbitrary: wrong });

const broken = fc.oneof(
  hostile,
  hostile.map((text) => `"${text}"@b.example`),
  hostile.map((text) => `a@${text}`),
);
const ORDINARY = [
  'ann@b.example',
  '"a b"@c.example',
  '"x> ORCPT=y"@b.example',
  'jos\u00e9@b.example',
  'a@[192.0.2.1]',
  '"q\\"x"@b.example',
];
const sender = mostly(fc.constantFrom(...ORDINARY, ''), broken);
const recipient = mostly(fc.constantFrom(...ORDINARY, 'postmaster'), broken);

const parameters = fc.record(
  {
    envid: mostly(fc.constantFrom('a b', 'x+y=z', '<q>', '~'), hostile),
    auth: mostly(fc.constantFrom('', 'joe@a.example', '"a b"@c.example'), hostile),
    size: mostly(fc.constantFrom(0, 7, 2 ** 60), fc.constantFrom(-1, 1.5, Number.NaN)),
    ret: mostly(fc.constantFrom('FULL', 'HDRS'), fc.constant('X\r\nRSET')) as fc.Arbitrary<'FULL'>,
    holdUntil: mostly(fc.constant('2030-01-01T00:00:00Z'), fc.constant('2030-01-01T00:00:00Z\r\nRSET')),
    by: fc.record({
      seconds: mostly(fc.constantFrom(5, 120), fc.constantFrom(-1, 1.5)),
      mode: mostly(fc.constantFrom('R', 'N'), fc.constant('N\r\n')) as fc.Arbitrary<'R'>,
      trace: fc.boolean(),
    }),
    mtPriority: mostly(fc.constantFrom(0, 9, -9), fc.constant(10)),
  },
  { requiredKeys: [] },
);
const rcptParameters = fc.record(
  {
    orcpt: fc.record({
      type: mostly(fc.constantFrom('rfc822', 'utf-8'), fc.constantFrom('x y', 'rfc822\r\n')),
      address: mostly(fc.constantFrom(...ORDINARY), hostile),
    }),
    notify: mostly<string | string[]>(
      fc.constantFrom('NEVER', ['SUCCESS'], ['FAILURE', 'DELAY']),
      fc.constant<string[]>(['X\r\nRSET']),
    ) as fc.Arbitrary<'NEVER'>,
  },
  { requiredKeys: [] },
);

const envelope: fc.Arbitrary<ClientEnvelope> = fc.record({
  reversePath: sender,
  parameters,
  recipients: fc.array(fc.record({ forwardPath: recipient, parameters: rcptParameters }), { minLength: 1, maxLength: 3 }),
});

/** The misuse that a call throws; null if it throws nothing. */
function thrown(call: () => void): string | null {
  try {
    call();
    return null;
  } catch (error) {
    const { name, code } = error as { name: string; code: string };
    if (name !== 'SmtpUsageError') throw error;
    return code;
  }
}

const injection = property(
  'client: what is sent is what was given, or nothing is: no text breaks out of its place',
  fc.tuple(envelope, fc.oneof(fc.constant(EVERYTHING), fc.subarray(EVERYTHING))),
  (Client: ClientClass, [envelope, extensions]) => {
    const session = open(Client, extensions, { pipelining: 'data', limits: { flight: 1e6 } });
    const code = thrown(() => session.send(envelope));
    const wire = output(session);
    if (code !== null) return same([wire, ['bad-address', 'bad-parameter'].includes(code)], ['', true], code);
    holds(wire === '' || wire.endsWith('\r\n'), 'it does not end a line');
    const lines = wire.split('\r\n').slice(0, -1);
    const asked = extensions.includes('PIPELINING') ? lines : lines.slice(0, 1);
    for (const line of asked.filter((line) => line !== 'DATA')) {
      const parsed = parseCommand(octets(line), { ...DIALECT, utf8: true });
      holds(parsed.ok, `${JSON.stringify(line)} is no command`);
      if (parsed.ok) known(parsed.value, envelope);
    }
    same(asked.filter((line) => line.startsWith('MAIL')).length, wire === '' ? 0 : 1, 'MAIL');
    holds(
      asked.every((line) => /^(?:MAIL FROM|RCPT TO|DATA)/.test(line)),
      `${JSON.stringify(asked)}`,
    );
  },
);

/** Whether a command says what an envelope says. */
function known(command: Command, { reversePath, recipients, parameters = {} }: ClientEnvelope): void {
  if (command.verb === 'MAIL') {
    const { envid, ret, holdUntil, by, mtPriority, size, auth } = command.parameters;
    same(command.reversePath.address, canonical(reversePath as string), 'the sender');
    same({ envid, ret, holdUntil, by, mtPriority }, pick(parameters, ['envid', 'ret', 'holdUntil', 'by', 'mtPriority']), 'parameters');
    holds(size === parameters.size || (size ?? 0) >= Number.MAX_SAFE_INTEGER, `SIZE ${size}`);
    // RFC 4954 5: who can't be told is not known.
    if (auth !== '' && auth !== undefined) same(auth, canonical(parameters.auth!), 'AUTH');
  } else if (command.verb === 'RCPT') {
    const { forwardPath, parameters: said } = command;
    const found = recipients.some(
      ({ forwardPath: path, parameters: given = {} }) =>
        canonical(path as string) === forwardPath.address &&
        said.orcpt?.type === given.orcpt?.type &&
        said.orcpt?.address === given.orcpt?.address &&
        String(said.notify) === String(given.notify),
    );
    holds(found, `nobody named ${JSON.stringify(command)}`);
  }
}

/** Members by name, in that order. */
function pick(value: object, names: readonly string[]): object {
  return Object.fromEntries(names.map((name) => [name, (value as { readonly [name: string]: unknown })[name]]));
}

/** The canonical form of an address, as another command would bring it over: in quotes where it lacks them. */
function canonical(text: string): string {
  if (text === '') return NULL_PATH.address;
  // Half a character is nothing that could be sent.
  if (/\p{Cs}/u.test(text)) return text;
  // octets() spells one character an octet: what is beyond ASCII is made UTF-8 first, as the wire has it.
  const parsed = parseCommand(octets(`RCPT TO:<${unescape(encodeURIComponent(text))}>`), { ...DIALECT, tolerate: ANYTHING, utf8: true });
  if (!parsed.ok || parsed.value.verb !== 'RCPT') return text;
  const { localPart, domain } = parsed.value.forwardPath;
  return formatMailbox(localPart, domain);
}

const words = property(
  'client: no text breaks out of a command or of an AUTH line',
  fc.tuple(
    hostile,
    fc.nat(600).map((length) => new Uint8Array(length).fill(length)),
  ),
  (Client: ClientClass, [text, initial]) => {
    for (const call of [
      (session: ClientSession): void => session.command('VRFY', text),
      (session: ClientSession): void => session.command('NOOP', text),
      (session: ClientSession): void => session.authenticate(text, initial),
      (session: ClientSession): void => session.authenticate('PLAIN', initial),
    ]) {
      const session = open(Client, ['AUTH PLAIN', 'PIPELINING'], { credentials: 'cleartext' });
      const code = thrown(() => call(session));
      const wire = output(session);
      holds(
        code === null ? /^[^\r\n\0]+\r\n$/.test(wire) && wire.length <= 600 : code === 'bad-argument' && wire === '',
        `${code}: ${JSON.stringify(wire)}`,
      );
      holds(!wire.startsWith('AUTH') || wire.length <= 512, 'the AUTH line is too long');
    }
    const code = thrown(() => new Client({ hostname: text }));
    holds(code === null ? /^[!-~]+$/.test(text) : code === 'bad-hostname', `hostname ${JSON.stringify(text)}: ${code}`);
  },
);

const bodies = property(
  'client 6: mail data has no CR or LF alone and no dot that is not doubled, and ends once',
  fc.tuple(
    fc.array(fc.constantFrom('\r', '\n', '.', 'a', 'bc', '\r\n', '\r\n.\r\n', 'x'.repeat(5000), '\n.'.repeat(3000)), { maxLength: 20 }),
    fc.boolean(),
  ),
  (Client: ClientClass, [parts, together]) => {
    const session = open(Client, ['8BITMIME']);
    session.send({ reversePath: '', recipients: [{ forwardPath: 'a@b.example' }] });
    for (const reply of ['250 ok', '250 ok', '354 go']) {
      output(session);
      session.receive(octets(`${reply}\r\n`));
    }
    let wire = '';
    for (const part of together ? [parts.join('')] : parts) {
      holds(session.write(octets(part)), 'it does not take the message');
      wire += output(session);
    }
    holds(session.end(), 'it does not take the end');
    wire += output(session);
    holds(!/(?:^|[^\r])\n|\r(?!\n)/.test(wire), 'a CR or LF alone');
    same(dataEnd(wire, 0), wire.length, 'the end');
    same(contentOf(wire, 0, wire.length), normalised(parts.join('')), 'the message');
  },
);

const flights = property(
  'client: with pipelining a flight is bounded, and without it one command is asked at a time',
  fc.tuple(
    fc.integer({ min: 1, max: 300 }),
    fc.constantFrom(40, 200, 4096),
    fc.boolean(),
    fc.constantFrom('off', 'envelope', 'data', 'transactions'),
  ),
  (Client: ClientClass, [count, flight, offered, pipelining]) => {
    const session = open(Client, offered ? ['PIPELINING'] : ['SIZE'], { pipelining, limits: { flight } });
    session.send({ reversePath: '', recipients: Array.from({ length: count }, (_, i) => ({ forwardPath: `r${i}@b.example` })) });
    let waiting: string[] = [];
    let commands = 0;
    for (;;) {
      const lines = output(session).split('\r\n').slice(0, -1);
      waiting = [...waiting, ...lines];
      if (waiting.length === 0) break;
      const octetsWaiting = waiting.reduce((sum, line) => sum + line.length + 2, 0);
      holds(waiting.length === 1 || (offered && pipelining !== 'off' && octetsWaiting <= flight), `${octetsWaiting} octets wait`);
      // What there is room for is not held back.
      const left = count + 1 - commands - waiting.length;
      const groups = offered && pipelining !== 'off';
      holds(!groups || left <= 0 || octetsWaiting + 'RCPT TO:<r100@b.example>\r\n'.length > flight, `${left} commands are held back`);
      const line = waiting.shift()!;
      commands++;
      session.receive(octets(line === 'DATA' ? '450 no\r\n' : '250 ok\r\n'));
    }
    same(commands, count + 2, 'commands');
  },
);

const chunk: Law<ClientClass> = {
  name: 'client: behind a chunk that was refused no more are sent, what was announced is, and RSET comes before what follows',
  check: (Client) => stopsAmongChunks(Client, (session) => session.receive(octets('552 no\r\n')), ['503 no', 'refused 552']),
};

const givenUp: Law<ClientClass> = {
  name: 'client: a message that is given up among its chunks leaves what was announced and the session',
  check(Client) {
    stopsAmongChunks(Client, (session) => session.abort(), ['250 ok\r\n250 ok', 'unsent aborted']);
    // Between two chunks nothing is awaited.
    const { session, envelope } = inBody(Client);
    session.write(octets('x'));
    output(session);
    session.receive(octets('250 ok\r\n'));
    session.abort();
    session.send(envelope);
    same(output(session), 'RSET\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n', 'what follows');
    // Behind the last octet it may have been accepted.
    const late = inBody(Client).session;
    late.write(octets('x'));
    late.end();
    output(late);
    late.abort();
    same([outcomes(late), late.wants], [['unknown aborted'], 'close'], 'behind the end');
  },
};

function inBody(Client: ClientClass): { session: ClientSession; envelope: ClientEnvelope } {
  const session = open(Client, ['PIPELINING', 'CHUNKING'], { features: [CHUNKING] });
  const envelope = { reversePath: '', recipients: [{ forwardPath: 'a@b.example' }] };
  session.send(envelope);
  output(session);
  session.receive(octets('250 ok\r\n250 ok\r\n'));
  return { session, envelope };
}

/** What happens with two chunks on their way, the second announced and not yet sent. */
function stopsAmongChunks(Client: ClientClass, stop: (session: ClientSession) => void, [rest, told]: readonly [string, string]): void {
  const { session, envelope } = inBody(Client);
  const lent = octets('x'.repeat(300_000));
  session.write(lent);
  const taken = Array.from({ length: 3 }, () => session.nextOutput()?.length);
  same(taken, ['BDAT 65536\r\n'.length, 65_536, 'BDAT 65536\r\n'.length], 'what is taken');
  stop(session);
  same(outcomes(session), [told], 'the outcome');
  // It is settled: what was lent is the program's again.
  lent.fill(0x79);
  holds(!session.canWrite && !session.write(octets('x')) && !session.end(), 'more is wanted');
  holds(/^x{65536}$/.test(output(session)), 'the chunk that was announced');
  session.receive(octets(`${rest}\r\n`));
  session.send(envelope);
  same(output(session), 'RSET\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n', 'what follows');
}

/** What has been told of recipients: the status, and the code or cause. */
function outcomes(session: ClientSession): string[] {
  const told: string[] = [];
  for (let event = session.nextEvent(); event !== null; event = session.nextEvent()) {
    if (event.type === 'outcome') told.push(`${event.status} ${'cause' in event ? event.cause : (event.reply?.code ?? '')}`);
  }
  return told;
}

export const CLIENT_WIRE_LAWS: readonly Law<ClientClass>[] = [injection, words, bodies, flights, chunk, givenUp];
