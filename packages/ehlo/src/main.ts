import { createRequire } from 'node:module';
import { Command, CommanderError, Help } from 'commander';
import { EXIT } from './exit-codes.ts';

/** A command. Its code is loaded when it is used: other commands do not wait for code that they do not need. */
interface Program {
  readonly name: string;
  /** How it stands in the list of all. */
  readonly term: string;
  readonly description: string;
  readonly hidden?: true;
  /** What adds its options, its arguments, and what it does. */
  readonly load: () => Promise<{ readonly add: (command: Command) => void }>;
}

/** `ehlo conform --client` has options of its own. */
const CONFORM_CLIENT = 'conform-client';

export const PROGRAMS: readonly Program[] = [
  {
    name: 'serve',
    term: 'serve [options]',
    description: 'receive mail: store each message as a file and show the conversation',
    load: () => import('./serve-program.ts'),
  },
  {
    name: 'send',
    term: 'send [options] [file]',
    description: 'send one message, and show what became of each recipient',
    load: () => import('./send-program.ts'),
  },
  {
    name: 'parse',
    term: 'parse [options] [text]',
    description: 'read a command, an address, a reply, an answer to EHLO, a trace field or a PROXY header, and show what it says',
    load: () => import('./parse-program.ts'),
  },
  {
    name: 'rfc',
    term: 'rfc [options] [number] [section]',
    description: 'what there is of a section of an RFC: requirements, test vectors that show them, rows of the state machine, source lines',
    load: () => import('./rfc-program.ts'),
  },
  {
    name: 'message',
    term: 'message [options] [file]',
    description: 'show a message as a tree: envelope, trace with its delays, report, fields with what is odd about them, parts',
    load: () => import('./message-program.ts'),
  },
  {
    name: 'replay',
    term: 'replay [options] <file>',
    description: 'show transcripts step by step, replay them, and show where one comes out otherwise',
    load: () => import('./replay-program.ts'),
  },
  {
    name: 'queue',
    term: 'queue',
    description: 'look at the queue of a relay that runs, and operate it',
    load: () => import('./queue-program.ts'),
  },
  {
    name: 'relay',
    term: 'relay [options]',
    description: 'run a mail relay: takes mail, keeps it in a queue, and delivers it',
    load: () => import('./relay-program.ts'),
  },
  {
    name: 'conform',
    term: 'conform [options] [host:port]',
    description: 'examine a server of any make against the RFCs, by some 480 checks',
    load: () => import('./conform-program.ts'),
  },
  {
    name: 'route',
    term: 'route [options] <address>',
    description: 'say where mail for an address goes, what is tried when, and what its sender is told; none is sent',
    load: () => import('./route-program.ts'),
  },
  {
    name: 'abnf',
    term: 'abnf [options] <first> <second>',
    description: 'compare two grammars rule by rule: those that do not take the same words, each with a shortest word of which that is so',
    load: () => import('./abnf-program.ts'),
  },
  {
    name: CONFORM_CLIENT,
    term: 'conform-client [options]',
    description: 'examine a client: give it messages to send, and look at what it does against the RFCs',
    hidden: true,
    load: () => import('./conform-client-program.ts'),
  },
];

/** Runs the command line. */
export async function main(argv: readonly string[]): Promise<void> {
  const { version } = createRequire(import.meta.url)('../package.json') as { version: string };
  outliveReaders();
  const terms = new Map<Command, string>();
  const program = new Command('ehlo')
    .description('SMTP on a pure protocol engine')
    .version(version)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'ehlo: ').replace('\n(', ' (')) })
    .configureHelp({ subcommandTerm: (command) => terms.get(command) ?? new Help().subcommandTerm(command) });
  const words = routed(argv);
  const [first, second] = words.slice(2).filter((word) => !word.startsWith('-'));
  const asked = first === 'help' ? second : first;
  try {
    for (const { name, term, description, hidden = false, load } of PROGRAMS) {
      const command = program.command(name, { hidden }).description(description);
      terms.set(command, term);
      if (name === asked) (await load()).add(command);
    }
    await program.parseAsync(words);
  } catch (error) {
    // Help and version have been printed; so has what commander has to say of an option.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : EXIT.usage;
    else fail(error as Error);
  }
}

function routed(argv: readonly string[]): readonly string[] {
  const [runtime = '', script = '', command, ...rest] = argv;
  if (command !== 'conform' || !rest.includes('--client')) return argv;
  return [runtime, script, CONFORM_CLIENT, ...rest.filter((word) => word !== '--client')];
}

/** A reader that goes away (`ehlo serve | head -1`, `ehlo send --trace 2>&1 | head -1`) is no reason to stop, or to tell another outcome. */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}

/** In one line what went wrong, and what to do about it. */
function fail({ message, exit = EXIT.usage }: Error & { readonly exit?: number }): void {
  process.stderr.write(`ehlo: ${message}\n`);
  process.exitCode = exit;
}
