import { LIMITS, type LimitName, type LimitOptions, PREREQUISITES, PRESETS, type Preset } from '@ehlo/engine';
import { EXTENSIONS } from '@ehlo/grammar';
import { STUB_PRESETS } from '@ehlo/testing';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CertificateOptions } from './certificate.ts';
import { each, most, port, whole } from './option-values.ts';
import type { UsersOptions } from './users.ts';
import { SERVE } from './words/serve.ts';
import { SERVER_LIMITS } from './words/server-limits.ts';
import { helpOf } from './words/words.ts';

/** The options of `ehlo serve`. Beside these: a switch for each extension, and a number for each limit of the engine. */
export interface ServeCommandOptions extends CertificateOptions, UsersOptions {
  readonly host: string;
  readonly port?: number;
  readonly unix?: string;
  readonly unixMode?: number;
  readonly hostname?: string;
  readonly maildir: string;
  readonly preset: Preset;
  readonly lmtp: boolean;
  readonly proxy?: 'v1' | 'v2' | 'any';
  readonly connections?: number;
  readonly trustXclient?: readonly string[];
  readonly trustXforward?: readonly string[];
  readonly size?: number;
  readonly hops: number;
  /** Presets, or files of stubs. */
  readonly stubs?: readonly string[];
  /** Mails that are kept. */
  readonly keep?: number;
  /** The file of transcripts. */
  readonly record?: string;
  readonly explain: boolean;
  readonly raw: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
}

/** Extensions that are switched on by other options, or always on. */
const ELSEWHERE: ReadonlySet<string> = new Set(['SIZE', 'STARTTLS', 'AUTH', 'HELP', 'VRFY', 'EXPN']);
const SWITCHES = EXTENSIONS.filter(({ keyword }) => !ELSEWHERE.has(keyword));
const NAMES = Object.keys(LIMITS) as LimitName[];

/** Adds the options to the command. */
export function addServeOptions(command: Command): Command {
  command
    .optionsGroup('Where:')
    .addOption(new Option('--host <address>', helpOf(SERVE.host)).default('127.0.0.1'))
    .addOption(new Option('--port <number>', `${helpOf(SERVE.port)} (default: 2525)`).argParser(port))
    .addOption(new Option('--tls-port <number>', 'port to listen on for TLS from the start, too; 0: any that is free').argParser(port))
    .option('--unix <path>', 'Unix socket to listen on; without --port in place of it')
    .addOption(new Option('--unix-mode <octal>', 'mode of the Unix socket, e.g. 660').argParser(mode))
    .addOption(new Option('--proxy <version>', helpOf(SERVE.proxy)).choices(['v1', 'v2', 'any']))
    .addOption(new Option('--connections <number>', 'connections at a time; one more is told 421 (default: 10000)').argParser(most))
    .option('--trust-xclient <address>', 'a proxy (address, network/bits, or unix) that may say who its client is; once for each', each)
    .option('--trust-xforward <address>', 'a sender that may say whom it had a message from; once for each', each)
    .optionsGroup('Who and how:')
    .option('--hostname <name>', `${helpOf(SERVE.hostname)} (default: that of the host)`)
    .addOption(new Option('--preset <name>', helpOf(SERVE.preset)).choices(Object.keys(PRESETS)).default('sink'))
    .option('--lmtp', 'LMTP in place of SMTP: the same as --preset lmtp', false)
    .option('--cert <file>', 'certificate in PEM, with its chain: STARTTLS is offered; SIGHUP reads it and the key again')
    .option('--key <file>', 'private key of the certificate, in PEM')
    .option('--tls-self-signed', 'make a certificate on the spot, for trials', false)
    .option('--require-tls', 'nothing is taken in clear: STARTTLS first', false)
    .option('--require-auth', 'mail is taken from users only', false)
    .option('--user <name:password>', 'a user who may authenticate; once for each', each)
    .option('--users <file>', 'a file of users, one name:password or name:{SCRAM-SHA-256}… a line; SIGHUP reads it again')
    .option('--accept-any-auth', 'whoever authenticates may, by any password or token: for tests', false)
    .option('--allow-cleartext-auth', 'let users authenticate without TLS: their passwords can be read on the way', false)
    .optionsGroup('What is done:')
    .addOption(new Option('--maildir <directory>', 'where messages are stored').default('./mail'))
    .option(
      '--stubs <file or preset>',
      `answers that fail on command, as a file in JSON says it, or a preset: ${Object.keys(STUB_PRESETS).join(', ')}; once for each, the last is asked first; SIGHUP reads files again`,
      each,
    )
    .addOption(
      new Option(
        '--keep <number>',
        'messages to keep, of this run, and with --web of those before, too; older ones are removed (default: all)',
      ).argParser(most),
    )
    .option(
      '--record <file>',
      'add each session to this file, one a line, as a transcript that ehlo replay takes; secrets of AUTH are left out',
    )
    .option('--raw', 'store messages without trace fields', false)
    .addOption(new Option('--hops <number>', 'Received fields that a message may have').default(100).argParser(whole))
    .option('--json', 'print one JSON object per event', false)
    .option('--quiet', 'print only where the server listens', false)
    .option('--explain', 'print the policy and the answer to EHLO that follow from the options, and end', false)
    .optionsGroup('Extensions (each has a --no- form):');
  for (const { keyword, rfc } of SWITCHES) {
    command.option(`--${keyword.toLowerCase()}`, `offer ${keyword} (RFC ${rfc})`);
    command.addOption(new Option(`--no-${keyword.toLowerCase()}`).default(undefined).hideHelp());
  }
  command.optionsGroup('Limits:').addOption(new Option('--size <octets>', 'the same as --limit-message-size').argParser(whole));
  for (const name of NAMES) {
    const { unit, value } = LIMITS[name];
    command.addOption(
      new Option(`--limit-${kebab(name)} <${unit}>`, `${helpOf(SERVER_LIMITS[name])} (default: ${value})`).argParser(whole),
    );
  }
  return command;
}

/** The preset that the options name. */
export function presetOf({ preset, lmtp }: ServeCommandOptions): Preset {
  return lmtp ? 'lmtp' : preset;
}

/** The extensions that the options name, or leave to the preset. */
export function extensionsOf(options: ServeCommandOptions): readonly string[] {
  const chosen = new Set(PRESETS[presetOf(options)].extensions);
  const said = (keyword: string): boolean | undefined =>
    (options as unknown as { readonly [name: string]: boolean | undefined })[camel(keyword.toLowerCase())];
  for (const { keyword } of SWITCHES) {
    if (said(keyword) === true) chosen.add(keyword);
    if (said(keyword) === false) chosen.delete(keyword);
  }
  // Without its prerequisite an extension is switched off, too, unless the options ask for it: then the engine reports the contradiction.
  for (const [keyword, needed] of PREREQUISITES) if (!chosen.has(needed) && said(keyword) !== true) chosen.delete(keyword);
  return [...chosen];
}

/** Throws if options contradict each other. */
export function checkTogether(options: ServeCommandOptions): void {
  const { unix, unixMode, lmtp, preset, size, record, stubs } = options;
  const wrong: readonly (readonly [boolean, string])[] = [
    [unixMode !== undefined && unix === undefined, '--unix-mode is the mode of a Unix socket: name one by --unix'],
    [lmtp && preset !== 'sink' && preset !== 'lmtp', `--lmtp is --preset lmtp, and --preset ${preset} is another: give one of them`],
    [size !== undefined && 'limitMessageSize' in options, '--size and --limit-message-size are the same: give one of them'],
    [record !== undefined && stubs !== undefined, '--record and --stubs: what a stub does is not of the session, and would not replay'],
  ];
  for (const [is, message] of wrong) if (is) throw new Error(message);
}

/** Whether a TCP port is listened on that begins in clear. */
export function listensInClear({ unix, port }: ServeCommandOptions): boolean {
  return unix === undefined || port !== undefined;
}

/** The limits that the options name. */
export function limitsOf(options: ServeCommandOptions): LimitOptions {
  const given = options as unknown as { readonly [name: string]: number | undefined };
  const limits: { [name in LimitName]?: number } = options.size === undefined ? {} : { messageSize: options.size };
  for (const name of NAMES) {
    const value = given[camel(`limit-${kebab(name)}`)];
    if (value !== undefined) limits[name] = value;
  }
  return limits;
}

/** `messageSize` is `--limit-message-size`. */
function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** As commander names options. */
function camel(name: string): string {
  return name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

function mode(text: string): number {
  if (!/^[0-7]{3,4}$/.test(text)) throw new InvalidArgumentError('It must be a mode in octal, e.g. 660.');
  return Number.parseInt(text, 8);
}
