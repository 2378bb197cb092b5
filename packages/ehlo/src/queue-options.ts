import { milliseconds } from '@ehlo/testing/stubs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Query } from './queue-client.ts';

/** Where the relay is asked, and how the answer is written. */
export interface QueuePlace {
  readonly socket?: string;
  /** The configuration of the relay, which names its socket. */
  readonly config?: string;
  readonly json: boolean;
}

/** Which jobs are meant, beside those that are named. */
export interface QueueFilters {
  readonly message?: string;
  readonly domain?: string;
  readonly state?: string;
  readonly sender?: string;
  readonly recipient?: string;
  /** Seconds. */
  readonly older?: number;
}

export interface QueueOptions extends QueuePlace, QueueFilters {
  /** `list`: so many at the most. */
  readonly most?: number;
  /** `show`: the octets of the message. */
  readonly raw?: boolean;
  /** `status`: again and again. */
  readonly follow?: boolean;
  /** Wishes: every job of the queue. */
  readonly all?: boolean;
  /** `delete`, `bounce`: no confirmation. */
  readonly yes?: boolean;
}

/** The default socket of a relay. */
export const SOCKET = '/run/ehlo/control.sock';

export function addPlace(command: Command): Command {
  return command
    .addOption(new Option('--socket <path>', `the socket of the relay (default: that of --config, else ${SOCKET})`).env('EHLO_SOCKET'))
    .option('--config <file>', 'the configuration of the relay, which names its socket')
    .option('--json', 'print a JSON object for each', false);
}

export function addFilters(command: Command): Command {
  return command
    .optionsGroup('Which jobs:')
    .option('--domain <domain>', 'those for this domain')
    .addOption(new Option('--state <state>', 'those in this state').choices(['leased', 'held', 'waiting', 'due']))
    .addOption(new Option('--older <time>', 'those whose message came before, e.g. "2 days"').argParser(seconds))
    .option('--sender <mailbox>', 'those from this mailbox; @ and a domain: from any there; "": from nobody, as notices are')
    .option('--recipient <mailbox>', 'those for this mailbox; @ and a domain: for any there')
    .option('--message <id>', 'those of this message');
}

/** A selection as the relay is asked for it. */
export function queryOf(ids: readonly string[], options: QueueFilters): Query {
  const filters = FILTERS.flatMap((name): Query => (options[name] === undefined ? [] : [[name, String(options[name])]]));
  return [...ids.map((id) => ['id', id] as const), ...filters];
}

const FILTERS = ['message', 'domain', 'state', 'sender', 'recipient', 'older'] as const satisfies readonly (keyof QueueFilters)[];

export function count(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function seconds(text: string): number {
  try {
    return Math.floor(milliseconds(text) / 1000);
  } catch {
    throw new InvalidArgumentError("It must be a number and its unit, such as '12 h' or '7 days'.");
  }
}
