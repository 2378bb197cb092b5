// Laws against who does not come to bring mail: other protocols, and commands without end.
import type { AuthQuestion, Question, ServerEvent, ServerOptions, ServerSession } from '@ehlo/engine';
import { latin1, octets } from '@ehlo/grammar';
import fc from 'fast-check';
import { holds, type Law, property, same } from './law.ts';
import { cut, sizes } from './scripts.ts';

/** Asks about all that a stranger must not come to. */
const options: fc.Arbitrary<ServerOptions> = fc.record({
  hostname: fc.constant('mx.example.org'),
  preset: fc.constantFrom('mx' as const, 'sink' as const, 'lmtp' as const),
  ask: fc.constant(['auth', 'mail', 'rcpt', 'data', 'message'] as const),
  auth: fc.constant({ mechanisms: ['PLAIN', 'LOGIN'], inClear: true }),
});

/** What a session tells when it is given this; every question gets a yes, AUTH a challenge. */
function told(session: ServerSession, chunks: readonly Uint8Array[]): { readonly events: readonly ServerEvent[]; readonly said: string } {
  const events: ServerEvent[] = [];
  let said = '';
  for (const chunk of [octets(''), ...chunks]) {
    session.receive(chunk);
    for (let more = true; more; ) {
      for (let event = session.nextEvent(); event !== null; event = session.nextEvent()) {
        events.push(event);
        if (event.type === 'auth') session.challenge(event as AuthQuestion, octets('?'));
        else if (session.wants === 'answer') session.accept(event as Question, undefined as never);
      }
      const text = taken(session);
      more = text !== '';
      said += text;
    }
  }
  return { events, said };
}

/** What the session says, all of it taken by the transport. */
function taken(session: ServerSession): string {
  const bytes = session.nextOutput() ?? new Uint8Array();
  session.written(bytes.length);
  return latin1(bytes, 0, bytes.length);
}

const types = (events: readonly ServerEvent[]): string[] => events.map(({ type }) => type).filter((type) => type !== 'chunk');

const BODY = 'EHLO c.example\r\nLHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n';

/** Methods that tell what a line is, and others, which the end of the line tells; where that is out of sight the fields do. */
const METHODS = ['GET', 'POST', 'HEAD', 'PUT', 'OPTIONS', 'DELETE', 'CONNECT', 'TRACE', 'PATCH', 'patch'] as const;
const OTHERS = ['EHLO', 'LHLO', 'NOOP', 'FETCH'] as const;

const request: fc.Arbitrary<string> = fc
  .record({
    before: fc.constantFrom('', 'EHLO c.example\r\nLHLO c.example\r\n', 'NOOP\r\nXYZZY\r\n'),
    method: fc.constantFrom(...METHODS, ...OTHERS),
    target: fc.oneof(
      fc.constantFrom('/', '*', '/?MAIL', 'http://a.example:25/'),
      fc.nat({ max: 9000 }).map((n) => `/${'a'.repeat(n)}`),
    ),
    version: fc.constantFrom('HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0'),
    blank: fc.constantFrom(' ', '\t'),
    fields: fc.shuffledSubarray(['Host: a.example', 'User-Agent:x', 'Content-Type:\ttext/plain', 'X-a: MAIL FROM:<a@b.example>']),
    ends: fc.constantFrom(['\r\n', '\r\n'] as const, ['\n', '\n'] as const, ['\n', '\r\n'] as const),
  })
  .map(({ before, method, target, version, blank, fields, ends: [end, bodyEnd] }) => {
    const hidden = target.length > 4000 && (OTHERS as readonly string[]).includes(method);
    const known = hidden && fields.length === 0 ? ['Host: a.example'] : fields;
    return before + [[method, target, version].join(blank), ...known, '', BODY.replaceAll('\r\n', bodyEnd)].join(end);
  });

const http: Law = property(
  '3: a request of HTTP is cut off, and no command in its body is carried out',
  fc.tuple(options, request, sizes),
  (Session, [options, text, sizes]) => {
    const { events, said } = told(new Session(options), cut(text, sizes));
    same(types(events).slice(-2), ['fault', 'closed'], 'the last events');
    holds(!types(events).includes('mail'), `MAIL is asked about: ${JSON.stringify(text.slice(0, 200))}`);
    holds(/^421 4\.7\.0 .*\r\n$/m.test(said) && !/^354/m.test(said), said);
  },
);

/** Where a line is due. */
const POINTS = ['', 'EHLO c.example\r\n', 'EHLO c.example\r\nAUTH LOGIN\r\n', 'EHLO c.example\r\nMAIL FROM:<>\r\n'] as const;
const MORE = [
  'RCPT TO:<c@d.example>\r\n',
  'RCPT TO:<c@d.example>\r\nBDAT 3\r\nabc',
  'RCPT TO:<c@d.example>\r\nDATA\r\nx\r\n.\r\n',
] as const;

const tls: Law = property(
  '3: a TLS handshake where a line is due ends the session, and no command in it is carried out',
  fc.tuple(options, fc.constantFrom(...POINTS, ...MORE.map((more) => POINTS[3] + more)), fc.constantFrom('\r\n', '\n', 'x\r\n'), sizes),
  (Session, [options, before, end, sizes]) => {
    const first = options.preset === 'lmtp' ? before.replace('EHLO', 'LHLO') : before;
    const session = new Session(options);
    told(session, [octets(first)]);
    const { events, said } = told(session, cut(`\x16\x03\x01\x02\x00${end}${BODY}`, sizes));
    const aborted = first.includes('BDAT') ? ['aborted'] : [];
    same(types(events), ['fault', ...aborted, 'closed'], 'events');
    holds(/^421 4\.7\.0 [^\n]*\n$/.test(said), said);
  },
);

const submitter: Law = property(
  '9: who has not authenticated submits for nobody',
  fc.tuple(options, fc.constantFrom('AUTH', 'auth', 'Auth'), fc.constantFrom('<>', 'ceo@victim.example', '+22a+22@b.example'), sizes),
  (Session, [options, keyword, value, sizes]) => {
    const hello = options.preset === 'lmtp' ? 'LHLO' : 'EHLO';
    const { events } = told(new Session(options), cut(`${hello} c.example\r\nMAIL FROM:<a@b.example> ${keyword}=${value}\r\n`, sizes));
    const asked = events.find((event) => event.type === 'mail');
    same(asked?.parameters, { auth: '' }, 'parameters');
  },
);

/** What brings no message, however often it is said. Of what is asked, recipients that are none are refused, and messages. */
const IDLE = [
  'NOOP',
  'RSET',
  'VRFY x',
  'EXPN x',
  'HELP',
  'EHLO c.example',
  'LHLO c.example',
  'ETRN c.example',
  'AUTH PLAIN AGEAYg==',
  'XYZZY',
  'MAIL FROM:<>\r\nRSET',
  'MAIL FROM:<>\r\nRCPT TO:<nobody@x.example>\r\nRSET',
  'MAIL FROM:<>\r\nRCPT TO:<bob@x.example>\r\nRSET',
  'MAIL FROM:<>\r\nRCPT TO:<bob@x.example>\r\nDATA\r\nx\r\n.',
  'MAIL FROM:<>\r\nRCPT TO:<bob@x.example>\r\nBDAT 1 LAST\r\nx',
  'RCPT TO:<nobody@x.example>',
  'RCPT TO:<nobody@>',
] as const;
const BUDGETS = { idleCommands: 30, refusedRecipients: 20, faults: 15, recipients: 100 } as const;

const budgets: Law = property(
  '3: commands that bring no message are answered within a budget',
  fc.tuple(options, fc.array(fc.constantFrom(...IDLE), { minLength: 1, maxLength: 4 }), fc.boolean(), sizes),
  (Session, [{ preset = 'mx', ...rest }, units, open, sizes]) => {
    const hello = preset === 'lmtp' ? 'LHLO' : 'EHLO';
    const ask = ['auth', 'rcpt', 'message', 'info'] as const;
    const session = new Session({ ...rest, preset, ask, limits: BUDGETS });
    const lines = `${units.join('\r\n')}\r\n`.replaceAll(/[EL]HLO/g, hello);
    const { said } = refusing(session, cut(`${hello} c.example\r\n${open ? 'MAIL FROM:<>\r\n' : ''}${lines.repeat(60)}`, sizes));
    holds(session.phase === 'closed', `answered for ever: ${lines}`);
    const replies = said.match(/^\d{3} /gm)!.length;
    // A command of a budget, a recipient that was taken for each MAIL, and 354 for each DATA.
    holds(replies <= 3 * BUDGETS.idleCommands + BUDGETS.refusedRecipients + BUDGETS.faults, `${replies} replies to ${lines}`);
  },
);

/** As `told`, but nobody is authenticated, `nobody` is refused, and so is every message. */
function refusing(session: ServerSession, chunks: readonly Uint8Array[]): { readonly said: string } {
  let said = '';
  for (const chunk of chunks) {
    session.receive(chunk);
    for (let event = session.nextEvent(); event !== null || session.wants === 'flush'; event = session.nextEvent()) {
      if (event?.type === 'rcpt' && event.forwardPath.localPart === 'bob') session.accept(event);
      else if (event !== null && session.wants === 'answer' && event.type !== 'chunk')
        session.reject(event as Question, { code: 550, text: 'no' });
      said += taken(session);
    }
    said += taken(session);
  }
  return { said };
}

export const STRANGER_LAWS: readonly Law[] = [http, tls, submitter, budgets];
