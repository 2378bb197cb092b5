import { ANYTHING, type Deviation, encodeUtf8, holdUntilParameter, isHostName, POSTEL } from '@ehlo/grammar';
import { SmtpUsageError } from '../error.ts';
import { demandApart, type Extension, guardedExtension } from '../extension.ts';
import { checkOptions, didYouMean, type TableOf } from '../option-table.ts';
import type { QuestionType } from './events.ts';
import { LIMIT_TABLE, type LimitOptions, type Limits, resolveLimits } from './limits.ts';
import { OFFERS } from './offer.ts';
import type { AuthOptions, BareLineEnds, FutureReleaseOptions, MtPriorityOptions, Policy, Preset, ServerOptions } from './options.ts';
import { LastBurst } from './outbox.ts';
import { repliesOf } from './replies.ts';
import { wiresOf } from './wire.ts';

interface PresetRule {
  readonly protocol: 'smtp' | 'lmtp';
  readonly tolerate: ReadonlySet<Deviation>;
  readonly bareLineEnds: BareLineEnds;
  /** Questions that this preset does not answer by itself. */
  readonly mustAsk: readonly QuestionType[];
  readonly authRequired: boolean;
  /** Whether domains of paths have to be fully qualified. */
  readonly qualified: boolean;
  readonly extensions: readonly string[];
  readonly limits: LimitOptions;
}

/** Extensions that the engine provides by itself, independent of the application. */
const ALWAYS = ['PIPELINING', 'SIZE', '8BITMIME', 'ENHANCEDSTATUSCODES', 'CHUNKING', 'STARTTLS', 'AUTH', 'VRFY', 'EXPN', 'HELP'] as const;

const MX: PresetRule = {
  protocol: 'smtp',
  tolerate: POSTEL,
  bareLineEnds: 'reject',
  mustAsk: ['rcpt', 'message'],
  authRequired: false,
  qualified: false,
  extensions: ALWAYS,
  limits: {},
};

/** What a preset sets together. */
export const PRESETS: { readonly [name in Preset]: PresetRule } = {
  mx: MX,
  submission: {
    ...MX,
    mustAsk: ['message'],
    authRequired: true,
    qualified: true,
    // RFC 6409 5.3: an answer within two minutes.
    limits: { connectAnswer: 110_000, commandAnswer: 110_000, messageAnswer: 110_000 },
  },
  lmtp: { ...MX, protocol: 'lmtp' },
  sink: {
    ...MX,
    tolerate: ANYTHING,
    bareLineEnds: 'keep',
    mustAsk: [],
    // Also those that only one kind of server may offer: FUTURERELEASE is for submission (RFC 4865 4.2 (2)), ETRN is not (RFC 6409 7). A sink plays
    // every kind of server for the client under test, and delivers nothing.
    extensions: [...OFFERS.keys()],
    // A test of a client may send far more of these than a real client does.
    limits: { idleCommands: 1_000_000, refusedRecipients: 1_000_000 },
  },
};

/** Extensions that require another, and the one that they require (RFC 3030 3, RFC 6531 3.1 (8)). */
export const PREREQUISITES: ReadonlyMap<string, string> = new Map([
  ['BINARYMIME', 'CHUNKING'],
  ['SMTPUTF8', '8BITMIME'],
]);

/** RFC 2033 5: LMTP always has these, whatever the options say. */
const LMTP_EXTENSIONS = ['PIPELINING', 'ENHANCEDSTATUSCODES'] as const;

/** As far ahead as RFC 4865 and RFC 3339 can say. */
const FOREVER: FutureReleaseOptions = { seconds: 999_999_999, until: '9999-12-31T23:59:59Z' };

const AUTH_TABLE: TableOf<AuthOptions> = { mechanisms: 'list', required: 'switch', inClear: 'switch' };
const FUTURE_RELEASE: TableOf<FutureReleaseOptions> = { seconds: [1, FOREVER.seconds], until: 'text' };
const MT_PRIORITY: TableOf<MtPriorityOptions> = { profile: 'string', trusted: 'switch' };

/** The options of a server session: every name, and what it may be. */
export const SERVER_OPTIONS: TableOf<ServerOptions> = {
  hostname: 'any',
  preset: ['mx', 'submission', 'lmtp', 'sink'],
  ask: [['connect', 'hello', 'starttls', 'auth', 'mail', 'rcpt', 'data', 'message', 'info', 'command', 'xclient']],
  starttls: ['off', 'offered', 'required', 'unannounced'],
  auth: AUTH_TABLE,
  extensions: 'list',
  futureRelease: FUTURE_RELEASE,
  mtPriority: MT_PRIORITY,
  trust: [['XCLIENT', 'XFORWARD']],
  limits: LIMIT_TABLE,
  smallLimits: LIMIT_TABLE,
  tolerate: 'set',
  bareLineEnds: ['reject', 'keep'],
  earlyTalkers: ['ignore', 'report', 'reject'],
  trace: 'switch',
  peer: 'object',
  tls: 'object',
};

const RESOLVED: WeakMap<ServerOptions, Policy> = /* @__PURE__ */ new WeakMap();

/** The policy of these options: made once for all sessions that have them. */
export function policyOf(options: ServerOptions): Policy {
  const policy = RESOLVED.get(options) ?? resolvePolicy(options);
  RESOLVED.set(options, policy);
  return policy;
}

/** Checks the options. Throws `SmtpUsageError`: a program with wrong options should not start. */
function resolvePolicy(unchecked: ServerOptions): Policy {
  const options = checkOptions(SERVER_OPTIONS, unchecked);
  const name = options.preset ?? 'mx';
  const preset = PRESETS[name];
  const ask = new Set(options.ask ?? []);
  const auth = { mechanisms: [], required: preset.authRequired, inClear: false, ...options.auth };
  if (typeof options.hostname !== 'string' || !isHostName(options.hostname)) {
    const must = 'hostname must be a domain name or an address literal such as [192.0.2.1] (RFC 5321 4.3.1)';
    throw new SmtpUsageError('bad-hostname', `${must}, not ${JSON.stringify(options.hostname)}`);
  }
  for (const question of preset.mustAsk) {
    if (!ask.has(question)) {
      throw new SmtpUsageError('missing-question', `preset ${name} needs '${question}' in ask: it takes no mail unasked`);
    }
  }
  if (auth.mechanisms.length > 0 && !ask.has('auth')) {
    throw new SmtpUsageError('missing-question', "auth.mechanisms needs 'auth' in ask: somebody has to carry them out");
  }
  if (auth.required && auth.mechanisms.length === 0 && !options.trust?.includes('XCLIENT')) {
    throw new SmtpUsageError('missing-auth', 'authentication is required (RFC 6409 4.3 for preset submission), so give auth.mechanisms');
  }
  const mechanisms = auth.mechanisms.map(mechanismOf);
  const mtPriority = { profile: '', trusted: false, ...options.mtPriority };
  if (mtPriority.profile !== '' && !PROFILE.test(mtPriority.profile))
    throw new SmtpUsageError('bad-extension', `mtPriority.profile is ${quoted(mtPriority.profile)}: it must be a name as in RFC 6710`);
  const futureRelease = options.futureRelease ?? (name === 'sink' ? FOREVER : null);
  if (futureRelease !== null) checkFutureRelease(futureRelease);
  const extensions = resolveExtensions(options, name);
  const given = (options.extensions ?? []).filter(isOwn);
  demandApart(given);
  const own = given.map((extension) => guardedExtension(extension, ignore));
  checkVerbs(own, ask, name);
  const replies = repliesOf(options.hostname, preset.protocol);
  return {
    hostname: options.hostname,
    protocol: preset.protocol,
    ask,
    starttls: options.starttls ?? 'off',
    auth: { ...auth, mechanisms },
    extensions,
    own,
    verbs: new Map(own.flatMap((extension) => extension.verbs.map((verb) => [verb.verb, { ...verb, extension }]))),
    futureRelease,
    mtPriority,
    trust: new Set(options.trust ?? []),
    qualified: preset.qualified,
    limits: withRoom(own, resolveLimits({ ...preset.limits, ...options.limits }, smallLimitsOf(options))),
    tolerate: options.tolerate === undefined ? preset.tolerate : toleratedOf(options.tolerate),
    bareLineEnds: options.bareLineEnds ?? preset.bareLineEnds,
    earlyTalkers: options.earlyTalkers ?? 'ignore',
    trace: options.trace ?? false,
    replies,
    wires: wiresOf(replies, extensions),
    lastBurst: new LastBurst(),
    offers: new Map(),
  };
}

/** The limits for tests. Throws `SmtpUsageError` `bad-limit` outside of preset `sink`, or if one is given twice. */
function smallLimitsOf({ preset, limits = {}, smallLimits = {} }: ServerOptions): LimitOptions {
  const names = Object.keys(smallLimits) as (keyof Limits)[];
  if (names.length > 0 && preset !== 'sink')
    throw new SmtpUsageError(
      'bad-limit',
      "smallLimits is for tests, with preset: 'sink'; others have limits, none below the standard's least",
    );
  const twice = names.find((name) => limits[name] !== undefined);
  if (twice !== undefined) throw new SmtpUsageError('bad-limit', `${twice} is in limits and in smallLimits: give it once`);
  return smallLimits;
}

/** Throws `SmtpUsageError` `bad-option` for what is no deviation: it would be refused, and not taken. */
function toleratedOf(names: ReadonlySet<Deviation>): ReadonlySet<Deviation> {
  for (const name of names) {
    if (!ANYTHING.has(name))
      throw new SmtpUsageError(
        'bad-option',
        `tolerate has ${quoted(name)}, which is no deviation${didYouMean(String(name), [...ANYTHING], '')}`,
      );
  }
  return names;
}

/** RFC 6710: `priority-profile = 1*20(ALPHA / DIGIT / "-" / "_" / ".")`. */
const PROFILE = /^[A-Za-z0-9._-]{1,20}$/;

const quoted = (value: unknown): string => JSON.stringify(value);

/** RFC 4422 3.1: `sasl-mech = 1*20mech-char`, in capitals; RFC 4954 4: a client may write it in small letters, and so may a program. */
function mechanismOf(given: string): string {
  const name = String(given).toUpperCase();
  if (/^[A-Z0-9_-]{1,20}$/.test(name)) return name;
  throw new SmtpUsageError('bad-argument', `auth.mechanisms has ${quoted(given)}, which is no name of a mechanism (RFC 4422 3.1)`);
}

/** RFC 4865 3: `future-release-integer = %x31-39 *8DIGIT`, and a date and time of RFC 3339 in UTC. Both are required. */
function checkFutureRelease({ seconds, until }: FutureReleaseOptions): void {
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > FOREVER.seconds)
    throw new SmtpUsageError(
      'bad-extension',
      `futureRelease.seconds is ${seconds}: it must be a whole number from 1 to ${FOREVER.seconds}`,
    );
  if (!until.endsWith('Z') || holdUntilParameter.codec.parse(encodeUtf8(until), []) !== until)
    throw new SmtpUsageError(
      'bad-extension',
      `futureRelease.until is ${quoted(until)}: it must be such as 2030-01-01T00:00:00Z (RFC 3339)`,
    );
}

/** What `defineExtension` has made, as opposed to a keyword. */
function isOwn(extension: string | Extension): extension is Extension {
  return typeof extension === 'object' && extension !== null;
}

function ignore(): void {}

/** Throws `SmtpUsageError` `missing-question` for a verb without a question in `ask`. */
function checkVerbs(own: readonly Extension[], ask: ReadonlySet<QuestionType>, preset: Preset): void {
  const verb = own.flatMap(({ verbs }) => verbs)[0]?.verb;
  if (verb !== undefined && preset !== 'sink' && !ask.has('command'))
    throw new SmtpUsageError('missing-question', `${verb} needs 'command' in ask: somebody has to answer it`);
}

/** RFC 5321 4.5.3.1.4: an extension adds to the longest command line, of MAIL or of RCPT. */
function withRoom(own: readonly Extension[], limits: Limits): Limits {
  if (own.length === 0) return limits;
  const added = (command: 'MAIL' | 'RCPT'): number =>
    own.flatMap(({ parameters }) => parameters).reduce((sum, one) => sum + (one.command === command ? one.adds : 0), 0);
  return { ...limits, commandLine: limits.commandLine + Math.max(added('MAIL'), added('RCPT')) };
}

/** The keywords that may be offered. Throws `SmtpUsageError` `bad-extension`, `missing-question`. */
function resolveExtensions({ extensions, ask, futureRelease, trust }: ServerOptions, preset: Preset): ReadonlySet<string> {
  const fixed = PRESETS[preset].protocol === 'lmtp' ? LMTP_EXTENSIONS : [];
  const named = extensions?.filter((extension): extension is string => !isOwn(extension)) ?? [];
  const isNamed = extensions !== undefined && (named.length > 0 || extensions.length === 0);
  const chosen = new Set([...(isNamed ? named : PRESETS[preset].extensions), ...fixed, ...(trust ?? [])]);
  const bad = (text: string): never => {
    throw new SmtpUsageError('bad-extension', text);
  };
  for (const keyword of chosen) {
    if (!OFFERS.has(keyword))
      bad(`extensions has ${quoted(keyword)}, which is not implemented${didYouMean(String(keyword), [...OFFERS.keys()], '')}`);
    const needed = PREREQUISITES.get(keyword);
    if (needed !== undefined && !chosen.has(needed)) bad(`${keyword} cannot be offered without ${needed} (${OFFERS.get(keyword)!.spec})`);
  }
  if (preset === 'submission' && chosen.has('ETRN')) bad('ETRN must not be offered for submission (RFC 6409 7)');
  if (chosen.has('FUTURERELEASE') && preset !== 'sink' && preset !== 'submission')
    bad('FUTURERELEASE must not be offered but for submission (RFC 4865 4.2)');
  if (chosen.has('FUTURERELEASE') && preset !== 'sink' && futureRelease === undefined)
    bad('FUTURERELEASE needs futureRelease: { seconds, until }');
  if (chosen.has('ETRN') && preset !== 'sink' && !ask?.includes('info')) {
    throw new SmtpUsageError('missing-question', "ETRN needs 'info' in ask: somebody has to start the queue");
  }
  return chosen;
}
