// Laws about replies: one each, in order; and about what a refusal must leave alone.
import type { Phase } from '@ehlo/engine';
import { octets } from '@ehlo/grammar';
import fc from 'fast-check';
import { account } from '../../src/laws/account.ts';
import { Conversation } from '../../src/laws/conversation.ts';
import { repliesOf } from '../../src/laws/reference.ts';
import { holds, type Law, property, same } from './law.ts';
import { quiet, type Scenario, scenario, scriptOf, sizes, talk } from './scripts.ts';
import { command, stream } from './streams.ts';

/** Streams are one segment for whoever never speaks TLS: what follows the handshake follows STARTTLS in clear. */
const unbroken: fc.Arbitrary<Scenario> = quiet.map((value) => ({ ...value, early: '' }));

const replies: Law = property(
  '4: one final reply to each command and each message, in order',
  fc.tuple(unbroken, sizes),
  (Session, [value, sizes]) => {
    const { plans } = value;
    // The reply to question n carries its number.
    const talked = new Conversation(Session, value.options, ({ type }, number) => {
      const plan = plans[number % plans.length]!;
      const answer = type === 'connect' && !value.unwelcome ? ('accept' as const) : plan.answer;
      return { ...plan, answer, text: `#${number}`, rejection: { ...plan.rejection, text: `#${number}` } };
    }).run(scriptOf(value, sizes));
    const { log, output, asked, secured } = talked;
    const closed = log.find(({ type }) => type === 'closed')?.cause;
    // In clear up to the handshake, wherever it was, and then under TLS.
    const before = secured?.segments ?? value.segments.length;
    const segments = [value.segments.slice(0, before).join(''), ...value.segments.slice(before)];
    const given = repliesOf(output);
    const units = account(segments, given, closed === undefined || closed === 'ended' || closed === 'lost');
    if (['faults', 'quit', 'refused', 'shutdown'].includes(`${closed}`))
      holds([221, 421].includes(units.at(-1)!.reply.code), `closed: ${closed}`);

    const numbers = [...output.matchAll(/#(\d+)/g)].map((match) => Number(match[1]));
    same(
      numbers,
      [...numbers].sort((a, b) => a - b),
      'orders of answers',
    );
    const silent = new Set(numbers);
    const unheard = asked.flatMap(({ type }, number) => (type === 'auth' || silent.has(number) ? [] : [`${type} ${number}`]));
    same(unheard, [], 'answers without a reply');
  },
);

/** Commands, right and wrong, in every state that commands lead to. */
const hops: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(command, fc.constantFrom('EHLO x.example', 'MAIL FROM:<a@b.example>', 'RCPT TO:<c@d.example>', 'RCPT TO:<e@f.example>')),
    { minLength: 4, maxLength: 12 },
  )
  .map((lines) => lines.map((line) => `${line.replace(/^(QUIT|BDAT.*|GET.*)$/, 'NOOP')}\r\n`).join(''));

const refusal: Law = property(
  '9: a refused command leaves hello, identity and envelope as they were',
  fc.tuple(
    scenario.map((value) => ({ ...value, early: '', marks: [] })),
    fc.oneof(stream, hops),
  ),
  (Session, [value, text]) => {
    const talked = talk(Session, { ...value, segments: [], end: 'idle' });
    for (const line of text.split(/(?<=\n)/)) {
      const { session } = talked.recorder;
      const before = { phase: session.phase, facts: talked.facts(), tls: session.tls, written: talked.output.length };
      talked.segment([octets(line)]);
      const given = repliesOf(talked.output.slice(before.written));
      if (session.phase === 'closed') return;
      if (before.phase === 'data' || before.phase === 'message' || given.length !== 1 || given[0]!.code < 400) continue;
      same(talked.facts(), before.facts, `facts after ${JSON.stringify(line)}`);
      same(session.tls, before.tls, 'TLS');
      // RFC 5321 4.1.4: nor does the state change.
      same(session.phase, before.phase === 'auth' ? 'ready' : before.phase, `phases after ${JSON.stringify(line)}`);
    }
  },
);

/** What a transaction that is accepted must say of itself, whatever came before it. */
const fresh: Law = property(
  '9: a transaction knows nothing of those before it',
  fc.tuple(unbroken, fc.constantFrom('RSET\r\n', 'EHLO again.example\r\n', 'HELO again.example\r\n')),
  (Session, [value, clean]) => {
    const talked = talk(Session, { ...value, segments: value.segments.slice(0, 1), end: 'idle' });
    const { session } = talked.recorder;
    const phase = (): Phase => session.phase;
    if (!['ready', 'mail', 'rcpt'].includes(phase())) return;
    talked.segment([octets(`\r\n${clean}`)]);
    if (phase() !== 'ready') return;
    same(session.envelope, null, 'envelopes');
    talked.segment([octets('MAIL FROM:<new@x.example>\r\n')]);
    if (phase() !== 'mail') return;
    same([session.envelope?.reversePath.address, session.envelope?.recipients], ['new@x.example', []], 'new envelopes');
    const { envelope } = session;
    // RFC 5321 4.1.4: a second MAIL is out of order; 3.3: DATA without RCPT is (554 is for recipients that were all refused).
    for (const line of ['MAIL FROM:<nested@x.example>\r\n', 'DATA\r\n']) {
      const written = talked.output.length;
      talked.segment([octets(line)]);
      const codes = repliesOf(talked.output.slice(written)).map(({ code }) => code);
      if (phase() === 'closed') return same(codes, [421], `replies to ${line}`);
      same([codes, session.envelope], [[503], envelope], `replies to ${line}`);
    }
  },
);

export const REPLY_LAWS: readonly Law[] = [replies, refusal, fresh];
