// Laws about time: every wait has an end, and a peer that trickles can't move it.
import { LIMITS, type LimitName, PRESETS, type QuestionType } from '@ehlo/engine';
import { octets, STRICT } from '@ehlo/grammar';
import fc from 'fast-check';
import { holds, type Law, property, same } from './law.ts';
import { conversation, cut, scenario, sizes, WELCOME, WILLING } from './scripts.ts';
import { stream } from './streams.ts';

const LOGIN = 'EHLO c.example\r\nAUTH LOGIN\r\n';
const CHUNK = 'EHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n';
const DATA = `${CHUNK}DATA\r\n`;

/** How long an application may take, by what it is asked. */
const ANSWERS: { readonly [type in QuestionType]: LimitName } = {
  connect: 'connectAnswer',
  hello: 'commandAnswer',
  starttls: 'commandAnswer',
  auth: 'commandAnswer',
  mail: 'commandAnswer',
  rcpt: 'commandAnswer',
  data: 'dataAnswer',
  message: 'messageAnswer',
  info: 'commandAnswer',
  command: 'commandAnswer',
  xclient: 'commandAnswer',
};

const deadlines: Law = property(
  '3: while anything is awaited there is a deadline, and it never lies in the past',
  fc.tuple(
    scenario,
    fc.array(fc.oneof(fc.constantFrom(0, 1, 59_999, 60_000, 299_999, 300_000, 1e7), stream), { minLength: 1, maxLength: 12 }),
    sizes,
  ),
  (Session, [value, steps, sizes]) => {
    const talked = conversation(Session, { ...value, plans: value.plans.map((plan) => (plan.answer === 'lost' ? WILLING : plan)) });
    const { recorder } = talked;
    const limits = { ...PRESETS[value.options.preset!].limits, ...value.options.limits };
    talked.onAsked = ({ type }) => {
      const limit = ANSWERS[type];
      same(recorder.session.deadline - talked.now, limits[limit] ?? LIMITS[limit].value, `time for an answer to ${type}`);
    };
    const check = (): void => {
      const { session } = recorder;
      if (session.phase === 'closed') same(session.deadline, Number.POSITIVE_INFINITY, 'deadlines after closed');
      else holds(session.deadline > talked.now, `the deadline ${session.deadline} is over at ${talked.now}`);
    };
    for (const step of steps) {
      if (typeof step === 'number') {
        talked.tick(step);
        check();
        // A clock that stands still changes nothing; nor does one that goes back.
        recorder.tick(talked.now - 1);
        check();
        talked.segment([]);
      } else talked.segment(cut(step, sizes));
      check();
      const { session } = recorder;
      holds(session.phase === 'closed' || Number.isFinite(session.deadline), `no deadline in phase ${session.phase}`);
    }
  },
);

/** Where a peer may dawdle, with the limit that ends it. */
const PLACES = [
  { place: 'a command', before: '', limit: 'commandTimeout', octet: 'x' },
  { place: 'a command after EHLO', before: 'EHLO c.example\r\n', limit: 'commandTimeout', octet: 'x' },
  { place: 'the rest of a line that a bare LF breaks', before: 'NOOP\n', limit: 'commandTimeout', octet: '\n' },
  { place: 'an AUTH response', before: LOGIN, limit: 'authTimeout', octet: 'A' },
  { place: 'a message', before: DATA, limit: 'dataTimeout', octet: 'x' },
  { place: 'a message, its lines', before: DATA, limit: 'dataTimeout', octet: '\n' },
  { place: 'a chunk', before: `${CHUNK}BDAT 100\r\n`, limit: 'dataTimeout', octet: 'x' },
  { place: 'a refused chunk', before: 'EHLO c.example\r\nBDAT 100\r\n', limit: 'dataTimeout', octet: 'x' },
  { place: 'between chunks', before: `${CHUNK}BDAT 1\r\nx`, limit: 'commandTimeout', octet: 'x' },
] as const;

const trickle: Law = property(
  '3: a peer that trickles octets can not hold a session',
  fc.tuple(
    fc.constantFrom(...PLACES),
    fc.integer({ min: 1, max: 1_000_000 }),
    fc.integer({ min: 1, max: 40 }),
    fc.constantFrom(300_000, 400_000),
  ),
  (Session, [{ before, limit, octet }, pause, count, timeout]) => {
    const limits = { commandTimeout: timeout, dataTimeout: timeout, authTimeout: timeout, dataBlock: 50 };
    const options = {
      hostname: 'mx.example.org',
      preset: 'sink' as const,
      tolerate: STRICT,
      ask: ['auth'] as const,
      auth: { mechanisms: ['LOGIN'], inClear: true },
      limits,
    };
    const talked = conversation(Session, {
      options,
      plans: [WILLING],
      welcome: WELCOME.in,
      early: '',
      segments: [],
      marks: [],
      end: 'idle',
    });
    talked.segment([octets(before)]);
    for (let i = 0; i < count; i++) {
      talked.tick(pause);
      if (talked.recorder.session.phase !== 'closed') talked.segment([octets(octet)]);
      else talked.pump();
      const over = talked.now >= timeout;
      same(talked.recorder.session.phase === 'closed', over, `closings at ${talked.now} of ${timeout}`);
      if (over) return same(talked.log.at(-1), { type: 'closed', cause: 'timeout', limit }, 'causes');
    }
  },
);

const progress: Law = property(
  '3: a peer that sends a block in time may go on, and one that does not is cut off',
  fc.tuple(
    fc.array(fc.tuple(fc.integer({ min: 1, max: 120 }), fc.constantFrom(1, 50_000, 100_000, 149_999, 299_999, 300_000)), {
      minLength: 1,
      maxLength: 20,
    }),
    fc.constantFrom(1, 20, 50, 60),
    fc.constantFrom(DATA, `${CHUNK}BDAT 5000\r\n`, 'EHLO c.example\r\nBDAT 5000\r\n'),
  ),
  (Session, [steps, block, before]) => {
    const limits = { dataTimeout: 300_000, dataBlock: block };
    const options = { hostname: 'mx.example.org', preset: 'sink' as const, limits };
    const talked = conversation(Session, {
      options,
      plans: [WILLING],
      welcome: WELCOME.in,
      early: '',
      segments: [],
      marks: [],
      end: 'idle',
    });
    talked.segment([octets(before)]);
    // A model: a timer that starts anew with each whole block.
    let ends = 300_000;
    let rest = 0;
    for (const [size, pause] of steps) {
      talked.tick(pause);
      talked.segment([octets('y'.repeat(size))]);
      const closed = talked.recorder.session.phase === 'closed';
      same(closed, talked.now >= ends, `closings at ${talked.now}, ${size} octets after ${pause} ms, blocks of ${block}`);
      if (closed) return;
      rest += size;
      if (rest >= block) ends = talked.now + 300_000;
      rest %= block;
    }
  },
);

const reader: Law = property(
  '3: a peer that never reads its replies is cut off, whatever it sends',
  fc.tuple(fc.integer({ min: 500, max: 290_000 }), fc.constantFrom(1000, 60_000, 299_999)),
  (Session, [pause, flushTimeout]) => {
    const { recorder } = conversation(Session, {
      options: { hostname: 'mx.example.org', preset: 'sink', limits: { flushTimeout, output: 512 } },
      plans: [WILLING],
      welcome: WELCOME.in,
      early: '',
      segments: [],
      marks: [],
      end: 'idle',
    });
    const pull = (): void => {
      while (recorder.nextEvent() !== null);
    };
    pull();
    for (let now = pause; now < 700_000; now += pause) {
      recorder.tick(now);
      const { session } = recorder;
      same(session.phase === 'closed', now >= flushTimeout, `closings at ${now} of ${flushTimeout}`);
      if (session.phase === 'closed') return same(session.nextOutput(), null, 'output that nobody reads');
      if (session.reads) recorder.receive(octets('NOOP\r\n'));
      pull();
    }
  },
);

export const TIME_LAWS: readonly Law[] = [deadlines, trickle, progress, reader];
