import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { createRequire } from 'node:module';
import { BlockList } from 'node:net';
import { resolve } from 'node:path';
import {
  type Catalogue,
  type Check,
  conform,
  type Dial,
  type Finding,
  fails,
  NoSessionError,
  type Protocol,
  reportOf,
  selected,
  type Target,
} from '@ehlo/conform';
import { FORMATS, visible } from '@ehlo/conform/formats';
import { dialer, serverChecks, shimDialer } from '@ehlo/conform/node';
import type { ConformCommandOptions, ConformPlace } from './conform-options.ts';
import { PLANS, planOf } from './conform-plan.ts';
import { meter } from './conform-progress.ts';
import { EXIT } from './exit-codes.ts';

/** What is wrong with the options of `ehlo conform`; the message says it all. */
export class ConformError extends Error {}

/**
 * Examines a server, and writes the report. Returns the exit code: 0 without a violation, 1 with one, 69 where there is no session. Throws a
 * ConformError for what is wrong with the options.
 */
export async function conformCommand(
  place: ConformPlace | undefined,
  options: ConformCommandOptions,
  write: (output: string) => void,
  warn: (line: string) => void,
  signal: AbortSignal,
): Promise<number> {
  const protocol = protocolOf(options);
  const target = targetOf(options, protocol);
  const catalogue = serverChecks();
  const checks = selected({ catalogue, protocol, ...(options.only === undefined ? {} : { only: options.only }) });
  if (checks.length === 0) throw new ConformError(`--only: no check for ${protocol} is of ${options.only?.join(' or ')}`);
  const examined = examinedOf(place, options);
  if (options.dryRun) {
    const tell = PLANS[options.format];
    if (tell === undefined) throw new ConformError(`--dry-run is told as ${Object.keys(PLANS).join(' or ')}`);
    write(tell(planOf(examined, checks, target, options.sessions)));
    return 0;
  }
  const way = place === undefined ? shimDialer(options.shim!, target.patience, protocol) : await wayTo(place, options, warn);
  if (way === null) return EXIT.unavailable;
  const findings = await examine({ ...target, dial: way.dial, catalogue, sessions: options.sessions }, checks, warn, signal).finally(() =>
    way.close(),
  );
  if (findings === null) return EXIT.unavailable;
  const report = reportOf({ examined, role: protocol, requireAll: options.requireAll }, findings);
  write(FORMATS[options.format](report));
  if (signal.aborted) warn(`stopped: ${findings.length} of ${checks.length} checks are in the report`);
  return fails(report.counts, report.requireAll) ? EXIT.refused : 0;
}

/** Who is examined, by name: a server at a place, or an engine without sockets. */
function examinedOf(place: ConformPlace | undefined, { shim, tls }: ConformCommandOptions): string {
  if ((place === undefined) === (shim === undefined))
    throw new ConformError('a server is examined, host:port, or a program by --shim: give one of them');
  if (place === undefined && tls === 'implicit')
    throw new ConformError('--tls implicit needs a server: a program by --shim knows of STARTTLS');
  return place === undefined ? shim! : `${place.host.includes(':') ? `[${place.host}]` : place.host}:${place.port}`;
}

/** How sessions with a server are opened; null where its name has no address. */
async function wayTo(
  { host, port }: ConformPlace,
  { yesMine, tls, insecure }: ConformCommandOptions,
  warn: (line: string) => void,
): Promise<{ readonly dial: Dial; close(): void } | null> {
  const found = await addressOf(host);
  if (found instanceof Error) {
    warn(`no session: ${visible(host)} has no address: ${found.message}`);
    return null;
  }
  const address = allowed(host, found, yesMine);
  return { dial: dialer({ host: address, port, servername: host, implicit: tls === 'implicit', insecure }), close: () => {} };
}

/** The findings; null where there is no session. */
async function examine(
  options: Target & { readonly catalogue: Catalogue; readonly sessions: number },
  checks: readonly Check[],
  warn: (line: string) => void,
  signal: AbortSignal,
): Promise<readonly Finding[] | null> {
  const findings: Finding[] = [];
  const bar = meter(checks.length);
  try {
    const run = conform({ ...options, catalogue: { ...options.catalogue, checks }, signal });
    bar.draw(0, checks[0]!.id);
    for await (const finding of run) {
      findings.push(finding);
      bar.draw(findings.length, checks[findings.length]?.id ?? '');
    }
    return findings;
  } catch (error) {
    if (!(error instanceof NoSessionError)) throw error;
    warn(`no session: ${visible(error.message)}${HINTS.find(([pattern]) => pattern.test(error.message))?.[1] ?? ''}`);
    return null;
  } finally {
    bar.clear();
  }
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [/certificate|self.signed|altnames/i, ' (--insecure takes any certificate)'],
  [/handshake|wrong version|packet length/i, ' (--tls says how TLS begins)'],
];

function protocolOf({ lmtp, submission }: ConformCommandOptions): Protocol {
  if (lmtp && submission) throw new ConformError('a server is examined as LMTP or as submission: give --lmtp or --submission, not both');
  return lmtp ? 'lmtp' : submission ? 'submission' : 'smtp';
}

function targetOf(options: ConformCommandOptions, protocol: Protocol): Omit<Target, 'dial'> {
  const { tls, insecure, hostname, user, passwordEnv, from, to = [], slow, patience, extension = [] } = options;
  if (tls === 'none' && insecure) throw new ConformError('--insecure needs --tls');
  const password = user === undefined ? undefined : process.env[passwordEnv];
  if (user !== undefined && password === undefined)
    throw new ConformError(`there is no password: set ${passwordEnv}, or name another variable by --password-env`);
  if (to.includes('')) throw new ConformError('--to needs an address');
  return {
    protocol,
    tls,
    ...(hostname === undefined ? {} : { hostname }),
    ...(from === undefined ? {} : { from }),
    to,
    ...(user === undefined ? {} : { user: { name: user, password: password! } }),
    patience: patience * 1000,
    slow,
    extensions: extension.flatMap(keywordsIn),
  };
}

/** The keywords of the extensions that a module exports. */
function keywordsIn(file: string): readonly string[] {
  let module: object;
  try {
    module = createRequire(import.meta.url)(resolve(file)) as object;
  } catch (error) {
    throw new ConformError(`--extension ${file}: ${(error as Error).message}`);
  }
  const keywords = Object.values(module)
    .flat()
    .flatMap((value: unknown) =>
      typeof value === 'object' && value !== null && 'keyword' in value && typeof value.keyword === 'string' ? value.keyword : [],
    );
  if (keywords.length === 0) throw new ConformError(`--extension ${file}: it exports no extension`);
  return keywords;
}

/** Addresses of one's own network: RFC 1918, RFC 4193, RFC 6598, loopback and link-local. */
const PRIVATE = new BlockList();
for (const [net, bits] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  ['100.64.0.0', 10],
] as const)
  PRIVATE.addSubnet(net, bits, 'ipv4');
for (const [net, bits] of [
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  PRIVATE.addSubnet(net, bits, 'ipv6');

/** The address that a host has now: all sessions go there. */
async function addressOf(host: string): Promise<LookupAddress | Error> {
  return await lookup(host).catch((error: Error) => error);
}

/** Throws if an address is not private, unless the options say that it is the user's own. */
function allowed(host: string, { address, family }: LookupAddress, yesMine: boolean): string {
  if (yesMine || PRIVATE.check(address, family === 6 ? 'ipv6' : 'ipv4')) return address;
  throw new ConformError(`${visible(host)} (${address}) is not a private address: say --yes-mine if the server is yours`);
}
