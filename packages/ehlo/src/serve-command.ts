import { hostname } from 'node:os';
import { type Listener, type Server, serveOn } from '@ehlo/driver';
import { formatAddressLiteral, formatPath, isHostName } from '@ehlo/grammar';
import { formatReceived, formatReturnPath } from '@ehlo/grammar/trace';
import { type IncomingMessage, type ListenOptions, listen, type Session } from '@ehlo/node';
import { type CertificateOptions, loadCertificate } from './certificate.ts';
import { Maildir } from './maildir.ts';
import { jsonPrinter, type Printer, quietPrinter, textPrinter } from './printer.ts';
import { newQueueId } from './queue-id.ts';
import { loadUsers, type UsersOptions } from './users.ts';

/** The options of `ehlo serve`. */
export interface ServeCommandOptions extends CertificateOptions, UsersOptions {
  readonly host: string;
  readonly port: number;
  readonly hostname?: string;
  readonly maildir: string;
  readonly preset: 'mx' | 'sink';
  readonly size?: number;
  readonly raw: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
}

/** A server that runs. */
export interface RunningServer {
  close(): Promise<void>;
  /** Reads the certificate's files again; what is wrong is thrown, and changes nothing. */
  reload(): Promise<void>;
}

/** Starts a server that stores each message as a file and shows the conversation. Resolves when it listens. */
export async function serveCommand(
  options: ServeCommandOptions,
  write: (line: string) => void,
  warn: (line: string) => void,
): Promise<RunningServer> {
  const name = options.hostname ?? defaultHostname(options.host);
  const printer = options.quiet ? quietPrinter(write) : options.json ? jsonPrinter(write) : textPrinter(write);
  const certificate = await loadCertificate(options, name);
  const auth = await loadUsers(options, certificate !== null, warn);
  const maildir = await Maildir.open(options.maildir);
  const report = (session: Session, deviations: readonly string[]): true => {
    for (const deviation of deviations) printer.deviation(session, deviation);
    return true;
  };
  const tls = certificate === null ? {} : { tls: certificate.tls };
  const start = async (listener: Listener): Promise<Server> =>
    serveOn(
      listener,
      {
        hostname: name,
        preset: options.preset,
        trace: printer.conversation,
        starttls: certificate === null ? 'off' : 'offered',
        ...(auth === null ? {} : { auth }),
        ...(options.size === undefined ? {} : { limits: { messageSize: options.size } }),
      },
      {
        connect: (_, session) => {
          printer.connected(session);
          return true;
        },
        hello: ({ deviations }, session) => report(session, deviations),
        mail: ({ deviations }, session) => report(session, deviations),
        rcpt: ({ deviations }, session) => report(session, deviations),
        message: (message, session) => storeMessage(message, session, { maildir, printer, name, raw: options.raw }),
        notice: (notice, session) => printer.notice(session, notice),
        unacknowledged: (_, session) =>
          warn(`session ${session.id}: a message was stored, but the client left before it was told; it may send it again`),
        error: (error, question, session) =>
          warn(`session ${session.id}: ${question} failed: ${error instanceof Error ? error.message : String(error)}`),
      },
    );
  const listeners = await orElse(listenOn(options, tls), () => maildir.close());
  const server = await orElse(start(together(listeners)), async () => {
    await Promise.all(listeners.map((listener) => listener.close()));
    await maildir.close();
  });
  if (certificate !== null && certificate.fingerprint !== null)
    warn(`the certificate is self-signed; its SHA-256 is ${certificate.fingerprint}`);
  for (const [index, { address }] of listeners.entries()) printer.listening(address.address, address.port, index > 0);
  return { close: () => server.close(), reload: async () => await certificate?.reload() };
}

/** What fails to start leaves nothing open. */
async function orElse<T>(starting: Promise<T>, undo: () => Promise<void>): Promise<T> {
  try {
    return await starting;
  } catch (error) {
    await undo();
    throw error;
  }
}

/** One listener, and one for implicit TLS where there is a port for it. */
async function listenOn({ host, port, tlsPort }: ServeCommandOptions, tls: ListenOptions): Promise<[Listener, ...Listener[]]> {
  const first = await listen({ host, port, ...tls });
  if (tlsPort === undefined) return [first];
  try {
    return [first, await listen({ host, port: tlsPort, implicitTls: true, ...tls })];
  } catch (error) {
    await first.close();
    // For who explains it.
    throw Object.assign(error as Error, { option: '--tls-port' });
  }
}

/** Several listeners as one: their sessions are counted, shown and drained together. */
function together(listeners: readonly [Listener, ...Listener[]]): Listener {
  return {
    address: listeners[0].address,
    accept(connected) {
      for (const listener of listeners) listener.accept(connected);
    },
    close: async () => void (await Promise.all(listeners.map((listener) => listener.close()))),
  };
}

interface Store {
  readonly maildir: Maildir;
  readonly printer: Printer;
  readonly name: string;
  readonly raw: boolean;
}

async function storeMessage(message: IncomingMessage, session: Session, store: Store): Promise<{ text: string }> {
  const id = newQueueId();
  const { envelope } = message;
  // Facts of the connection are read before the body: the client may be gone when it ends.
  const header = store.raw ? '' : traceFields(id, envelope, session, store.name);
  const { file } = await store.maildir.store(id, header, message.body);
  store.printer.message(session, {
    id,
    file,
    reversePath: formatPath(envelope.reversePath),
    forwardPaths: envelope.recipients.map(({ forwardPath }) => formatPath(forwardPath)),
    size: message.size,
    deviations: message.deviations.map(({ name, line }) => `${name} in line ${line} of the message`),
  });
  return { text: `Message accepted, queued as ${id}` };
}

/** RFC 5321 4.4: what final delivery puts on top of a message; and, ours, one field for each recipient of the envelope. */
function traceFields(id: string, envelope: IncomingMessage['envelope'], session: Session, by: string): string {
  const [first, ...others] = envelope.recipients;
  const now = new Date();
  const received = formatReceived({
    helo: session.hello?.name ?? '',
    address: session.peer.address === '' ? undefined : session.peer.address,
    by,
    protocol: session.protocol,
    id,
    // RFC 5321 7.2: with several recipients the clause would tell each of the others.
    recipient: others.length === 0 ? first?.forwardPath : undefined,
    date: now.getTime(),
    offset: -now.getTimezoneOffset(),
  });
  const recipients = envelope.recipients.map(({ forwardPath }) => `X-Envelope-To: ${formatPath(forwardPath)}\r\n`);
  return formatReturnPath(envelope.reversePath) + received + recipients.join('');
}

/** The host's name where it can stand in a greeting, else the address that it listens on. */
function defaultHostname(host: string): string {
  const own = hostname();
  return isHostName(own) ? own : (formatAddressLiteral(host) ?? '[127.0.0.1]');
}
