// Extensions that a program defines: what can be one, what it offers to whom, and that none of its functions fails a session.
import { encodeUtf8, latin1, octets, PARAMETERS, textCodec } from '@ehlo/grammar';
import { describe, expect, test } from 'vitest';
import { OURS } from '../src/extension.ts';
import {
  ClientSession,
  defineExtension,
  type Extension,
  guardedExtension,
  planTransaction,
  type ServerOptions,
  ServerSession,
} from '../src/index.ts';
import { OFFERS } from '../src/server/offer.ts';

const word = textCodec((text) => (/^[a-z]{1,20}$/.test(text) ? text : undefined), String);
const TENANT = { command: 'MAIL', keyword: 'XTENANT', name: 'tenant', adds: 29, codec: word } as const;
const DEFINITION = {
  keyword: 'x-tenant',
  spec: 'the rules',
  offer: (): readonly string[] | null => ['v1'],
  parameters: [TENANT],
  verbs: [{ verb: 'xquota', phases: ['ready'] }],
} as const;
const mine = defineExtension(DEFINITION);
const TLS = { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', servername: '' };

function server(extension: Extension, options: Partial<ServerOptions> = {}): ServerSession {
  const session = new ServerSession({ hostname: 'mx.example.org', preset: 'sink', extensions: ['STARTTLS', extension], ...options });
  say(session);
  return session;
}

/** Sends a line, if one is given; what is said. */
function say(session: ServerSession, line?: string): string {
  if (line !== undefined) session.receive(encodeUtf8(`${line}\r\n`));
  let said = '';
  for (;;) {
    while (session.nextEvent() !== null);
    const out = session.nextOutput();
    if (out === null) return said;
    said += latin1(out, 0, out.length);
  }
}

test('a definition is an extension in capitals, which knows its parameters as its own', () => {
  expect(mine).toMatchObject({
    keyword: 'X-TENANT',
    parameters: [{ keyword: 'XTENANT', extension: 'X-TENANT', adds: 29 }],
    verbs: [{ verb: 'XQUOTA', phases: ['ready'] }],
  });
  expect(defineExtension({ keyword: 'X', spec: 'none', offer: () => null })).toMatchObject({ parameters: [], verbs: [] });
});

test('those of ehlo are such extensions: each can be defined as it is', () => {
  for (const offer of OFFERS.values()) expect(defineExtension(offer)).toEqual(offer);
});

test.each<[string, object, RegExp]>([
  ['no offer', { offer: undefined }, /offer/],
  ['an offer that is none', { offer: ['v1'] }, /offer/],
  ['a keyword of two words', { keyword: 'X TENANT' }, /keyword/],
  ['a keyword that begins with a hyphen', { keyword: '-X' }, /keyword/],
  ['a keyword of 65 octets', { keyword: 'X'.repeat(65) }, /a word of 1 to 64 letters, digits and hyphens/],
  ['no spec', { spec: '' }, /spec/],
  ['an option that there is not', { verb: 'X' }, /verbs/],
  ['a verb of SMTP', { verbs: [{ verb: 'vrfy', phases: ['ready'] }] }, /VRFY.*SMTP has already/],
  ['a method of HTTP', { verbs: [{ verb: 'get', phases: ['ready'] }] }, /GET, a method of HTTP/],
  ['a verb with a body', { verbs: [{ verb: 'XDATA', phases: ['rcpt'], body: true }] }, /no body and changes no transport/],
  [
    'a verb that changes the transport',
    { verbs: [{ verb: 'XTLS', phases: ['ready'], transport: 'tls' }] },
    /no body and changes no transport/,
  ],
  ['a verb without a phase', { verbs: [{ verb: 'XQUOTA', phases: [] }] }, /phases is empty/],
  ['a verb in a phase that has no commands', { verbs: [{ verb: 'XQUOTA', phases: ['data'] }] }, /ready, mail, rcpt/],
  ['a verb twice', { verbs: [DEFINITION.verbs[0], DEFINITION.verbs[0]] }, /XQUOTA is defined twice/],
  ['a parameter of another command', { parameters: [{ ...TENANT, command: 'DATA' }] }, /MAIL, RCPT/],
  ['a parameter without a codec', { parameters: [{ ...TENANT, codec: undefined }] }, /codec/],
  ['a codec that can only read', { parameters: [{ ...TENANT, codec: { parse: () => 1 } }] }, /parse and format/],
  ['a parameter without octets', { parameters: [{ ...TENANT, adds: 1.5 }] }, /adds/],
  ['a name that the engine takes', { parameters: [{ ...TENANT, name: 'unknown' }] }, /name/],
  ['a name that every object has', { parameters: [{ ...TENANT, name: 'constructor' }] }, /name/],
  ['a keyword of a parameter that is none', { parameters: [{ ...TENANT, keyword: 'X=Y' }] }, /keyword/],
  ['a parameter twice', { parameters: [TENANT, { ...TENANT, name: 'other' }] }, /XTENANT is defined twice/],
])('%s is no extension', (_, change, message) => {
  expect(() => defineExtension({ ...DEFINITION, ...change } as never)).toThrow(message);
  expect(() => defineExtension({ ...DEFINITION, ...change } as never)).toThrow(
    expect.objectContaining({ code: expect.stringMatching(/^bad-(?:option|extension)$/) }),
  );
});

test('what is ours has its names in one list', () => {
  expect(OURS.keywords).toEqual([...OFFERS.keys()]);
  expect(OURS.parameters).toEqual(Object.fromEntries(PARAMETERS.map(({ keyword, name }) => [keyword, name])));
});

const other = { ...TENANT, keyword: 'XOTHER', name: 'other' } as const;

describe.each<[string, (options: { readonly extensions: readonly Extension[] }) => unknown]>([
  ['a server', (options) => new ServerSession({ hostname: 'mx.example.org', preset: 'sink', ...options })],
  ['a client', (options) => new ClientSession({ hostname: 'c.example', ...options })],
])('%s refuses what takes the place of', (_, open) => {
  test.each<[string, readonly unknown[], string]>([
    ['a keyword of ehlo', [defineExtension({ ...DEFINITION, keyword: 'SIZE' })], 'SIZE is defined twice'],
    ['a parameter of ehlo', [defineExtension({ ...DEFINITION, parameters: [{ ...TENANT, keyword: 'BODY' }] })], 'BODY is defined twice'],
    ['one that few use', [defineExtension({ ...DEFINITION, parameters: [{ ...TENANT, keyword: 'notify' }] })], 'NOTIFY is defined twice'],
    ['a name of ehlo', [defineExtension({ ...DEFINITION, parameters: [{ ...TENANT, name: 'size' }] })], 'size is defined twice'],
    ['itself', [mine, mine], 'X-TENANT is defined twice'],
    ['a parameter of another', [mine, defineExtension({ ...DEFINITION, keyword: 'X-OTHER', verbs: [] })], 'XTENANT is defined twice'],
    ['a verb of another', [mine, defineExtension({ ...DEFINITION, keyword: 'X-OTHER', parameters: [other] })], 'XQUOTA is defined twice'],
    ['nothing that was defined', [DEFINITION, { keyword: 'X' }], 'defineExtension'],
  ])('%s', (_, extensions, message) => {
    expect(() => open({ extensions: extensions as never })).toThrow(
      expect.objectContaining({ code: 'bad-extension', message: expect.stringContaining(message) }),
    );
  });
});

test('a server refuses a keyword that nobody has defined', () => {
  const options = { hostname: 'mx.example.org', preset: 'sink', extensions: ['X-TENANT'] } as const;
  expect(() => new ServerSession(options)).toThrow('not implemented');
});

test('a client refuses what takes the place of a parameter that it was given', () => {
  const given = { ...TENANT, extension: 'X-MINE' };
  const open = (extension: Extension) =>
    new ClientSession({ hostname: 'c.example', parameters: [...PARAMETERS, given], extensions: [extension] });
  expect(() => open(mine)).toThrow('XTENANT is defined twice');
  open(defineExtension({ ...DEFINITION, parameters: [other] }));
});

test('a verb needs somebody who answers it', () => {
  const options = { hostname: 'mx.example.org', preset: 'mx', extensions: [mine], ask: ['rcpt', 'message'] } as const;
  expect(() => new ServerSession(options)).toThrow(/XQUOTA needs 'command' in ask/);
  new ServerSession({ ...options, ask: ['rcpt', 'message', 'command'] });
});

test('what is offered follows the facts of each session, when EHLO asks', () => {
  const asked: unknown[] = [];
  const extension = defineExtension({
    ...DEFINITION,
    offer: (facts) => {
      asked.push(facts);
      return facts.tls === null ? null : [facts.peer.address];
    },
  });
  const peer = { address: '192.0.2.1', port: 1 };
  const session = server(extension, { starttls: 'offered', peer });
  expect(say(session, 'EHLO c.example')).toBe('250-mx.example.org\r\n250 STARTTLS\r\n');
  expect(say(session, 'MAIL FROM:<> XTENANT=a')).toMatch(/^555 /);
  expect(say(session, 'XQUOTA')).toMatch(/^502 /);
  say(session, 'STARTTLS');
  session.secured(TLS);
  expect(say(session, 'XQUOTA')).toMatch(/^503 /);
  expect(say(session, 'EHLO c.example')).toBe('250-mx.example.org\r\n250 X-TENANT 192.0.2.1\r\n');
  expect(say(session, 'XQUOTA')).toBe('250 OK\r\n');
  expect(say(session, 'MAIL FROM:<> XTENANT=a')).toBe('250 Sender OK\r\n');
  expect(asked).toEqual([
    { protocol: 'smtp', peer, tls: null, identity: null },
    { protocol: 'smtp', peer, tls: TLS, identity: null },
  ]);
});

test('sessions of one policy do not see what another was offered', () => {
  const extension = defineExtension({ ...DEFINITION, offer: ({ peer }) => [peer.address] });
  const options: ServerOptions = { hostname: 'mx.example.org', preset: 'sink', extensions: ['SIZE', extension] };
  const [one, other] = ['192.0.2.1', '192.0.2.2'].map((address) => new ServerSession(options, { peer: { address, port: 1 } }));
  for (const [session, address] of [
    [one!, '192.0.2.1'],
    [other!, '192.0.2.2'],
    [one!, '192.0.2.1'],
  ] as const) {
    expect(say(session, 'EHLO c.example')).toMatch(new RegExp(`250 X-TENANT ${address.replaceAll('.', '\\.')}\r\n$`));
  }
});

describe('a function of the program that fails', () => {
  const fails = (): never => {
    throw new Error('mine');
  };

  test.each<[string, () => readonly string[] | null]>([
    ['throws', fails],
    ['gives no list', () => 'v1' as never],
    ['gives a line end', () => ['v1\r\n250 SIZE 1']],
    ['gives two words in one', () => ['a b']],
    ['gives a promise', () => Promise.resolve(['v1']) as never],
  ])('an offer that %s is no offer', (_, offer) => {
    const session = server(defineExtension({ ...DEFINITION, offer }));
    expect(say(session, 'EHLO c.example')).toBe('250 mx.example.org\r\n');
    expect(say(session, 'MAIL FROM:<> XTENANT=a')).toMatch(/^555 /);
    expect(session.phase).toBe('ready');
  });

  test('a codec that throws has read no value', () => {
    const session = server(defineExtension({ ...DEFINITION, parameters: [{ ...TENANT, codec: { parse: fails, format: fails } }] }));
    say(session, 'EHLO c.example');
    expect(say(session, 'MAIL FROM:<> XTENANT=a')).toMatch(/^501 /);
    expect(say(session, 'MAIL FROM:<>')).toMatch(/^250 /);
  });

  test("a codec that gives a promise has read no value, and what that rejects with is nobody's", async () => {
    const parse = (): never => Promise.reject(new Error('later')) as never;
    const session = server(defineExtension({ ...DEFINITION, parameters: [{ ...TENANT, codec: { parse, format: word.format } }] }));
    say(session, 'EHLO c.example');
    expect(say(session, 'MAIL FROM:<> XTENANT=a')).toMatch(/^501 /);
    await new Promise((resolve) => setTimeout(resolve));
  });

  test('is told to whoever asks for that', () => {
    const told: unknown[] = [];
    const { offer, parameters } = guardedExtension(
      defineExtension({ ...DEFINITION, offer: fails, parameters: [{ ...TENANT, codec: { parse: fails, format: fails } }] }),
      (error) => told.push((error as Error).message),
    );
    expect(offer({ protocol: 'smtp', peer: { address: '', port: 0 }, tls: null, identity: null })).toBe(null);
    expect(parameters[0]!.codec.parse(octets('a'), [])).toBe(undefined);
    expect(told).toEqual(['mine', 'mine']);
  });
});

// RFC 5321 4.5.3.1.4
test('a command line may be longer by what the parameters add', () => {
  const long = { ...TENANT, adds: 5000, codec: textCodec((text) => text, String) };
  const session = server(
    defineExtension({ ...DEFINITION, parameters: [long, { ...TENANT, command: 'RCPT', name: 'other', keyword: 'XOTHER' }] }),
  );
  say(session, 'EHLO c.example');
  const line = `MAIL FROM:<> XTENANT=${'a'.repeat(4096 + 5000 - 'MAIL FROM:<> XTENANT=\r\n'.length)}`;
  expect(say(session, line)).toBe('250 Sender OK\r\n');
  say(session, 'RSET');
  expect(say(session, `${line}a`)).toMatch(/^500 /);
});

test('a restored session offers what it has offered, and reads it', () => {
  const offers = [['first'], null];
  const extension = defineExtension({ ...DEFINITION, offer: () => offers.shift() ?? null });
  const options: ServerOptions = { hostname: 'mx.example.org', preset: 'sink', extensions: ['SIZE', extension] };
  const session = new ServerSession(options);
  say(session);
  say(session, 'EHLO c.example');
  const restored = ServerSession.restore(options, structuredClone(session.snapshot()), 0);
  expect(say(restored, 'MAIL FROM:<> XTENANT=a')).toBe('250 Sender OK\r\n');
  expect(say(restored, 'EHLO c.example')).toBe('250-mx.example.org\r\n250 SIZE 36700160\r\n');
});

test('arguments are text: with SMTPUTF8 UTF-8, and nothing that is none', () => {
  const session = server(mine, { extensions: ['8BITMIME', 'SMTPUTF8', mine] });
  say(session, 'EHLO c.example');
  expect(say(session, 'XQUOTA jürgen')).toBe('250 OK\r\n');
  for (const broken of [[0xe9], [0xe9, 0xa9], [0xc3], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf7, 0xbf, 0xbf, 0xbf], [0x07], [0xc2, 0x9b]]) {
    session.receive(Uint8Array.of(...octets('XQUOTA a'), ...broken, ...octets('\r\n')));
    expect(say(session)).toMatch(/^501 /);
  }
});

describe('a client', () => {
  const capabilities = { verb: 'EHLO', name: 'mx', tls: false, extensions: new Map([['X-TENANT', []]]) } as const;
  const plan = (tenant: unknown, extension: Extension) =>
    planTransaction(
      capabilities,
      { reversePath: '', parameters: { tenant } as never, recipients: [{ forwardPath: 'a@b.example' }] },
      {},
      {
        extensions: [extension],
      },
    );

  test.each([
    ['format', { parse: () => 'a', format: () => Promise.reject(new Error('later')) }],
    ['parse', { parse: () => Promise.reject(new Error('later')), format: () => octets('a') }],
  ])('says nothing that a codec gives by a promise: %s', async (name, codec) => {
    const extension = defineExtension({ ...DEFINITION, parameters: [{ ...TENANT, codec: codec as never }] });
    expect(() => plan('a', extension)).toThrow(new RegExp(`codec of XTENANT has failed.*${name} gave a promise`));
    await new Promise((resolve) => setTimeout(resolve));
  });

  test('says no more than its extension adds, and nothing that no line could carry', () => {
    const any = (format: (value: never) => Uint8Array, adds = 29) =>
      defineExtension({ ...DEFINITION, parameters: [{ ...TENANT, adds, codec: { parse: () => true, format } }] });
    expect(plan('a'.repeat(20), mine).mail).toBe(`MAIL FROM:<> XTENANT=${'a'.repeat(20)}`);
    expect(() => plan('a'.repeat(20), defineExtension({ ...DEFINITION, parameters: [{ ...TENANT, adds: 28 }] }))).toThrow(
      /29 octets.*adds 28/,
    );
    for (const text of ['a b', 'a\r\nRSET', 'a=b', '\0', '\xe9', '\x80']) {
      expect(() =>
        plan(
          'x',
          any(() => octets(text)),
        ),
      ).toThrow(expect.objectContaining({ code: 'bad-parameter' }));
    }
    expect(() =>
      plan(
        'x',
        any(() => {
          throw new Error('mine');
        }),
      ),
    ).toThrow(/codec of XTENANT.*mine/);
  });

  test('says octets beyond ASCII with SMTPUTF8 alone', () => {
    const text = defineExtension({ ...DEFINITION, parameters: [{ ...TENANT, codec: textCodec((value) => value, String) }] });
    const envelope = (smtpUtf8: boolean) => ({
      reversePath: '',
      parameters: { tenant: 'jürgen', ...(smtpUtf8 ? { smtpUtf8: true } : {}) } as never,
      recipients: [{ forwardPath: 'a@b.example' }],
    });
    const offers = { ...capabilities, extensions: new Map([...capabilities.extensions, ['SMTPUTF8', []]]) };
    expect(planTransaction(offers, envelope(true), {}, { extensions: [text] }).mail).toContain(' XTENANT=jürgen');
    expect(() => planTransaction(offers, envelope(false), {}, { extensions: [text] })).toThrow(/not a value of XTENANT/);
  });
});
