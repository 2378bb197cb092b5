// An option that is misspelt, or has a value that it can't have, is one clear error: it must not do less than was meant.
import { ServerSession, SmtpUsageError } from '@ehlo/engine';
import { plain } from '@ehlo/sasl';
import { describe, expect, test, vi } from 'vitest';
import {
  type ConnectOptions,
  connectOn,
  Entrance,
  type Handler,
  listenAndServe,
  Pool,
  type SendOptions,
  type ServeOptions,
  type ServerMechanism,
  serveOn,
} from '../src/index.ts';
import { MemoryListener } from './memory.ts';
import { ScriptedServer } from './scripted.ts';

const HOST = { hostname: 'mx.example.org', preset: 'sink' } as const;

/** Wrong options with what is said of them. */
type Wrong = readonly [object, string | RegExp];

const CLIENT: readonly Wrong[] = [
  [{ limits: new Map() }, /^limits is a Map without any of its options; limits has greetingTimeout, /],
  [{ signal: {} }, /^signal is an object; it must be an AbortSignal/],
  [{ starttls: 'require' }, 'starttls is "require"; it must be one of off, opportunistic, required: did you mean required?'],
  [{ starttls: true }, 'starttls is true; it must be one of off, opportunistic, required'],
  [{ starttls: 'offered' }, 'starttls is "offered"; it must be one of off, opportunistic, required'],
  [{ starttls: null }, 'starttls is null; it must be one of off, opportunistic, required'],
  [
    { secure: true },
    /^there is no option secure: did you mean implicitTls: true, or starttls: 'required'\?; there are hostname, .*starttls, /,
  ],
  [{ requireTLS: true }, /^there is no option requireTLS: did you mean starttls: 'required'\?/],
  [{ startTLS: 'required' }, /^there is no option startTLS: did you mean starttls\?/],
  [{ startls: 'required' }, /^there is no option startls: did you mean starttls\?/],
  [{ credentials: 'clear' }, 'credentials is "clear"; it must be one of verified, encrypted, cleartext'],
  [{ protocol: 'LMTP' }, 'protocol is "LMTP"; it must be one of smtp, lmtp: did you mean lmtp?'],
  [{ limits: { rcptTimout: 5 } }, /^there is no option limits.rcptTimout: did you mean limits.rcptTimeout\?; limits has greetingTimeout, /],
  [{ limits: 5 }, 'limits is a number; it must be an object'],
  [
    { auth: { mechanisms: [plain()], username: 'joe' } },
    /^there is no option auth.username: did you mean auth.user\?; auth has mechanisms, user, /,
  ],
  [{ password: 'x' }, /^there is no option password: did you mean auth.password\?/],
  [{ auth: [plain()] }, 'auth is an array; it must be an object'],
  [{ features: ['CHUNKING'] }, 'features is an array; it must be an array of objects that are imported, not of names'],
  [{ parameters: [undefined] }, 'parameters is an array; it must be an array of objects that are imported, not of names'],
  [{ xyzzy: 1 }, /^there is no option xyzzy; there are /],
  [{ toString: () => '' }, /^there is no option toString; there are /],
];

describe('connectOn', () => {
  test.each(CLIENT)('%j', async (options, message) => {
    const server = new ScriptedServer();
    await expect(connectOn(server, options as ConnectOptions)).rejects.toMatchObject(error(message));
    expect([server.lines, server.ended]).toEqual([[], 'aborted']);
  });

  test('what is undefined is absent, in nested options too; what is inherited counts', async () => {
    const limits = { mailTimeout: undefined, rcptTimeout: 1000 };
    const given = { hostname: undefined, starttls: undefined, secure: undefined, limits, auth: undefined };
    const client = await connectOn(new ScriptedServer(), given as unknown as ConnectOptions);
    await client.close();
    const inherited = Object.create({ starttls: 'required' }) as ConnectOptions;
    await expect(connectOn(new ScriptedServer(), inherited)).rejects.toMatchObject({ code: 'tls-unavailable' });
  });

  test('a value that no JSON can show', async () => {
    const options = { trace: 1n } as unknown as ConnectOptions;
    await expect(connectOn(new ScriptedServer(), options)).rejects.toMatchObject(error('trace is a bigint; it must be true or false'));
  });

  test('no value is shown that may be a secret', async () => {
    const auth = { mechanisms: [plain()], user: 'joe', pasword: 'correct horse' };
    const options = { auth } as unknown as ConnectOptions;
    const wrong: unknown = await connectOn(new ScriptedServer(), options).catch((why: unknown) => why);
    expect((wrong as Error).message).toMatch(/^there is no option auth.pasword: did you mean auth.password\?/);
    expect((wrong as Error).message).not.toContain('horse');
  });
});

describe('send', () => {
  const ADDRESSES = { reversePath: 'a@b.example', recipients: ['c@d.example'] };

  test.each<readonly [facts: object, string | RegExp]>([
    [{ sise: 5 }, /^there is no option facts.sise: did you mean facts.size\?/],
    [{ size: '5' }, 'facts.size is "5"; it must be a number, at least 0'],
    [{ body: '8bitmime' }, 'facts.body is "8bitmime"; it must be one of 7BIT, 8BITMIME, BINARYMIME: did you mean 8BITMIME?'],
  ])('facts: %j; nothing is sent, and a stream is closed', async (facts, message) => {
    const server = new ScriptedServer();
    const client = await connectOn(server);
    const cancel = vi.fn();
    const before = server.lines.length;
    const sending = client.send(ADDRESSES, new ReadableStream<string>({ cancel }), { facts } as SendOptions);
    await expect(sending).rejects.toMatchObject(error(message));
    await vi.waitFor(() => expect(cancel).toHaveBeenCalledOnce());
    expect(server.lines.length).toBe(before);
    await client.close();
  });
});

const SERVER: readonly Wrong[] = [
  [{ limits: new Map() }, /^limits is a Map without any of its options; limits has commandLine, /],
  [
    {
      limits: new (class Mine {
        recipient = 100;
      })(),
    },
    /^there is no option limits\.recipient: did you mean limits\.recipients\?/,
  ],
  [
    {
      limits: new (class Mine {
        recipients = 'many';
      })(),
    },
    'limits.recipients is a string; it must be a number',
  ],
  [{ smallLimits: new Set() }, /^smallLimits is a Set without any of its options; /],
  [{ signal: {} }, 'signal is an object; it must be an AbortSignal, such as that of an AbortController'],
  [{ signal: new AbortController() }, /^signal is an object; it must be an AbortSignal/],
  [{ size: 5 }, /^there is no option size: did you mean limits.messageSize\?; there are hostname, preset, /],
  [{ starttls: 'require' }, 'starttls is "require"; it must be one of off, offered, required, unannounced: did you mean required?'],
  [{ starttls: true }, 'starttls is true; it must be one of off, offered, required, unannounced'],
  [{ secure: true }, /^there is no option secure: did you mean implicitTls/],
  [{ auth: { mechanisms: ['PLAIN'], require: true } }, /^there is no option auth.require: did you mean auth.required\?/],
  [{ auth: { mechanisms: ['PLAIN'], required: 'yes' } }, 'auth.required is "yes"; it must be true or false'],
  [
    { trusted: { xclient: () => true } },
    /^there is no option trusted.xclient: did you mean trusted.XCLIENT\?; trusted has XCLIENT, XFORWARD$/,
  ],
  [{ trusted: { XCLIENT: true } }, 'trusted.XCLIENT is a boolean; it must be a function'],
  [{ mtPriority: { trust: true } }, /^there is no option mtPriority.trust: did you mean mtPriority.trusted\?/],
  [{ tolerate: ['underscore-domain'] }, 'tolerate is an array; it must be a Set'],
];

describe('serveOn', () => {
  test.each(SERVER)('%j', (options, message) => {
    expect(() => serveOn(new MemoryListener(), { ...HOST, ...options } as ServeOptions, {})).toThrow(
      expect.objectContaining(error(message)),
    );
  });

  test.each<[Handler, string | RegExp]>([
    [
      { onData: () => true } as Handler,
      /^the handler has a method onData, which nobody calls: did you mean message\?; it may have connect, /,
    ],
    [{ onRcptTo: () => true } as Handler, /^the handler has a method onRcptTo, which nobody calls: did you mean rcpt\?; /],
    [{ onAuth: () => true } as Handler, /^the handler has a method onAuth, which nobody calls: did you mean auth\?; /],
    [{ mesage: () => true } as Handler, /^the handler has a method mesage, which nobody calls: did you mean message\?; /],
    [{ rcptTo: () => true } as Handler, /^the handler has a method rcptTo, which nobody calls: did you mean rcpt\?; /],
    [undefined as unknown as Handler, /^the handler is undefined; it must be an object with methods, /],
    [(() => true) as unknown as Handler, /^the handler is a function; it must be an object with methods, /],
    [{ rcpt: true } as unknown as Handler, 'rcpt of the handler is no function'],
    [
      new (class {
        onData(): void {}
      })() as Handler,
      /^the handler has a method onData, /,
    ],
  ])('a handler: %#', (handler, message) => {
    expect(() => serveOn(new MemoryListener(), HOST, handler)).toThrow(expect.objectContaining(error(message)));
  });

  test('a handler may have what is no method, and one of a class methods of its own', () => {
    class Mine {
      readonly users: ReadonlySet<string> = new Set();

      rcpt(): true {
        return this.connected();
      }

      connected(): true {
        return true;
      }
    }
    for (const handler of [{ users: new Set(), rcpt: undefined, message: undefined }, new Mine()])
      expect(() => serveOn(new MemoryListener(), HOST, handler as unknown as Handler)).not.toThrow();
  });

  test('an object of a class has options, too: what it inherits, and methods that stay its own', async () => {
    class Accounts {
      readonly #passwords: ReadonlyMap<string, string> = new Map([['joe', 'pencil']]);
      readonly mechanisms: readonly ServerMechanism[] = [plain()];
      readonly inClear: boolean = true;
      readonly cache: object = {};

      lookup(user: string): string | undefined {
        return this.#passwords.get(user);
      }
    }
    const listener = new MemoryListener();
    const server = serveOn(listener, { ...HOST, auth: new Accounts() }, {});
    const transport = listener.connect();
    transport.send(`EHLO c.example\r\nAUTH PLAIN ${btoa('\0joe\0pencil')}\r\n`);
    expect((await transport.replies(3)).at(-1)).toMatch(/^235 /);
    transport.sink!.lost();
    await server.close();
  });

  test('what is undefined is absent: it takes back nothing that a preset sets', () => {
    const auth = { mechanisms: ['PLAIN'], required: undefined } as unknown as { mechanisms: string[] };
    const session = new ServerSession({ hostname: 'mx.example.org', preset: 'submission', ask: ['auth', 'message'], auth });
    session.tick(0);
    session.receive(new TextEncoder().encode('EHLO c.example\r\nMAIL FROM:<a@b.example>\r\n'));
    while (session.nextEvent() !== null);
    let said = '';
    for (let bytes = session.nextOutput(); bytes !== null; bytes = session.nextOutput()) said += new TextDecoder().decode(bytes);
    expect(said).toMatch(/^530 /m);
  });
});

describe('listenAndServe', () => {
  const PLACE: readonly Wrong[] = [
    [{ prot: 25 }, /^there is no option prot: did you mean port\?; /],
    [{ timeout: 5 }, /^there is no option timeout: did you mean limits.commandTimeout, or another of limits\?; /],
    [{ hst: 'x' }, /^there is no option hst: did you mean host\?; /],
    [{ host: '' }, 'host is a string; it must be a string that is not empty'],
    [{ port: '25' }, 'port is "25"; it must be a whole number from 0 to 65535'],
    [{ implicitTLS: true }, /^there is no option implicitTLS: did you mean implicitTls\?; /],
    [{ implicitTls: 'yes' }, 'implicitTls is "yes"; it must be true or false'],
    [{ tls: true }, 'tls is a boolean; it must be an object'],
    [{ key: 'x', cert: 'y' }, /^there is no option key: did you mean tls.key\?; /],
  ];

  test.each(PLACE)('%j; nobody listens', async (options, message) => {
    const listen = (): Promise<never> => Promise.reject(new Error('it listens'));
    await expect(listenAndServe(listen, { ...HOST, ...options } as never, {})).rejects.toMatchObject(error(message));
    if ('hst' in options || 'implicitTLS' in options)
      expect(() => new Entrance(options as object)).toThrow(expect.objectContaining(error(message)));
  });

  test.each([
    [{ limits: { recipients: 1 } }, 'bad-limit'],
    [{ limits: { tlsTimeout: -1 } }, 'bad-limit'],
    [{ auth: { lookup: () => 'x' } }, 'bad-argument'],
    [{ preset: 'mx' }, 'missing-question'],
    [{ hostname: 'not a name' }, 'bad-hostname'],
    [{ extensions: ['BURL'] }, 'bad-extension'],
  ])('%j; nobody listens, not even for a moment', async (options, code) => {
    const listen = vi.fn(() => Promise.reject(new Error('it listens')));
    await expect(listenAndServe(listen, { ...HOST, ...options } as never, {})).rejects.toMatchObject({ name: 'SmtpUsageError', code });
    expect(listen).not.toHaveBeenCalled();
  });

  test('starttls that is undefined is offered where there are certificates', async () => {
    const listener = new MemoryListener();
    const options = { ...HOST, tls: {}, starttls: undefined } as never;
    const server = await listenAndServe(() => Promise.resolve(listener), options, {});
    const transport = listener.connect((made) => {
      made.secure = () => new Promise(() => {});
    });
    transport.send('EHLO c.example\r\n');
    expect(transport.take()).toMatch(/^250.STARTTLS\r$/m);
    transport.sink!.lost();
    await server.close();
  });
});

test.each<Wrong>([
  [{ sise: 5 }, 'there is no option sise: did you mean size?; there are size, messages, probe, idle, pace'],
  [{ maxConnections: 5 }, /^there is no option maxConnections: did you mean connections, or size of a Pool\?/],
  [{ size: '5' }, 'size is "5"; it must be a number, at least 1'],
])('Pool: %j', (options, message) => {
  expect(() => new Pool(() => Promise.reject(new Error('x')), options as object)).toThrow(expect.objectContaining(error(message)));
});

test('Pool: options of a connection in place of what opens it', () => {
  const options = { host: 'mx.example.org' } as unknown as () => Promise<never>;
  expect(() => new Pool(options)).toThrow(expect.objectContaining({ name: 'SmtpUsageError', code: 'bad-argument' }));
});

test.each([
  { connections: Number.NaN },
  { connections: 0 },
  { connections: -1 },
  { grace: Number.NaN },
  { grace: -1 },
  { handshakeTimeout: Number.NaN },
  { handshakeTimeout: 0 },
  { backlog: -1 },
  { port: 65_536 },
  { port: 2.5 },
  { mode: 0o10000 },
])('serve: %o would be no limit, or let nobody in', async (options) => {
  const wrong = expect.objectContaining({ name: 'SmtpUsageError', code: 'bad-limit' });
  if ('connections' in options || 'grace' in options)
    expect(() => serveOn(new MemoryListener(), { ...HOST, ...options }, {})).toThrow(wrong);
  if (!('grace' in options)) expect(() => new Entrance(options)).toThrow(wrong);
});

function error(message: string | RegExp): object {
  expect(SmtpUsageError).toBeDefined();
  return { name: 'SmtpUsageError', code: 'bad-option', message: typeof message === 'string' ? message : expect.stringMatching(message) };
}
