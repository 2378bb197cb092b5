// What is consent, what is refusal, and that nothing else is either: every kind of value, returned, resolved, thrown and rejected, at every stage.
import { type ConnectQuestion, ServerSession, SmtpUsageError } from '@ehlo/engine';
import { octets } from '@ehlo/grammar';
import { describe, expect, test, vi } from 'vitest';
import * as ours from '../src/index.ts';
import { accept, type CallbackName, challenge, type Handler, reject, type ServeOptions, serveOn } from '../src/index.ts';
import { MemoryListener, taking } from './memory.ts';

class Stored {
  readonly id = 4711;
}

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

const throwing = (): object =>
  new Proxy(
    {},
    {
      get: () => {
        throw new Error('do not touch');
      },
      getOwnPropertyDescriptor: () => {
        throw new Error('do not touch');
      },
    },
  );

/** What is neither consent nor refusal. */
const NOTHING: { readonly [what: string]: () => unknown } = {
  undefined: () => undefined,
  null: () => null,
  false: () => false,
  zero: () => 0,
  'a number': () => 250,
  'a code that refuses': () => 550,
  'a text': () => 'yes',
  'a symbol': () => Symbol.for('ehlo.decision'),
  'a big number': () => 1n,
  'a function': () => () => true,
  'true as an object': () => Object(true),
  'an Error': () => new Error('no such user'),
  'a plain object': () => ({}),
  'a Map': () => new Map(),
  'an array': () => [],
  'an array of more than one': () => [true, true],
  'a list without entries': () => new Array(1),
  'what a store returns': () => new Stored(),
  octets: () => Uint8Array.of(1),
  'a plain acceptance': () => ({ code: 250, text: 'yes' }),
  'a plain refusal': () => ({ code: 550, enhanced: '5.1.1', text: 'no' }),
  'a plain identity': () => ({ identity: 'joe' }),
  'a plain challenge': () => ({ challenge: Uint8Array.of(1) }),
  'the error of an HTTP client': () => Object.assign(new Error('Not Found'), { code: 404, status: 404, text: 'internal.example' }),
  'an acceptance by way of JSON': () => JSON.parse(JSON.stringify(accept({ text: 'yes' }))),
  'a refusal by way of JSON': () => JSON.parse(JSON.stringify(reject(550, '5.1.1', 'no'))),
  'a clone of an acceptance': () => structuredClone(accept()),
  'a clone of a refusal': () => structuredClone(reject(550, '5.1.1', 'no')),
  'an acceptance that was spread': () => ({ ...accept({ text: 'yes' }) }),
  'a refusal that was spread': () => ({ ...reject(550, '5.1.1', 'no'), text: 'never' }),
  'what descends from an acceptance': () => Object.create(accept()),
  'a mark of a kind that is none': () => Object.defineProperty({}, Symbol.for('ehlo.decision'), { value: 'perhaps' }),
  'the marks of everything': () => Object.defineProperty({}, Symbol.for('ehlo.decision'), { value: true }),
  'a class': () => Stored,
  'a proxy that was revoked': revoked,
  'a proxy that throws': throwing,
};

/** A promise of another library. */
const thenable = (then: (yes: (value: unknown) => void, no: (value: unknown) => void) => void): object =>
  Object.defineProperty({}, 'then', { value: then });

/** How a handler gives it. */
const WAYS: { readonly [way: string]: (value: () => unknown) => () => unknown } = {
  returned: (value) => value,
  thrown: (value) => () => {
    throw value();
  },
  resolved: (value) => async () => value(),
  rejected: (value) => async () => {
    throw value();
  },
  'resolved by another kind of promise': (value) => () => thenable((yes) => yes(value())),
  'rejected by another kind of promise': (value) => () => thenable((_, no) => no(value())),
};

const FAILURE = '451 4.3.0 Requested action aborted: local error in processing';

interface Stage {
  readonly says: string;
  /** Of all replies, which one is the answer. */
  readonly replies: number;
  readonly failure: string;
  readonly options?: Partial<ServeOptions>;
  /** What is said when it accepts is said by others. */
  readonly silent?: boolean;
}

const HELLO = 'EHLO c.example\r\n';
const TO_ONE = 'MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n';
const AUTH: Partial<ServeOptions> = { auth: { mechanisms: ['PLAIN'], inClear: true } };
const LMTP: Partial<ServeOptions> = { preset: 'lmtp' };

const SMTP_STAGES = {
  connect: { says: '', replies: 1, failure: '421 mx.example.org Requested action aborted: local error in processing' },
  hello: { says: HELLO, replies: 2, failure: '451 Requested action aborted: local error in processing' },
  starttls: { says: `${HELLO}STARTTLS\r\n`, replies: 3, failure: FAILURE, options: { starttls: 'offered' } },
  auth: { says: `${HELLO}AUTH PLAIN AGpvZQBwZW4=\r\n`, replies: 3, failure: '454 4.7.0 Temporary authentication failure', options: AUTH },
  mail: { says: `${HELLO}MAIL FROM:<a@b.example>\r\n`, replies: 3, failure: FAILURE },
  rcpt: { says: `${HELLO}${TO_ONE}`, replies: 4, failure: FAILURE },
  data: { says: `${HELLO}${TO_ONE}DATA\r\n`, replies: 5, failure: FAILURE },
  message: { says: `${HELLO}${TO_ONE}DATA\r\nx\r\n.\r\n`, replies: 6, failure: FAILURE },
  info: { says: `${HELLO}VRFY joe\r\n`, replies: 3, failure: FAILURE },
  xclient: {
    says: `${HELLO}XCLIENT NAME=far.example ADDR=192.0.2.9\r\n`,
    replies: 3,
    failure: FAILURE,
    options: { trusted: { XCLIENT: () => true } },
    silent: true,
  },
} as const satisfies { readonly [stage: string]: Stage };

type StageName = keyof typeof SMTP_STAGES;

const STAGES: readonly (readonly [string, StageName, Stage])[] = [
  ...(Object.keys(SMTP_STAGES) as StageName[]).map((name) => [`SMTP, ${name}`, name, SMTP_STAGES[name]] as const),
  ...(Object.keys(SMTP_STAGES) as StageName[]).map((name) => {
    const { says, options, ...stage }: Stage = SMTP_STAGES[name];
    return [`LMTP, ${name}`, name, { ...stage, says: says.replace('EHLO', 'LHLO'), options: { ...options, ...LMTP } }] as const;
  }),
  ...(['data', 'message'] as const).map((name) => {
    const { says, ...stage }: Stage = SMTP_STAGES[name];
    const bdat = `${HELLO}${TO_ONE}BDAT 3 LAST\r\nx\r\n`;
    return [`BDAT, ${name}`, name, { ...stage, says: bdat, replies: 5, ...(name === 'data' ? { silent: true } : {}) }] as const;
  }),
];

/** What is said at a stage where the handler gives this. */
async function answer(name: StageName, { says, replies, options }: Stage, call: () => unknown, driver: typeof ours = ours) {
  const errors: [unknown, CallbackName][] = [];
  const listener = new MemoryListener();
  const given = async (message: Parameters<NonNullable<Handler['message']>>[0]) => {
    await message.body.bytes();
    return call();
  };
  const handler = { rcpt: () => true, message: taking, error: (error: unknown, at: CallbackName) => void errors.push([error, at]) };
  driver.serveOn(listener, { hostname: 'mx.example.org', preset: 'sink', ...options }, {
    ...handler,
    [name]: name === 'message' ? given : call,
  } as unknown as Handler);
  const client = listener.connect((transport) => {
    transport.secure = () => new Promise(() => {});
  });
  client.send(says);
  const lines = await client.replies(replies);
  return { line: lines.at(-1)!, errors, client };
}

describe.each(STAGES)('%s', (_, name, stage) => {
  describe.each(Object.entries(WAYS))('%s', (way, give) => {
    test('what is neither is our failure, and told; the session goes on', async () => {
      for (const [what, value] of Object.entries(NOTHING)) {
        const { line, errors, client } = await answer(name, stage, give(value));
        expect([what, line, errors.map(([, at]) => at)]).toEqual([what, stage.failure, [name]]);
        client.sink?.data(octets('NOOP\r\n'));
        expect([what, client.take()]).toEqual([what, name === 'connect' ? '' : '250 2.0.0 NOOP OK\r\n']);
      }
    });

    test('a refusal refuses', async () => {
      const code = name === 'connect' ? 554 : 550;
      const { line, errors } = await answer(
        name,
        stage,
        give(() => reject(code, '5.7.1', 'not you')),
      );
      expect(line).toBe(name === 'connect' ? '554 mx.example.org not you' : name === 'hello' ? '550 not you' : '550 5.7.1 not you');
      expect(errors).toEqual([]);
    });

    test('consent that is thrown is none', async () => {
      if (!/thrown|rejected/.test(way)) return;
      for (const yes of [true, accept({ text: 'yes' })]) {
        const { line, errors } = await answer(
          name,
          stage,
          give(() => yes),
        );
        expect([line, errors.length]).toEqual([stage.failure, 1]);
      }
    });
  });

  test.each(['returned', 'resolved', 'resolved by another kind of promise'])('consent accepts, %s', async (way) => {
    const give = WAYS[way]!;
    const extra = name === 'auth' ? { identity: 'joe' } : {};
    const { line, errors } = await answer(
      name,
      stage,
      give(() => accept({ text: 'with pleasure', ...extra })),
    );
    expect(line).toMatch(/^[23]\d\d[ -]/);
    if (name !== 'hello' && stage.silent !== true) expect(line).toContain('with pleasure');
    expect(errors).toEqual([]);
    if (name === 'auth' || name === 'info') return;
    const simple = await answer(
      name,
      stage,
      give(() => true),
    );
    expect([simple.line.slice(0, 3), simple.errors]).toEqual([line.slice(0, 3), []]);
  });
});

test('true names nobody in AUTH and says nothing in VRFY: it is our failure there', async () => {
  for (const [name, right] of [
    ['auth', 'accept({ identity })'],
    ['info', 'accept({ text })'],
  ] as const) {
    const { line, errors } = await answer(name, SMTP_STAGES[name], () => true);
    expect(line).toBe(SMTP_STAGES[name].failure);
    expect(String(errors[0]![0])).toContain(right);
  }
});

test('a challenge is an answer to AUTH, and to nothing else', async () => {
  const give = () => challenge(Uint8Array.of(62));
  expect((await answer('auth', SMTP_STAGES.auth, give)).line).toBe('334 Pg==');
  for (const name of ['mail', 'rcpt', 'info'] as const) {
    const { line, errors } = await answer(name, SMTP_STAGES[name], give);
    expect([line, errors.length]).toEqual([FAILURE, 1]);
  }
});

test('a refusal that is made and not returned accepts no message', async () => {
  const bad = () => {
    reject(550, '5.7.1', 'spam');
  };
  const { line, errors } = await answer('message', SMTP_STAGES.message, bad);
  expect([line, errors]).toEqual([FAILURE, [[expect.any(TypeError), 'message']]]);
});

test('a refusal may be held back', async () => {
  vi.useFakeTimers();
  const listener = new MemoryListener();
  const rcpt = () => reject(450, '4.7.1', 'slow down', { delay: 1000 });
  serveOn(listener, { hostname: 'mx.example.org', preset: 'sink' }, { rcpt });
  const client = listener.connect();
  client.send(`${HELLO}${TO_ONE}`);
  expect(client.take()).not.toContain('450');
  await vi.advanceTimersByTimeAsync(1000);
  expect(client.take()).toBe('450 4.7.1 slow down\r\n');
  vi.useRealTimers();
});

describe('LMTP: a list of decisions', () => {
  const three = `LHLO c.example\r\n${TO_ONE}${'RCPT TO:<e@d.example>\r\n'.repeat(2)}DATA\r\nx\r\n.\r\n`;
  const stage: Stage = { says: three, replies: 9, failure: FAILURE, options: LMTP };

  async function verdicts(decisions: () => unknown, read = true) {
    const errors: unknown[] = [];
    const listener = new MemoryListener();
    const message: Handler['message'] = async ({ body }) => {
      if (read) await body.bytes();
      return decisions() as never;
    };
    serveOn(
      listener,
      { hostname: 'mx.example.org', preset: 'lmtp' },
      { rcpt: () => true, message, error: (error) => void errors.push(error) },
    );
    const client = listener.connect();
    client.send(stage.says);
    return { codes: (await client.replies(stage.replies)).slice(-3).map((line) => line.slice(0, 3)), errors };
  }

  test.each(Object.entries(NOTHING))('%s among them is our failure for its recipient alone, and told', async (_, value) => {
    const { codes, errors } = await verdicts(() => [true, value(), reject(550, '5.1.1', 'no')]);
    expect([codes, errors.length]).toEqual([['250', '451', '550'], 1]);
  });

  test.each([
    ['none', []],
    ['too few', [true, true]],
    ['too many', [true, true, true, true]],
  ])('%s: our failure for all', async (_, decisions) => {
    const { codes, errors } = await verdicts(() => decisions);
    expect([codes, errors.length]).toEqual([['451', '451', '451'], 1]);
  });

  test('that is thrown is none', async () => {
    const { codes, errors } = await verdicts(() => {
      throw [true, true, true];
    });
    expect([codes, errors.length]).toEqual([['451', '451', '451'], 1]);
  });

  test('of refusals needs no reader', async () => {
    const no = (code: number) => reject(code, `${String(code)[0]}.2.1`, 'no');
    const { codes, errors } = await verdicts(() => [no(550), no(452), no(554)], false);
    expect([codes, errors]).toEqual([['550', '452', '554'], []]);
  });

  test('unread, what is accepted is not, and what is refused is', async () => {
    const { codes, errors } = await verdicts(() => [true, reject(550, '5.1.1', 'no'), true], false);
    expect(codes).toEqual(['451', '550', '451']);
    expect(errors.map(String)).toEqual(new Array(2).fill(expect.stringContaining('not read')));
  });
});

describe('decisions', () => {
  test('are frozen, and their mark is seen by nobody', () => {
    for (const decision of [accept({ text: 'yes' }), reject(550, '5.1.1', 'no'), challenge(Uint8Array.of(1))]) {
      expect(Object.isFrozen(decision)).toBe(true);
      expect(JSON.stringify(decision)).not.toContain('ehlo');
      expect(Object.keys(Object.getOwnPropertyDescriptors({ ...decision }))).toEqual(Object.keys(decision));
      expect(Object.getOwnPropertySymbols({ ...decision })).toEqual([]);
      expect(Symbol.for('ehlo.decision') in decision).toBe(true);
    }
  });

  test('take nothing of what they were made of', () => {
    const answer = { text: 'yes' };
    const yes = accept(answer);
    answer.text = 'no';
    expect(yes.text).toBe('yes');
  });

  test.each([
    [{ code: 550 }, 'reply-class'],
    [{ code: 99 }, 'reply-class'],
    [{ code: '250' }, 'reply-class'],
    [{ enhanced: '5.1.1' }, 'enhanced-class'],
    [{ code: 251, enhanced: '4.1.1' }, 'enhanced-class'],
    [{ text: 5 }, 'bad-argument'],
    [{ delay: 240_001 }, 'bad-delay'],
    [{ delay: '1' }, 'bad-delay'],
    [{ identity: '' }, 'bad-argument'],
    [{ identity: 5 }, 'bad-argument'],
    [{ ok: true }, 'bad-argument'],
    [new Error('no'), 'bad-argument'],
    [null, 'bad-argument'],
    ['yes', 'bad-argument'],
    [true, 'bad-argument'],
  ])('accept(%j) is a mistake where it is made', (answer, code) => {
    expect(() => accept(answer as never)).toThrow(expect.objectContaining({ name: 'SmtpUsageError', code }));
  });

  test('challenge and reject look at what they are given, too', () => {
    expect(() => challenge('who?' as never)).toThrow(SmtpUsageError);
    expect(() => reject(550, '5.1.1', 'no', { delay: -1 })).toThrow(expect.objectContaining({ code: 'bad-delay' }));
  });

  test('and the session looks at plain data that it is given by hand', () => {
    const session = new ServerSession({ hostname: 'mx.example.org', preset: 'sink', ask: ['connect'] });
    session.tick(0);
    const question = session.nextEvent() as ConnectQuestion;
    for (const answer of [new Error('no'), { disabled: true }, 'yes', true, { identity: 'joe' }])
      expect(() => session.accept(question, answer as never)).toThrow(SmtpUsageError);
    expect(() => session.reject(question, new Error('no') as never)).toThrow(SmtpUsageError);
    expect(session.accept(question, { text: 'hello' })).toBe(true);
  });
});

describe('two copies of this package in one process', async () => {
  const built: string = new URL('../dist/index.js', import.meta.url).href;
  const other: typeof ours = await import(/* @vite-ignore */ built);

  test('are two', () => {
    expect(other.accept).not.toBe(accept);
  });

  test.each([
    ['ours in the other', other, ours],
    ['the other in ours', ours, other],
  ])('understand each other: %s', async (_, serving, making) => {
    const say = async (name: StageName, call: () => unknown) => (await answer(name, SMTP_STAGES[name], call, serving)).line;
    expect(await say('rcpt', () => making.accept({ text: 'hello' }))).toBe('250 2.1.5 hello');
    expect(await say('rcpt', () => making.reject(550, '5.1.1', 'no'))).toBe('550 5.1.1 no');
    expect(await say('message', () => making.accept())).toBe('250 2.6.0 Message accepted');
    const thrown = () => {
      throw making.reject(554, '5.7.1', 'spam');
    };
    expect(await say('message', thrown)).toBe('554 5.7.1 spam');
    expect(await say('auth', () => making.challenge(Uint8Array.of(62)))).toBe('334 Pg==');
    expect(await say('auth', () => making.accept({ identity: 'joe' }))).toBe('235 2.7.0 Authentication succeeded');
  });
});

/** What TypeScript says of it; nothing here is run. */
export const types: readonly Handler[] = [
  { rcpt: () => true, message: async () => true, info: () => accept({ text: 'yes' }), auth: () => accept({ identity: 'joe' }) },
  { rcpt: ({ forwardPath }) => forwardPath.localPart === 'joe' || reject(550, '5.1.1', 'no') },
  { message: async ({ body }) => ((await body.bytes()).length > 5 ? accept({ text: 'long' }) : [true, reject(550, '5.1.1', 'no')]) },
  { rcpt: async () => true },
  {
    async rcpt({ forwardPath }) {
      if (forwardPath.localPart === 'eve') throw reject(550, '5.1.1', 'no such user');
      return true;
    },
  },
  // @ts-expect-error an Error
  { rcpt: () => new Error('no such user') },
  // @ts-expect-error a plain object
  { rcpt: () => ({}) },
  // @ts-expect-error a plain refusal
  { rcpt: () => ({ code: 550, enhanced: '5.1.1', text: 'no' }) },
  // @ts-expect-error a plain acceptance
  { rcpt: async () => ({ text: 'yes' }) },
  // @ts-expect-error no
  { rcpt: () => false },
  // @ts-expect-error nothing
  { rcpt: () => {} },
  // @ts-expect-error nothing
  { message: async () => {} },
  // @ts-expect-error a refusal that is not returned
  { message: async () => void reject(550, '5.1.1', 'no') },
  // @ts-expect-error true names nobody
  { auth: () => true },
  // @ts-expect-error it names nobody
  { auth: () => accept({ text: 'yes' }) },
  // @ts-expect-error a plain identity
  { auth: () => ({ identity: 'joe' }) },
  // @ts-expect-error a plain challenge
  { auth: () => ({ challenge: Uint8Array.of(1) }) },
  // @ts-expect-error it says nothing
  { info: () => true },
  // @ts-expect-error a challenge is for AUTH
  { rcpt: () => challenge(Uint8Array.of(1)) },
];
