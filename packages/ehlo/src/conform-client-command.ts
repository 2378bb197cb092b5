import { readFileSync } from 'node:fs';
import {
  type ClientCheck,
  conformClient,
  type Finding,
  fails,
  NoSessionError,
  reportOf,
  type Subject,
  selectedOfClients,
  taskOf,
} from '@ehlo/conform';
import { clientChecks, commandSubject, type Identity, shimSubject, waitingSubject } from '@ehlo/conform/client';
import { FORMATS } from '@ehlo/conform/formats';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { colours } from './colours.ts';
import { sessions } from './conform-options.ts';
import { EXIT } from './exit-codes.ts';
import { selfSigned } from './self-signed.ts';

/** The options of `ehlo conform --client`. */
export interface ConformClientOptions {
  readonly exec?: string;
  readonly shim?: string;
  readonly lmtp: boolean;
  readonly tls: boolean;
  readonly cert?: string;
  readonly key?: string;
  readonly auth: boolean;
  readonly only?: readonly string[];
  readonly host: string;
  readonly patience: number;
  readonly sessions: number;
  readonly requireAll: boolean;
  readonly dryRun: boolean;
  readonly verbose: boolean;
  readonly format: keyof typeof FORMATS;
}

/** Adds the options to the command. */
export function addConformClientOptions(command: Command): Command {
  return command
    .option(
      '--exec <command>',
      'a line for the shell that sends a message, run once for each check; {host} {port} {from} {to} {recipients} {commas} {message} {message-lf} stand for its task, {each:--to $} for words with each recipient',
    )
    .option(
      '--shim <command>',
      'a program without sockets, which is spoken to by JSON lines (docs/conform-clients.md), started for each check, or once where it takes another task',
    )
    .option('--lmtp', 'the client speaks LMTP', false)
    .option('--tls', 'the client asks for STARTTLS; it takes any certificate, unless there is one for it', false)
    .option('--cert <file>', 'the certificate that it is shown, in PEM (default: one that is made for --host)')
    .option('--key <file>', 'the private key of that certificate')
    .option('--auth', 'the client authenticates, by any name and password', false)
    .option(
      '--only <section or check>',
      'e.g. 5321-4.5.2 or dots-are-stuffed; once for each',
      (one: string, others: readonly string[] = []) => [...others, one],
    )
    .addOption(new Option('--host <address>', 'address to listen on').default('127.0.0.1'))
    .addOption(new Option('--patience <seconds>', 'how long the client is waited for').argParser(seconds).default(10))
    .addOption(new Option('--sessions <n>', 'how many clients run at a time, at the most').argParser(sessions).default(1))
    .option('--require-all', 'what can not be decided is a failure, too', false)
    .option('--dry-run', 'list the checks, and run none', false)
    .option('--verbose', 'show the dialogue of all that does not conform', false)
    .addOption(
      new Option('--format <name>', 'how the report is written; text is, check by check').choices(Object.keys(FORMATS)).default('text'),
    )
    .addHelpText(
      'after',
      '\nWithout --exec and --shim a port is told for each check, one after the other: send a message to it.\nExit code: 0 no violation; 1 a violation; 69 the client sends nothing at all; 2 wrong options.',
    );
}

/** Examines a client. Resolves to the exit code. */
export async function conformClientCommand(
  options: ConformClientOptions,
  write: (line: string) => void,
  warn: (line: string) => void,
): Promise<number> {
  const { tls, auth, only, requireAll, format, exec, shim, sessions } = options;
  if (exec !== undefined && shim !== undefined) throw new Error('--exec and --shim are two clients: give one of them');
  if ((options.cert === undefined) !== (options.key === undefined)) throw new Error('--cert and --key belong together: give both');
  if (options.cert !== undefined && !tls) throw new Error('--cert needs --tls');
  const catalogue = clientChecks();
  const protocol = options.lmtp ? 'lmtp' : 'smtp';
  const selection = only === undefined ? {} : { only };
  if (options.dryRun) {
    list(selectedOfClients({ catalogue, protocol, ...selection }), protocol, format, write);
    return 0;
  }
  const findings: Finding[] = [];
  const patience = options.patience * 1000;
  const printed: string[] = [];
  try {
    const subject = subjectOf(options, patience, warn, (text) => printed.push(text));
    const examined = conformClient({
      catalogue,
      ...selection,
      protocol,
      sessions,
      tls,
      auth,
      patience,
      hold: shim === undefined ? HOLD_MS : 0,
      subject,
    });
    for await (const found of examined) {
      findings.push(found);
      if (format === 'text') show(found, options.verbose, write);
    }
  } catch (error) {
    if (!(error instanceof NoSessionError)) throw error;
    warn(error.message);
    const said = printed.join('').trim();
    if (said !== '') warn(`it printed: ${JSON.stringify(said.slice(-300))}`);
    return EXIT.unavailable;
  }
  const report = reportOf({ examined: exec ?? shim ?? 'a client that was started by hand', role: 'client', requireAll }, findings);
  const { counts } = report;
  if (format === 'text') {
    const told = Object.entries(counts).map(([verdict, count]) => `${count} ${verdict}`);
    write(told.join(', '));
  } else write(FORMATS[format](report).trimEnd());
  return fails(counts, requireAll) ? 1 : 0;
}

function list(checks: readonly ClientCheck[], role: string, format: ConformClientOptions['format'], write: (line: string) => void): void {
  if (format !== 'text' && format !== 'json') throw new Error('--dry-run is told as text or json');
  const told = checks.map(({ id, title, rules }) => ({ id, title, requirements: [...new Set(rules.flatMap(({ shows }) => shows))] }));
  if (format === 'json') write(JSON.stringify({ examined: 'a client', role, checks: told }, null, 2));
  else for (const { id, title } of told) write(`${id.padEnd(WIDE)} ${title}`);
}

/** How long it is looked for what a client sends too early. */
const HOLD_MS = 10;
const WIDE = 36;

function subjectOf(
  { exec, shim, host, tls, cert, key }: ConformClientOptions,
  patience: number,
  warn: (line: string) => void,
  printed: (text: string) => void,
): Subject {
  const identity = tls ? identityOf(host, cert, key) : null;
  if (shim !== undefined) return shimSubject(shim, patience);
  if (exec !== undefined) return commandSubject({ command: exec, host, patience, identity, printed });
  return waitingSubject(host, identity, (check, port) => {
    const { from, to } = taskOf(check);
    warn(`${check.id}: send from <${from}> to ${to.map((one) => `<${one}>`).join(', ')} by ${host}:${port}`);
  });
}

function identityOf(host: string, cert: string | undefined, key: string | undefined): Identity {
  if (cert === undefined || key === undefined) return selfSigned([host, 'localhost'], '127.0.0.1');
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}

const { cyan, dim, green, magenta, red, yellow } = colours;
const PAINT: { readonly [verdict in Finding['verdict']]: (text: string) => string } = {
  conforms: green,
  permitted: yellow,
  inconclusive: yellow,
  violates: red,
  skipped: dim,
};

function show({ id, verdict, because, section, requirements, dialogue }: Finding, verbose: boolean, write: (line: string) => void): void {
  const where = section === null ? '' : ` (${section})`;
  write(`${PAINT[verdict](verdict.padEnd(12))} ${id}${because === null ? '' : `: ${plain(because)}${where}`}`);
  if (verdict === 'violates') for (const one of requirements) write(`             ${dim(`${one.id}: ${one.statement}`)}`);
  if (!verbose || verdict === 'conforms' || verdict === 'skipped') return;
  for (const { from, text } of dialogue)
    for (const line of text.split(/(?<=\n)/))
      write(
        `             ${from === 'client' ? cyan('C:') : from === 'server' ? magenta('S:') : dim('--')} ${plain(line.replace(/\r\n$/, ''))}`,
      );
}

/** What a peer has sent goes to a terminal. */
function plain(text: string): string {
  return text.replaceAll(/[^ -~]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('a number of seconds');
  return value;
}
