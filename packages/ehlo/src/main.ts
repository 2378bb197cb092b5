import { createRequire } from 'node:module';
import { SmtpUsageError } from '@ehlo/engine';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { CertificateError } from './certificate.ts';
import { type ParseCommandOptions, parseTextCommand } from './parse-command.ts';
import { KINDS } from './parse-kinds.ts';
import { type RunningServer, type ServeCommandOptions, serveCommand } from './serve-command.ts';
import { UsersError } from './users.ts';

/** The exit code of a command that can't even begin: a bad option, a port in use, a directory that can't be written. */
const USAGE = 2;

/** The exit code of `parse` for a text that is not valid. */
const INVALID = 1;

/** Runs the command line. */
export async function main(argv: readonly string[]): Promise<void> {
  const { version } = createRequire(import.meta.url)('../package.json') as { version: string };
  const program = new Command('ehlo')
    .description('SMTP on a pure protocol engine')
    .version(version)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'ehlo: ').replace('\n(', ' (')) });
  program
    .command('serve')
    .description('receive mail: store each message as a file and show the conversation')
    .addOption(new Option('--host <address>', 'address to listen on').default('127.0.0.1'))
    .addOption(new Option('--port <number>', 'port to listen on; 0: any that is free').default(2525).argParser(port))
    .option('--hostname <name>', 'name of this server (default: that of the host)')
    .addOption(new Option('--maildir <directory>', 'where messages are stored').default('./mail'))
    .addOption(new Option('--preset <name>', 'sink: take everything; mx: refuse what is ambiguous').choices(['sink', 'mx']).default('sink'))
    .addOption(new Option('--size <octets>', 'largest message').argParser(whole))
    .option('--cert <file>', 'certificate in PEM, with its chain: STARTTLS is offered; SIGHUP reads it and the key again')
    .option('--key <file>', 'private key of the certificate, in PEM')
    .option('--tls-self-signed', 'make a certificate on the spot, for trials', false)
    .addOption(new Option('--tls-port <number>', 'port to listen on for TLS from the start, too; 0: any that is free').argParser(port))
    .addOption(new Option('--user <name:password>', 'a user who may authenticate; once for each').argParser(each))
    .option('--users <file>', 'a file of users, one name:password or name:{SCRAM-SHA-256}… a line')
    .option('--allow-cleartext-auth', 'take passwords without TLS from other machines, too', false)
    .option('--raw', 'store messages without trace fields', false)
    .option('--json', 'print one JSON object per event', false)
    .option('--quiet', 'print only where the server listens', false)
    .action((options: ServeCommandOptions) => runServer(options));
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
  try {
    await program.parseAsync(argv);
  } catch (error) {
    // Help and version have been printed; so has what commander has to say of an option.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : USAGE;
    else fail(error);
  }
}

async function runServer(options: ServeCommandOptions): Promise<void> {
  // A reader that goes away (`ehlo serve | head -1`) is no reason to stop receiving mail.
  process.stdout.on('error', () => {});
  const starting = serveCommand(
    options,
    (line) => process.stdout.write(`${line}\n`),
    (line) => process.stderr.write(`ehlo: ${line}\n`),
  );
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(1);
    stopping = true;
    process.stderr.write('ehlo: stopping; open transactions may end (once more to stop at once)\n');
    void starting
      .then((server) => server.close())
      .then(
        () => process.exit(0),
        () => {}, // told below
      );
  };
  // Before anybody can know that the server listens: who stops it at once is to be heard.
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  if (options.cert !== undefined) process.on('SIGHUP', () => void reload(starting));
  await starting;
}

async function reload(starting: Promise<RunningServer>): Promise<void> {
  const server = await starting.catch(() => null);
  if (server === null) return; // told by who starts it
  const outcome = await server.reload().then(
    () => 'the certificate has been read again',
    (error: unknown) => `the old certificate stays: ${explain(error)}`,
  );
  process.stderr.write(`ehlo: ${outcome}\n`);
}

function fail(error: unknown): void {
  process.stderr.write(`ehlo: ${explain(error)}\n`);
  process.exitCode = USAGE;
}

/** Where a server could not listen, and the option that says so. */
interface Place {
  readonly port?: number;
  readonly address?: string;
  readonly option?: string;
}

/** What went wrong, and what to do about it, in one line. */
function explain(error: unknown): string {
  if (error instanceof SmtpUsageError || error instanceof CertificateError || error instanceof UsersError) return error.message;
  const { code, port, address, path, message, option = '--port' } = error as NodeJS.ErrnoException & Place;
  if (code === 'EADDRINUSE') return `port ${port} on ${address} is in use; choose another with ${option} (0: any that is free)`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `${address ?? 'the host'} is not an address of this machine; see --host`;
  if (code === 'EACCES' && port !== undefined) return `no permission to listen on port ${port}; choose one above 1023 with ${option}`;
  if (path !== undefined) return `the mail directory can't be used: ${message}; choose another with --maildir`;
  return message;
}

function each(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function whole(text: string): number {
  if (!/^[0-9]{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function port(text: string): number {
  const number = whole(text);
  if (number > 65_535) throw new InvalidArgumentError('It must be a port from 0 to 65535.');
  return number;
}
