// What EHLO lists is implemented, and what is implemented is listed where it is on: the registry of the grammar, what the engine offers,
// and what a session then does are one.
import { EXTENSIONS, HISTORIC, latin1, octets, PARAMETERS, type RegisteredExtension } from '@ehlo/grammar';
import { describe, expect, test } from 'vitest';
import { PRESETS, type ServerOptions, ServerSession, TABLE } from '../src/index.ts';
import { OFFERS } from '../src/server/offer.ts';

type Options = Partial<ServerOptions>;

const TLS = { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', servername: '' };

/** What a keyword needs beside being switched on; the others are listed whenever they are. */
const CONDITIONS: { readonly [keyword: string]: Options } = {
  REQUIRETLS: { tls: TLS },
  STARTTLS: { starttls: 'offered' },
  AUTH: { auth: { mechanisms: ['EXTERNAL'], inClear: true }, ask: ['auth'] },
  VRFY: { ask: ['info'] },
  EXPN: { ask: ['info'] },
  XCLIENT: { trust: ['XCLIENT'] },
  XFORWARD: { trust: ['XFORWARD'] },
};

/** Extensions that are nothing without another. */
const NEEDS: { readonly [keyword: string]: readonly string[] } = { BINARYMIME: ['CHUNKING'], SMTPUTF8: ['8BITMIME'] };

/** Every parameter, with a value. */
const PARAMETER_SAMPLES: { readonly [name: string]: string } = {
  'SIZE SIZE': 'SIZE=10',
  '8BITMIME BODY': 'BODY=8BITMIME',
  'BINARYMIME BODY': 'BODY=BINARYMIME',
  'SMTPUTF8 SMTPUTF8': 'SMTPUTF8',
  'DSN RET': 'RET=FULL',
  'DSN ENVID': 'ENVID=x',
  'DSN NOTIFY': 'NOTIFY=NEVER',
  'DSN ORCPT': 'ORCPT=rfc822;bob@example.org',
  'DELIVERBY BY': 'BY=120;R',
  'FUTURERELEASE HOLDFOR': 'HOLDFOR=60',
  'FUTURERELEASE HOLDUNTIL': 'HOLDUNTIL=2029-01-01T00:00:00Z',
  'MT-PRIORITY MT-PRIORITY': 'MT-PRIORITY=-1',
  'RRVS RRVS': 'RRVS=2014-04-03T23:01:00Z',
  'REQUIRETLS REQUIRETLS': 'REQUIRETLS',
  'AUTH AUTH': 'AUTH=<>',
};

const BEGIN = ['EHLO c.example'];
const ENVELOPE = [...BEGIN, 'MAIL FROM:<a@b.example>', 'RCPT TO:<c@d.example>'];

/** Every verb of an extension: what comes before it, the command, and the code that shows that it is taken (0: an application is asked). */
const VERB_SAMPLES: { readonly [verb: string]: readonly [readonly string[], string, number] } = {
  BDAT: [ENVELOPE, 'BDAT 0 LAST', 250],
  STARTTLS: [BEGIN, 'STARTTLS', 220],
  AUTH: [BEGIN, 'AUTH EXTERNAL =', 0],
  ETRN: [BEGIN, 'ETRN example.org', 250],
  VRFY: [BEGIN, 'VRFY bob', 0],
  EXPN: [BEGIN, 'EXPN bob', 0],
  HELP: [BEGIN, 'HELP', 214],
  XCLIENT: [BEGIN, 'XCLIENT NAME=x.example', 220],
  XFORWARD: [BEGIN, 'XFORWARD NAME=x.example', 250],
};

/** Both verbs of Postfix, which are no registered extensions. */
const TRUSTED = ['XCLIENT', 'XFORWARD'];

const ALL_ON: Options = {
  tls: TLS,
  auth: { mechanisms: ['EXTERNAL'] },
  ask: ['auth', 'info'],
  trust: ['XCLIENT', 'XFORWARD'],
};

function sink(options: Options): ServerSession {
  const session = new ServerSession({ hostname: 'mx.example.org', preset: 'sink', ...options });
  say(session);
  return session;
}

/** Sends the lines; the last reply. */
function say(session: ServerSession, ...lines: readonly string[]): string {
  let last = '';
  for (const line of ['', ...lines.map((text) => `${text}\r\n`)]) {
    session.receive(octets(line));
    while (session.nextEvent() !== null);
    const wire = session.nextOutput();
    last = wire === null ? '' : latin1(wire, 0, wire.length);
  }
  return last;
}

/** The lines of the EHLO response behind the first. */
function listed(options: Options): readonly string[] {
  const reply = say(sink(options), 'EHLO c.example');
  return reply
    .split('\r\n')
    .slice(1, -1)
    .map((line) => line.slice(4));
}

const keyword = (line: string) => line.split(' ')[0]!;

/** A sink that offers this and what it needs, and nothing else. */
function only(name: string): Options {
  return { ...CONDITIONS[name], extensions: [...(NEEDS[name] ?? []), name] };
}

const code = (reply: string) => Number(reply.slice(0, 3));

describe('the registry and the offers', () => {
  test('are the same keywords, in the same order', () => {
    expect([...OFFERS.keys()].filter((name) => !TRUSTED.includes(name))).toEqual(EXTENSIONS.map((extension) => extension.keyword));
  });

  test.each(EXTENSIONS)('$keyword: RFC and parameters', ({ keyword: name, rfc, parameters }) => {
    expect(OFFERS.get(name)?.spec).toBe(`RFC ${rfc}`);
    expect(OFFERS.get(name)?.parameters ?? []).toEqual(parameters);
  });

  test('every parameter belongs to an offer, and every one has a sample here', () => {
    const offered = [...OFFERS].flatMap(([name, { parameters = [] }]) => parameters.map((parameter) => `${name} ${parameter.keyword}`));
    expect(offered.length).toBe(PARAMETERS.length);
    expect([...offered].sort()).toEqual(Object.keys(PARAMETER_SAMPLES).sort());
  });

  test('every verb of an extension has rows in the table, and a sample here', () => {
    const verbs = [...EXTENSIONS.flatMap((extension) => extension.verbs.map(({ verb }) => verb)), ...TRUSTED];
    expect([...verbs].sort()).toEqual(Object.keys(VERB_SAMPLES).sort());
    expect(verbs.filter((verb) => !TABLE.some(({ on }) => on === verb))).toEqual([]);
  });

  test('what is historic is not offered, and refused', () => {
    const session = sink({ ...ALL_ON, limits: { faults: 99 } });
    say(session, 'EHLO c.example');
    for (const { keyword: name, verbs, parameters } of HISTORIC) {
      expect(OFFERS.has(name)).toBe(false);
      for (const verb of verbs) expect(code(say(session, verb))).toBe(502);
      for (const parameter of parameters) expect(code(say(session, `MAIL FROM:<a@b.example> ${parameter}=1`))).toBe(555);
    }
  });
});

describe('EHLO', () => {
  test('lists everything, where everything is on', () => {
    const expected = [...OFFERS.keys()].filter((name) => name !== 'STARTTLS'); // there is TLS already
    expect(listed(ALL_ON).map(keyword)).toEqual(expected);
  });

  test.each(Object.entries(CONDITIONS))('lists %s only under its condition', (name, options) => {
    const bare = listed({}).map(keyword);
    expect(bare).toEqual([...OFFERS.keys()].filter((other) => CONDITIONS[other] === undefined));
    expect(listed(options).map(keyword)).toContain(name);
    expect(listed({ ...options, extensions: [] }).map(keyword)).toEqual(TRUSTED.includes(name) ? [name] : []);
  });

  test.each(EXTENSIONS)('what stands behind $keyword is as its RFC says', ({ keyword: name, announcement }: RegisteredExtension) => {
    const line = listed(only(name)).find((found) => keyword(found) === name)!;
    const [, ...words] = line.split(' ');
    const value = announcement.parse(words);
    expect(value).not.toBeUndefined();
    expect(announcement.format(value)).toEqual(words);
  });

  test.each(['mx', 'submission', 'lmtp'] as const)('of preset %s lists nothing that needs a promise of the application', (preset) => {
    const promises = EXTENSIONS.filter(({ parameters }) => parameters.length > 0).map((extension) => extension.keyword);
    expect(PRESETS[preset].extensions.filter((name) => promises.includes(name))).toEqual(['SIZE', '8BITMIME', 'AUTH']);
    expect(PRESETS[preset].extensions).not.toContain('ETRN');
  });
});

describe('a parameter', () => {
  test.each(Object.entries(PARAMETER_SAMPLES))('%s is taken where its extension is on, and only there', (name, text) => {
    const extension = keyword(name);
    const { command } = PARAMETERS.find((parameter) => `${parameter.extension} ${parameter.keyword}` === name)!;
    const lines = command === 'MAIL' ? [...BEGIN, `MAIL FROM:<a@b.example> ${text}`] : [...ENVELOPE, `RCPT TO:<c@d.example> ${text}`];
    expect(code(say(sink(only(extension)), ...lines))).toBe(250);
    expect(code(say(sink({ ...CONDITIONS[extension], extensions: [] }), ...lines))).toBe(555);
    if (CONDITIONS[extension] !== undefined) expect(code(say(sink({}), ...lines))).toBe(555);
    expect(code(say(sink(only(extension)), ...lines.map((line) => line.replace('EHLO', 'HELO'))))).toBe(555);
  });
});

describe('a verb', () => {
  test.each(Object.entries(VERB_SAMPLES))('%s is taken where it is listed, and only there', (verb, [before, line, taken]) => {
    const extension = EXTENSIONS.find(({ verbs }) => verbs.some((rule) => rule.verb === verb))?.keyword ?? verb;
    const on = sink(only(extension));
    expect(code(say(on, ...before, line))).toBe(taken);
    expect(on.wants).toBe(verb === 'STARTTLS' ? 'tls' : taken === 0 ? 'answer' : 'input');
    // RFC 5321 4.5.1: VRFY is there always; who answers it is another matter.
    const without = Object.fromEntries(Object.entries(CONDITIONS[extension] ?? {}).filter(([name]) => name === 'auth' || name === 'ask'));
    const off = sink({ ...without, extensions: [] });
    expect(code(say(off, ...before, line))).toBe(verb === 'VRFY' ? 0 : 502);
  });
});

describe('what has neither verb nor parameter', () => {
  test('ENHANCEDSTATUSCODES: every reply has its code, or none has', () => {
    expect(say(sink({ extensions: ['ENHANCEDSTATUSCODES'] }), 'NOOP')).toBe('250 2.0.0 NOOP OK\r\n');
    expect(say(sink({ extensions: [] }), 'NOOP')).toBe('250 NOOP OK\r\n');
  });

  test('LIMITS: what is announced is kept, and what is not likewise', () => {
    const limits = { recipientDomains: 1 };
    const lines = [...ENVELOPE, 'RCPT TO:<e@f.example>'];
    expect(code(say(sink({ extensions: ['LIMITS'], limits }), ...lines))).toBe(452);
    expect(code(say(sink({ extensions: [], limits }), ...lines))).toBe(452);
  });

  test('PIPELINING: commands that come together are answered in their order', () => {
    const session = sink({ extensions: ['PIPELINING'] });
    expect(say(session, 'EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nNOOP').match(/^\d+ /gm)).toEqual([
      '250 ',
      '250 ',
      '250 ',
      '250 ',
    ]);
  });

  test('are only these', () => {
    const plain = EXTENSIONS.filter(({ verbs, parameters }) => verbs.length + parameters.length === 0);
    expect(plain.map((extension) => extension.keyword)).toEqual(['PIPELINING', 'ENHANCEDSTATUSCODES', 'LIMITS']);
  });
});
