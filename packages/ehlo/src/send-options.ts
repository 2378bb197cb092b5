import { isIPv6 } from 'node:net';
import { type Pipelining, showText } from '@ehlo/engine';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { TextEnvelope } from './header-letter.ts';
import { each, port } from './option-values.ts';
import { CLIENT_TLS, CONNECT } from './words/connect.ts';
import { helpOf } from './words/words.ts';

/** What is wrong with the options of `ehlo send`; the message says it all. */
export class SendError extends Error {}

/** What a message is composed of. */
export interface Composition {
  readonly subject?: string;
  /** `Name: value`. */
  readonly header?: readonly string[];
  /** Texts, or `@file`; the first also `-`, standard input. */
  readonly body?: string;
  readonly html?: string;
  /** Files. */
  readonly attach?: readonly string[];
}

/** The options of `ehlo send`. */
export interface SendCommandOptions extends Composition {
  readonly server: Place;
  readonly hostname?: string;
  readonly from?: string;
  readonly to?: readonly string[];
  /** The envelope is that of the header. */
  readonly fromHeader: boolean;
  readonly tls?: 'none' | 'opportunistic' | 'required' | 'implicit';
  readonly tlsCa?: string;
  readonly tlsInsecure: boolean;
  readonly authUser?: string;
  readonly authPasswordFile?: string;
  readonly authMechanism?: string;
  readonly allowCleartextAuth: boolean;
  readonly lmtp: boolean;
  readonly pipelining: Pipelining;
  readonly chunking: boolean;
  /** Milliseconds. */
  readonly timeout?: number;
  readonly count?: number;
  readonly concurrency?: number;
  readonly dryRun: boolean;
  readonly timing: boolean;
  readonly trace: boolean;
  readonly json: boolean;
}

/** Where the server is: a host, with or without a port, or the path of a Unix socket. */
export type Place = { readonly host: string; readonly port: number | null } | { readonly path: string };

/** Adds the options to the command. */
export function addSendOptions(command: Command): Command {
  return command
    .argument('[file]', 'the message (default, or -: standard input)')
    .optionsGroup('What and whom:')
    .addOption(new Option('--from <address>', 'reverse-path: where failures are told; <> for nowhere').argParser(path))
    .addOption(new Option('--to <address>', 'recipient; once for each').argParser(recipient))
    .option(
      '-t, --from-header',
      'recipients and sender (without --from) are those of the header; Bcc is taken out, Date, Message-ID and From are added',
      false,
    )
    .optionsGroup('A message from its parts, by nodemailer, in place of a file:')
    .option('--subject <text>', 'what it is about')
    .option("--header <'name: value'>", 'one more field of the header, or another From, To, Date or Message-ID; once for each', each)
    .option('--body <text>', 'the text; @FILE reads a file, - standard input; @@ is an @ that begins a text')
    .option('--html <text>', 'the same text as HTML; @FILE reads a file')
    .option('--attach <file>', 'a file to go along; once for each', each)
    .optionsGroup('Where:')
    .addOption(
      new Option(
        '--server <host[:port]>',
        'the server, or for LMTP a Unix socket (default port: 25; 465 with --tls implicit; submission is port 587)',
      )
        .makeOptionMandatory()
        .argParser(place),
    )
    .option('--hostname <name>', `${helpOf(CONNECT.hostname)} (default: its name, or else its address)`)
    .option('--lmtp', 'LMTP in place of SMTP; it has no port of its own', false)
    .addOption(new Option('--timeout <seconds>', 'for each phase (default: what RFC 5321 says, minutes)').argParser(seconds))
    .optionsGroup('How safe:')
    .addOption(
      new Option('--tls <how>', 'default: opportunistic, from whoever answers; with --auth-user required, and verified').choices([
        'none',
        'opportunistic',
        'required',
        'implicit',
      ]),
    )
    .option('--tls-ca <file>', helpOf(CLIENT_TLS.ca))
    .option('--tls-insecure', 'take any certificate', false)
    .option('--auth-user <name>', 'authenticate; the password is in EHLO_PASSWORD or a file, or asked for')
    .option('--auth-password-file <file>', 'a file whose first line is the password')
    .option('--auth-mechanism <name>', 'the only SASL mechanism to take (default: the best that the server offers)')
    .option('--allow-cleartext-auth', 'send the password without TLS, too: it can be read on the way', false)
    .optionsGroup('How:')
    .addOption(
      new Option('--pipelining <level>', helpOf(CONNECT.pipelining))
        .choices(['off', 'envelope', 'data', 'transactions'])
        .default('envelope'),
    )
    .option('--chunking', 'BDAT in place of DATA, where it is offered', false)
    .addOption(new Option('--count <number>', 'send it so many times').argParser(whole(1_000_000)))
    .addOption(new Option('--concurrency <number>', 'connections at a time, with --count (default: 1)').argParser(whole(1000)))
    .optionsGroup('What is shown:')
    .option('--dry-run', 'connect, and print how the message would be sent', false)
    .option('--timing', 'show how long each stage took; --json always does', false)
    .option('--trace', 'show the conversation, without secrets', false)
    .option('--json', 'print one JSON object per recipient', false)
    .addHelpText('after', EXIT_CODES);
}

const EXIT_CODES = `
Exit code: 0 all accepted; 1 a recipient refused for good, or a fault in the message; 75 neither, but some refused for now,
not sent or stopped; 76 an outcome is unknown; 69 no session; 77 no TLS or no AUTH; 66 the message can't be read; 2 wrong options.`;

/** `host`, `host:port`, `[address]:port`, an IPv6 address, or a path. */
export function place(text: string): Place {
  if (text.includes('/')) return { path: text };
  const [, literal, host, number] = /^(?:\[([^\]]+)\]|([^:]+))(?::([0-9]+))?$/.exec(text) ?? [];
  if (literal !== undefined || host !== undefined)
    return { host: literal ?? host!, port: number === undefined ? null : serverPort(number) };
  if (isIPv6(text)) return { host: text, port: null };
  throw new InvalidArgumentError('It must be host, host:port, [address]:port or a path.');
}

/** Port 0 is only for listening: any free port. */
function serverPort(text: string): number {
  const number = port(text);
  if (number === 0) throw new InvalidArgumentError('It must be a port from 1 to 65535.');
  return number;
}

/** People write paths as they see them, between angle brackets. */
function path(text: string): string {
  return /^<(.*)>$/.exec(text)?.[1] ?? text;
}

/** How to write what people write for addresses, as lines for them: a name before the address, or several addresses in one option. */
export function addressHints({ reversePath, recipients }: TextEnvelope): readonly string[] {
  const given = [['--from', reversePath] as const, ...recipients.map((text) => ['--to', text] as const)];
  return given.flatMap(([option, text]) => {
    const addresses = text.split(/[,;]/).map((one) => path(/<.*>\s*$/.exec(one)?.[0].trim() ?? one.trim()));
    const isOdd = /<.*>\s*$|@.*[,;].*@/.test(text) && addresses.every((one) => /^[^\s<>"]+@[^\s<>"]+$/.test(one));
    return isOdd
      ? [`${option} '${showText(text)}' is no address: write ${addresses.map((one) => `${option} ${showText(one)}`).join(' ')}`]
      : [];
  });
}

function recipient(text: string, before: readonly string[] = []): readonly string[] {
  return each(path(text), before);
}

function whole(most: number): (text: string) => number {
  return (text) => {
    const number = /^[0-9]{1,7}$/.test(text) ? Number(text) : 0;
    if (number < 1 || number > most) throw new InvalidArgumentError(`It must be a whole number from 1 to ${most}.`);
    return number;
  };
}

function seconds(text: string): number {
  const milliseconds = /^[0-9]{1,6}(?:\.[0-9]{1,3})?$/.test(text) ? Math.round(Number(text) * 1000) : 0;
  if (milliseconds === 0) throw new InvalidArgumentError('It must be a number of seconds above zero.');
  return milliseconds;
}
