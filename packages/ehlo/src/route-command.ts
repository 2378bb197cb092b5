import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { domainToASCII } from 'node:url';
import { type DeliverySettings, deliverySettings, parseStsPolicy } from '@ehlo/delivery';
import { isHostName, parseMailbox } from '@ehlo/grammar';
import { answerFrom, type LookupAnswer, type LookupQuestion, readZone } from './dns-file.ts';
import { EXIT } from './exit-codes.ts';
import { jsonLine } from './json-line.ts';
import { type RouteCommandOptions, RouteError, RouteFileError } from './route-options.ts';
import { type RouteStory, tellRoute } from './route-story.ts';
import { routeObject, routeText } from './route-text.ts';
import { ServerScript } from './server-says.ts';

type LookUp = (question: LookupQuestion) => Promise<LookupAnswer>;
type DnsLibrary = () => Promise<Pick<typeof import('@ehlo/relay/dns'), 'dnsLookup'>>;

const LIBRARY: DnsLibrary = () => import('@ehlo/relay/dns');

/** RFC 1870, 2034, 2920, 3030, 3207, 3461, 6152, 6531, 8689. */
const OFFERS = [
  'PIPELINING',
  'SIZE',
  '8BITMIME',
  'BINARYMIME',
  'CHUNKING',
  'DSN',
  'ENHANCEDSTATUSCODES',
  'REQUIRETLS',
  'SMTPUTF8',
  'STARTTLS',
];

/**
 * Says what a relay would do with mail for an address: where it goes, which TLS is demanded and why, what is tried when, and what the sender is told. Returns the
 * exit code. Throws `RouteError` for options that are wrong, and where look-ups are wanted and what makes them is not installed.
 */
export async function routeCommand(
  address: string,
  options: RouteCommandOptions,
  write: (output: string) => void,
  warn: (line: string) => void,
  library: DnsLibrary = LIBRARY,
): Promise<number> {
  const to = recipientOf(address);
  const own = options.hostname ?? (hostname().includes('.') ? hostname() : 'localhost');
  if (!isHostName(own)) throw new RouteError(`--hostname: ${JSON.stringify(own)} is no host name`);
  const settings = settingsOf(own, options);
  const script = new ServerScript(options.serverSays ?? [], offersOf(options.offers));
  const policy = options.policy === undefined ? null : await policyFrom(options.policy);
  const lookUp = await lookUpOf(options, library);
  const { size = 0, smtputf8, requiretls } = options;
  const message = {
    reversePath: reversePathOf(options.from ?? `postmaster@${own}`),
    size,
    ...(options['8bitmime'] ? { body: '8BITMIME' as const } : {}),
    ...(smtputf8 ? { smtpUtf8: true as const } : {}),
    ...(requiretls ? { tls: 'required' as const } : {}),
  };
  const question = { ...to, message, settings, at: Date.now(), lookUp, policy, script };
  const story = await tellRoute(question);
  if (story.lacksPolicy) {
    const url = `https://mta-sts.${to.domain}/.well-known/mta-sts.txt`;
    warn(`${to.domain} has an MTA-STS policy, which counts as one that can't be had: give it by --policy FILE (curl -o FILE ${url})`);
  }
  const { preset } = options;
  const shown = { address: to.address, hostname: own, preset, at: question.at, story };
  write(options.json ? `${jsonLine(routeObject(shown))}\n` : routeText(shown));
  return exitCode(story);
}

function exitCode({ end: { recipient } }: RouteStory): number {
  const { state, unknown = 0 } = recipient;
  if (state === 'relayed' || state === 'delivered') return EXIT.sent;
  if (unknown > 0) return EXIT.unknown;
  return state === 'expired' ? EXIT.later : EXIT.refused;
}

/** The address with A-labels in place of U-labels (RFC 5891 4.4), as it is in the envelope and is looked up. */
function recipientOf(text: string): { readonly address: string; readonly domain: string } {
  const given = /^<(.*)>$/.exec(text)?.[1] ?? text;
  const at = given.lastIndexOf('@');
  if (at < 0) throw new RouteError(`'${text}' has no domain: write user@domain`);
  const domain = asciiDomain(given.slice(at + 1));
  const address = `${given.slice(0, at)}@${domain}`;
  if (domain === '' || !parseMailbox(address).ok) throw new RouteError(`'${text}' is no address (RFC 5321 4.1.2)`);
  return { address, domain };
}

function reversePathOf(text: string): string {
  const given = /^<(.*)>$/.exec(text)?.[1] ?? text;
  if (given !== '' && !parseMailbox(given).ok) throw new RouteError(`--from '${text}' is no address (RFC 5321 4.1.2)`);
  return given;
}

function asciiDomain(domain: string): string {
  const isAscii = /^\p{ASCII}*$/u.test(domain);
  return isAscii && domain.startsWith('[') ? domain : (isAscii ? domain : domainToASCII(domain)).toLowerCase();
}

/** Pauses as the settings have them, without what chance adds. */
function settingsOf(own: string, { preset, via }: RouteCommandOptions): DeliverySettings {
  if (preset === 'smarthost' && via === undefined) throw new RouteError('--preset smarthost needs a host: name it by --via');
  const hosts = via === undefined || 'path' in via ? [] : [{ host: via.host, ...(via.port === null ? {} : { port: via.port }) }];
  return deliverySettings({ hostname: own, preset, jitter: 0, ...(hosts.length === 0 ? {} : { routes: [{ domains: ['*'], hosts }] }) });
}

function offersOf(given: readonly string[] = OFFERS): readonly string[] {
  const lines = given.filter((line) => line.toLowerCase() !== 'none');
  const odd = lines.find((line) => !/^[a-z0-9][a-z0-9-]*(?: [!-~]+)*$/i.test(line));
  if (odd !== undefined) throw new RouteError(`--offers '${odd}' is no line of an answer to EHLO: a keyword, and its parameters behind it`);
  return lines;
}

async function policyFrom(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new RouteFileError(`--policy: ${file} can't be read: ${error.message}`);
  });
  if (parseStsPolicy(text) === null)
    throw new RouteError(
      `--policy: ${file} is no policy: it must have version, mode, max_age, and mx unless the mode is none (RFC 8461 3.2)`,
    );
  return text;
}

async function lookUpOf({ dns, resolver, trustResolver }: RouteCommandOptions, library: DnsLibrary): Promise<LookUp> {
  if (dns !== undefined) {
    if (resolver !== undefined || trustResolver)
      throw new RouteError('names are looked up in the file or asked of a resolver: give --dns or --resolver');
    const zone = await readZone(dns);
    return async (question) => answerFrom(zone, question);
  }
  const { dnsLookup } = await library().catch((cause: unknown) => {
    throw new RouteError(
      'names are looked up by @ehlo/relay, which is not installed: npm install @ehlo/relay (or npx --package ehlo --package @ehlo/relay ehlo route …); --dns FILE needs no resolver',
      { cause },
    );
  });
  try {
    return dnsLookup({ ...(resolver === undefined ? {} : { servers: resolver }), trustResolver });
  } catch (error) {
    throw new RouteError(`--resolver: ${(error as Error).message}`);
  }
}
