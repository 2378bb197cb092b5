// A client over a scripted server in memory: messages of every form, their outcomes, and every way to give up.
import { CHUNKING, ClientSession, type Pipelining, SmtpUsageError } from '@ehlo/engine';
import type { Deviation } from '@ehlo/grammar';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  type Client,
  type ClientError,
  type ConnectOptions,
  connectOn,
  type Message,
  outcomeText,
  type SendEnvelope,
  type SendOptions,
  serveOn,
} from '../src/index.ts';
import { Link, LinkListener } from './link.ts';
import { but, type Script, ScriptedServer, turns, willing } from './scripted.ts';

const ENVELOPE = { reversePath: 'joe@a.example', recipients: ['ann@b.example'] } as const;
const TWO = { reversePath: '', recipients: ['ann@b.example', { forwardPath: 'bob@b.example' }] } as const;

afterEach(() => {
  vi.useRealTimers();
});

async function open(script: Script = willing(), options: ConnectOptions = {}): Promise<{ client: Client; server: ScriptedServer }> {
  const server = new ScriptedServer(script);
  return { server, client: await connectOn(server, options) };
}

const told = ({ outcomes }: { readonly outcomes: readonly { readonly status: string }[] }): string =>
  outcomes.map(({ status }) => status).join(' ');

test('EHLO by address, MAIL, RCPT, DATA, the message, and QUIT when it is closed', async () => {
  const { client, server } = await open();
  const result = await client.send(TWO, 'Subject: x\r\n\r\n.dot\r\n');
  expect(result).toEqual({
    outcomes: ['ann@b.example', 'bob@b.example'].map((recipient) => ({
      recipient,
      status: 'accepted',
      stage: 'message',
      reply: { code: 250, lines: ['OK'] },
      retry: 'never',
      reason: 'it is accepted',
    })),
    error: null,
  });
  await client.close();
  expect(server.lines).toEqual([
    'EHLO [192.0.2.1]',
    'MAIL FROM:<> SIZE=20',
    'RCPT TO:<ann@b.example>',
    'RCPT TO:<bob@b.example>',
    'DATA',
    'QUIT',
  ]);
  expect(server.bodies).toEqual(['Subject: x\r\n\r\n.dot\r\n']);
  expect([await client.closed, client.ended, server.ended]).toEqual([null, true, 'closed']);
});

const TEXT = 'Subject: x\r\n\r\nna\u00efve\r\n';
const BYTES = new TextEncoder().encode(TEXT);
const HALVES = [BYTES.subarray(0, 17), new Uint8Array(0), BYTES.subarray(17)];

describe('a message is the same in every form', () => {
  test.each<[string, Message]>([
    ['text', TEXT],
    ['octets', BYTES],
    ['an array', HALVES],
    ['an iterable', HALVES.values()],
    ['an async iterable', pieces(HALVES)],
    ['text in pieces', [TEXT.slice(0, 3), TEXT.slice(3)]],
    ['a stream', streamOf(HALVES)],
    ['a function', () => TEXT],
    ['a function that takes its time', async () => pieces(HALVES)],
  ])('%s', async (_, message) => {
    const { client, server } = await open();
    expect(told(await client.send(ENVELOPE, message))).toBe('accepted');
    expect(server.lines[1]).toBe(`MAIL FROM:<joe@a.example> SIZE=${BYTES.length} BODY=8BITMIME`);
    expect(server.bodies).toEqual([Buffer.from(BYTES).toString('latin1')]);
  });

  test('an empty one', async () => {
    const { client, server } = await open();
    expect([told(await client.send(ENVELOPE, '')), told(await client.send(ENVELOPE, []))]).toEqual(['accepted', 'accepted']);
    expect(server.bodies).toEqual(['', '']);
  });
});

function streamOf(all: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(control) {
      for (const piece of all) control.enqueue(piece);
      control.close();
    },
  });
}

async function* pieces(all: readonly Uint8Array[], delay = false): AsyncGenerator<Uint8Array> {
  for (const piece of all) {
    if (delay) await turns(1);
    yield piece;
  }
}

describe('what is declared', () => {
  const line = 'x'.repeat(1022);
  const MIB = `${line}\r\n`.repeat(1024);
  const lines = (count: number, last = ''): Uint8Array[] => [
    ...Array.from({ length: count }, () => new TextEncoder().encode(`${line}\r\n`)),
    new TextEncoder().encode(last),
  ];
  const LARGE = ['PIPELINING', '8BITMIME', 'SIZE 10000000', 'SMTPUTF8'];

  test.each<[string, Message, SendOptions['facts'], string]>([
    ['of a short stream: what it is', pieces(lines(10)), undefined, ' SIZE=10240'],
    ['of a long one: 8BITMIME, and no size', pieces(lines(2000)), undefined, ' BODY=8BITMIME'],
    [
      'of a long one with UTF-8 in its header',
      pieces([new TextEncoder().encode('Subject: \u00ef\r\n\r\n'), ...lines(2000)]),
      undefined,
      ' BODY=8BITMIME SMTPUTF8',
    ],
    ['of a long array', lines(2000), undefined, ' BODY=8BITMIME'],
    ['of text: what it is', MIB + MIB, undefined, ` SIZE=${2 * MIB.length}`],
    ['of a stream of which all is told: that', pieces(lines(10)), { size: 10_240, body: '8BITMIME' }, ' SIZE=10240 BODY=8BITMIME'],
    ['of text of which something is told: that', 'x', { body: '8BITMIME' }, ' SIZE=3 BODY=8BITMIME'],
  ])('%s', async (_, message, facts, parameters) => {
    const { client, server } = await open(willing(LARGE));
    expect(told(await client.send(ENVELOPE, message, facts === undefined ? {} : { facts }))).toBe('accepted');
    expect(server.lines[1]).toBe(`MAIL FROM:<joe@a.example>${parameters}`);
  });

  test('a long stream turns out to be more than ASCII where that is not taken: no dot', async () => {
    const { client, server } = await open(willing([]));
    const result = await client.send(ENVELOPE, pieces(lines(2000, 'na\u00efve\r\n')));
    expect(result.outcomes).toMatchObject([{ status: 'unsent', cause: 'declaration' }]);
    expect([server.bodies, result.error]).toEqual([[], expect.objectContaining({ code: 'content' })]);
  });

  test('the beginning of a long stream is enough to refuse it', async () => {
    const { client, server } = await open(willing([]));
    const result = await client.send(ENVELOPE, pieces([BYTES, ...lines(2000)]));
    expect(result.outcomes).toMatchObject([{ status: 'refused', stage: 'plan', problem: { code: '8bitmime' } }]);
    expect(server.lines).toHaveLength(1);
  });

  test('a CR at the cut of a long stream is none alone', async () => {
    const { client } = await open(willing(LARGE), { newlines: 'refuse' });
    const cut = [new TextEncoder().encode(`${'x'.repeat(1_048_575)}\r`), new TextEncoder().encode('\ny\r\n')];
    expect(told(await client.send(ENVELOPE, pieces(cut)))).toBe('accepted');
  });

  test('a function knows what the server takes, and gives another form', async () => {
    const { client, server } = await open(willing(['SIZE 5000']));
    const asked: unknown[] = [];
    const result = await client.send(ENVELOPE, (constraints) => {
      asked.push(constraints);
      return constraints.eightBit ? TEXT : 'Subject: x\r\n\r\nna=C3=AFve\r\n';
    });
    expect(told(result)).toBe('accepted');
    expect(asked).toEqual([{ size: 5000, eightBit: false, smtpUtf8: false, binary: false, capabilities: client.capabilities }]);
    expect(server.bodies[0]).toContain('na=C3=AFve');
  });

  test('a plan says it, and sends nothing', async () => {
    const { client, server } = await open(willing(['SIZE 10']));
    expect(await client.plan(TWO, 'Subject: x\n')).toMatchObject({
      mail: 'MAIL FROM:<> SIZE=12',
      problem: { code: 'too-large' },
      transfer: 'DATA',
    });
    expect(server.lines).toEqual(['EHLO [192.0.2.1]']);
  });
});

describe('back-pressure', () => {
  test('no more is taken of a stream than the connection takes', async () => {
    const { client, server } = await open();
    let made = 0;
    async function* source(): AsyncGenerator<Uint8Array> {
      for (; made < 100; made++) yield new Uint8Array(10_000).fill(0x78);
    }
    server.writable = false;
    const progress: number[] = [];
    const sending = client.send(ENVELOPE, source(), {
      facts: { size: 1_000_000, body: '7BIT' },
      progress: (octets) => progress.push(octets),
    });
    await turns(5);
    server.stalled = true;
    await turns(5);
    const before = made;
    await turns(10);
    expect([made, before < 20]).toEqual([before, true]);
    server.stalled = false;
    server.writable = true;
    server.drain();
    expect(told(await sending)).toBe('accepted');
    expect([progress.at(-1), progress.length, server.bodies[0]!.length]).toEqual([1_000_000, 100, 1_000_002]);
  });

  test('a slow source is waited for', async () => {
    const { client, server } = await open();
    expect(told(await client.send(ENVELOPE, pieces(HALVES, true), { facts: { body: '8BITMIME' } }))).toBe('accepted');
    expect(server.bodies).toHaveLength(1);
  });
});

describe('a server that takes nothing of a message', () => {
  const BIG = 'x'.repeat(300_000);

  test('is given up after the time for a block, and cut off', async () => {
    const { client, server } = await open(willing(), { limits: { blockTimeout: 60 } });
    server.stalled = true;
    server.writable = false;
    const sending = client.send(ENVELOPE, BIG);
    await turns();
    server.drain(); // the envelope
    await turns();
    server.drain(); // DATA
    const { outcomes, error } = await sending;
    expect(outcomes).toMatchObject([{ status: 'unsent', stage: 'body', cause: 'timeout' }]);
    expect([error, server.ended]).toEqual([
      expect.objectContaining({ code: 'timeout', message: 'the server was not fast enough (blockTimeout)' }),
      'aborted',
    ]);
  });

  test('but not as long as it takes a block in that time', async () => {
    vi.useFakeTimers();
    const opening = open(willing(), { limits: { blockTimeout: 150 } });
    await vi.advanceTimersByTimeAsync(1);
    const { client, server } = await opening;
    server.stalled = true;
    server.writable = false;
    let result: Awaited<ReturnType<Client['send']>> | null = null;
    const sending = client.send(ENVELOPE, BIG).then((sent) => {
      result = sent;
    });
    let blocks = 0;
    for (; result === null; blocks++) {
      await vi.advanceTimersByTimeAsync(140);
      server.drain();
    }
    await sending;
    expect(told(result)).toBe('accepted');
    expect(blocks).toBeGreaterThan(2);
  });
});

describe('what becomes of each recipient', () => {
  test.each<[string, Script, string, string]>([
    ['one of them is refused', but({ 'RCPT TO:<bob': '550 5.1.1 nobody' }), 'accepted refused', 'accepted'],
    ['all are refused', but({ 'RCPT TO:<bob': '550 no', 'RCPT TO:<ann': '450 later' }), 'refused refused', 'accepted'],
    ['the sender is refused', but({ 'MAIL FROM:<>': '553 no' }), 'refused refused', 'accepted'],
    ['DATA is refused', but({ DATA: '451 no' }), 'refused refused', 'refused'],
    ['the message is refused', but({ END: '552 too large' }), 'refused refused', 'refused'],
    ['421 to RCPT', but({ 'RCPT TO:<bob': '421 leaving' }), 'unsent unsent', 'unsent'],
    ['421 to RCPT', but({ 'RCPT TO:<bob': '421 leaving' }), 'unsent unsent', 'unsent'],
    ['nothing is said to its end, and the connection is lost', but({ END: null }), 'unknown unknown', 'unsent'],
  ])('%s', async (_, script, outcomes, next) => {
    const { client, server } = await open(script);
    const first = client.send(TWO, 'x');
    const second = client.send({ reversePath: 'joe@a.example', recipients: ['cid@b.example'] }, 'y');
    await turns(5);
    server.lose(new Error('reset'));
    expect([told(await first), told(await second)]).toEqual([outcomes, next]);
  });

  test('LMTP: each has a reply of its own', async () => {
    const server = new ScriptedServer((line, one) => (line === 'END' ? '250 taken\r\n452 full' : willing()(line, one)));
    const client = await connectOn(server, { protocol: 'lmtp' });
    expect(told(await client.send(TWO, 'x'))).toBe('accepted refused');
    expect(server.lines[0]).toBe('LHLO [192.0.2.1]');
  });

  test('more than the server takes at once: several transactions, one result (RFC 9422)', async () => {
    const { client, server } = await open(willing(['LIMITS RCPTMAX=2']));
    const recipients = ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}@b.example`);
    const result = await client.send({ reversePath: '', recipients }, 'x');
    expect([told(result), result.outcomes.map(({ recipient }) => recipient)]).toEqual([Array(5).fill('accepted').join(' '), recipients]);
    expect(server.lines.filter((line) => line.startsWith('MAIL'))).toHaveLength(3);
    expect(server.bodies).toEqual(['x\r\n', 'x\r\n', 'x\r\n']);
  });

  /** A server that takes so many recipients in one transaction, and says this to the next. */
  const taking =
    (most: number, refusal: string): Script =>
    (line, server) =>
      line.startsWith('RCPT') && server.recipients.length > most ? refusal : willing()(line, server);

  test.each(['452 4.5.3 too many', '452 too many', '552 5.5.3 too many', '552 too many'])(
    'or says that it takes no more, by %s: the rest goes at once (RFC 5321 4.5.3.1.10)',
    async (refusal) => {
      const { client, server } = await open(taking(100, refusal));
      const recipients = Array.from({ length: 250 }, (_, i) => `r${i}@b.example`);
      const result = await client.send({ reversePath: '', recipients }, 'x');
      expect(new Set(result.outcomes.map(({ status }) => status))).toEqual(new Set(['accepted']));
      expect([server.lines.filter((line) => line.startsWith('MAIL')).length, result.error]).toEqual([3, null]);
    },
  );

  test.each(['452 4.2.2 mailbox full', '452 4.3.1 no room', '552 5.2.2 mailbox full'])('%s is said of the recipient', async (refusal) => {
    const { client, server } = await open(taking(1, refusal));
    expect(told(await client.send(TWO, 'x'))).toBe('accepted refused');
    expect(server.lines.filter((line) => line.startsWith('MAIL'))).toHaveLength(1);
  });

  test('where nobody was accepted before, it is a refusal: nothing is tried for ever', async () => {
    const { client, server } = await open(taking(0, '452 4.5.3 too many'));
    expect(told(await client.send(TWO, 'x'))).toBe('refused refused');
    expect(server.lines.filter((line) => line.startsWith('MAIL'))).toHaveLength(1);
  });

  test('a stream can not be sent again: the rest is unsent, and the reply says why', async () => {
    const { client } = await open(taking(1, '452 4.5.3 too many'));
    const long = pieces(Array.from({ length: 20 }, () => new Uint8Array(65_536).fill(0x78)));
    const { outcomes } = await client.send(TWO, long);
    expect(outcomes).toMatchObject([{ status: 'accepted' }, { status: 'unsent', cause: 'limits', reply: { code: 452 } }]);
    expect(outcomes.map(outcomeText)[1]).toBe('452 4.5.3 too many');
  });

  test('but a stream that was not read ahead to its end comes once', async () => {
    const { client } = await open(willing(['LIMITS RCPTMAX=1']));
    const short = await client.send(TWO, pieces([new TextEncoder().encode('x')]));
    expect(told(short)).toBe('accepted accepted');
    const result = await client.send(TWO, pieces(Array.from({ length: 20 }, () => new Uint8Array(65_536).fill(0x78))));
    expect(result.outcomes).toMatchObject([{ status: 'accepted' }, { status: 'unsent', cause: 'limits' }]);
  });

  test('more messages than the server takes in a session', async () => {
    const { client } = await open(willing(['LIMITS MAILMAX=1']));
    const results = await Promise.all([client.send(ENVELOPE, 'x'), client.send(ENVELOPE, 'y')]);
    expect(results.map(told)).toEqual(['accepted', 'unsent']);
    expect(results[1]!.outcomes).toMatchObject([{ cause: 'limits' }]);
  });

  test('an address that can not be written is an outcome of its own; the others go on', async () => {
    const { client, server } = await open();
    const recipients = ['ann@b.example', 'x@foo_bar.example', 'a b@c', { localPart: 'a..b', domain: 'b.example' }, 'x@b.example.'];
    const { outcomes, error } = await client.send({ reversePath: '', recipients }, 'x');
    const refused = { status: 'refused', stage: 'plan', permanent: true, reply: null, problem: { code: 'address', enhanced: '5.1.3' } };
    expect(outcomes).toMatchObject([
      { recipient: 'ann@b.example', status: 'accepted' },
      { recipient: 'x@foo_bar.example', ...refused },
      { recipient: 'a b@c', ...refused },
      { recipient: '"a..b"@b.example', status: 'accepted' },
      { recipient: 'x@b.example.', ...refused },
    ]);
    expect([error, server.recipients]).toEqual([null, ['RCPT TO:<ann@b.example>', 'RCPT TO:<"a..b"@b.example>']]);
    const bad = await client.send({ reversePath: 'a b@c', recipients: TWO.recipients }, 'x');
    expect(bad.outcomes).toMatchObject([
      { status: 'refused', problem: { enhanced: '5.1.7' } },
      { status: 'refused', problem: { enhanced: '5.1.7' } },
    ]);
    expect(server.lines.filter((line) => line.startsWith('MAIL'))).toHaveLength(1);
  });

  test('deviations that the option names pass, in what is sent and in what is planned', async () => {
    const tolerate = new Set<Deviation>(['underscore-domain', 'misplaced-dot-local']);
    const { client, server } = await open(willing(), { tolerate });
    const envelope = { reversePath: 'a.@b_c.example', recipients: ['x@foo_bar.example', 'x@b.example.'] };
    expect(told(await client.send(envelope, 'x'))).toBe('accepted refused');
    expect(server.lines.slice(1, 3)).toEqual(['MAIL FROM:<a.@b_c.example> SIZE=3', 'RCPT TO:<x@foo_bar.example>']);
    const { recipients } = await client.plan(envelope, 'x');
    expect(recipients.map(({ problem }) => problem?.code)).toEqual([undefined, 'address']);
  });

  test('no address, a wrong one, a bad parameter: mistakes of the program', async () => {
    const { client } = await open();
    for (const [envelope, code] of [
      [{ reversePath: '', recipients: [] }, 'no-recipients'],
      [{ ...ENVELOPE, parameters: { size: -1 } }, 'bad-parameter'],
      // What types forbid.
      [{ recipients: ['a@b.example'] }, 'bad-address'],
      [{ reversePath: '', recipients: [undefined] }, 'bad-address'],
      [{ reversePath: '', recipients: [null] }, 'bad-address'],
      [{ reversePath: '', recipients: [{ forwardPath: 42 }] }, 'bad-address'],
      [{ reversePath: '' }, 'no-recipients'],
    ] as const) {
      const error: unknown = await client.send(envelope as SendEnvelope, 'x').catch((why: unknown) => why);
      expect(error).toBeInstanceOf(SmtpUsageError);
      expect(error).toMatchObject({ code });
    }
    expect(told(await client.send(ENVELOPE, 'x'))).toBe('accepted');
  });
});

test.each<Pipelining>(['off', 'envelope', 'data', 'transactions'])('messages in order, pipelining %s', async (pipelining) => {
  const { client, server } = await open(willing(), { pipelining });
  const results = await Promise.all(['one', 'two', 'three'].map((text) => client.send(TWO, text)));
  await client.close();
  expect(results.map(told)).toEqual(Array(3).fill('accepted accepted'));
  expect(server.bodies).toEqual(['one\r\n', 'two\r\n', 'three\r\n']);
  expect(server.lines.filter((line) => line === 'RSET')).toEqual([]);
});

describe('giving up', () => {
  const stuck = async function* (): AsyncGenerator<string> {
    yield 'Subject: x\r\n';
    await new Promise(() => {});
  };
  const facts = { body: '7BIT' } as const;

  test.each<[string, Script, Message, SendOptions['facts'], string, boolean]>([
    ['the answer to MAIL is awaited', but({ MAIL: null }), 'x', undefined, 'unsent aborted', true],
    ['the answer to RCPT is awaited', but({ RCPT: null }), 'x', undefined, 'unsent aborted', true],
    ['the message is read ahead', willing(), stuck(), undefined, 'unsent aborted', false],
    ['its function is busy', willing(), () => new Promise<string>(() => {}), undefined, 'unsent aborted', false],
    ['its source is waited for', willing(), stuck(), facts, 'unsent aborted', true],
    ['its end has been said', but({ END: null }), 'x', undefined, 'unknown aborted', true],
  ])('when %s', async (_, script, message, known, outcome, begun) => {
    const { client, server } = await open(script);
    const control = new AbortController();
    const sending = client.send(ENVELOPE, message, { signal: control.signal, ...(known === undefined ? {} : { facts: known }) });
    await turns();
    expect(server.lines.some((line) => line.startsWith('MAIL'))).toBe(begun);
    control.abort(new Error('enough'));
    const { outcomes, error } = await sending;
    expect(outcomes.map((one) => `${one.status} ${'cause' in one ? one.cause : ''}`)).toEqual([outcome]);
    expect(error).toEqual(new Error('enough'));
    expect(server.bodies).toHaveLength(outcome.startsWith('unknown') ? 1 : 0);
  });

  test('before it begins; the others go on', async () => {
    const { client, server } = await open();
    const control = new AbortController();
    const sending = ['one', 'two', 'three'].map((text, i) => client.send(ENVELOPE, text, i === 1 ? { signal: control.signal } : {}));
    control.abort();
    expect((await Promise.all(sending)).map(told)).toEqual(['accepted', 'unsent', 'accepted']);
    const late = await client.send(ENVELOPE, 'x', { signal: control.signal });
    expect([told(late), late.error]).toEqual(['unsent', control.signal.reason]);
    expect(server.bodies).toEqual(['one\r\n', 'three\r\n']);
  });

  test('in the envelope: the session goes on, and the next message is whole', async () => {
    let asked = 0;
    const { client, server } = await open((line, one) => (line.startsWith('RCPT') && ++asked === 1 ? null : willing()(line, one)));
    const control = new AbortController();
    const first = client.send(ENVELOPE, 'one', { signal: control.signal });
    await turns();
    control.abort();
    expect(told(await first)).toBe('unsent');
    const second = client.send(ENVELOPE, 'two');
    server.say('250 OK');
    expect(told(await second)).toBe('accepted');
    expect(server.bodies).toEqual(['two\r\n']);
    expect(server.lines).toContain('RSET');
  });

  test('the source fails: no dot, the connection is cut, and the error is told', async () => {
    const { client, server } = await open();
    async function* failing(): AsyncGenerator<string> {
      yield 'Subject: x\r\n';
      await turns(1);
      throw new Error('disk');
    }
    const result = await client.send(ENVELOPE, failing(), { facts });
    expect(result.outcomes).toMatchObject([{ status: 'unsent', stage: 'body', cause: 'aborted' }]);
    expect([result.error, server.bodies, server.ended]).toEqual([new Error('disk'), [], 'aborted']);
    expect(told(await client.send(ENVELOPE, 'x'))).toBe('unsent');
  });

  test.each([
    ['a source that throws nothing', undefined, /^the message was given up, and the reason is undefined$/],
    ['a signal that aborts for null', null, /^the message was given up, and the reason is null$/],
  ])('%s is an error all the same', async (_, reason, message) => {
    const { client } = await open();
    const controller = new AbortController();
    async function* failing(): AsyncGenerator<string> {
      yield 'Subject: x\r\n';
      await turns(1);
      if (reason === undefined) throw reason;
      controller.abort(reason);
      yield 'more\r\n';
    }
    const { outcomes, error } = await client.send(ENVELOPE, failing(), { facts, signal: controller.signal });
    expect(outcomes).toMatchObject([{ status: 'unsent', cause: 'aborted' }]);
    expect(error).toEqual(expect.objectContaining({ message: expect.stringMatching(message) }));
  });

  test('no further transaction is begun for it (RFC 9422)', async () => {
    let asked = 0;
    const rest = willing(['LIMITS RCPTMAX=1']);
    const { client, server } = await open((line, one) => (line.startsWith('RCPT') && ++asked === 1 ? null : rest(line, one)));
    const control = new AbortController();
    const sending = client.send(TWO, 'x', { signal: control.signal });
    await turns();
    control.abort();
    server.say('250 OK');
    expect(told(await sending)).toBe('unsent unsent');
    expect(server.bodies).toEqual([]);
  });

  test('everything: those that wait are given up, too, at the stage that was reached', async () => {
    const { client } = await open(but({ MAIL: null, RCPT: null }));
    const sending = ['one', 'two'].map((text) => client.send(ENVELOPE, text));
    await turns();
    client.abort(new Error('enough'));
    for (const { outcomes, error } of await Promise.all(sending)) {
      expect(outcomes).toMatchObject([{ status: 'unsent', stage: 'mail', cause: 'aborted' }]);
      expect(error).toMatchObject({ code: 'aborted', stage: 'mail', cause: new Error('enough') });
    }
  });

  test('many that share a signal', async () => {
    const { client } = await open();
    const control = new AbortController();
    let listeners = 0;
    const add = control.signal.addEventListener.bind(control.signal);
    control.signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    const sending = Array.from({ length: 30 }, () => client.send(ENVELOPE, 'x', { signal: control.signal }));
    expect(listeners).toBe(1);
    control.abort();
    expect(new Set((await Promise.all(sending)).map(told))).toEqual(new Set(['unsent']));
  });

  test('among chunks: the connection stays, and the next message is whole', async () => {
    const listener = new LinkListener();
    const bodies: string[] = [];
    const server = serveOn(
      listener,
      { hostname: 'mx.example', preset: 'sink' },
      {
        async message({ body }) {
          bodies.push(Buffer.from(await body.bytes()).toString());
          return true;
        },
      },
    );
    const link = new Link({ chunks: [65_536], breaks: Number.POSITIVE_INFINITY, room: 65_536 });
    const connecting = connectOn(link.client, { features: [CHUNKING] });
    listener.bring(link);
    const client = await connecting;
    async function* failing(): AsyncGenerator<string> {
      yield 'x'.repeat(100_000);
      await turns(1);
      throw new Error('disk');
    }
    const result = await client.send(ENVELOPE, failing(), { facts });
    expect(result.outcomes).toMatchObject([{ status: 'unsent', stage: 'body', cause: 'aborted' }]);
    expect(result.error).toEqual(new Error('disk'));
    expect(told(await client.send(ENVELOPE, 'whole'))).toBe('accepted');
    expect(bodies).toEqual(['whole\r\n']);
    await client.close();
    await server.close();
  });

  test.each<[string, Message]>([
    ['at its beginning', new ReadableStream({ pull: () => Promise.reject(new Error('disk')) })],
    [
      'in its function',
      () => {
        throw new Error('disk');
      },
    ],
    ['by a piece that is none', [5] as unknown as string[]],
  ])('the source fails %s: nothing is said, and the session goes on', async (_, message) => {
    const { client, server } = await open();
    const result = await client.send(ENVELOPE, message);
    expect([told(result), result.error instanceof Error]).toEqual(['unsent', true]);
    expect(told(await client.send(ENVELOPE, 'x'))).toBe('accepted');
    expect(server.bodies).toEqual(['x\r\n']);
  });

  test('a stream that is no longer wanted is told so', async () => {
    const { client } = await open();
    const control = new AbortController();
    let left = false;
    async function* source(): AsyncGenerator<string> {
      try {
        for (let i = 0; i < 2000; i++) yield 'x'.repeat(1000);
        await turns(5);
        yield 'late';
      } finally {
        left = true;
      }
    }
    const sending = client.send(ENVELOPE, source(), { signal: control.signal });
    control.abort();
    expect(told(await sending)).toBe('unsent');
    await turns(10);
    expect(left).toBe(true);
  });

  test('everything at once: what was not sent is unsent, what was is unknown', async () => {
    const { client, server } = await open(but({ END: null }));
    const sending = ['one', 'two', 'three'].map((text) => client.send(ENVELOPE, text));
    await turns();
    client.abort('no more');
    const outcomes = (await Promise.all(sending)).flatMap((result) => result.outcomes);
    expect(outcomes).toMatchObject(['unknown', 'unsent', 'unsent'].map((status) => ({ status, cause: 'aborted' })));
    expect([await client.closed, server.ended]).toEqual([expect.objectContaining({ code: 'aborted', cause: 'no more' }), 'aborted']);
    expect(told(await client.send(ENVELOPE, 'x'))).toBe('unsent');
  });
});

test('questions between messages; none is answered by what was meant for another', async () => {
  const { client, server } = await open(but({ VRFY: '252 perhaps' }));
  const answers = await Promise.all([client.command('NOOP'), client.send(ENVELOPE, 'x'), client.command('VRFY', 'ann')]);
  expect([answers[0].code, told(answers[1]), answers[2]]).toEqual([250, 'accepted', { code: 252, lines: ['perhaps'] }]);
  expect(server.lines.map((line) => line.split(' ')[0])).toEqual(['EHLO', 'NOOP', 'MAIL', 'RCPT', 'DATA', 'VRFY']);
  await expect(client.command('VRFY', 'a\r\nQUIT')).rejects.toMatchObject({ code: 'bad-argument' });
  const unanswered = client.command('NOOP');
  server.say('421 leaving');
  await expect(unanswered).rejects.toMatchObject({ code: 'closing', message: 'the server closes the session: 421 leaving' });
  await expect(client.command('NOOP')).rejects.toMatchObject({ code: 'closing' });
});

test('closing lets what was given be sent', async () => {
  const { client, server } = await open();
  const sending = [client.send(ENVELOPE, 'one'), client.send(ENVELOPE, 'two')];
  await client[Symbol.asyncDispose]();
  expect((await Promise.all(sending)).map(told)).toEqual(['accepted', 'accepted']);
  expect(server.lines.at(-1)).toBe('QUIT');
  expect(told(await client.send(ENVELOPE, 'x'))).toBe('unsent');
});

test.each([
  [but({ MAIL: '530 5.7.0 Authentication required' }), '530 5.7.0 Authentication required (the server asks for AUTH: give credentials)'],
  [
    but({ MAIL: '530 5.7.0 Must issue a STARTTLS command first' }),
    '530 5.7.0 Must issue a STARTTLS command first (the server asks for TLS)',
  ],
  [but({ MAIL: '550 no' }), '550 no'],
  [but({}, ['SIZE 1']), 'the message is larger than the server takes'],
  [but({ END: '421 leaving' }), '421 leaving'],
])('what became of it, for people: %#', async (script, text) => {
  const { client } = await open(script);
  const { outcomes } = await client.send(ENVELOPE, 'x');
  expect(outcomes.map(outcomeText)).toEqual([text]);
});

test('where the session itself fails, everybody is told, and the connection is left', async () => {
  const { client, server } = await open(but({ MAIL: null }));
  const sending = [client.send(ENVELOPE, 'x'), client.send(ENVELOPE, 'y')];
  const { receive, nextOutput } = ClientSession.prototype;
  ClientSession.prototype.receive = () => {
    ClientSession.prototype.receive = receive;
    ClientSession.prototype.nextOutput = () => {
      ClientSession.prototype.nextOutput = nextOutput;
      throw new Error('ours');
    };
  };
  server.say('250 OK');
  for (const result of await Promise.all(sending)) {
    expect(told(result)).toBe('unsent');
    expect((result.error as ClientError).cause).toEqual(new Error('ours'));
  }
  expect([server.ended, client.ended]).toEqual(['aborted', true]);
});
describe('why a session is over', () => {
  test('is told, too, where the connection is lost while something is written', async () => {
    const { client, server } = await open();
    const write = server.write.bind(server);
    server.write = (bytes) => {
      if (!Buffer.from(bytes).toString('latin1').startsWith('MAIL')) return write(bytes);
      server.lose(new Error('broken pipe'));
      return false;
    };
    const { outcomes } = await client.send(ENVELOPE, 'x');
    expect(outcomes).toMatchObject([{ status: 'unsent', stage: 'mail', cause: 'lost' }]);
    expect(await client.closed).toMatchObject({ code: 'lost', message: 'the connection was lost: broken pipe' });
  });

  test('is told, too, where the program ends it while it hears of something', async () => {
    const abort = (): void => client.abort(new Error('enough'));
    const { client } = await open(willing(), { notice: ({ type }) => type === 'recipient' && abort() });
    const { outcomes } = await client.send(ENVELOPE, 'x');
    expect(outcomes).toMatchObject([{ status: 'unsent', cause: 'aborted' }]);
    expect(await client.closed).toMatchObject({ code: 'aborted', cause: new Error('enough') });
  });
});

test('VRFY with SMTPUTF8 takes UTF-8 and is answered in it, where that is offered', async () => {
  const script = but({ VRFY: '250 <j\xc3\xbcrgen@b.example>' }, ['SMTPUTF8']);
  const { client, server } = await open(script);
  expect(await client.command('VRFY', 'j\xfcrgen', { smtpUtf8: true })).toMatchObject({ lines: ['<j\xfcrgen@b.example>'] });
  expect(server.lines.at(-1)).toBe('VRFY j\xc3\xbcrgen SMTPUTF8');
  await expect(client.command('VRFY', 'j\xfcrgen')).rejects.toMatchObject({ code: 'bad-argument' });
  await expect(client.command('NOOP', 'j\xfcrgen', { smtpUtf8: true })).rejects.toMatchObject({ code: 'bad-argument' });
  await expect(client.command('EXPN', 'a\r\nQUIT', { smtpUtf8: true })).rejects.toMatchObject({ code: 'bad-argument' });
  const { client: old } = await open(willing([]));
  await expect(old.command('EXPN', 'x', { smtpUtf8: true })).rejects.toMatchObject({ code: 'not-offered' });
});
