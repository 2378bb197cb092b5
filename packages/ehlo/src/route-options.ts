import { type Command, InvalidArgumentError, Option } from 'commander';
import { EXIT } from './exit-codes.ts';
import { each } from './option-values.ts';
import { type Place, place } from './send-options.ts';

/** What is wrong with the options of `ehlo route`, or with what they name; the message says it all. */
export class RouteError extends Error {}

/** A file that can't be read. */
export class RouteFileError extends RouteError {
  readonly exit: number = EXIT.unreadable;
}

/** The options of `ehlo route`. */
export interface RouteCommandOptions {
  readonly from?: string;
  readonly size?: number;
  readonly '8bitmime': boolean;
  readonly smtputf8: boolean;
  readonly requiretls: boolean;
  readonly preset: 'mta' | 'submission' | 'smarthost' | 'test';
  readonly hostname?: string;
  readonly via?: Place;
  readonly dns?: string;
  readonly resolver?: readonly string[];
  readonly trustResolver: boolean;
  readonly policy?: string;
  readonly offers?: readonly string[];
  readonly serverSays?: readonly string[];
  readonly json: boolean;
}

/** Adds the options to the command. */
export function addRouteOptions(command: Command): Command {
  return command
    .argument('<address>', 'the recipient')
    .optionsGroup('The message:')
    .option('--from <address>', 'reverse-path; <> for nowhere (default: postmaster at the hostname)')
    .addOption(new Option('--size <octets>', 'its size (RFC 1870)').argParser(octets))
    .option('--8bitmime', 'it is 8-bit, and not to be converted (RFC 6152)', false)
    .option('--smtputf8', 'its header has UTF-8 (RFC 6531)', false)
    .option('--requiretls', 'it goes over TLS alone (RFC 8689)', false)
    .optionsGroup('The relay:')
    .addOption(
      new Option('--preset <name>', 'times and limits: between domains, for own users, by way of a host of its own, in seconds')
        .choices(['mta', 'submission', 'smarthost', 'test'])
        .default('mta'),
    )
    .option('--hostname <name>', 'its name, which is not sent to where it stands among MX hosts (default: that of this machine)')
    .addOption(new Option('--via <host[:port]>', 'a smart host, which takes all mail').argParser(smartHost))
    .optionsGroup('Names:')
    .option('--dns <file>', 'answers in place of a resolver: JSON, or JSON5, of names and their records')
    .option('--resolver <address[:port]>', 'the resolver (default: that of the system); once for each', each)
    .option('--trust-resolver', 'what it says of DNSSEC is believed, though it is not on a loopback address', false)
    .option('--policy <file>', "the domain's MTA-STS policy, which is not fetched by itself (RFC 8461)")
    .optionsGroup('Servers, which nobody connects to:')
    .option(
      '--offers <line>',
      'a line of the answer to EHLO, such as "SIZE 1000"; once for each; none (default: all that mail may ask for)',
      each,
    )
    .option(
      '--server-says <text>',
      '"[Nx] STAGE[@HOST] [REPLY]": N times, always without N; at CONNECT, GREETING, EHLO, TLS, MAIL, RCPT, DATA or END; "lost" in place of a reply; once for each',
      each,
    )
    .optionsGroup('What is shown:')
    .option('--json', 'print a JSON object', false)
    .addHelpText('after', EXIT_CODES);
}

const EXIT_CODES =
  '\nNo mail is sent, and nobody but the resolver is connected to.\nExit code: 0 a server would take it; 1 it would fail; 75 it would be tried until it expires; 76 nobody would know; 66 no file; 2 wrong options.';

function octets(text: string): number {
  const number = /^[0-9]{1,15}$/.test(text) ? Number(text) : 0;
  if (number === 0) throw new InvalidArgumentError('It must be a whole number above zero.');
  return number;
}

function smartHost(text: string): Place {
  const found = place(text);
  if ('path' in found) throw new InvalidArgumentError('It must be host, host:port or [address]:port.');
  return found;
}
