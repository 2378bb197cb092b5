import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { domainToASCII } from 'node:url';
import { CHUNKING, CLIENT_LIMITS, type ClientLimitName, type ClientLimitOptions, type Outcome, planTransaction } from '@ehlo/engine';
import { isHostName } from '@ehlo/grammar';
import { cramMd5, login, plain, SHA1, SHA256, SHA512, scram } from '@ehlo/sasl';
import {
  type Client,
  type ClientAuth,
  ClientError,
  type ClientErrorCode,
  type ConnectOptions,
  connect,
  type RecipientOutcome,
  retryOf,
} from '#adapter';
import { HeaderError, openHeaderLetter, type TextEnvelope } from './header-letter.ts';
import { findPassword } from './password.ts';
import { type Letter, MessageError, openLetter } from './send-message.ts';
import { addressHints, type SendCommandOptions } from './send-options.ts';
import { jsonSendPrinter, progressBar, type SendPrinter, textSendPrinter, traceText } from './send-printer.ts';

/** What is wrong with the options of `ehlo send`; the message says it all. */
class SendError extends Error {}

/** The exit codes, those above 63 as `sysexits.h` has them. */
export const EXIT = {
  sent: 0,
  refused: 1,
  unreadable: 66,
  unavailable: 69,
  later: 75,
  unknown: 76,
  denied: 77,
} as const;

/** Sends one message, and shows what becomes of each recipient; returns the exit code. Throws what is wrong with the options. `tell` gets the conversation. */
export async function sendCommand(
  file: string | undefined,
  options: SendCommandOptions,
  write: (line: string) => void,
  warn: (line: string) => void,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<number> {
  const given = givenEnvelope(options);
  const settings = await connectOptions(options, signal, tell);
  if ((file === undefined || file === '-') && process.stdin.isTTY)
    warn('the message is read from the terminal; Ctrl-D on a line of its own ends it');
  let letter: Letter & { readonly envelope: TextEnvelope };
  try {
    letter = given === null ? await openHeaderLetter(file, options.from, signal) : { ...openLetter(file), envelope: given };
  } catch (error) {
    if (!(error instanceof HeaderError) && !signal.aborted) throw error;
    warn(signal.aborted ? STOPPED : (error as Error).message);
    return signal.aborted ? EXIT.later : EXIT.refused;
  }
  const { envelope } = letter;
  const printer = options.json ? jsonSendPrinter(write) : textSendPrinter(write);
  if (given !== null) for (const line of addressHints(given)) warn(line);
  const unwritable = unwritableTo(envelope);
  if (unwritable !== null) {
    for (const outcome of unwritable) printer.outcome(outcome);
    return EXIT.refused;
  }
  let client: Client;
  try {
    client = await connect(settings);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    const text = error.code === 'aborted' ? STOPPED : error.message;
    warn(`${text}${hint(error)}`);
    for (const outcome of unsent(envelope.recipients, error)) printer.outcome(outcome, text);
    if (error.code === 'aborted') return EXIT.later;
    if (!DENIED.has(error.code)) return EXIT.unavailable;
    // RFC 4954 6: what is refused for now may be tried again.
    return error.code === 'auth-refused' && error.reply!.code < 500 ? EXIT.later : EXIT.denied;
  }
  try {
    if (options.dryRun) return await showPlan(client, envelope, letter, printer, warn, signal);
    return await send(client, envelope, letter, printer, warn, signal);
  } finally {
    await client.close();
  }
}

/** The envelope of the options; null if it is that of the header. */
function givenEnvelope({ fromHeader, from, to }: SendCommandOptions): TextEnvelope | null {
  if (fromHeader && to !== undefined) throw new SendError('recipients stand in the header (-t) or in --to, not in both');
  if (fromHeader) return null;
  if (from === undefined) throw new SendError("required option '--from <address>' not specified (or -t: as the header says)");
  if (to === undefined) throw new SendError("required option '--to <address>' not specified (or -t: as the header says)");
  return { reversePath: from, recipients: to };
}

/** Outcomes where no address can be written, or not that of the sender: no server has to be asked. Null if one has. */
function unwritableTo({ reversePath, recipients: to }: TextEnvelope): RecipientOutcome[] | null {
  const capabilities = { verb: 'EHLO', name: '', tls: false, extensions: new Map() } as const;
  const { recipients } = planTransaction(capabilities, { reversePath, recipients: to.map((forwardPath) => ({ forwardPath })) });
  if (!recipients.every(({ problem }) => problem?.code === 'address')) return null;
  return recipients.map(({ problem }, i) => {
    const outcome: Outcome = { status: 'refused', stage: 'plan', permanent: true, reply: null, problem };
    return { ...outcome, ...retryOf(outcome), recipient: to[i]! };
  });
}

async function showPlan(
  client: Client,
  envelope: TextEnvelope,
  { message, facts }: Letter,
  printer: SendPrinter,
  warn: (line: string) => void,
  signal: AbortSignal,
): Promise<number> {
  try {
    const plan = await client.plan(envelope, message, { signal, ...(facts === undefined ? {} : { facts }) });
    printer.plan(plan);
    return plan.recipients.every(({ problem }) => problem === null) ? EXIT.sent : EXIT.refused;
  } catch (error) {
    if (!signal.aborted)
      throw error instanceof ClientError ? error : new MessageError(`the message can't be read: ${(error as Error).message}`);
    warn(STOPPED);
    return EXIT.later;
  }
}

async function send(
  client: Client,
  envelope: TextEnvelope,
  { message, facts, octets }: Letter,
  printer: SendPrinter,
  warn: (line: string) => void,
  signal: AbortSignal,
): Promise<number> {
  const bar = progressBar(octets);
  const { outcomes, error } = await client.send(envelope, message, {
    signal,
    progress: bar.draw,
    ...(facts === undefined ? {} : { facts }),
  });
  bar.clear();
  const unreadable = error instanceof Error && !(error instanceof ClientError) && !signal.aborted;
  if (unreadable) warn(`the message can't be read: ${error.message}`);
  for (const outcome of outcomes) printer.outcome(outcome);
  return unreadable && outcomes.every(({ status }) => status === 'unsent') ? EXIT.unreadable : exitCode(outcomes);
}

/** A signal came before the message was begun. */
const STOPPED = 'stopped before anything was sent';

/** The options that may help. */
const HINTS: { readonly [code in ClientErrorCode]?: string } = {
  'speaks-tls': ' (--tls implicit)',
  'speaks-cleartext': ' (leave out --tls implicit)',
  'tls-unavailable': ' (--tls none sends in clear)',
  'tls-failed': ' (--tls none sends in clear)',
  certificate: ' (--tls-insecure takes any)',
  unprotected: ' (--tls required; --tls-insecure takes any certificate; --allow-cleartext-auth needs none)',
};

function hint({ code, message }: ClientError): string {
  // No authority mends a certificate that has expired, or that is another host's.
  return code === 'certificate' && message.includes('authority') ? ' (--tls-ca; --tls-insecure takes any)' : (HINTS[code] ?? '');
}

/** Of all that applies, the worst is what to know. */
function exitCode(outcomes: readonly RecipientOutcome[]): number {
  if (outcomes.some(({ status }) => status === 'unknown')) return EXIT.unknown;
  if (outcomes.some(isForGood)) return EXIT.refused;
  return outcomes.every(({ status }) => status === 'accepted') ? EXIT.sent : EXIT.later;
}

/** Whether the same message would fare no better another time: the server has said so, or the message is not what it must be. */
function isForGood(outcome: RecipientOutcome): boolean {
  if (outcome.status === 'unsent') return outcome.cause === 'declaration' || outcome.cause === 'bare-line-end';
  return outcome.status === 'refused' && outcome.retry === 'never';
}

/** No session, because the server or this client does not want one that is not safe. */
const DENIED: ReadonlySet<ClientErrorCode> = new Set([
  'tls-unavailable',
  'tls-failed',
  'speaks-cleartext',
  'certificate',
  'unprotected',
  'auth-unavailable',
  'auth-refused',
  'auth-failed',
]);

function unsent(recipients: readonly string[], { code, stage, reply }: ClientError): RecipientOutcome[] {
  const outcome: Outcome = { status: 'unsent', stage, cause: code === 'aborted' ? 'aborted' : 'lost', reply };
  return recipients.map((recipient) => ({ ...outcome, ...retryOf(outcome), recipient }));
}

async function connectOptions(options: SendCommandOptions, signal: AbortSignal, tell: (line: string) => void): Promise<ConnectOptions> {
  const { server, tls, tlsCa, tlsInsecure, lmtp, pipelining, chunking, timeout, trace, allowCleartextAuth } = options;
  const implicitTls = tls === 'implicit';
  if (lmtp && 'host' in server && server.port === null)
    throw new SendError('LMTP has no port of its own: give --server host:port, or a Unix socket');
  if (!lmtp && 'path' in server) throw new SendError('a Unix socket is for LMTP: give --lmtp, or --server host[:port]');
  if (tls === 'none' && (tlsCa !== undefined || tlsInsecure)) throw new SendError('--tls none needs neither --tls-ca nor --tls-insecure');
  const auth = await authOptions(options);
  if (auth !== null && tls === 'none' && !allowCleartextAuth)
    throw new SendError('the password would cross the network in clear: leave out --tls none, or give --allow-cleartext-auth');
  const name = options.hostname ?? ownName();
  if (name !== null && !isHostName(name)) throw new SendError('--hostname must be a domain name or an address literal such as [192.0.2.1]');
  const port = 'host' in server ? (server.port ?? (implicitTls ? 465 : 25)) : 0;
  return {
    ...('host' in server ? { host: server.host, port } : { path: server.path }),
    ...(name === null ? {} : { hostname: name }),
    ...(lmtp ? { protocol: 'lmtp' } : {}),
    ...(tls === undefined || tls === 'implicit' ? {} : { starttls: tls === 'none' ? 'off' : tls }),
    implicitTls,
    tls: {
      ...(tlsCa === undefined ? {} : { ca: readCa(tlsCa) }),
      // Whoever names authorities wants them asked.
      ...(tlsInsecure ? { rejectUnauthorized: false } : tlsCa === undefined ? {} : { rejectUnauthorized: true }),
    },
    ...(auth === null ? {} : { auth, credentials: allowCleartextAuth ? 'cleartext' : tlsInsecure ? 'encrypted' : 'verified' }),
    pipelining,
    toAscii: domainToASCII,
    ...(chunking ? { features: [CHUNKING] } : {}),
    ...(timeout === undefined ? {} : { limits: timeLimits(timeout), connectTimeout: timeout }),
    trace,
    notice: (notice) => {
      const line = trace ? traceText(notice) : null;
      if (line !== null) tell(line);
    },
    signal,
  };
}

/** Best first. */
const MECHANISMS = [scram(SHA256), scram(SHA512), scram(SHA1), cramMd5(), plain(), login()].flat();

async function authOptions({
  authUser,
  authPasswordFile,
  authMechanism,
  allowCleartextAuth,
}: SendCommandOptions): Promise<ClientAuth | null> {
  if (authUser === undefined) {
    const stray =
      authPasswordFile !== undefined
        ? '--auth-password-file'
        : authMechanism !== undefined
          ? '--auth-mechanism'
          : allowCleartextAuth
            ? '--allow-cleartext-auth'
            : null;
    if (stray !== null) throw new SendError(`${stray} needs --auth-user, the name of the user`);
    return null;
  }
  const wanted = authMechanism?.toUpperCase();
  const mechanisms = MECHANISMS.filter(({ name }) => wanted === undefined || name === wanted);
  if (mechanisms.length === 0) throw new SendError(`--auth-mechanism is one of ${MECHANISMS.map(({ name }) => name).join(', ')}`);
  return { mechanisms, user: authUser, password: await findPassword(authUser, authPasswordFile) };
}

/** The same time for every phase; but QUIT, whose answer changes nothing, is not waited for any longer than ever. */
function timeLimits(timeout: number): ClientLimitOptions {
  const names = (Object.keys(CLIENT_LIMITS) as ClientLimitName[]).filter((name) => CLIENT_LIMITS[name].unit === 'milliseconds');
  const quitTimeout = Math.min(timeout, CLIENT_LIMITS.quitTimeout.value);
  return { ...Object.fromEntries(names.map((name) => [name, timeout])), quitTimeout };
}

function readCa(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new SendError(`--tls-ca: ${(error as Error).message}`);
  }
}

/** RFC 5321 4.1.4: a name that others can look up; null where this machine has none. */
function ownName(): string | null {
  const own = hostname();
  return own.includes('.') && isHostName(own) ? own : null;
}
