import { milliseconds } from '@ehlo/testing/stubs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { port } from './option-values.ts';
import { type Place, place } from './send-options.ts';

/** The options of the page of `ehlo serve`. */
export interface WebCommandOptions {
  /** The port; true: the usual one. */
  readonly web?: number | true;
  readonly webHost?: string;
  readonly webName?: string;
  readonly webUser?: string;
  readonly webPasswordFile?: string;
  /** Milliseconds. */
  readonly maxAge?: number;
  /** The control socket of a relay whose queue is shown. */
  readonly webQueue?: string;
  readonly webQueueOperate?: boolean;
  /** A real server that mails may be passed on to. */
  readonly release?: Place;
}

/** Adds the options to the command. */
export function addWebOptions(command: Command): Command {
  return command
    .optionsGroup('A page to look at it all:')
    .addOption(
      new Option('--web [port]', 'show mails, conversations and stubs in a browser, with an HTTP API (default port: 8025)').argParser(port),
    )
    .option('--web-host <address>', 'address that the page listens on; one that others reach needs --web-user (default: 127.0.0.1)')
    .option('--web-name <name>', 'name by which the page is reached, beside localhost and addresses')
    .option('--web-user <name>', 'the one user of the page; the password is that of EHLO_WEB_PASSWORD')
    .option('--web-password-file <file>', 'the password of the user, in its first line')
    .option('--web-queue <socket>', 'show the queue of a relay, by its control socket')
    .option('--web-queue-operate', 'let the page retry, hold, release, delete and bounce jobs of it')
    .addOption(new Option('--max-age <time>', 'remove mails that are older, e.g. 7 days; with --web').argParser(time))
    .addOption(
      new Option('--release <host[:port]>', 'server that the page may pass mails on to (default: none, and port 25)').argParser(place),
    );
}

/** Throws if options contradict each other. */
export function checkWeb({ web, ...others }: WebCommandOptions): void {
  if (web !== undefined) {
    if (others.webQueueOperate === true && others.webQueue === undefined)
      throw new Error('--web-queue-operate needs a queue: give --web-queue, too');
    return;
  }
  const [stray] = NAMES.filter((name) => others[name] !== undefined);
  if (stray !== undefined)
    throw new Error(`--${stray.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} is of the page: give --web, too`);
}

const NAMES = ['webHost', 'webName', 'webUser', 'webPasswordFile', 'webQueue', 'webQueueOperate', 'maxAge', 'release'] as const;

function time(text: string): number {
  try {
    return milliseconds(text);
  } catch {
    throw new InvalidArgumentError("It must be a number and its unit, such as '12 h' or '7 days'.");
  }
}
