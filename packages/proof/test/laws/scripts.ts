// Options, answers and chunks: everything around the octets.
import { PRESETS, type QuestionType, type Rejection, type ServerOptions } from '@ehlo/engine';
import { ANYTHING, octets, POSTEL, STRICT } from '@ehlo/grammar';
import fc from 'fast-check';
import { Conversation, type End, HOLDS, type Line, type Piece, type Plan, type Script, TLS } from '../../src/laws/conversation.ts';
import type { SessionClass } from '../../src/laws/record.ts';
import { messages, noise, segments } from './streams.ts';

const QUESTIONS: readonly QuestionType[] = ['connect', 'hello', 'starttls', 'mail', 'rcpt', 'data', 'message', 'info', 'xclient'];

/** Limits that are legal and so small that sessions meet them. */
const limits: fc.Arbitrary<NonNullable<ServerOptions['limits']>> = fc.record(
  {
    commandLine: fc.constantFrom(1248, 4096),
    output: fc.constantFrom(512, 600, 65_536),
    faults: fc.constantFrom(1, 5, 20, 1000, 1000, 1000),
    drain: fc.constantFrom(0, 10, 40, 67_108_864, 67_108_864),
    dataBlock: fc.constantFrom(1, 7, 50, 4096),
    greetingDelay: fc.constantFrom(0, 0, 5000),
    messageSize: fc.constantFrom(65_536, 36_700_160),
    transactions: fc.constantFrom(1, 2, 10_000, 10_000, 10_000),
    recipientDomains: fc.constantFrom(1, 2, 10_000, 10_000),
    refusedRecipients: fc.constantFrom(1, 2, 1000, 1000, 1000),
    idleCommands: fc.constantFrom(10, 12, 1000, 1000, 1000),
    smallChunks: fc.constantFrom(1, 3, 100, 1000, 1000),
    faultDelay: fc.constantFrom(0, 0, 0, 77),
    dataTimeout: fc.constantFrom(180_000, 300_000),
    messageAnswer: fc.constantFrom(1, 1000, 540_000),
    flushTimeout: fc.constantFrom(1000, 300_000),
  },
  { requiredKeys: [] },
);

/** Where what is counted is counted on, a session must not be told from another by it. */
export const UNCOUNTED: NonNullable<ServerOptions['limits']> = {
  faults: 1e6,
  transactions: 1e6,
  recipientDomains: 1e6,
  smallChunks: 1e6,
  refusedRecipients: 1e6,
  idleCommands: 1e6,
};

const EVERYTHING: readonly string[] = PRESETS.sink.extensions.filter((keyword) => !keyword.startsWith('X'));

const trust = fc.constantFrom<NonNullable<ServerOptions['trust']>>([], [], ['XFORWARD'], ['XCLIENT', 'XFORWARD']);

const strange: fc.Arbitrary<ServerOptions> = fc
  .record({
    preset: fc.constantFrom(...(['mx', 'mx', 'mx', 'sink', 'sink', 'sink', 'lmtp', 'lmtp', 'submission'] as const)),
    ask: fc.subarray([...QUESTIONS]),
    trust,
    limits,
    starttls: fc.constantFrom(...(['off', 'off', 'off', 'offered', 'offered', 'offered', 'required'] as const)),
    auth: fc.constantFrom(
      { mechanisms: [] },
      { mechanisms: ['PLAIN', 'LOGIN'] },
      { mechanisms: ['PLAIN', 'LOGIN'], inClear: true },
      { mechanisms: ['PLAIN', 'LOGIN'], inClear: true },
      { mechanisms: ['LOGIN', 'PLAIN'], inClear: true },
      { mechanisms: ['PLAIN'], inClear: true },
      { mechanisms: ['PLAIN'], required: true, inClear: true },
    ),
    trace: fc.boolean(),
    tolerate: fc.constantFrom(null, STRICT, POSTEL, ANYTHING),
    bareLineEnds: fc.constantFrom(null, 'reject' as const, 'keep' as const),
    extensions: fc.constantFrom(
      null,
      null,
      [],
      ['PIPELINING', 'SIZE', 'AUTH', 'STARTTLS'],
      ['STARTTLS', 'AUTH', 'ENHANCEDSTATUSCODES', 'VRFY'],
      EVERYTHING,
      EVERYTHING,
    ),
    earlyTalkers: fc.constantFrom('ignore' as const, 'report' as const, 'reject' as const),
    implicit: fc.constantFrom(false, false, false, true),
  })
  .map(({ preset, ask, auth, trust, tolerate, bareLineEnds, extensions, implicit, ...rest }) => ({
    ...rest,
    hostname: 'mx.example.org',
    preset,
    trust,
    ask: [...new Set<QuestionType>([...ask, 'auth', ...PRESETS[preset].mustAsk])],
    // RFC 6409 4.3: a submission is of somebody.
    auth: preset === 'submission' && auth.mechanisms.length === 0 ? { ...auth, required: false } : auth,
    futureRelease: { seconds: 1000, until: '2030-01-01T00:00:00Z' },
    ...(tolerate === null ? {} : { tolerate }),
    ...(bareLineEnds === null ? {} : { bareLineEnds }),
    ...(extensions === null ? {} : { extensions: extensions.filter((keyword) => may(keyword, preset, ask)) }),
    ...(implicit ? { tls: TLS } : {}),
  }));

/**
 * Whether a preset may offer an extension. RFC 6409 7: ETRN is none of a submission server's; elsewhere somebody has to carry it out.
 * RFC 4865 4.2: FUTURERELEASE is for submission alone.
 */
function may(keyword: string, preset: string, ask: readonly QuestionType[]): boolean {
  if (preset === 'sink') return true;
  if (keyword === 'ETRN') return preset !== 'submission' && ask.includes('info');
  return keyword !== 'FUTURERELEASE' || preset === 'submission';
}

/** A server that lets sessions get far. */
const friendly: fc.Arbitrary<ServerOptions> = fc
  .record({
    limits,
    starttls: fc.constantFrom('off' as const, 'offered' as const),
    trace: fc.boolean(),
    preset: fc.constantFrom(...(['mx', 'sink', 'sink', 'lmtp'] as const)),
    extensions: fc.constantFrom(null, EVERYTHING, EVERYTHING),
    trust,
  })
  .map(({ limits, extensions, preset, ...rest }) => ({
    ...rest,
    preset,
    ...(extensions === null ? {} : { extensions: extensions.filter((keyword) => may(keyword, preset, QUESTIONS)) }),
    futureRelease: { seconds: 1000, until: '2030-01-01T00:00:00Z' },
    hostname: '[192.0.2.25]',
    ask: ['auth', ...QUESTIONS],
    auth: { mechanisms: ['PLAIN', 'LOGIN'], inClear: true },
    limits: { ...limits, faults: 1000, transactions: 1000, smallChunks: 1000, refusedRecipients: 1000, idleCommands: 1000 },
  }));

const options: fc.Arbitrary<ServerOptions> = fc.oneof(strange, friendly);

/** A refusal with any legal code. 421 closes the session: not too often. */
const rejection: fc.Arbitrary<Rejection> = fc
  .tuple(
    fc.constantFrom(4, 5),
    fc.integer({ min: 0, max: 5 }),
    fc.integer({ min: 0, max: 9 }),
    fc.constantFrom('no', 'no\r\n250 yes', '', 'n'.repeat(600)),
    fc.boolean(),
  )
  .map(([type, subject, detail, text, enhanced]) => ({
    code: type * 100 + subject * 10 + detail,
    ...(enhanced ? { enhanced: `${type}.7.1` } : {}),
    text,
  }));

/** An application at its worst: it refuses, hesitates, answers twice or never. */
const plan: fc.Arbitrary<Plan> = fc.record({
  answer: fc.oneof(
    { weight: 45, arbitrary: fc.constant('accept' as const) },
    { weight: 6, arbitrary: fc.constant('reject' as const) },
    { weight: 2, arbitrary: fc.constant('never' as const) },
    { weight: 1, arbitrary: fc.constant('lost' as const) },
  ),
  rejection,
  text: fc.constantFrom('', '', 'fine', 'one\ntwo', 'f\u00fcr dich'),
  challenges: fc.constantFrom(0, 1, 2),
  discard: fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, fc.integer({ min: 0, max: 40 })),
  delay: fc.constant(0),
  hold: fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, fc.constantFrom(...HOLDS)),
  eager: fc.constant(0),
  twice: fc.boolean(),
});

const plans: fc.Arbitrary<Plan[]> = fc.array(plan, { minLength: 1, maxLength: 6 });

/** Yes to everything. */
export const WILLING: Plan = {
  answer: 'accept',
  rejection: { code: 550, text: 'no' },
  text: '',
  challenges: 1,
  discard: null,
  delay: 0,
  hold: 0,
  eager: 0,
  twice: false,
};

/** Sizes of chunks, taken in turn. */
export const sizes: fc.Arbitrary<readonly number[]> = fc.oneof(
  { weight: 2, arbitrary: fc.constant([1]) },
  { weight: 3, arbitrary: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }) },
  { weight: 1, arbitrary: fc.array(fc.constantFrom<number[]>(1, 2, 600), { minLength: 1, maxLength: 4 }) },
);

export const WHOLE: readonly number[] = [Number.MAX_SAFE_INTEGER];

/** Cuts a stream into chunks. A very long run of one octet stays together up to its last ones: where it is cut says nothing. */
export function cut(text: string, sizes: readonly number[]): Uint8Array[] {
  const bytes = octets(text);
  const chunks: Uint8Array[] = [];
  for (let at = 0, k = 0; at < bytes.length; k++) {
    let end = Math.min(bytes.length, at + sizes[k % sizes.length]!);
    if (bytes[at] === bytes[at + 2000]) {
      let run = at;
      while (run < bytes.length && bytes[run] === bytes[at]) run++;
      if (run - at > 2000) end = Math.max(end, run - 30);
    }
    chunks.push(bytes.slice(at, end));
    at = end;
  }
  return chunks;
}

/** Something that happens when `at` octets (modulo the length) of a segment have arrived. */
export interface Mark {
  readonly at: number;
  readonly piece: Exclude<Piece, Uint8Array>;
}

export interface Scenario {
  readonly options: ServerOptions;
  readonly plans: readonly Plan[];
  /** Questions that are answered by yes, whatever is planned. */
  readonly welcome: ReadonlySet<QuestionType>;
  readonly early: string;
  readonly segments: readonly string[];
  readonly marks: readonly Mark[];
  readonly end: End;
}

/** How far a client gets in any case: nowhere, to the greeting, or to its recipients. */
export const WELCOME: { readonly [name in 'not' | 'in' | 'far']: ReadonlySet<QuestionType> } = {
  not: new Set(),
  in: new Set(['connect']),
  far: new Set(['connect', 'hello', 'mail']),
};

const mark: fc.Arbitrary<Mark> = fc.record({
  at: fc.nat({ max: 2000 }),
  piece: fc.oneof(
    { weight: 4, arbitrary: fc.record({ tick: fc.constantFrom(1, 1000, 60_000, 60_000, 179_999, 300_000) }) },
    // RFC 5321 3.8: a server that closes unasked says 421.
    { weight: 1, arbitrary: fc.record({ shutdown: fc.option(rejection.map((said) => ({ ...said, code: 421, enhanced: '4.3.2' }))) }) },
  ),
});

/** LMTP greets by LHLO (RFC 2033 4.1); now and then a client takes it for SMTP. */
export function inProtocol({ preset }: ServerOptions, text: string): string {
  return preset === 'lmtp' ? text.replaceAll(/EHLO c|EHLO again|EHLO secure|EHLO clear|EHLO x/g, (hello) => `L${hello.slice(1)}`) : text;
}

export const scenario: fc.Arbitrary<Scenario> = fc
  .record({
    options,
    plans,
    welcome: fc.constantFrom(...Array<typeof WELCOME.in>(6).fill(WELCOME.in), WELCOME.not),
    early: fc.oneof({ weight: 16, arbitrary: fc.constant('') }, noise, fc.constant('EHLO early.example\r\nNOOP\r\n')),
    segments,
    marks: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(mark, { maxLength: 3 })),
    end: fc.constantFrom('end' as const, 'lost' as const, 'timeout' as const, 'idle' as const),
  })
  .map((value) => ({ ...value, segments: value.segments.map((text) => inProtocol(value.options, text)) }));

/** Messages that get far, with an application that is hard to please. */
export const lively: fc.Arbitrary<Scenario> = fc
  .record({
    options: fc
      .tuple(
        friendly,
        fc.constantFrom('lmtp' as const, 'mx' as const, 'sink' as const),
        fc.constantFrom('keep' as const, 'keep' as const, 'reject' as const),
      )
      .map(([{ extensions = EVERYTHING, ...options }, preset, bareLineEnds]) => ({
        ...options,
        extensions: extensions.filter((keyword) => typeof keyword !== 'string' || may(keyword, preset, QUESTIONS)),
        preset,
        bareLineEnds,
        limits: { faultDelay: options.limits?.faultDelay ?? 0 },
      })),
    plans: fc.array(
      fc.record({
        answer: fc.constantFrom(...Array<'accept'>(10).fill('accept'), ...(['reject', 'reject', 'lost', 'never'] as const)),
        rejection: fc.constantFrom(
          { code: 450, text: 'later' },
          { code: 550, text: 'no' },
          { code: 450, text: '' },
          { code: 421, text: 'closing' },
        ),
        text: fc.constantFrom('', 'fine'),
        challenges: fc.constant(0),
        discard: fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, fc.integer({ min: 0, max: 40 })),
        delay: fc.constant(0),
        hold: fc.constantFrom(0, 0, 0, ...HOLDS),
        eager: fc.constant(0),
        twice: fc.boolean(),
      }),
      { minLength: 3, maxLength: 9 },
    ),
    early: fc.constant(''),
    segments: messages.map((text) => [text]),
    marks: fc.constant([]),
    end: fc.constantFrom('end' as const, 'lost' as const, 'timeout' as const, 'idle' as const),
  })
  .map((value) => ({ ...value, welcome: WELCOME.far, segments: value.segments.map((text) => inProtocol(value.options, text)) }));

/** Nothing but the client's octets happens: no ticks, no shutdown, an application that answers. */
function quieten(value: Scenario): Scenario {
  const plans = value.plans.map((plan) =>
    plan.answer === 'never' || plan.answer === 'lost' ? { ...plan, answer: 'accept' as const } : plan,
  );
  return { ...value, marks: [], plans };
}

export const quiet: fc.Arbitrary<Scenario> = scenario.map(quieten);

export const quietlyLively: fc.Arbitrary<Scenario> = lively.map(quieten);

export function scriptOf({ early, segments, marks, end }: Scenario, sizes: readonly number[]): Script {
  return { early: cut(early, sizes), segments: segments.map((text) => pieces(text, marks, sizes)), end };
}

function pieces(text: string, marks: readonly Mark[], sizes: readonly number[]): Piece[] {
  const all: Piece[] = [];
  let from = 0;
  const placed = marks.map(({ at, piece }) => ({ at: at % (text.length + 1), piece }));
  for (const { at, piece } of placed.sort((a, b) => a.at - b.at)) {
    all.push(...cut(text.slice(from, at), sizes), piece);
    from = at;
  }
  return [...all, ...cut(text.slice(from), sizes)];
}

/** The conversation before it begins. */
export function conversation(Session: SessionClass, { options, plans, welcome }: Scenario): Conversation {
  return new Conversation(Session, options, ({ type }, number) => {
    const plan = plans[number % plans.length]!;
    return welcome.has(type) ? { ...WILLING, delay: plan.delay, eager: plan.eager } : plan;
  });
}

export function talk(Session: SessionClass, value: Scenario, sizes: readonly number[] = WHOLE): Conversation {
  return conversation(Session, value).run(scriptOf(value, sizes));
}

/** The rest of a log, without the count of what was written before. */
export function logFrom({ log }: Conversation, from: number, written: number): Line[] {
  return log.slice(from).map((line) => (typeof line.written === 'number' ? { ...line, written: line.written - written } : line));
}
