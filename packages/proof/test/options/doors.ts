// How each section of options is given to its function, with what else that needs. A value that the table leaves to whoever uses it is wrong in a way
// of its own: here it stands with what is said of it.
import { type Client, connectOn, type Handler, Pool, reject, serveOn } from '../../../driver/src/index.ts';
import { MemoryListener } from '../../../driver/test/memory.ts';
import { ScriptedServer } from '../../../driver/test/scripted.ts';
import { CLIENT_LIMITS, ClientSession, LIMITS, ServerSession } from '../../../engine/src/index.ts';
import { PARAMETERS } from '../../../grammar/src/index.ts';
import { parseProxy } from '../../../grammar/src/proxy.ts';
import { connect, serve } from '../../../node/src/index.ts';
import { SERVER } from '../../../node/test/tls-wire.ts';
import { oauthBearer, plain, scram, scramKeys } from '../../../sasl/src/index.ts';

/** Gives options, of which one is wrong; throws or rejects with what is said of it. */
export interface Door {
  /** Where the options stand, as an error says it: `limits.`. */
  readonly path: string;
  give(options: object): unknown;
  /** What is wrong for a row of kind `any`, `given` or of none, and what is said of it. */
  readonly wrong?: { readonly [name: string]: readonly [value: unknown, said: string | RegExp] };
  /** Whether the errors are not `SmtpUsageError`s: of what knows nothing of SMTP. */
  readonly foreign?: true;
}

const HOST = { hostname: 'mx.example.org', preset: 'sink' } as const;
const NONE: Handler = {};
const lookup = (): string => 'pencil';
const NOT_PEM = /^tls\.\w+ is a number: give what the file holds/;
const ADDRESS = 'a number; it must be a text, a mailbox, or a localPart and a domain';

const serveWith = (options: object): unknown => serve({ ...HOST, ...options } as never, NONE);
const connectWith = (options: object): unknown => connect({ port: 1, ...options } as never);
const MECHANISMS = /^auth.mechanisms is a number; it must be a list of mechanisms, such as \[scram\(\), plain\(\)\]$/;
const given = (name: string, kinds: string): readonly [number, string] => [5, `auth.${name} is a number; it must be ${kinds}`];

async function send(given: (client: Client) => unknown): Promise<void> {
  const client = await connectOn(new ScriptedServer(), { parameters: PARAMETERS });
  try {
    await given(client);
  } finally {
    client.abort();
  }
}

const nobody = (): Promise<Client> => Promise.reject(new Error('it opens'));

const ENVELOPE = { reversePath: 'a@b.example', recipients: ['c@d.example'] };

/** For each limit the number below its least, and what is said of that. */
function tooSmall<T>(
  limits: { readonly [name: string]: T },
  wrong: (limit: T, name: string) => readonly [number, string],
): NonNullable<Door['wrong']> {
  return Object.fromEntries(Object.entries(limits).map(([name, limit]) => [name, wrong(limit, name)]));
}

export const DOORS: { readonly [title: string]: Door } = {
  serve: {
    path: '',
    give: serveWith,
    wrong: {
      hostname: [5, /^hostname must be a domain name or an address literal .*, not 5$/],
      proxy: [5, 'proxy is a number; it must be parseProxy, or { read: parseProxy, peers }'],
    },
  },
  'serve: auth': {
    path: 'auth.',
    give: (auth) => serveWith({ auth: { mechanisms: [plain()], lookup, ...auth } }),
  },
  'serve: limits': {
    path: 'limits.',
    give: (limits) => serveWith({ limits }),
    wrong: tooSmall(LIMITS, ({ least, unit, source }, name) => [
      least - 1,
      `limits.${name} is ${least - 1}; it must be a whole number of ${unit}, at least ${least} (${source})`,
    ]),
  },
  'serve: smallLimits': {
    path: 'smallLimits.',
    give: (smallLimits) => serveWith({ smallLimits }),
    wrong: tooSmall(LIMITS, ({ least, unit }, name) => [
      -1,
      `smallLimits.${name} is -1; it must be a whole number of ${unit}, at least ${Math.min(least, 1)} (ours)`,
    ]),
  },
  'serve: tls': {
    path: 'tls.',
    give: (tls) => serveWith({ tls: { ...SERVER, ...tls } }),
    wrong: { key: [5, NOT_PEM], cert: [5, NOT_PEM], ca: [5, NOT_PEM] },
  },
  'serve: tls.certificates': {
    path: 'tls.certificates.0.',
    give: (certificate) => serveWith({ tls: { ...SERVER, certificates: [{ ...SERVER, ...certificate }] } }),
    wrong: { key: [5, /^tls\.certificates\.0\.key is a number: /], cert: [5, /^tls\.certificates\.0\.cert is a number: /] },
  },
  'serve: proxy': {
    path: 'proxy.',
    give: (proxy) => serveWith({ proxy: { read: parseProxy, ...proxy } }),
    wrong: { peers: [5, 'proxy.peers is a number; it must be a list of addresses and networks, or a function'] },
  },
  'serve: trusted': { path: 'trusted.', give: (trusted) => serveWith({ trusted }) },
  'serve: futureRelease': {
    path: 'futureRelease.',
    give: (one) => serveWith({ futureRelease: { seconds: 5, until: '2030-01-01T00:00:00Z', ...one } }),
  },
  'serve: mtPriority': { path: 'mtPriority.', give: (mtPriority) => serveWith({ mtPriority }) },
  'server.close': { path: '', give: (options) => serveOn(new MemoryListener(), HOST, NONE).close(options) },
  reject: {
    path: '',
    give: (options) => reject(550, '5.1.1', 'no such user', options),
    wrong: { delay: ['5', 'a reply can be held back for 0 to 240000 milliseconds, not 5'] },
  },
  command: { path: '', give: (options) => send((client) => client.command('VRFY', 'x', options)) },
  serveOn: {
    path: '',
    give: (options) => serveOn(new MemoryListener(), { ...HOST, ...options } as never, NONE),
    wrong: { hostname: [5, /^hostname must be a domain name/] },
  },
  ServerSession: {
    path: '',
    give: (options) => new ServerSession({ ...HOST, ...options }),
    wrong: { hostname: ['', /^hostname must be a domain name/] },
  },
  'ServerSession: auth': {
    path: 'auth.',
    give: (auth) => new ServerSession({ ...HOST, ask: ['auth'], auth: { mechanisms: ['PLAIN'], ...auth } }),
  },
  connect: { path: '', give: connectWith, wrong: { hostname: [5, /^hostname must be a domain name or an address literal .*, not 5$/] } },
  'connect: auth': {
    path: 'auth.',
    give: (auth) => connectWith({ auth: { mechanisms: [plain()], user: 'joe', password: 'pencil', ...auth } }),
    wrong: {
      mechanisms: [5, MECHANISMS],
      user: given('user', 'a string'),
      authzid: given('authzid', 'a string'),
      password: given('password', 'a string or a Secret'),
      token: given('token', 'a string, a Secret or a function'),
    },
  },
  'connect: limits': {
    path: 'limits.',
    give: (limits) => connectWith({ limits }),
    wrong: tooSmall(CLIENT_LIMITS, (_, name) => [
      name === 'rate' ? -1 : 0,
      name === 'rate'
        ? 'limits.rate is -1; it must be a whole number, at least 0'
        : `limits.${name} is 0; it must be a whole number, at least 1`,
    ]),
  },
  'connect: tls': {
    path: 'tls.',
    give: (tls) => connectWith({ tls }),
    wrong: { key: [5, NOT_PEM], cert: [5, NOT_PEM], ca: [5, NOT_PEM] },
  },
  connectOn: {
    path: '',
    give: (options) => connectOn(new ScriptedServer(), options),
    wrong: { hostname: [5, /^hostname must be a domain name/] },
  },
  ClientSession: {
    path: '',
    give: (options) => new ClientSession({ hostname: 'c.example', ...options }),
    wrong: { hostname: [undefined, /^hostname must be a domain name or an address literal .*, not undefined$/] },
  },
  Pool: { path: '', give: (options) => new Pool(nobody, options) },
  'Pool: pace': { path: 'pace.', give: (pace) => new Pool(nobody, { pace: { messages: 5, within: 1000, ...pace } }) },
  'pool.close': { path: '', give: (options) => new Pool(nobody).close(options) },
  send: { path: '', give: (options) => send((client) => client.send(ENVELOPE, 'x', options)) },
  'send: envelope': {
    path: 'envelope.',
    give: (envelope) => send((client) => client.send({ ...ENVELOPE, ...envelope } as never, 'x')),
    wrong: { reversePath: [5, `envelope.reversePath is ${ADDRESS}`] },
  },
  'send: envelope.recipients': {
    path: 'envelope.recipients.1.',
    give: (one) =>
      send((client) => client.send({ ...ENVELOPE, recipients: ['c@d.example', { forwardPath: 'e@f.example', ...one }] } as never, 'x')),
    wrong: { forwardPath: [5, `envelope.recipients.1.forwardPath is ${ADDRESS}`] },
  },
  'send: parameters of MAIL': {
    path: 'parameters.',
    give: (parameters) => send((client) => client.send({ ...ENVELOPE, parameters } as never, 'x')),
  },
  'send: parameters of RCPT': {
    path: 'parameters.',
    give: (parameters) =>
      send((client) => client.send({ ...ENVELOPE, recipients: [{ forwardPath: 'c@d.example', parameters }] } as never, 'x')),
  },
  'send: facts': { path: 'facts.', give: (facts) => send((client) => client.send(ENVELOPE, 'x', { facts })) },
  scram: {
    path: '',
    give: (options) => scram(undefined, options),
    foreign: true,
    wrong: {
      iterations: [0.5, 'iterations is 0.5; it must be a whole number from 1 to 10000000'],
      accepted: [5, 'accepted is 5; it must be two whole numbers, the least and the most'],
    },
  },
  scramKeys: {
    path: '',
    give: (options) => scramKeys('pencil', { salt: new Uint8Array(16), ...options }),
    foreign: true,
    wrong: {
      salt: ['x', 'salt is a string; it must be octets, at least one'],
      iterations: [0, 'iterations is 0; it must be a whole number from 1 to 10000000'],
      hash: ['SHA-256', 'hash is a string; it must be SHA1, SHA256 or SHA512, imported'],
    },
  },
  'oauthBearer, xoauth2': {
    path: '',
    give: (options) => oauthBearer(options),
    foreign: true,
    wrong: {
      scope: [5, 'scope is 5; it must be a string'],
      openidConfiguration: [5, 'openidConfiguration is 5; it must be a string'],
    },
  },
};
