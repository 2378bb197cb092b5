// STARTTLS over Web streams, as sockets of Cloudflare's Workers have it: `startTls` wants its streams back, and gives new ones.
import { plain } from '@ehlo/sasl';
import { describe, expect, test, vi } from 'vitest';
import { type Client, connectOn, fromStreams, type Handler, serveOn, type Transport, VERIFIED_TLS, type WebStreams } from '../src/index.ts';
import { taking } from './memory.ts';
import { turns } from './scripted.ts';

const octets = (text: string): Uint8Array => new TextEncoder().encode(text);

/** One of two ends; `startTls` gives the end of another pair, as the socket of a Worker does. */
class Socket implements WebStreams {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  opened: Promise<unknown> = Promise.resolve();
  secured: Socket | null = null;

  constructor(readable: ReadableStream<Uint8Array>, writable: WritableStream<Uint8Array>) {
    this.readable = readable;
    this.writable = writable;
  }

  static pair(): readonly [Socket, Socket] {
    const [up, down] = [new TransformStream<Uint8Array, Uint8Array>(), new TransformStream<Uint8Array, Uint8Array>()];
    const pair = [new Socket(down.readable, up.writable), new Socket(up.readable, down.writable)] as const;
    return pair;
  }

  /** Workers: a socket whose streams are locked can't become another. */
  startTls(): Socket {
    if (this.readable.locked || this.writable.locked) throw new TypeError('the streams are locked');
    return this.secured!;
  }
}

/** Two ends that become secure by two others. */
function securable(): { readonly client: Socket; readonly server: Socket; readonly secure: readonly [Socket, Socket] } {
  const [client, server] = Socket.pair();
  const secure = Socket.pair();
  [client.secured, server.secured] = secure;
  return { client, server, secure };
}

const over = (socket: Socket): Transport => fromStreams(socket, { startTls: () => ({ streams: socket.startTls(), tls: VERIFIED_TLS }) });

function serving(server: Socket, handler: Handler, options: object = {}): ReturnType<typeof serveOn> {
  const listener = {
    address: { address: '', port: 0 },
    accept: (connected: (transport: Transport) => void) => connected(over(server)),
    close: () => Promise.resolve(),
  };
  return serveOn(listener, { hostname: 'mx.example.org', preset: 'sink', starttls: 'offered', ...options }, handler);
}

const ENVELOPE = { reversePath: 'joe@client.example', recipients: ['ann@example.org'] };

describe('both sides', () => {
  test('a message by STARTTLS, with credentials; in clear goes no more than STARTTLS', async () => {
    const { client, server } = securable();
    const told: string[] = [];
    const handler: Handler = {
      secured: (tls, session) => void told.push(`secured ${tls === VERIFIED_TLS} ${session.hello}`),
      async message({ body }, { protocol, identity }) {
        told.push(`${(await body.bytes()).length} ${protocol} ${identity}`);
        return true;
      },
    };
    const auth = { mechanisms: [plain()], lookup: () => 'pencil' };
    const serve = serving(server, handler, { auth });
    const heard = vi.fn();
    const mine = { user: 'joe', password: 'pencil', mechanisms: [plain()] };
    const connected = await connectOn(over(client), { starttls: 'required', auth: mine, trace: true, notice: heard });
    const { outcomes } = await connected.send(ENVELOPE, `Subject: x\r\n\r\n${'line\r\n'.repeat(50_000)}`);
    expect(outcomes[0]!.status).toBe('accepted');
    await connected.close();
    await serve.close();
    expect(told).toEqual(['secured true null', '300014 ESMTPSA joe']);
    const lines = heard.mock.calls.map(([{ from, line }]) => `${from} ${line}`).filter((line) => line.startsWith('client'));
    expect(lines.slice(0, 3)).toEqual([expect.stringMatching(/^client EHLO /), 'client STARTTLS', expect.stringMatching(/^client EHLO /)]);
  });

  test('where the server has to think first, the reads that wait are given up', async () => {
    const { client, server } = securable();
    const starttls = async (): Promise<true> => {
      await turns();
      return true;
    };
    const serve = serving(server, { starttls, message: taking });
    const connected = await connectOn(over(client), { starttls: 'required' });
    expect((await connected.send(ENVELOPE, 'x\r\n')).outcomes[0]!.status).toBe('accepted');
    await connected.close();
    await serve.close();
  });
});

/** A server in clear, by hand: it has said 220 to STARTTLS, and these octets with it or behind. */
async function toldReady(server: Socket, along = '', behind = ''): Promise<void> {
  const [reader, writer] = [server.readable.getReader(), server.writable.getWriter()];
  await writer.write(octets('220 mx.example\r\n'));
  await reader.read();
  await writer.write(octets('250-mx.example\r\n250 STARTTLS\r\n'));
  await reader.read();
  await writer.write(octets(`220 go on\r\n${along}`));
  if (behind !== '') await writer.write(octets(behind)).catch(() => {});
}

/** What becomes of what the other end says: a socket that was left takes nothing. */
function fate(socket: Socket): Promise<string> {
  const write = socket.writable.getWriter().write(octets('220'));
  return write.then(
    () => 'taken',
    () => 'closed',
  );
}

describe('a client', () => {
  const connecting = (socket: Socket, signal?: AbortSignal): Promise<Client> =>
    connectOn(over(socket), { starttls: 'required', ...(signal === undefined ? {} : { signal }) });

  test('whose handshake fails is told why, and leaves nothing open', async () => {
    const { client, server, secure } = securable();
    const failure = new Error('certificate not valid for name');
    client.secured!.opened = Promise.reject(failure);
    client.secured!.opened.catch(() => {});
    const [connected] = [connecting(client), toldReady(server)];
    await expect(connected).rejects.toMatchObject({ code: 'tls-failed', cause: failure });
    expect(await fate(secure[1])).toBe('closed');
  });

  test('takes no octets that came in clear along with the 220', async () => {
    const { client, server } = securable();
    const startTls = vi.spyOn(client, 'startTls');
    const [connected] = [connecting(client), toldReady(server, '250 STARTTLS\r\n')];
    await expect(connected).rejects.toMatchObject({ stage: expect.stringMatching(/^(?:tls|hello|starttls)$/) });
    expect(startTls).not.toHaveBeenCalled();
  });

  test('that gives up within the handshake closes what it would have gone on with', async () => {
    const { client, server, secure } = securable();
    client.secured!.opened = new Promise(() => {});
    const controller = new AbortController();
    const [connected] = [connecting(client, controller.signal), toldReady(server)];
    await vi.waitFor(() => expect(client.secured!.readable.locked).toBe(true));
    controller.abort(new Error('enough'));
    await expect(connected).rejects.toThrow();
    expect(await fate(secure[1])).toBe('closed');
  });
});

describe('octets in clear', () => {
  test('that a read had waited for break the handshake', async () => {
    const { client, server } = securable();
    const transport = over(client);
    const heard: string[] = [];
    const sink = { data: (bytes: Uint8Array) => void heard.push(new TextDecoder().decode(bytes)), end() {}, lost() {}, drained() {} };
    transport.start(sink);
    const writer = server.writable.getWriter();
    await writer.write(octets('one'));
    await vi.waitFor(() => expect(heard).toEqual(['one']));
    // The read that waits for them is there already.
    const written = writer.write(octets('two'));
    const secured = transport.secure!();
    await expect(secured).rejects.toThrow(/octets in clear/);
    await written.catch(() => {});
    expect(heard).toEqual(['one']);
  });

  test('that were kept back break it, too', async () => {
    const { client, server } = securable();
    const transport = over(client);
    const heard: Uint8Array[] = [];
    transport.start({ data: (bytes) => void heard.push(bytes), end() {}, lost() {}, drained() {} });
    await turns();
    transport.pause();
    await server.writable.getWriter().write(octets('early'));
    await turns();
    await expect(transport.secure!()).rejects.toThrow(/octets in clear/);
    expect(heard).toEqual([]);
  });
});

test('without startTls there is no STARTTLS', () => {
  const [client] = Socket.pair();
  expect(fromStreams(client).secure).toBeUndefined();
});

test('a stream may take over what it is given: the next replies are whole', async () => {
  let taken = (_: Uint8Array): void => {};
  const shown = new ReadableStream({
    type: 'bytes',
    start(controller) {
      // WHATWG Streams: a stream of octets transfers the buffer.
      taken = (chunk) => controller.enqueue(chunk);
    },
  });
  const writable = new WritableStream<Uint8Array>({ write: (chunk) => taken(chunk) });
  const { readable, writable: client } = new TransformStream<Uint8Array, Uint8Array>();
  const listener = {
    address: { address: '', port: 0 },
    accept: (connected: (transport: Transport) => void) => connected(fromStreams({ readable, writable })),
    close: () => Promise.resolve(),
  };
  serveOn(listener, { hostname: 'mx.example.org', preset: 'sink' }, {});
  let said = '';
  const reading = (async () => {
    for await (const chunk of shown) said += new TextDecoder().decode(chunk);
  })();
  const writer = client.getWriter();
  await writer.write(octets('EHLO c.example\r\n'));
  for (let count = 1; count <= 3; count++) {
    await writer.write(octets('MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nRSET\r\n'));
    await vi.waitFor(() => expect(said.match(/^250 2\./gm)?.length).toBe(3 * count));
  }
  reading.catch(() => {});
  await writer.close();
});

test('a connection that fails is told once: nothing is left unheard of `opened`', async () => {
  const [client, server] = Socket.pair();
  const failure = new Error('refused');
  client.opened = Promise.reject(failure);
  await server.writable.abort(failure);
  await expect(connectOn(fromStreams(client), { hostname: 'c.example' })).rejects.toMatchObject({ code: 'lost', cause: failure });
  await turns();
});
