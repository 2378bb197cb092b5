// Stubs and events of all kinds, from few words, so that they meet.
import fc from 'fast-check';
import { type Action, type Facts, KNOWN, type Match, STAGES, type Stage, type Stub, type StubReply } from '../src/stubs.ts';

export function facts(stage: Stage, more: Partial<Facts> = {}): Facts {
  return {
    stage,
    peer: '127.0.0.1',
    hello: null,
    tls: false,
    identity: null,
    mechanism: null,
    from: null,
    to: [],
    size: null,
    header: () => [],
    ...more,
  };
}

const text = fc.constantFrom('', 'a', 'ab', 'Ab@c', 'b@c.d');
const pattern = fc.constantFrom('', '*', 'a*', 'a?', '*@c*', 'b@c.d', 'A');
const count = fc.constantFrom(1, 2, 3);
const time = fc.constantFrom<string | number>(0, 5, '10 ms', '1 s');
const keys = fc.option(fc.subarray(['peer', 'hello', 'identity', 'from', 'to'] as const), { nil: undefined });
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
/** Without the names that are undefined. */
export const tidy = <T extends object>(object: T): T => JSON.parse(JSON.stringify(object)) as T;

const split = optional(fc.record({ every: count, pause: optional(time) }));
const reply: fc.Arbitrary<StubReply> = fc
  .oneof(
    fc.record({
      code: fc.constantFrom(250, 354, 421, 452, 550),
      enhanced: optional(fc.constant('4.2.2')),
      text: optional(fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 3 }))),
      split,
    }),
    fc.record({ raw: fc.constantFrom('25\r\n', '250-x\r\n', 'nonsense'), split }),
  )
  .map((one) => tidy(one) as StubReply);
const cut = fc.oneof(fc.constant(true as const), fc.record({ after: fc.nat(5) }));
const ENDINGS: { readonly [name in keyof Action]?: fc.Arbitrary<unknown> } = {
  reply,
  stall: cut,
  drop: cut,
  reset: cut,
  halfClose: cut,
  pass: fc.constant(true),
  throttle: fc.record({ most: fc.nat(3), within: time, by: keys, reply: optional(reply) }),
  greylist: fc.record({ for: time, by: keys, reply: optional(reply) }),
};
const SETTINGS: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ capabilities: fc.record({ remove: fc.constant(['SIZE']), add: fc.constant(['XFOO 1']) }) }),
  fc.record({ limits: fc.oneof(fc.record({ recipients: fc.integer({ min: 1, max: 5 }) }), fc.record({ faultDelay: fc.nat(3) })) }),
);

const ending = fc
  .constantFrom(...(Object.keys(ENDINGS) as (keyof Action)[]))
  .chain((name) => fc.record({ [name]: ENDINGS[name]!, delay: optional(time) }))
  .map((one) => tidy(one) as Action);

const actionOn = (on: Stage): fc.Arbitrary<Action> =>
  fc.oneof(
    { weight: 6, arbitrary: ending },
    { weight: 1, arbitrary: time.map((delay) => ({ delay })) },
    ...(on === 'connect' ? [{ weight: 6, arbitrary: SETTINGS }] : []),
    ...(on === 'tls' ? [{ weight: 3, arbitrary: fc.constantFrom<Action>({ tls: 'refuse' }, { tls: 'break' }, { tls: 'expired' }) }] : []),
  );

const MATCHES: { readonly [name in keyof Match]-?: fc.Arbitrary<unknown> } = {
  to: pattern,
  from: pattern,
  identity: pattern,
  mechanism: pattern,
  peer: fc.constantFrom('127.*', '::1'),
  hello: pattern,
  tls: fc.boolean(),
  header: fc.record({ Subject: pattern }),
  size: fc.record({ least: optional(fc.nat(5)), most: optional(fc.nat(9)) }),
  nth: count,
  every: count,
};

export const anyStub: fc.Arbitrary<Stub> = fc.constantFrom(...STAGES).chain((on) =>
  fc
    .record({
      on: fc.constant(on),
      match: optional(
        fc
          .subarray([...KNOWN[on], 'nth', 'every'] as const, { maxLength: 2 })
          .chain((names) => fc.record(Object.fromEntries(names.map((name) => [name, MATCHES[name]])))),
      ),
      do: actionOn(on),
      times: optional(count),
    })
    .map((stub) => tidy(stub) as Stub),
);

/** What happens, and how much time has passed before. */
export const anyEvent: fc.Arbitrary<[Facts, number]> = fc.tuple(
  fc.record({
    stage: fc.constantFrom(...STAGES),
    peer: fc.constantFrom('127.0.0.1', '::1'),
    hello: fc.option(text),
    tls: fc.boolean(),
    identity: fc.option(text),
    mechanism: fc.option(text),
    from: fc.option(text),
    to: fc.array(text, { maxLength: 2 }),
    size: fc.option(fc.nat(9)),
    header: text.map((value) => (name: string) => (name === 'Subject' ? [value] : [])),
  }),
  fc.constantFrom(0, 1, 5, 100, 1000),
);
