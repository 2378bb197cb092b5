import { createInterface } from 'node:readline/promises';
import { type Command, Option } from 'commander';
import { EXIT } from './exit-codes.ts';
import { QueueError } from './queue-client.ts';
import { type QueueMeans, queueList, queueShow, queueStatus, queueWhy, queueWish, WISHES, type Wish } from './queue-command.ts';
import { addFilters, addPlace, count, type QueueOptions } from './queue-options.ts';

const EXITS = `
Exit code: 0 done; 1 there is no such job, or one could not be had; 69 no relay listens there; 77 it is another user's; 2 wrong options.`;

const SAYS: { readonly [wish in Wish]: string } = {
  retry: 'try jobs now',
  hold: 'hold jobs: nothing is done with them until they are released',
  release: 'let jobs go on that are held',
  delete: 'delete jobs, and tell nobody',
  bounce: 'give jobs up, and tell their senders',
};

/** `ehlo queue`. */
export function add(queue: Command): void {
  queue.addHelpText('after', EXITS);
  addFilters(addPlace(queue.command('list').description('the jobs of the queue: a message for the recipients at one domain each')))
    .addOption(new Option('--most <number>', 'so many at the most').argParser(count))
    .action((options: QueueOptions) => run(options, (placed, means) => queueList(placed, means)));
  addPlace(queue.command('show').description('all that is known of a job').argument('<id>', 'the job'))
    .option('--raw', 'the message as it is', false)
    .action((id: string, options: QueueOptions) => run(options, (placed, means) => queueShow(id, placed, means)));
  addPlace(
    queue.command('why').description('the facts and rules that led to where each recipient stands').argument('<id>', 'the job'),
  ).action((id: string, options: QueueOptions) => run(options, (placed, means) => queueWhy(id, placed, means)));
  addPlace(queue.command('status').description('how the relay fares, and how much there is'))
    .option('--follow', 'again whenever something is other, until the relay has stopped: the progress of a drain', false)
    .action((options: QueueOptions) => run(options, (placed, means) => queueStatus(placed, means)));
  for (const wish of Object.keys(WISHES) as Wish[]) {
    const command = addPlace(queue.command(wish).description(SAYS[wish]).argument('[id...]', 'the jobs'));
    if (WISHES[wish] !== null) command.option('--yes', 'ask nobody', false);
    addFilters(command)
      .option('--all', 'every job', false)
      .action((ids: readonly string[], options: QueueOptions) => run(options, (placed, means) => queueWish(wish, ids, placed, means)));
  }
}

async function run(options: QueueOptions, command: (placed: QueueOptions, means: QueueMeans) => Promise<number>): Promise<void> {
  const control = new AbortController();
  const stop = (): void => control.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  // `ehlo queue list | head`: the reader has closed the pipe.
  process.stdout.once('error', stop);
  const isTerminal = process.stdin.isTTY === true && process.stderr.isTTY === true;
  const means: QueueMeans = {
    write: (line) => written(`${line}\n`),
    octets: process.stdout.isTTY ? null : written,
    warn: (line) => process.stderr.write(`ehlo: ${line}\n`),
    confirm: isTerminal ? confirm : null,
    signal: control.signal,
  };
  try {
    process.exitCode = await command(await placed(options), means);
  } catch (error) {
    if (!(error instanceof QueueError)) throw error;
    means.warn(error.message);
    process.exitCode = error.exit;
  }
}

/** With the socket that a configuration names, where none is named beside it. */
async function placed(options: QueueOptions): Promise<QueueOptions> {
  const { config: file, socket } = options;
  if (file === undefined || socket !== undefined) return options;
  // It is of the relay, which is installed beside.
  const { readConfigFile } = await import('./relay-config.ts');
  const { config } = await readConfigFile(file).catch((error: unknown) => {
    throw new QueueError((error as Error).message, EXIT.usage);
  });
  if (config.control === undefined)
    throw new QueueError(`${file}: control is not there: a relay without it can't be looked at`, EXIT.usage);
  return { ...options, socket: config.control.socket };
}

/** Settles when there is room for more, or the reader has closed the pipe. */
function written(bytes: string | Uint8Array): Promise<void> {
  return new Promise((done) => void process.stdout.write(bytes, () => done()));
}

async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(question).catch(() => '');
  terminal.close();
  return /^y(?:es)?$/i.test(answer.trim());
}
