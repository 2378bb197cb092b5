import { SmtpUsageError } from '@ehlo/engine';
import type { Command } from 'commander';
import { EXIT } from './exit-codes.ts';
import { MaildirError } from './maildir.ts';
import { type RunningServer, serveCommand } from './serve-command.ts';
import { addServeOptions, type ServeCommandOptions } from './serve-options.ts';
import { addWebOptions, type WebCommandOptions } from './web-options.ts';

/** `ehlo serve`. */
export function add(command: Command): void {
  addWebOptions(addServeOptions(command)).action(async (options: ServeCommandOptions & WebCommandOptions) => {
    try {
      await run(options);
    } catch (error) {
      throw new Error(explain(error), { cause: error });
    }
  });
}

async function run(options: ServeCommandOptions & WebCommandOptions): Promise<void> {
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
        tell(explain(error));
        process.exit(EXIT.usage);
      },
    );
  };
  // Before the server reports that it listens: a signal to stop may follow at once.
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  if (options.cert !== undefined || options.users !== undefined || options.stubs !== undefined)
    process.on('SIGHUP', () => void reload(starting));
  starting = serveCommand(options, (line) => process.stdout.write(`${line}\n`), tell);
  server = await starting;
}

async function reload(starting: Promise<RunningServer | null>): Promise<void> {
  const server = await starting.catch(() => null);
  // If there is no server, its start reports why.
  for (const { what, reload } of server?.sources ?? []) {
    const outcome = await reload().then(
      () => `${what}: read again`,
      (error: unknown) => `${what}: what was read before stays, for ${explain(error)}`,
    );
    process.stderr.write(`ehlo: ${outcome}\n`);
  }
}

/** Where a server could not listen, and the option that says so. */
interface Place {
  readonly port?: number;
  readonly address?: string;
  readonly option?: string;
}

/** What went wrong, and what to do about it, in one line. */
function explain(error: unknown): string {
  if (error instanceof SmtpUsageError && error.code === 'missing-auth')
    return 'authentication is required: name users by --user or --users';
  const { code, port, address, path, message, option = '--port' } = error as NodeJS.ErrnoException & Place;
  if (option === '--unix') return `can't listen on the Unix socket: ${message}; choose another with --unix`;
  if (code === 'EADDRINUSE') return `port ${port} on ${address} is in use; choose another with ${option} (0: any that is free)`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `${address ?? 'the host'} is not an address of this machine; see --host`;
  if (code === 'EACCES' && port !== undefined) return `no permission to listen on port ${port}; choose one above 1023 with ${option}`;
  if (path !== undefined || error instanceof MaildirError)
    return `the mail directory can't be used: ${message}; choose another with --maildir`;
  return message;
}
