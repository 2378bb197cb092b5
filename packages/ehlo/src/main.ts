import { createRequire } from 'node:module';
import { SmtpUsageError } from '@ehlo/engine';
import { Command, CommanderError, Option } from 'commander';
import { CertificateError } from './certificate.ts';
import { MaildirError } from './maildir.ts';
import { type MessageCommandOptions, messageCommand } from './message-command.ts';
import { type ParseCommandOptions, parseTextCommand } from './parse-command.ts';
import { KINDS } from './parse-kinds.ts';
import { type RfcCommandOptions, rfcCommand, SectionError } from './rfc-command.ts';
import { EXIT, sendCommand } from './send-command.ts';
import { MessageError } from './send-message.ts';
import { addSendOptions, type SendCommandOptions } from './send-options.ts';
import { type RunningServer, serveCommand } from './serve-command.ts';
import { addServeOptions, type ServeCommandOptions } from './serve-options.ts';
import { StubsError } from './stub-files.ts';
import { AddressError } from './trusted-peers.ts';
import { UsersError } from './users.ts';

/** The exit code of a command that can't even begin: a bad option, a port in use, a directory that can't be written. */
const USAGE = 2;

/** The exit code of `parse` and `message` for what is not valid. */
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
  addServeOptions(program.command('serve').description('receive mail: store each message as a file and show the conversation')).action(
    (options: ServeCommandOptions) => runServer(options),
  );
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
  try {
    await program.parseAsync(argv);
  } catch (error) {
    // Help and version have been printed; so has what commander has to say of an option.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : USAGE;
    else fail(error);
  }
}

async function runServer(options: ServeCommandOptions): Promise<void> {
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

async function runSender(file: string | undefined, options: SendCommandOptions): Promise<void> {
  const control = new AbortController();
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
  process.exitCode = error instanceof MessageError ? EXIT.unreadable : USAGE;
}

/** Where a server could not listen, and the option that says so. */
interface Place {
  readonly port?: number;
  readonly address?: string;
  readonly option?: string;
}

/** Errors that say in their own words what to do. */
const SPEAKING = [SmtpUsageError, CertificateError, AddressError, UsersError, SectionError, StubsError];

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
