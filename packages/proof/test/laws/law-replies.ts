// Laws about replies: one each, in order; and about what a refusal must leave alone.
import { type Peer, type Phase, PRESETS, type Question, type ServerOptions } from '@ehlo/engine';
import { octets } from '@ehlo/grammar';
import fc from 'fast-check';
import { account, commandEnd, type Setting } from '../../src/laws/account.ts';
import { Conversation, type Plan } from '../../src/laws/conversation.ts';
import { repliesOf } from '../../src/laws/reference.ts';
import { holds, type Law, property, same } from './law.ts';
import {
  conversation,
  cut,
  inProtocol,
  logFrom,
  quiet,
  quietlyLively,
  type Scenario,
  scenario,
  scriptOf,
  sizes,
  talk,
  UNCOUNTED,
  WELCOME,
  WILLING,
} from './scripts.ts';
import { command, stream } from './streams.ts';

/** Streams are one segment for whoever never speaks TLS: what follows the handshake follows STARTTLS in clear. */
const unbroken: fc.Arbitrary<Scenario> = quiet.map((value) => ({ ...value, early: '' }));

function settingOf({
  preset = 'mx',
  extensions = PRESETS[preset].extensions,
  tolerate = PRESETS[preset].tolerate,
}: ServerOptions): Setting {
  return { lmtp: preset === 'lmtp', chunking: extensions.includes('CHUNKING'), lfEnds: tolerate.has('bare-lf-line') };
}

/** AUTH has challenges, and what follows XCLIENT is a greeting; a chunk that is wanted is answered when its octets are there. */
function isSilent(question: Question): boolean {
  return question.type === 'auth' || question.type === 'xclient' || (question.type === 'data' && question.verb === 'BDAT');
}

const replies: Law = property(
  '4: one final reply to each command and each message, in order',
  fc.tuple(fc.oneof({ weight: 2, arbitrary: unbroken }, { weight: 1, arbitrary: quietlyLively }), sizes),
  (Session, [value, sizes]) => {
    const { plans } = value;
    // The reply to question n carries its number.
    const talked = new Conversation(Session, value.options, ({ type }, number) => {
      const plan = plans[number % plans.length]!;
      const answer = value.welcome.has(type) ? ('accept' as const) : plan.answer;
      return { ...plan, answer, text: `#${number}`, rejection: { ...plan.rejection, text: `#${number}` } };
    }).run(scriptOf(value, sizes));
    const { log, output, asked, secured } = talked;
    const closed = log.find(({ type }) => type === 'closed')?.cause;
    // In clear up to the handshake, wherever it was, and then under TLS.
    const before = secured?.segments ?? value.segments.length;
    const segments = [value.segments.slice(0, before).join(''), ...value.segments.slice(before)];
    const given = repliesOf(output);
    const units = account(segments, given, closed === undefined || closed === 'ended' || closed === 'lost', settingOf(value.options));
    if (['faults', 'quit', 'refused', 'shutdown', 'refused-recipients', 'idle-commands'].includes(`${closed}`))
      holds([221, 421].includes(units.at(-1)!.reply.code), `closed: ${closed}`);

    // A chunk that is refused has the same reply as all that follow it.
    const numbers = [...new Set([...output.matchAll(/#(\d+)/g)].map((match) => Number(match[1])))];
    same(
      numbers,
      [...numbers].sort((a, b) => a - b),
      'orders of answers',
    );
    const silent = new Set(numbers);
    const unheard = asked.flatMap((question, number) => (isSilent(question) || silent.has(number) ? [] : [`${question.type} ${number}`]));
    same(unheard, [], 'answers without a reply');
  },
);

function isOpen(phase: Phase): boolean {
  return phase === 'mail' || phase === 'rcpt' || phase === 'chunks';
}

/** A stream, cut behind each line, or behind the chunk that follows it. */
function unitsOf(text: string, options: ServerOptions): string[] {
  const { lfEnds } = settingOf(options);
  const units: string[] = [];
  for (let at = 0; at < text.length; ) {
    const end = commandEnd(text, at, lfEnds);
    units.push(text.slice(at, end < 0 ? text.length : end));
    at = end < 0 ? text.length : end;
  }
  return units;
}

/** Commands, right and wrong, in every state that commands lead to. */
const hops: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(command, fc.constantFrom('EHLO x.example', 'MAIL FROM:<a@b.example>', 'RCPT TO:<c@d.example>', 'RCPT TO:<e@f.example>')),
    { minLength: 4, maxLength: 12 },
  )
  .map((lines) =>
    lines.map((line) => `${line.replace(/^(QUIT|GET.*)$/, 'NOOP').replace(/^BDAT [03](.*)$/, 'BDAT 5$1\r\nabc')}\r\n`).join(''),
  );

const refusal: Law = property(
  '9: a refused command leaves hello, identity and envelope as they were',
  fc.tuple(
    scenario.map((value) => ({ ...value, early: '', marks: [] })),
    fc.oneof(stream, hops),
  ),
  (Session, [value, text]) => {
    const talked = talk(Session, { ...value, segments: [], end: 'idle' });
    for (const line of unitsOf(inProtocol(value.options, text), value.options)) {
      const { session } = talked.recorder;
      const before = { phase: session.phase, facts: talked.facts(), tls: session.tls, written: talked.output.length };
      talked.segment([octets(line)]);
      const given = repliesOf(talked.output.slice(before.written));
      if (session.phase === 'closed') return;
      // What is not trusted tells nothing, whatever the reply.
      const { trust = [] } = value.options;
      if (!trust.includes('XCLIENT')) same(session.peer, { address: '', port: 0 }, 'peers');
      if (!trust.includes('XFORWARD')) same(session.forwarded, null, 'facts of another client');
      if (before.phase === 'data' || before.phase === 'message' || given.length !== 1 || given[0]!.code < 400) continue;
      // XCLIENT was taken, and then the client that it speaks for was turned away.
      if (session.phase === 'refused') continue;
      const failed = isOpen(before.phase) && settingOf(value.options).chunking ? /^BDAT +\d+( +LAST)?/i.exec(line) : null;
      if (failed !== null) {
        // RFC 3030 2: the transaction has failed; here the last chunk ends it.
        const { envelope } = JSON.parse(before.facts) as { envelope: unknown };
        const after = failed[1] === undefined ? ['chunks', envelope] : ['ready', null];
        same([session.phase, session.envelope], after, `phases after ${JSON.stringify(line)}`);
        continue;
      }
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
    if (phase() !== 'ready' && !isOpen(phase())) return;
    talked.segment([octets(inProtocol(value.options, `\r\n${clean}`))]);
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

/** Lets the next client in: what a proxy says of it, and what the session must then make of it. */
const told: fc.Arbitrary<{ readonly line: string; readonly peer: Peer; readonly identity: string | null }> = fc.constantFrom(
  {
    line: 'XCLIENT NAME=p.example ADDR=192.0.2.7 PORT=2525',
    peer: { address: '192.0.2.7', port: 2525, name: 'p.example' },
    identity: null,
  },
  { line: 'XCLIENT ADDR=IPV6:2001:db8::1 PORT=1 LOGIN=joe', peer: { address: '2001:db8::1', port: 1 }, identity: 'joe' },
  {
    line: 'XCLIENT PROTO=esmtp HELO=h.example NAME=[UNAVAILABLE] ADDR=[TEMPUNAVAIL] PORT=[UNAVAILABLE]',
    peer: { address: '', port: 0, helo: 'h.example', protocol: 'ESMTP' },
    identity: null,
  },
);

const proxied: Law = property(
  '9: XCLIENT begins the session anew, with the peer that it tells',
  fc.tuple(unbroken, told, fc.oneof(stream, hops), fc.constantFrom('EHLO x.example\r\n', ''), sizes),
  (Session, [value, { line, peer, identity }, text, hello, sizes]) => {
    // What is counted is counted on, and a greeting is held back once.
    const limits = {
      ...value.options.limits,
      ...UNCOUNTED,
      greetingDelay: 0,
    };
    const options: ServerOptions = { ...value.options, limits, starttls: 'off', trust: ['XCLIENT', 'XFORWARD'], earlyTalkers: 'ignore' };
    const plans = value.plans.map((plan) => ({ ...plan, answer: 'accept' as const, discard: null }));
    const willing = { ...value, options, plans, welcome: WELCOME.in, end: 'idle' as const };
    const before = inProtocol(options, `EHLO c.example\r\nXFORWARD NAME=old.example\r\n${value.segments[0]!}`);
    if (/xclient/i.test(before)) return;
    const anew = talk(Session, { ...willing, segments: [before] }, sizes);
    const { recorder } = anew;
    anew.segment([octets(inProtocol(options, '\r\n.\r\nRSET\r\nEHLO x.example\r\n'))]);
    if (recorder.session.phase !== 'ready' || recorder.session.hello?.name !== 'x.example') return;
    // The answers are taken in turn: both sessions begin with the same.
    const start = { log: anew.log.length, output: anew.output.length, asked: anew.asked.length };
    anew.segment([octets(`${line}\r\n`)]);
    same(anew.output.slice(start.output, start.output + 4), '220 ', 'greetings');
    const { session } = recorder;
    same([session.peer, session.identity, session.hello, session.forwarded, session.envelope], [peer, identity, null, null, null], 'facts');
    if (identity !== null) return;
    // Trust in a connection ends with its XCLIENT.
    const fresh = conversation(Session, { ...willing, options: { ...options, peer, trust: [] } });
    fresh.pump();
    const rest = cut(inProtocol(options, hello + text), sizes);
    const [from, direct] = [
      { log: anew.log.length, output: anew.output.length },
      { log: fresh.log.length, output: fresh.output.length },
    ];
    anew.plans = fresh.plans = (): Plan => WILLING;
    for (const piece of rest) {
      anew.segment([piece]);
      fresh.segment([piece]);
    }
    same(logFrom(anew, from.log, from.output), logFrom(fresh, direct.log, direct.output), 'events behind XCLIENT');
    same(anew.output.slice(from.output), fresh.output.slice(direct.output), 'replies behind XCLIENT');
    same(anew.facts(), fresh.facts(), 'facts behind XCLIENT');
  },
);

const spoken: Law = property(
  '4: UTF-8 is said only to a client that takes it',
  fc.tuple(
    scenario.map((value) => ({ ...value, early: '', marks: [] })),
    fc.oneof(stream, hops),
  ),
  (Session, [value, text]) => {
    const plans = value.plans.map((plan) => ({
      ...plan,
      text: 'f\u00fcr dich',
      rejection: { code: 551, text: 'f\u00fcr dich' },
    }));
    const talked = talk(Session, { ...value, plans, welcome: WELCOME.in, segments: ['EHLO c.example\r\n'], end: 'idle' });
    for (const line of unitsOf(inProtocol(value.options, text), value.options)) {
      const { session } = talked.recorder;
      const written = talked.output.length;
      talked.segment([octets(line)]);
      if (!/[^\0-\x7f]/.test(talked.output.slice(written))) continue;
      // RFC 6531 3.7.4: VRFY and EXPN say so themselves; 251 and 551 follow MAIL.
      const taken = /^(?:VRFY|EXPN) .* SMTPUTF8\s*$/i.test(line) || (/^RCPT/i.test(line) && session.envelope?.parameters.smtpUtf8 === true);
      holds(taken, `${talked.output.slice(written)} to ${line}`);
    }
  },
);

export const REPLY_LAWS: readonly Law[] = [replies, spoken, refusal, fresh, proxied];
