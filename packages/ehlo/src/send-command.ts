import { type Outcome, planTransaction } from '@ehlo/engine';
import {
  type Client,
  ClientError,
  type ClientErrorCode,
  type ClientNotice,
  type ConnectOptions,
  connect,
  type RecipientOutcome,
  retryOf,
} from '#adapter';
import { type Composer, isComposed, openComposer } from './compose.ts';
import { EXIT } from './exit-codes.ts';
import { openHeaderLetter, type TextEnvelope } from './header-letter.ts';
import { connectOptions } from './send-connection.ts';
import { type Amount, sendMany } from './send-many.ts';
import { HeaderError, type Letter, MessageError, openLetter, openSource, repeatable } from './send-message.ts';
import { addressHints, type SendCommandOptions, SendError } from './send-options.ts';
import { jsonSendPrinter, progressBar, progressOf, type SendPrinter, textSendPrinter, traceText } from './send-printer.ts';
import { TimeSum, TimeTable, Timing } from './timing.ts';

/** Sends a message, and shows what becomes of each recipient; returns the exit code. Throws what is wrong with the options. `tell` gets the conversation. */
export async function sendCommand(
  file: string | undefined,
  options: SendCommandOptions,
  write: (line: string) => void,
  warn: (line: string) => void,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<number> {
  const given = givenEnvelope(options);
  const amount = amountOf(options);
  checkSource(file, options);
  const settings = await connectOptions(options, signal);
  if (isFromTerminal(file, options)) warn('the message is read from the terminal; Ctrl-D on a line of its own ends it');
  let letters: Letters;
  try {
    letters = await openLetters(file, options, given, amount !== null, signal);
  } catch (error) {
    if (!(error instanceof HeaderError) && !signal.aborted) throw error;
    warn(signal.aborted ? STOPPED : (error as Error).message);
    return signal.aborted ? EXIT.later : EXIT.refused;
  }
  const { envelope, next } = letters;
  const sum = new TimeSum();
  const printer = options.json ? jsonSendPrinter(write, sum) : textSendPrinter(write, options.timing ? sum : null);
  if (given !== null) for (const line of addressHints(given)) warn(line);
  const unwritable = unwritableTo(envelope);
  if (unwritable !== null) {
    for (const outcome of unwritable) printer.outcome(outcome);
    return EXIT.refused;
  }
  const table = new TimeTable();
  const timing = new Timing(amount === null ? sum.add : table.add);
  let client: Client;
  try {
    client = await connect(told(settings, options.trace, timing, tell));
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    const text = error.code === 'aborted' ? STOPPED : error.message;
    warn(`${text}${hint(error)}`);
    for (const outcome of unsent(envelope.recipients, error)) printer.outcome(outcome, text);
    printer.end();
    if (error.code === 'aborted') return EXIT.later;
    if (!DENIED.has(error.code)) return EXIT.unavailable;
    // RFC 4954 6: what is refused for now may be tried again.
    return error.code === 'auth-refused' && error.reply!.code < 500 ? EXIT.later : EXIT.denied;
  }
  if (amount !== null) {
    const first = [client];
    const open = async (): Promise<Client> => first.pop() ?? (await connect(told(settings, options.trace, new Timing(table.add), tell)));
    const outcomes = await sendMany(amount, open, envelope, next, printer, table, progressOf(amount.count, warn), signal);
    return signal.aborted && exitCode(outcomes) === EXIT.sent ? EXIT.later : exitCode(outcomes);
  }
  try {
    const letter = await next();
    if (options.dryRun) return await showPlan(client, envelope, letter, printer, warn, signal);
    return await send(client, envelope, letter, printer, timing, warn, signal);
  } finally {
    await client.close();
  }
}

/** The messages of a run, one after the other, and where all of them go. */
interface Letters {
  readonly envelope: TextEnvelope;
  readonly next: Composer;
}

async function openLetters(
  file: string | undefined,
  options: SendCommandOptions,
  given: TextEnvelope | null,
  isMany: boolean,
  signal: AbortSignal,
): Promise<Letters> {
  if (given !== null && isComposed(options)) return { envelope: given, next: await openComposer(options, given, signal) };
  const opened = openSource(file);
  const source = isMany ? await repeatable(opened, signal) : opened;
  const letter = given === null ? await openHeaderLetter(source, options.from, signal) : { ...openLetter(source), envelope: given };
  return { envelope: letter.envelope, next: () => Promise.resolve(letter) };
}

/** How many messages are asked for; null: one. */
function amountOf({ count, concurrency, dryRun }: SendCommandOptions): Amount | null {
  if (count === undefined && concurrency !== undefined) throw new SendError('--concurrency needs --count, the number of messages');
  if (count !== undefined && dryRun) throw new SendError('--dry-run sends nothing: leave out --count');
  return count === undefined ? null : { count, concurrency: concurrency ?? 1 };
}

function checkSource(file: string | undefined, options: SendCommandOptions): void {
  if (!isComposed(options)) return;
  if (file !== undefined)
    throw new SendError('a message is read from a file, or composed of --subject, --header, --body, --html and --attach: not both');
  if (options.fromHeader) throw new SendError('-t reads the header of a message; one that is composed goes to whom --to says');
}

function isFromTerminal(file: string | undefined, options: SendCommandOptions): boolean {
  const reads = isComposed(options) ? options.body === '-' : file === undefined || file === '-';
  return reads && process.stdin.isTTY;
}

/** Settings of a connection whose times are taken, and whose conversation is shown if it is to be. */
function told(settings: ConnectOptions, trace: boolean, timing: Timing, tell: (line: string) => void): ConnectOptions {
  const notice = (notice: ClientNotice): void => {
    timing.notice(notice);
    const line = trace ? traceText(notice) : null;
    if (line !== null) tell(line);
  };
  return { ...settings, trace: true, notice };
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
  timing: Timing,
  warn: (line: string) => void,
  signal: AbortSignal,
): Promise<number> {
  const bar = progressBar(octets);
  const progress = (taken: number): void => {
    timing.progress();
    bar.draw(taken);
  };
  const { outcomes, error } = await client.send(envelope, message, {
    signal,
    progress,
    ...(facts === undefined ? {} : { facts }),
  });
  bar.clear();
  const unreadable = error instanceof Error && !(error instanceof ClientError) && !signal.aborted;
  if (unreadable) warn(`the message can't be read: ${error.message}`);
  for (const outcome of outcomes) printer.outcome(outcome);
  printer.end();
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
