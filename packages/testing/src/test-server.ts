import { accept, type Handler, type Listener, type PresentedClaim, type ServeOptions, type ServerMechanism } from '@ehlo/driver';
import { checkOptions, didYouMean, SmtpUsageError, type TableOf } from '@ehlo/engine';
import { Builders, type On } from './builder.ts';
import { TestClock } from './clock.ts';
import type { CertificateKind } from './conversation.ts';
import { MailInbox, type Wanted } from './inbox.ts';
import { Mail } from './mail.ts';
import { type PresetName, STUB_PRESETS } from './presets.ts';
import { StubServer } from './serve-stubs.ts';
import type { StubFile } from './stub.ts';
import { type StubRecord, StubSet } from './stub-set.ts';

export interface TestServerOptions {
  /** IP address to listen on. Default 127.0.0.1. */
  readonly host?: string;
  /** TCP port. Default: any that is free. */
  readonly port?: number;
  /** The name of the server. Default mx.example.test. */
  readonly hostname?: string;
  /** Who may authenticate, and must where it is `required`; false: AUTH is not offered. Default: anybody, by any password or token. */
  readonly auth?: { readonly user: string; readonly password: string; readonly required?: boolean } | false;
  /** TLS by STARTTLS, or from the first octet, with a certificate that is made for this server (`ca`). Default: none, and STARTTLS is not offered. */
  readonly tls?: 'starttls' | 'implicit';
  /** How the server is by itself, by the name of a preset or a file of stubs: they are asked behind those of the program. Of many the last is asked first. */
  readonly preset?: PresetName | StubFile | readonly (PresetName | StubFile)[];
  /** `error`: `close` rejects where a stub of the program has never acted. Default: nothing. */
  readonly unused?: 'error';
  /** Mails and transcripts that are kept, the newest. Default 10000. */
  readonly keep?: number;
}

const OPTIONS: TableOf<TestServerOptions> = {
  host: 'text',
  port: [0, 65_535],
  hostname: 'text',
  auth: 'any',
  tls: ['starttls', 'implicit'],
  preset: 'any',
  unused: ['error'],
  keep: 'number',
};
const AUTH: TableOf<Exclude<TestServerOptions['auth'], false | undefined>> = { user: 'text', password: 'text', required: 'switch' };

/** Credentials that a server takes; `pass` is what some programs call the password. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
  readonly pass: string;
}

/** What a runtime gives to a test server. */
export interface Platform {
  /** Listens; with `names`, connections can be secured by a certificate for these. */
  listen(options: { readonly host: string; readonly port: number; readonly names: readonly string[] | null }): Promise<PlatformListener>;
  /** Mechanisms that show a password or a token. */
  readonly shown: readonly ServerMechanism[];
  /** Those that need to know the password. */
  readonly known: readonly ServerMechanism[];
  /** Writes a file that others may read; `remove` takes it away. */
  file(content: string): { readonly path: string; remove(): void };
}

export interface PlatformListener {
  readonly listener: Listener;
  /** Certificates, in PEM, of which one is right; empty without TLS. */
  readonly ca: string;
  readonly certificate?: (kind: CertificateKind) => void;
}

/** Makes the `testServer` of a runtime. */
export function testServerOn(platform: Platform): (options?: TestServerOptions) => Promise<TestServer> {
  return async (given = {}) => {
    const options = checkOptions(OPTIONS, given);
    const { host = '127.0.0.1', port = 0, hostname = 'mx.example.test', tls } = options;
    const names = tls === undefined ? null : [hostname, 'localhost'];
    return new TestServer(await platform.listen({ host, port, names }), options, platform);
  };
}

/**
 * A mail server for one test: it takes everything, does what stubs say, and keeps what it was sent. `await using mx = await testServer()` closes it at
 * the end of the block.
 */
export class TestServer {
  /** Begins a stub: `mx.on.rcpt('full@example.org').reply(452, '4.2.2', 'Mailbox full').times(1)`. */
  readonly on: On;
  /** Real time, and what `advance` has added: it drives the timers of sessions and the memory of stubs. */
  readonly clock: TestClock = new TestClock();
  readonly host: string;
  readonly port: number;
  /** `smtp://127.0.0.1:49152`, or `smtps:` with TLS from the first octet. */
  readonly url: string;
  /** A user that it takes. */
  readonly auth: Credentials;
  /** The certificate of its own, in PEM, for the `ca` of a client; empty without TLS. */
  readonly ca: string;
  readonly #stubs: StubSet = new StubSet();
  readonly #builders: Builders;
  readonly #server: StubServer;
  readonly #inbox: MailInbox;
  readonly #transcripts: (readonly string[])[] = [];
  readonly #unused: boolean;
  readonly #platform: Platform;
  #file: ReturnType<Platform['file']> | null = null;
  #failure: Error | null = null;
  #closing: Promise<void> | null = null;

  constructor({ listener, ca, certificate }: PlatformListener, options: TestServerOptions, platform: Platform) {
    const { preset = [], unused, keep = 10_000, tls, hostname = 'mx.example.test' } = options;
    this.#builders = new Builders((stub) => this.#stubs.add(stub));
    this.on = this.#builders.on;
    this.#stubs.preset(...[preset].flat().map(fileOf));
    this.#unused = unused === 'error';
    this.#platform = platform;
    this.#inbox = new MailInbox(keep, (empty) => this.#lastWords(empty));
    const { address, port } = listener.address;
    this.host = address;
    this.port = port;
    this.url = `${tls === 'implicit' ? 'smtps' : 'smtp'}://${address.includes(':') ? `[${address}]` : address}:${port}`;
    this.ca = ca;
    const { auth, credentials } = authOf(options, platform);
    this.auth = credentials;
    const serving: ServeOptions = { hostname, preset: 'sink', trace: true, starttls: tls === 'starttls' ? 'offered' : 'off', ...auth };
    this.#server = new StubServer(listener, serving, {
      stubs: this.#stubs,
      clock: this.clock,
      certificate,
      implicitTls: tls === 'implicit',
      handler: (transcript) => this.#connected(transcript, keep),
      failed: (error) => this.#fail(error),
    });
  }

  /** A file with `ca`, for programs that want one; it is taken away by `close`. */
  get caFile(): string {
    this.#file ??= this.#platform.file(this.ca);
    return this.#file.path;
  }

  /** All mails that it has taken, the oldest first. */
  get mails(): readonly Mail[] {
    return this.#inbox.mails;
  }

  /** All stubs, the newest first, and how often each has acted. */
  get stubs(): readonly StubRecord[] {
    return this.#stubs.list;
  }

  /** What was said on each connection, the oldest first. */
  get transcripts(): readonly (readonly string[])[] {
    return this.#transcripts.map((lines) => [...lines]);
  }

  /**
   * The oldest mail that fits and was not given before; else it waits for one. Rejects with `NoMailError`, which says what did come, when
   * `within` milliseconds are over, and when the server is closed.
   */
  next(wanted: Wanted = {}): Promise<Mail> {
    const mail = this.#inbox.next(wanted);
    // A test that has failed before it looked at this has its own words for that.
    mail.catch(() => {});
    return mail;
  }

  /** Forgets all mails and transcripts so far; stubs stay. */
  forget(): void {
    this.#inbox.forget();
    this.#transcripts.length = 0;
  }

  /** Cuts off all clients, and takes no more. Rejects if what was to happen could not, or with `unused: 'error'` has not. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#inbox.fail(this.#failure ?? new Error('the test server is closed'));
    await this.#server.close();
    this.#file?.remove();
    this.#builders.check();
    if (this.#failure !== null) throw this.#failure;
    const idle = this.#unused ? this.#stubs.list.filter(({ from, fired }) => from === 'program' && fired === 0) : [];
    if (idle.length > 0) throw new Error(['these stubs have never acted:', ...idle.map(({ stub }) => `  ${described(stub)}`)].join('\n'));
  }

  #connected(transcript: readonly string[], keep: number): Handler {
    this.#transcripts.push(transcript);
    if (this.#transcripts.length > keep) this.#transcripts.shift();
    this.#builders.check();
    return {
      message: async ({ envelope, body }, session) => {
        this.#inbox.add(new Mail(await body.bytes(), envelope, session, transcript));
        return accept({ text: 'Message accepted' });
      },
      error: (error) => this.#fail(error),
    };
  }

  /** Nobody waits for what can't come any more. */
  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
    this.#inbox.fail(this.#failure);
  }

  /** What the last connections were refused, and, where no mail came, how they have ended. */
  #lastWords(empty: boolean): string[] {
    const last = this.#transcripts.slice(-3);
    if (last.length === 0) return ['  nobody has connected'];
    if (!empty) return last.flatMap(refusals).map((refusal) => `  a connection was told ${refusal}`);
    return last.map((lines) => {
      const said = refusals(lines.slice(0, -2));
      return `  a connection ended with ${lines.slice(-2).join(' | ')}${said.length === 0 ? '' : `; before, it was told ${said.join(', ')}`}`;
    });
  }
}

/** What of a transcript was refused: the replies, and the commands that they answer. */
function refusals(lines: readonly string[]): string[] {
  const asked: string[] = [];
  const found: string[] = [];
  for (const line of lines) {
    if (line.startsWith('C: ')) asked.push(line.startsWith('C: [') ? 'the message' : line.slice(3));
    // RFC 5321 4.2.1: a hyphen says that more lines follow.
    if (!line.startsWith('S: ') || line[6] === '-') continue;
    const command = asked.shift() ?? 'the connection';
    if (/^S: [45]/.test(line)) found.push(`${line.slice(3)} to ${command}`);
  }
  return found;
}

/** What is offered of AUTH, and whom it takes. */
function authOf(
  { auth }: TestServerOptions,
  { shown, known }: Platform,
): { readonly auth: Pick<ServeOptions, 'auth'>; readonly credentials: Credentials } {
  const given = auth === undefined || auth === false ? undefined : checkOptions(AUTH, auth, {}, 'auth');
  if (given !== undefined && (given.user === undefined || given.password === undefined))
    throw new SmtpUsageError('bad-option', 'auth is a user and a password that are taken: auth: { user, password }');
  const { user = 'tester', password = 'secret', required = false } = given ?? {};
  const credentials = { user, password, pass: password };
  if (auth === false) return { auth: {}, credentials };
  const all = given === undefined ? shown : [...known, ...shown];
  const mine = (claim: PresentedClaim): boolean =>
    given === undefined ||
    (claim.type === 'token'
      ? claim.user === user && claim.token.expose() === password
      : claim.type === 'password' && claim.user === user && claim.password.expose() === password);
  return {
    auth: {
      auth: {
        mechanisms: all,
        inClear: true,
        required,
        verify: mine,
        ...(given === undefined ? {} : { lookup: (name: string) => (name === user ? password : null) }),
      },
    },
    credentials,
  };
}

/** The file that a name stands for. */
function fileOf(preset: PresetName | StubFile): StubFile {
  if (typeof preset !== 'string') return preset;
  const names = Object.keys(STUB_PRESETS);
  if (Object.hasOwn(STUB_PRESETS, preset)) return STUB_PRESETS[preset];
  throw new SmtpUsageError('bad-option', `there is no preset ${preset}${didYouMean(preset, names, '')}; there are ${names.join(', ')}`);
}

function described(stub: object): string {
  return JSON.stringify(stub, (_, value: unknown) => (value instanceof RegExp || typeof value === 'function' ? String(value) : value));
}
