// Servers on loopback, ours and others, and the orders that lead to them.
import { createServer, type Socket, type Server as TcpServer } from 'node:net';
import type { DeliveryOutcome, OpenOrder, Target, TlsDemand, Transaction } from '@ehlo/delivery';
import { connect, type Handler, type ServeOptions, type Server, type Session, serve } from '@ehlo/node';
import { onTestFinished } from 'vitest';
import { type OutboundOptions, outbound } from '../../src/outbound/index.ts';
import type { RemoteSession } from '../../src/runner/index.ts';
import { certificate, type Made } from './certificates.ts';

export const HOST = 'mx.example.net';
export const root: Made = certificate({ subject: 'root', ca: true });
export const own: Made = certificate({ subject: HOST, names: [HOST], issuer: root });

export interface Taken {
  readonly reversePath: string;
  readonly parameters: object;
  readonly recipients: readonly { readonly address: string; readonly parameters: object }[];
  readonly text: string;
  readonly hello: string;
  readonly tls: string | null;
  readonly identity: string | null;
  readonly peer: string;
}

/** A server of ours that keeps what it takes. */
export async function mx(
  options: Partial<ServeOptions> = {},
  handler: Handler = {},
): Promise<{ port: number; taken: Taken[]; server: Server }> {
  const taken: Taken[] = [];
  const server = await serve(
    { port: 0, hostname: HOST, preset: 'sink', grace: 0, ...options },
    {
      async message({ envelope, body }, session) {
        const text = new TextDecoder().decode(await body.bytes());
        taken.push(takenOf(envelope, session, text));
        return true;
      },
      ...handler,
    },
  );
  onTestFinished(() => server.close());
  return { port: server.address.port, taken, server };
}

type Envelope = NonNullable<Session['envelope']>;

function takenOf({ reversePath, parameters, recipients }: Envelope, { hello, tls, identity, peer }: Session, text: string): Taken {
  return {
    reversePath: reversePath?.address ?? '',
    parameters,
    recipients: recipients.map(({ forwardPath, parameters: said }) => ({ address: forwardPath.address, parameters: said })),
    text,
    hello: hello?.name ?? '',
    tls: tls?.servername ?? null,
    identity,
    peer: peer.address,
  };
}

/** A server that says what it is told to: `talk` gets the socket, and lines one after the other. */
export async function hostile(talk: (socket: Socket, line: () => Promise<string>) => Promise<void>): Promise<number> {
  const sockets = new Set<Socket>();
  const server: TcpServer = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    void talk(socket, lines(socket)).then(
      () => socket.end(),
      () => socket.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

/** The next line of what comes; rejects when nothing comes any more. */
function lines(socket: Socket): () => Promise<string> {
  let text = '';
  let isOver = false;
  let wake = (): void => {};
  socket.setEncoding('latin1');
  socket.on('data', (more) => {
    text += more;
    wake();
  });
  socket.on('close', () => {
    isOver = true;
    wake();
  });
  return async () => {
    for (;;) {
      const end = text.indexOf('\r\n');
      if (end !== -1) {
        const line = text.slice(0, end);
        text = text.slice(end + 2);
        return line;
      }
      if (isOver) throw new Error('over');
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
}

export const LOOSE: TlsDemand = {
  mode: 'opportunistic',
  names: [HOST],
  tlsa: [],
  least: null,
  requireTls: false,
  testing: false,
  because: 'no-policy',
};

export function demand(mode: TlsDemand['mode'], more: Partial<TlsDemand> = {}): TlsDemand {
  return { ...LOOSE, mode, ...more };
}

export function order(port: number, tls: TlsDemand = LOOSE, more: Partial<Target> & { source?: string } = {}): OpenOrder {
  const { source, ...target } = more;
  return {
    type: 'open',
    id: 1,
    target: { host: HOST, address: '127.0.0.1', port, protocol: 'smtp', ...target },
    tls,
    ...(source === undefined ? {} : { source }),
  };
}

export const OPTIONS: OutboundOptions = { connect, hostname: 'out.example.org', ca: root.cert };

export async function tryOpen(
  given: OpenOrder,
  options: Partial<OutboundOptions> = {},
  signal = new AbortController().signal,
): ReturnType<ReturnType<typeof outbound>['open']> {
  const opened = await outbound({ ...OPTIONS, ...options }).open(given, signal);
  if ('opened' in opened) onTestFinished(() => opened.close());
  return opened;
}

/** A session; throws where there is none. */
export async function open(given: OpenOrder, options: Partial<OutboundOptions> = {}): Promise<RemoteSession> {
  const opened = await tryOpen(given, options);
  if (!('opened' in opened)) throw new Error(`${opened.stage}: ${opened.text}`);
  return opened;
}

export function transaction(addresses: readonly string[], more: Partial<Transaction> = {}): Transaction {
  const recipients = addresses.map((address, index) => ({ job: 'j', index, address, parameters: {} }));
  return { reversePath: 'ann@example.org', parameters: {}, recipients, convert: false, ...more };
}

export const TEXT = 'Subject: hello\r\n\r\n.text\r\n';

/** Content that may be read again, and again. */
export function content(text: string = TEXT): AsyncIterable<Uint8Array> {
  return {
    async *[Symbol.asyncIterator]() {
      yield Buffer.from(text);
    },
  };
}

/** Content that breaks off. */
export async function* broken(text: string = TEXT): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
  throw new Error('not written down');
}

/** What became of each, in a word. */
export function words(outcomes: readonly DeliveryOutcome[]): readonly string[] {
  return outcomes.map((one) => [one.status, one.reply?.code].filter((part) => part !== undefined).join(' '));
}
