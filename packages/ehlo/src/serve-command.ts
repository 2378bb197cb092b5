import { hostname } from 'node:os';
import { type Address, checkServe, type Handler, type Listener, type ServeOptions, type Server, serveOn } from '@ehlo/driver';
import { showText } from '@ehlo/engine';
import { formatAddressLiteral, isHostName } from '@ehlo/grammar';
import { StubServer, TestClock } from '@ehlo/testing';
import type { Session } from '#adapter';
import { loadCertificate } from './certificate.ts';
import { messageOf } from './error-message.ts';
import { explain, explanationText } from './explain.ts';
import { jsonLine } from './json-line.ts';
import { listenOn, together } from './listeners.ts';
import { Maildir } from './maildir.ts';
import { openPage, pageLine, shownByBoth } from './open-page.ts';
import { jsonPrinter, type Printer, quietPrinter, textPrinter } from './printer.ts';
import { RecordFile } from './record-file.ts';
import { checkTogether, extensionsOf, limitsOf, listensInClear, presetOf, type ServeCommandOptions } from './serve-options.ts';
import { storeMessage } from './store-message.ts';
import { type LoadedStubs, loadStubs } from './stub-files.ts';
import { trustedPeers } from './trusted-peers.ts';
import { loadUsers } from './users.ts';
import { checkWeb, type WebCommandOptions } from './web-options.ts';

/** A server that runs. */
export interface RunningServer {
  close(): Promise<void>;
  /** What can be read again while it runs. */
  readonly sources: readonly Source[];
}

/** Files that say something of the server. */
export interface Source {
  /** What they say, in the words of the command line. */
  readonly what: string;
  /** Reads them again; what is wrong is thrown, and changes nothing. */
  reload(): Promise<void>;
}

/** Starts a server that stores each message as a file and shows the conversation. Resolves when it listens; null if it only explains. */
export async function serveCommand(
  options: ServeCommandOptions & WebCommandOptions,
  write: (line: string) => void,
  warn: (line: string) => void,
): Promise<RunningServer | null> {
  checkTogether(options);
  checkWeb(options);
  const name = options.hostname ?? defaultHostname(options.host);
  const printer = options.quiet ? quietPrinter(write) : options.json ? jsonPrinter(write) : textPrinter(write);
  const certificate = await loadCertificate(options, name);
  const users = await loadUsers({ ...options, host: listensInClear(options) ? options.host : NOBODY_ELSE }, certificate !== null, warn);
  const byUnix = new WeakSet<Address>();
  const policy: ServeOptions = {
    hostname: name,
    preset: presetOf(options),
    extensions: extensionsOf(options),
    limits: limitsOf(options),
    futureRelease: FOREVER,
    trace: printer.conversation || options.web !== undefined,
    ...(options.connections === undefined ? {} : { connections: options.connections }),
    starttls: certificate === null ? 'off' : options.requireTls ? 'required' : 'offered',
    trusted: {
      XCLIENT: trustedPeers(options.trustXclient ?? [], '--trust-xclient', byUnix),
      XFORWARD: trustedPeers(options.trustXforward ?? [], '--trust-xforward', byUnix),
    },
    ...(users === null ? {} : { auth: options.requireAuth ? { ...users.auth, required: true } : users.auth }),
  };
  const stubs = await loadStubs(options.stubs, options.web !== undefined);
  if (options.explain) {
    const explanation = await explain(policy, watch(quietPrinter(write), warn));
    write(options.json ? jsonLine(explanation) : explanationText(explanation));
    return null;
  }
  // What is wrong is told before anybody can connect.
  checkServe(policy, watch(printer, warn));
  const kept = options.web === undefined ? options.keep : undefined;
  const maildir = await Maildir.open(options.maildir, kept);
  const page = stubs === null ? null : await openPage(options, { ...options, name, stubs: stubs.stubs }, warn);
  const shown = page === null ? printer : shownByBoth(printer, page);
  const store = { maildir, printer: shown, name, raw: options.raw, hops: options.hops };
  const handler: Handler = { ...watch(shown, warn), message: (message, session) => storeMessage(message, session, store) };
  const tls = certificate === null ? {} : { tls: certificate.tls };
  const record = options.record === undefined ? null : await RecordFile.open(options.record, warn);
  try {
    const open = await listenOn(options, tls, (reason) => warn(`no session: ${showText(reason)}`));
    const server = await start(together(open, byUnix), policy, handler, stubs, record, warn);
    if (certificate !== null && certificate.fingerprint !== null)
      warn(`the certificate is self-signed; its SHA-256 is ${certificate.fingerprint}`);
    for (const { listener, tls } of open) shown.listening(listener.address.address, listener.address.port, tls);
    if (page !== null) write(pageLine(page, options.json));
    return {
      close: async () => {
        await Promise.all([server.close(), page?.close()]);
        await record?.close();
      },
      sources: [...source('certificate', certificate), ...source('users', users), ...source('stubs', stubs)],
    };
  } catch (error) {
    await page?.close();
    throw error;
  }
}

function source(what: string, loaded: { readonly reload: (() => Promise<void>) | null } | null): readonly Source[] {
  const reload = loaded?.reload ?? null;
  return reload === null ? [] : [{ what, reload }];
}

/** What fails to start leaves nothing open. */
async function start(
  listener: Listener,
  policy: ServeOptions,
  handler: Handler,
  stubs: LoadedStubs | null,
  record: RecordFile | null,
  warn: (line: string) => void,
): Promise<Pick<Server, 'close'>> {
  try {
    if (stubs === null) return serveOn(listener, policy, handler, undefined, undefined, record?.around);
    const { connections, ...others } = policy;
    return new StubServer(listener, others, {
      stubs: stubs.stubs,
      clock: new TestClock(),
      handler: () => handler,
      failed: (error) => warn(`a stub can't be carried out: ${messageOf(error)}`),
      ...(connections === undefined ? {} : { connections }),
    });
  } catch (error) {
    await listener.close();
    throw error;
  }
}

/** Takes every valid path, and shows what happens. */
function watch(printer: Printer, warn: (line: string) => void): Handler {
  const report = (session: Session, deviations: readonly string[]): true => {
    for (const deviation of deviations) printer.deviation(session, deviation);
    return true;
  };
  return {
    connect: (_, session) => {
      printer.connected(session);
      return true;
    },
    hello: ({ deviations }, session) => report(session, deviations),
    mail: ({ deviations }, session) => report(session, deviations),
    rcpt: ({ deviations }, session) => report(session, deviations),
    message: async () => true,
    notice: (notice, session) => printer.notice(session, notice),
    unacknowledged: (_, session) =>
      warn(`session ${session.id}: a message was stored, but the client left before it was told; it may send it again`),
    error: (error, method, session) => warn(`${session === null ? '' : `session ${session.id}: `}${method} failed: ${messageOf(error)}`),
  };
}

/** Who may come where a Unix socket is all that is listened on in clear: it is as safe as an address of this machine. */
const NOBODY_ELSE = '127.0.0.1';

/** FUTURERELEASE (RFC 4865 3): a message that is stored may be held as long as can be said. */
const FOREVER: NonNullable<ServeOptions['futureRelease']> = { seconds: 999_999_999, until: '9999-12-31T23:59:59Z' };

/** The host's name where it can stand in a greeting, else the address that it listens on. */
function defaultHostname(host: string): string {
  const own = hostname();
  return isHostName(own) ? own : (formatAddressLiteral(host) ?? '[127.0.0.1]');
}
