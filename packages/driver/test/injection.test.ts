// A failure is injected at every place where the driver calls or awaits somebody else, in turn: programs that throw, reject or never come back,
// transports that break, clients that give up, servers that close. Nothing hangs, nothing is left, and each recipient has one outcome.
import { CHUNKING } from '@ehlo/engine';
import { plain } from '@ehlo/sasl';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ClientError, connectOn, type Handler, type SendResult, type Server, serveOn } from '../src/index.ts';
import { Link, type LinkEnd, LinkListener } from './link.ts';

/** What a failure is. */
const KINDS = ['throws', 'rejects', 'never comes back', 'breaks', 'client aborts', 'server closes'] as const;
type Kind = (typeof KINDS)[number];

const TLS = { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', servername: 'mx.example', peerCertificate: { authorized: true } };
const RECIPIENTS = ['ann@b.example', 'bob@b.example'];
const PARTS = ['one\r\n', '.two\r\n', 'three\r\n'];

/** One run of a whole conversation, with one failure in it. */
class Run {
  readonly link: Link = new Link({ chunks: [65_536], breaks: Number.POSITIVE_INFINITY, room: 65_536 });
  /** What was stored for each recipient. */
  readonly stored: Map<string, string> = new Map();
  readonly #controller: AbortController = new AbortController();
  readonly #at: number;
  readonly #kind: Kind;
  server!: Server;
  calls = 0;

  constructor(at: number, kind: Kind) {
    this.#at = at;
    this.#kind = kind;
    for (const end of [this.link.client, this.link.server]) this.#watch(end);
  }

  /** A place where something else is called. What it does instead of coming back, if it is its turn. */
  #place<T>(act: () => T, isOurs: boolean): T {
    if (this.calls++ !== this.#at) return act();
    switch (this.#kind) {
      case 'breaks':
        this.link.break();
        return act();
      case 'client aborts':
        this.#controller.abort();
        return act();
      case 'server closes':
        void this.server.close();
        return act();
      default:
        // A transport that throws is no transport.
        if (isOurs) return act();
        if (this.#kind === 'throws') throw new Error('injected');
        return (this.#kind === 'rejects' ? Promise.reject(new Error('injected')) : new Promise(() => {})) as T;
    }
  }

  #watch(end: LinkEnd): void {
    for (const name of ['start', 'write', 'pause', 'resume', 'close'] as const) {
      const call = end[name].bind(end) as (...given: never[]) => unknown;
      Object.assign(end, { [name]: (...given: never[]) => this.#place(() => call(...given), true) });
    }
    Object.assign(end, {
      secure: () => {
        end.pause();
        return this.#place(() => Promise.resolve(TLS), false);
      },
    });
  }

  #called<Given extends readonly unknown[], T>(act: (...given: Given) => T): (...given: Given) => T {
    return (...given) => this.#place(() => act(...given), false);
  }

  serve(listener: LinkListener): Server {
    const yes = this.#called(() => true as const);
    const handler: Handler = {
      connect: yes,
      hello: yes,
      mail: yes,
      rcpt: yes,
      data: yes,
      message: this.#called(async ({ body, envelope }) => {
        const parts: string[] = [];
        for await (const bytes of body) {
          await this.#place(() => Promise.resolve(), false);
          parts.push(Buffer.from(bytes).toString('latin1'));
        }
        await this.#place(() => Promise.resolve(), false);
        for (const { forwardPath } of envelope.recipients) this.stored.set(forwardPath.address, parts.join(''));
        return true;
      }),
      notice: this.#called(() => undefined),
      error: this.#called(() => undefined),
    };
    const auth = { mechanisms: [plain()].flat(), lookup: this.#called((user: string) => (user === 'joe' ? 'pencil' : null)) };
    this.server = serveOn(
      listener,
      { hostname: 'mx.example', preset: 'mx', grace: 0, starttls: 'offered', auth },
      handler,
      () => undefined,
    );
    return this.server;
  }

  async send(chunking: boolean): Promise<SendResult | null> {
    const place = this.#called(() => Promise.resolve());
    async function* message(): AsyncGenerator<string> {
      for (const part of PARTS) {
        await place();
        yield part;
      }
    }
    const options = {
      starttls: 'required',
      auth: { mechanisms: [plain()].flat(), user: 'joe', password: 'pencil' },
      signal: this.#controller.signal,
      notice: this.#called(() => undefined),
      ...(chunking ? { features: [CHUNKING] } : {}),
    } as const;
    try {
      const client = await connectOn(this.link.client, options, { host: 'mx.example' }, () => undefined);
      const result = await client.send({ reversePath: 'joe@a.example', recipients: RECIPIENTS }, message());
      await client.close();
      return result;
    } catch (error) {
      expect(error).toBeInstanceOf(ClientError);
      return null;
    }
  }
}

/** Lets all happen that can, and time pass where nothing does. Nothing waits longer than half an hour in all. */
async function settled<T>(promise: Promise<T>): Promise<T> {
  let done = false;
  void promise.then(
    () => {
      done = true;
    },
    () => {
      done = true;
    },
  );
  for (let minutes = 0; !done; minutes++) {
    for (let i = 0; i < 30 && !done; i++) await new Promise((resolve) => setImmediate(resolve));
    if (done) break;
    expect(minutes, 'it hangs').toBeLessThan(60);
    await vi.advanceTimersByTimeAsync(60_000);
  }
  return promise;
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] }));
afterEach(() => void vi.useRealTimers());

async function run(at: number, kind: Kind, chunking: boolean): Promise<number> {
  const one = new Run(at, kind);
  const listener = new LinkListener();
  const server = one.serve(listener);
  const sending = one.send(chunking);
  listener.bring(one.link);
  const result = await settled(sending);
  await settled(server.close());
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
  await vi.advanceTimersByTimeAsync(60_000);
  const name = `${kind} at ${at}`;
  expect([server.connections, server.lingering, vi.getTimerCount()], `${name}: what is left`).toEqual([0, 0, 0]);
  if (result !== null) {
    expect(
      result.outcomes.map(({ recipient }) => recipient),
      name,
    ).toEqual(RECIPIENTS);
    for (const { recipient, status } of result.outcomes) {
      if (status === 'accepted') expect(one.stored.get(recipient), name).toBe(PARTS.join(''));
      else if (status !== 'unknown') expect(one.stored.get(recipient), name).toBe(undefined);
    }
  } else expect(one.stored.size, name).toBe(0);
  return one.calls;
}

describe.each([
  ['DATA', false],
  ['BDAT', true],
] as const)('a message by %s', (_, chunking) => {
  test.each(KINDS)('somebody %s, at every place', async (kind) => {
    const places = await run(-1, kind, chunking);
    expect(places).toBeGreaterThan(30);
    for (let at = 0; at < places; at++) await run(at, kind, chunking);
  });
});
