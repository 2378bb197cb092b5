// Laws about what must make no difference: chunks, hesitation, interruption; and about what must never happen.
import type { Question, ServerSession, Snapshot } from '@ehlo/engine';
import { octets } from '@ehlo/grammar';
import fc from 'fast-check';
import type { Conversation } from '../../src/laws/conversation.ts';
import { plain, replay, type SessionClass } from '../../src/laws/record.ts';
import { holds, type Law, property, same } from './law.ts';
import { conversation, quiet, type Scenario, scenario, scriptOf, sizes, talk, WHOLE } from './scripts.ts';
import { body, noise } from './streams.ts';

function sameTalk(actual: Conversation, expected: Conversation): void {
  same(actual.log, expected.log, 'events');
  same(actual.output, expected.output, 'outputs');
  same(actual.responses, expected.responses, 'AUTH responses');
  same(actual.facts(), expected.facts(), 'facts');
}

/** A message that is just as long as the size limit allows, or a little longer. */
const nearLimit: fc.Arbitrary<Scenario> = fc
  .tuple(scenario, fc.nat({ max: 30 }), body, fc.option(fc.integer({ min: 65_500, max: 65_560 })))
  .map(([value, length, tail, discard]) => ({
    ...value,
    options: {
      ...value.options,
      starttls: 'off',
      auth: { mechanisms: [] },
      limits: { ...value.options.limits, messageSize: 65_536, faults: 100 },
    },
    plans: value.plans.map((plan) => ({ ...plan, answer: 'accept' as const, discard })),
    marks: [],
    segments: [`EHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n${'x'.repeat(65_510 + length)}${tail}\r\n.\r\nNOOP\r\n`],
  }));

const chunking: Law = property(
  '1: any chunking of the same octets gives the same events and replies',
  fc.tuple(fc.oneof({ weight: 25, arbitrary: scenario }, { weight: 1, arbitrary: nearLimit }), sizes),
  (Session, [value, sizes]) => sameTalk(talk(Session, value, sizes), talk(Session, value, WHOLE)),
);

const splits: Law = property('1: … and so does every split in two', quiet, (Session, value) => {
  const whole = talk(Session, value, WHOLE);
  const length = Math.max(...value.segments.map((text) => text.length));
  const step = Math.max(1, Math.floor(length / 12));
  for (let at = 1 + (length % step); at < length; at += step) sameTalk(talk(Session, value, [at, ...WHOLE]), whole);
});

const calm: Law = property(
  '2: no octet from the network makes any method throw',
  fc.tuple(
    fc.oneof(
      scenario,
      scenario.chain((value) => fc.array(noise, { maxLength: 4 }).map((segments) => ({ ...value, segments }))),
    ),
    sizes,
  ),
  (Session, [value, sizes]) => void talk(Session, value, sizes),
);

const over: Law = property(
  '8: after closed nothing more',
  fc.tuple(
    scenario.map((value) => (value.end === 'idle' ? { ...value, end: 'end' as const } : value)),
    sizes,
  ),
  (Session, [value, sizes]) => {
    const talked = talk(Session, value, sizes);
    const { recorder, log } = talked;
    // Time may run out for a question, which closes nothing.
    if (value.end === 'timeout' && recorder.session.phase !== 'closed') return;
    const told = log.map(({ type }) => type).filter((type) => type !== 'time');
    same([told.indexOf('closed'), told.at(-1)], [told.length - 1, 'closed'], 'last events');
    const facts = talked.facts();
    recorder.receive(octets('NOOP\r\n'));
    recorder.receiveEnd();
    recorder.tick(talked.now + 1e9);
    for (const question of talked.asked) {
      holds(!recorder.accept(question, { text: 'late' }) && !recorder.reject(question, { code: 554, text: 'late' }), 'a question was open');
      if (question.type === 'auth') holds(!recorder.challenge(question, octets('late')), 'a challenge was sent');
    }
    holds(!recorder.discard({ code: 550, text: 'late' }), 'a message was discarded');
    recorder.secured({ protocol: '', cipher: '', servername: '' });
    recorder.shutdown();
    recorder.lost();
    const { session } = recorder;
    same([recorder.nextEvent(), recorder.nextOutput()], [null, null], 'events and output after closed');
    same([session.wants, session.reads, session.deadline, session.envelope], ['close', false, null, null], 'wants after closed');
    same(talked.facts(), facts, 'facts after closed');
  },
);

const patience: Law = property(
  '10: the same answers sooner or later give the same log',
  fc.tuple(quiet, sizes, fc.array(fc.tuple(fc.constantFrom(0, 0.1, 0.5, 0.99), fc.nat({ max: 3 })), { minLength: 1, maxLength: 4 })),
  (Session, [value, sizes, waits]) => {
    const late = value.plans.flatMap((plan) => waits.map(([delay, eager]) => ({ ...plan, delay, eager })));
    const soon = value.plans.flatMap((plan) => waits.map(() => plan));
    sameTalk(talk(Session, { ...value, plans: late }, sizes), talk(Session, { ...value, plans: soon }, sizes));
  },
);

const hibernation: Law = property(
  '12: a session restored from a snapshot goes on as if never stopped',
  fc.tuple(scenario, sizes, fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }), fc.constantFrom(0, 5_000_000)),
  (Session, [value, sizes, choices, shift]) => {
    const stopped = conversation(Session, value);
    let steps = 0;
    stopped.onStep = (at) => {
      if (choices[steps++ % choices.length]) stop(Session, value, at, shift, steps % 5 === 0);
    };
    sameTalk(stopped.run(scriptOf(value, sizes)), talk(Session, value, sizes));
  },
);

function stop(Session: SessionClass, { options }: Scenario, at: Conversation, shift: number, disturbed: boolean): void {
  const { session } = at.recorder;
  const { phase, deadline, wants, protocol } = session;
  const asked = plain(at.open);
  let snapshot: Snapshot;
  try {
    snapshot = session.snapshot();
  } catch (error) {
    const refused = (error as { code?: string }).code === 'snapshot-refused';
    holds(refused && (phase === 'auth' || phase === 'tls'), `no snapshot in phase ${phase}: ${error}`);
    return;
  }
  // Whatever becomes of the session, or of another that goes on from here, is nothing to the copy.
  if (disturbed) {
    disturb(session, at.open);
    disturb(Session.restore(options, snapshot, at.now + shift), null);
  }
  const copy = Session.restore(options, snapshot, at.now + shift);
  const state = [phase, deadline + shift, wants, protocol];
  same([copy.phase, copy.deadline, copy.wants, copy.protocol], state, 'restored states');
  at.resume(copy, at.now + shift, asked);
}

/** Lets a session go on in its own way: the open question is answered, and the peer sends what changes things wherever it stands. */
function disturb(session: ServerSession, open: Question | null): void {
  const question = open ?? session.nextEvent();
  if (question?.type === 'rcpt') session.accept(question);
  session.nextOutput();
  session.receive(octets('\r.\r\nRCPT TO:<evil@x.example>\r\nBDAT 7\r\nMAIL FROM:<evil@x.example>\r\nXFORWARD NAME=evil.example\r\n'));
  for (let i = 0; i < 9 && session.nextEvent() !== null; i++);
  session.tick(1e15);
  session.lost();
}

const repetition: Law = property('12: a recorded log replays exactly', fc.tuple(scenario, sizes), (Session, [value, sizes]) => {
  const { log } = talk(Session, value, sizes).recorder;
  same(replay(JSON.parse(JSON.stringify(log)), new Session(value.options)), log, 'logs');
});

const lending: Law = property(
  '1: octets are lent only until the session wants to read again',
  fc.tuple(quiet, sizes),
  (Session, [value, sizes]) => {
    const talked = conversation(Session, value);
    let lent: Uint8Array | null = null;
    talked.onGiven = (bytes) => {
      lent = bytes;
    };
    talked.onStep = ({ recorder, open }) => {
      // Whoever reads into one buffer overwrites it as soon as the next read is due.
      if (open === null && recorder.session.reads) lent?.fill(0x58);
    };
    sameTalk(talked.run(scriptOf(value, sizes)), talk(Session, value, sizes));
  },
);

export const ORDER_LAWS: readonly Law[] = [chunking, splits, calm, over, patience, hibernation, repetition, lending];
