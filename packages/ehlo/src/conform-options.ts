import { type Command, InvalidArgumentError, Option } from 'commander';
import { each } from './option-values.ts';

/** The options of `ehlo conform`. */
export interface ConformCommandOptions {
  readonly tls: 'none' | 'starttls' | 'implicit';
  readonly insecure: boolean;
  readonly hostname?: string;
  readonly user?: string;
  readonly passwordEnv: string;
  readonly from?: string;
  readonly to?: readonly string[];
  readonly lmtp: boolean;
  readonly submission: boolean;
  readonly only?: readonly string[];
  readonly slow: boolean;
  /** Seconds. */
  readonly patience: number;
  readonly sessions: number;
  readonly requireAll: boolean;
  readonly extension?: readonly string[];
  readonly yesMine: boolean;
  readonly shim?: string;
  readonly dryRun: boolean;
  readonly format: 'text' | 'json' | 'junit' | 'html' | 'md';
}

/** Who is examined. */
export interface ConformPlace {
  readonly host: string;
  readonly port: number;
}

/** Adds the options to the command. */
export function addConformOptions(command: Command): Command {
  return command
    .argument('[host:port]', 'the server', place)
    .optionsGroup('Who is examined:')
    .option('--lmtp', 'an LMTP server', false)
    .option('--submission', 'a submission server (RFC 6409)', false)
    .addOption(
      new Option('--tls <how>', 'STARTTLS at the beginning of each session, or TLS before it')
        .choices(['none', 'starttls', 'implicit'])
        .default('none'),
    )
    .option('--insecure', 'take any certificate', false)
    .option('--yes-mine', 'examine a host that is not private, too: it is yours', false)
    .option('--shim <command>', 'in place of a server a program without sockets, which is spoken to by JSON lines (docs/conform.md)')
    .optionsGroup('What may be used:')
    .option('--hostname <name>', "this side's name in EHLO (default: its address, as a literal)")
    .option('--user <name>', 'a user who may authenticate; the password is in the environment')
    .option('--password-env <name>', 'the variable that has the password', 'EHLO_PASSWORD')
    .addOption(new Option('--from <address>', 'the sender (default: <>)').argParser(path))
    .addOption(
      new Option(
        '--to <address>',
        'who takes mail; once for each, two for all checks. Messages go to these alone; without them Postmaster and an invented address are asked for, and reset',
      ).argParser((text: string, before: readonly string[] = []) => each(path(text), before)),
    )
    .option('--extension <file>', 'a module that exports extensions made by defineExtension: their keywords are known; once for each', each)
    .optionsGroup('What is done:')
    .option('--only <section>', 'checks of a section, e.g. 5321-4.1.4, of a requirement, or with this id; once for each', each)
    .option('--slow', 'what takes minutes, too; and silence is waited for as long as RFC 5321 4.5.3.2 says', false)
    .addOption(new Option('--patience <seconds>', 'how long an answer is waited for').argParser(seconds).default(15))
    .addOption(new Option('--sessions <n>', 'how many sessions there are at a time, at the most').argParser(sessions).default(1))
    .option('--require-all', 'fail for what could not be decided, too', false)
    .option('--dry-run', 'list what would be done, and connect to nobody', false)
    .optionsGroup('What is shown:')
    .addOption(new Option('--format <name>', 'how the report is written').choices(['text', 'json', 'junit', 'html', 'md']).default('text'))
    .addHelpText('after', EXIT_CODES);
}

const EXIT_CODES =
  '\nExit code: 0 no violation; 1 a violation, with --require-all also what could not be decided; 69 no session; 2 wrong options.';

/** `host:port`, or `[address]:port`. */
function place(text: string): ConformPlace {
  const [, literal, host, number] = /^(?:\[([^\]]+)\]|([^:]+)):([0-9]{1,5})$/.exec(text) ?? [];
  const port = Number(number);
  if ((literal ?? host) === undefined || port === 0 || port > 65_535)
    throw new InvalidArgumentError('It must be host:port or [address]:port.');
  return { host: (literal ?? host)!, port };
}

/** People write paths as they see them, between angle brackets. */
function path(text: string): string {
  const address = /^<(.*)>$/.exec(text)?.[1] ?? text;
  if (!/^(?:[!-;=?-~]+@[!-;=?-~]+)?$/.test(address)) throw new InvalidArgumentError('It must be an address in ASCII.');
  return address;
}

function seconds(text: string): number {
  const value = /^[0-9]{1,4}(?:\.[0-9]{1,3})?$/.test(text) ? Number(text) : 0;
  if (value === 0) throw new InvalidArgumentError('It must be a number of seconds above zero.');
  return value;
}

/** A number of sessions, as it is written. */
export function sessions(text: string): number {
  const value = /^[0-9]{1,3}$/.test(text) ? Number(text) : 0;
  if (value === 0) throw new InvalidArgumentError('It must be a number from 1 to 999.');
  return value;
}
