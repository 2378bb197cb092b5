// A random file of stubs does to a random dialogue what a model of ten lines says, on the wire.
import type { Listener, Sink, Transport } from '@ehlo/driver';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Action, type Facts, type Stub, StubServer, StubSet, TestClock } from '../src/index.ts';
import { facts, tidy } from './stub-arbitraries.ts';

/** A connection in memory. */
class Memory implements Transport {
  readonly peer = { address: '127.0.0.1', port: 1 };
  readonly local = { address: '127.0.0.1', port: 2 };
  readonly unwritten = 0;
  sink: Sink | null = null;
  said = '';
  ended = false;
  start(sink: Sink): void {
    this.sink = sink;
  }
  write(bytes: Uint8Array): boolean {
    this.said += new TextDecoder().decode(bytes);
    return true;
  }
  pause(): void {}
  resume(): void {}
  close(): void {
    this.ended = true;
  }
  abort(): void {
    this.ended = true;
  }
  /** What was said since the last time; `|` where it has ended. */
  take(): string {
    const { said } = this;
    this.said = '';
    return this.ended ? `${said}|` : said;
  }
}

const address = fc.constantFrom('a@b.example', 'ab@b.example', 'c@d.example');
const reply = fc.oneof(
  fc.record({ code: fc.constantFrom(250, 450, 452, 550, 571), text: fc.constantFrom('no', 'yes') }),
  fc.constantFrom({ raw: '250 x\r\n' }, { raw: '5nonsense\r\n' }),
);
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ reply }) },
  fc.constantFrom<Action>({ drop: true }, { drop: { after: 3 } }, { pass: true }, { delay: 0 }),
  fc.record({ throttle: fc.record({ most: fc.nat(2), within: fc.constant('10 s') }) }),
  fc.record({ greylist: fc.record({ for: fc.constant('10 s') }) }),
);
const stub: fc.Arbitrary<Stub> = fc
  .record({
    on: fc.constantFrom('mail' as const, 'rcpt' as const, 'message' as const, 'quit' as const, 'hello' as const),
    match: fc.option(fc.record({ nth: fc.option(fc.constantFrom(1, 2), { nil: undefined }) }), { nil: undefined }),
    to: fc.option(fc.constantFrom('a*', '*@d.example'), { nil: undefined }),
    do: action,
    times: fc.option(fc.constantFrom(1, 2), { nil: undefined }),
  })
  .map(({ to, ...one }) => tidy({ ...one, match: { ...one.match, ...(one.on === 'rcpt' || one.on === 'message' ? { to } : {}) } }) as Stub);
const step = fc.oneof(
  fc.record({ verb: fc.constantFrom('EHLO', 'NOOP', 'DATA', 'QUIT'), argument: fc.constant('') }),
  fc.record({ verb: fc.constantFrom('MAIL', 'RCPT', 'RCPT'), argument: address }),
  fc.record({ verb: fc.constant('WAIT'), argument: fc.constant('') }),
);

test('a random file does to a random dialogue what the model says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(stub, { maxLength: 6 }), fc.array(step, { maxLength: 25 }), async (stubs, steps) => {
      const memory = new Memory();
      const clock = new TestClock();
      const set = new StubSet();
      set.preset({ stubs });
      const listener: Listener = { address: memory.local, accept: (connected) => connected(memory), close: async () => {} };
      const server = new StubServer(
        listener,
        { hostname: 'mx.example.test', preset: 'sink' },
        { stubs: set, clock, handler: () => ({ message: async ({ body }) => await body.bytes().then(() => true as const) }) },
      );
      await settled();
      expect(memory.take()).toMatch(/^220 /);
      const says = model(stubs);
      for (const { verb, argument } of steps) {
        if (verb === 'WAIT') clock.advance('10 s');
        const lines = LINES[verb]?.(argument) ?? '';
        const expected = verb === 'WAIT' ? '' : says(verb, argument, clock.now());
        if (expected === null) continue;
        memory.sink!.data(new TextEncoder().encode(lines));
        await settled();
        const said = memory.take();
        if (expected instanceof RegExp) expect(said).toMatch(expected);
        else expect(said).toBe(expected);
        if (said.endsWith('|')) break;
      }
      await server.close();
      await settled();
      // Else the process of a test would wait for what is over.
      expect(clock.waiting).toBe(0);
    }),
    { numRuns: 500 },
  );
});

const LINES: { readonly [verb: string]: (argument: string) => string } = {
  EHLO: () => 'EHLO a.example\r\n',
  NOOP: () => 'NOOP\r\n',
  QUIT: () => 'QUIT\r\n',
  MAIL: (argument) => `MAIL FROM:<${argument}>\r\n`,
  RCPT: (argument) => `RCPT TO:<${argument}>\r\n`,
  DATA: () => 'DATA\r\nSubject: x\r\n\r\nx\r\n.\r\n',
};

/** What is said to each command; null: it would be out of order. */
function model(stubs: readonly Stub[]) {
  const set = new StubSet();
  set.preset({ stubs });
  let [greeted, from, to] = [false, null as string | null, [] as string[]];
  return (verb: string, argument: string, now: number): string | RegExp | null => {
    if (verb === 'NOOP') return /^250 [^|]*$/;
    if ((verb === 'MAIL' && (!greeted || from !== null)) || (verb === 'RCPT' && from === null) || (verb === 'DATA' && to.length === 0))
      return null;
    const stage = ({ EHLO: 'hello', MAIL: 'mail', RCPT: 'rcpt', DATA: 'message', QUIT: 'quit' } as const)[verb as 'EHLO'];
    const known: Partial<Facts> = {
      hello: greeted || verb === 'EHLO' ? 'a.example' : null,
      from: verb === 'MAIL' ? argument : from,
      to: verb === 'RCPT' ? [argument] : to,
      size: 17,
    };
    const { action } = set.decide(facts(stage, known), now);
    const { reply: own, drop } = action ?? {};
    const yes = own === undefined || /^[23]/.test(own.raw ?? String(own.code));
    if (verb === 'EHLO' && yes) [greeted, from, to] = [true, null, []];
    if (verb === 'MAIL' && yes) from = argument;
    if (verb === 'RCPT' && yes) to = [...to, argument];
    if (verb === 'DATA') [from, to] = [null, []];
    const before = verb === 'DATA' ? '354 [^\\n]*\\n' : '';
    const words =
      own === undefined
        ? verb === 'QUIT'
          ? '221 [^|]*'
          : '250[^|]*'
        : `${(own.raw ?? `${own.code}${verb === 'EHLO' && yes ? '-' : ' '}${[own.enhanced, own.text].filter((one) => one !== undefined).join(' ')}\r\n`).replaceAll('.', '\\.')}${verb === 'EHLO' && yes && own.raw === undefined ? '[^|]*' : ''}`;
    const cut = drop === true ? '' : drop !== undefined ? '2[25][01]' : words;
    return new RegExp(`^${before}${cut}${drop !== undefined || verb === 'QUIT' ? '\\|' : ''}$`);
  };
}

/** All that follows by promises has followed. */
async function settled(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}
