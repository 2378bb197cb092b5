import { setMaxListeners } from 'node:events';
import { createRequire } from 'node:module';
import { SmtpUsageError } from '@ehlo/engine';
import { Command, CommanderError, Option } from 'commander';
import type { AbnfCommandOptions } from './abnf-command.ts';
import { CertificateError } from './certificate.ts';
import { addConformClientOptions, type ConformClientOptions, conformClientCommand } from './conform-client-command.ts';
import { ConformError, conformCommand } from './conform-command.ts';
import { addConformOptions, type ConformCommandOptions, type ConformPlace } from './conform-options.ts';
import { MaildirError } from './maildir.ts';
import { type MessageCommandOptions, messageCommand } from './message-command.ts';
import { type ParseCommandOptions, parseTextCommand } from './parse-command.ts';
import { KINDS } from './parse-kinds.ts';
import { addQueue } from './queue-program.ts';
import type { RelayCommandOptions } from './relay-command.ts';
import { type ReplayCommandOptions, replayCommand, TranscriptError } from './replay-command.ts';
import { type RfcCommandOptions, rfcCommand, SectionError } from './rfc-command.ts';
import { addRouteOptions, type RouteCommandOptions, RouteError, RouteFileError } from './route-options.ts';
import { EXIT, sendCommand } from './send-command.ts';
import { MessageError } from './send-message.ts';
import { addSendOptions, type SendCommandOptions } from './send-options.ts';
import { type RunningServer, serveCommand } from './serve-command.ts';
import { addServeOptions, type ServeCommandOptions } from './serve-options.ts';
import { StubsError } from './stub-files.ts';
import { AddressError } from './trusted-peers.ts';
import { UsersError } from './users.ts';
import { addWebOptions, type WebCommandOptions } from './web-options.ts';

/** The exit code of a command that can't even begin: a bad option, a port in use, a directory that can't be written. */
const USAGE = 2;

/** The exit code of `parse` and `message` for what is not valid, and of `replay` for what comes out otherwise. */
const INVALID = 1;

/** Runs the command line. */
export async function main(argv: readonly string[]): Promise<void> {
  const { version } = createRequire(import.meta.url)('../package.json') as { version: string };
  outliveReaders();
  const program = new Command('ehlo')
    .description('SMTP on a pure protocol engine')
    .version(version)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'ehlo: ').replace('\n(', ' (')) });
  const serving = program.command('serve').description('receive mail: store each message as a file and show the conversation');
  addWebOptions(addServeOptions(serving)).action((options: ServeCommandOptions & WebCommandOptions) => runServer(options));
  addSendOptions(program.command('send').description('send one message, and show what became of each recipient')).action(
    (file: string | undefined, options: SendCommandOptions) => runSender(file, options),
  );
  program
    .command('parse')
    .description('read a command, an address, a reply, an answer to EHLO, a trace field or a PROXY header, and show what it says')
    .argument('[text]', 'the text (default: standard input)')
    .addOption(
      new Option('--as <kind>', 'what it is; from standard input: one a line, a JSON object for each').choices(
        KINDS.map(({ name }) => name),
      ),
    )
    .addOption(
      new Option('--dialect <name>', 'the deviations to take').choices(['letter', 'strict', 'postel', 'anything']).default('strict'),
    )
    .option('--json', 'print a JSON object', false)
    .option('--keep-unknown', 'take parameters of MAIL and RCPT that nothing here knows, and show them', false)
    .option('--escaped', 'the text has \\r, \\n, \\\\ and \\xNN for octets', false)
    .action(async (text: string | undefined, options: ParseCommandOptions) => {
      const valid = await parseTextCommand(text, options, process.stdin, (output) => process.stdout.write(output));
      if (!valid) process.exitCode = INVALID;
    });
  program
    .command('rfc')
    .description('what there is of a section of an RFC: requirements, test vectors that show them, rows of the state machine, source lines')
    .argument('[number]', 'the RFC, e.g. 5321 (default: all that there is something of)')
    .argument('[section]', 'the section, e.g. 4.1.1.4; those below it are shown, too')
    .option('--json', 'print JSON', false)
    .action((number: string | undefined, section: string | undefined, options: RfcCommandOptions) =>
      rfcCommand(number, section, options, (line) => process.stdout.write(`${line}\n`)),
    );
  program
    .command('message')
    .description('show a message as a tree: envelope, trace with its delays, report, fields with what is odd about them, parts')
    .argument('[file]', 'the message (default, or -: standard input)')
    .option('--json', 'print a JSON object', false)
    .addHelpText(
      'after',
      '\nExit code: 0 valid; 1 a field can not be read, is missing or there too often, or a limit is met; 66 no file; 2 wrong options.',
    )
    .action(async (file: string | undefined, options: MessageCommandOptions) => {
      const valid = await messageCommand(file, options, (output) => process.stdout.write(output));
      if (!valid) process.exitCode = INVALID;
    });
  program
    .command('replay')
    .description('show transcripts step by step, replay them, and show where one comes out otherwise')
    .argument('<file>', 'test vectors of a server or a client, or what ehlo serve --record has written')
    .option('--only <name>', 'the transcript of this name alone')
    .option('--ways', 'replay in every way: input cut at each place, answers late', false)
    .option('--quiet', 'show only those that come out otherwise', false)
    .option('--json', 'print a JSON object for each transcript', false)
    .addHelpText('after', '\nExit code: 0 all come out as written; 1 one does not; 66 no file; 2 no transcripts, or wrong options.')
    .action(async (file: string, options: ReplayCommandOptions) => {
      const same = await replayCommand(file, options, (line) => process.stdout.write(`${line}\n`));
      if (!same) process.exitCode = INVALID;
    });
  addQueue(program);
  program
    .command('relay')
    .description('run a mail relay: takes mail, keeps it in a queue, and delivers it')
    .option(
      '--config <file>',
      'the configuration, in JSON or JSON5 (docs/relay.md); SIGHUP reads it again, SIGTERM stops when all that has begun has ended',
    )
    .option(
      '--check',
      'say what the configuration opens to whom, and try to have mail passed on as a stranger; nothing is listened on',
      false,
    )
    .option('--print-schema', 'print the JSON Schema of the configuration, and end', false)
    .addHelpText(
      'after',
      '\nExit code: 0 stopped, or nothing is open that is not named; 1 --check has found something open; 78 the configuration is wrong; 69 @ehlo/relay is not installed, or a port or the queue can not be had.',
    )
    .action(async (options: RelayCommandOptions) => {
      process.exitCode = await runRelay(options);
    });
  addConformOptions(program.command('conform').description('examine a server of any make against the RFCs, by some 480 checks'))
    .addHelpText('after', '\nehlo conform --client examines clients, and has options of its own: ehlo conform --client --help')
    .action((place: ConformPlace | undefined, options: ConformCommandOptions) => runConform(place, options));
  addRouteOptions(
    program
      .command('route')
      .description('say where mail for an address goes, what is tried when, and what its sender is told; none is sent'),
  ).action((address: string, options: RouteCommandOptions) => runRoute(address, options));
  program
    .command('abnf')
    .description('compare two grammars rule by rule: those that do not take the same words, each with a shortest word of which that is so')
    .argument('<first>', 'a file of ABNF; several with commas between, where one extends the others')
    .argument('<second>', 'the other')
    .addOption(new Option('--depth <number>', 'how often a rule may stand within itself').argParser(Number).default(2))
    .option('--json', 'print a JSON object', false)
    .addHelpText('after', '\nExit code: 0 the rules are the same; 1 some are not; 66 no file; 2 no ABNF, or wrong options.')
    .action(async (first: string, second: string, options: AbnfCommandOptions) => {
      // It brings automata along that no other command needs.
      const { abnfCommand } = await import('./abnf-command.ts');
      const same = await abnfCommand(first, second, options, (line) => process.stdout.write(`${line}\n`));
      if (!same) process.exitCode = INVALID;
    });
  addConformClientOptions(
    program
      .command(CONFORM_CLIENT, { hidden: true })
      .usage('(as ehlo conform --client) [options]')
      .description('examine a client: give it messages to send, and look at what it does against the RFCs'),
  ).action(async (options: ConformClientOptions) => {
    process.exitCode = await conformClientCommand(
      options,
      (line) => process.stdout.write(`${line}\n`),
      (line) => process.stderr.write(`ehlo: ${line}\n`),
    );
  });
  try {
    await program.parseAsync(routed(argv));
  } catch (error) {
    // Help and version have been printed; so has what commander has to say of an option.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : USAGE;
    else fail(error);
  }
}

/** `ehlo conform --client` has options of its own. */
const CONFORM_CLIENT = 'conform-client';

function routed(argv: readonly string[]): readonly string[] {
  const [runtime = '', script = '', command, ...rest] = argv;
  if (command !== 'conform' || !rest.includes('--client')) return argv;
  return [runtime, script, CONFORM_CLIENT, ...rest.filter((word) => word !== '--client')];
}

async function runServer(options: ServeCommandOptions & WebCommandOptions): Promise<void> {
  const tell = (line: string): void => void process.stderr.write(`ehlo: ${line}\n`);
  let starting: Promise<RunningServer | null> = Promise.resolve(null);
  let server: RunningServer | null = null;
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(1);
    stopping = true;
    // Nobody has been told anything yet.
    if (server === null) {
      tell('stopped before it listens');
      process.exit(0);
    }
    tell('stopping; open transactions may end (once more to stop at once)');
    server.close().then(
      () => process.exit(0),
      (error: unknown) => {
        fail(error);
        process.exit();
      },
    );
  };
  // Before anybody can know that the server listens: who stops it at once is to be heard.
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  if (options.cert !== undefined || options.users !== undefined || options.stubs !== undefined)
    process.on('SIGHUP', () => void reload(starting));
  starting = serveCommand(options, (line) => process.stdout.write(`${line}\n`), tell);
  server = await starting;
}

/** It is installed beside (`@ehlo/relay`), and loaded only here. */
async function runRelay(options: RelayCommandOptions): Promise<number> {
  const tell = (line: string): void => void process.stderr.write(`ehlo: ${line}\n`);
  let command: typeof import('./relay-command.ts');
  try {
    command = await import('./relay-command.ts');
  } catch (error) {
    if (!String((error as Error).message).includes('@ehlo/relay')) throw error;
    tell(
      'the relay is a package of its own, which is not installed: npm install @ehlo/relay (or npx --package ehlo --package @ehlo/relay ehlo relay …)',
    );
    return EXIT.unavailable;
  }
  const code = await command.relayCommand(options, (line) => process.stdout.write(`${line}\n`), tell);
  // Sessions that are kept open to be used again are nobody's any more.
  if (!options.printSchema) setImmediate(() => process.exit(code));
  return code;
}

async function runSender(file: string | undefined, options: SendCommandOptions): Promise<void> {
  const control = new AbortController();
  // Each connection and each message listens.
  setMaxListeners(0, control.signal);
  const stop = (): void => {
    if (control.signal.aborted) process.exit(EXIT.later);
    control.abort(new Error('stopped'));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.exitCode = await sendCommand(
    file,
    options,
    (line) => process.stdout.write(`${line}\n`),
    (line) => process.stderr.write(`ehlo: ${line}\n`),
    (line) => process.stderr.write(`${line}\n`),
    control.signal,
  );
  // What was not read of it is nobody's, and would keep the process waiting.
  process.stdin.destroy();
  // Not every runtime gives up a read that is under way.
  if (control.signal.aborted) process.exit();
}

async function runConform(place: ConformPlace | undefined, options: ConformCommandOptions): Promise<void> {
  const control = new AbortController();
  process.once('SIGINT', () => control.abort());
  process.exitCode = await conformCommand(
    place,
    options,
    (output) => process.stdout.write(output),
    (line) => process.stderr.write(`ehlo: ${line}\n`),
    control.signal,
  );
}

async function runRoute(address: string, options: RouteCommandOptions): Promise<void> {
  // It brings the machine of delivery along that no other command needs.
  const { routeCommand } = await import('./route-command.ts');
  process.exitCode = await routeCommand(
    address,
    options,
    (output) => process.stdout.write(output),
    (line) => process.stderr.write(`ehlo: ${line}\n`),
  );
}

/** A reader that goes away (`ehlo serve | head -1`, `ehlo send --trace 2>&1 | head -1`) is no reason to stop, or to tell another outcome. */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}

async function reload(starting: Promise<RunningServer | null>): Promise<void> {
  const server = await starting.catch(() => null);
  // Where there is none, it is told by who starts it.
  for (const { what, reload } of server?.sources ?? []) {
    const outcome = await reload().then(
      () => `${what}: read again`,
      (error: unknown) => `${what}: what was read before stays, for ${explain(error)}`,
    );
    process.stderr.write(`ehlo: ${outcome}\n`);
  }
}

function fail(error: unknown): void {
  process.stderr.write(`ehlo: ${explain(error)}\n`);
  process.exitCode = error instanceof MessageError || error instanceof RouteFileError ? EXIT.unreadable : USAGE;
}

/** Where a server could not listen, and the option that says so. */
interface Place {
  readonly port?: number;
  readonly address?: string;
  readonly option?: string;
}

/** Errors that say in their own words what to do. */
const SPEAKING = [
  ConformError,
  SmtpUsageError,
  CertificateError,
  AddressError,
  RouteError,
  UsersError,
  SectionError,
  StubsError,
  TranscriptError,
];

/** What went wrong, and what to do about it, in one line. */
function explain(error: unknown): string {
  if (error instanceof SmtpUsageError && error.code === 'missing-auth')
    return 'authentication is required: name users by --user or --users';
  if (SPEAKING.some((type) => error instanceof type)) return (error as Error).message;
  const { code, port, address, path, message, option = '--port' } = error as NodeJS.ErrnoException & Place;
  if (option === '--unix') return `can't listen on the Unix socket: ${message}; choose another with --unix`;
  if (code === 'EADDRINUSE') return `port ${port} on ${address} is in use; choose another with ${option} (0: any that is free)`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `${address ?? 'the host'} is not an address of this machine; see --host`;
  if (code === 'EACCES' && port !== undefined) return `no permission to listen on port ${port}; choose one above 1023 with ${option}`;
  if (path !== undefined || error instanceof MaildirError)
    return `the mail directory can't be used: ${message}; choose another with --maildir`;
  return message;
}
