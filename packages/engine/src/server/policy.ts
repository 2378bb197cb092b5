import { ANYTHING, type Deviation, isHostName, POSTEL } from '@ehlo/grammar';
import { SmtpUsageError } from '../error.ts';
import type { Peer, TlsInfo } from '../facts.ts';
import type { QuestionType } from './events.ts';
import { type Limits, resolveLimits } from './limits.ts';
import { OFFERS } from './offer.ts';

/** Who speaks before the greeting: taken no notice of, reported by a `fault`, or refused with 554. */
export type EarlyTalkers = 'ignore' | 'report' | 'reject';

/** A CR or LF that stands alone in a message: the message is refused at its true end, or it is content like any other octet. */
export type BareLineEnds = 'reject' | 'keep';

export interface AuthOptions {
  /** Names of the SASL mechanisms that the application can carry out, best first. The -PLUS ones are offered where `tls.bindings` has something. */
  readonly mechanisms: readonly string[];
  /** Refuse mail until the client has authenticated. */
  readonly required?: boolean;
  /** Offer AUTH without TLS even where TLS could be had (RFC 4954 4 warns of it). */
  readonly inClear?: boolean;
}

export interface ServerOptions {
  /** The name of this server: a Domain or an address literal. */
  readonly hostname: string;
  /**
   * `mx` receives mail from anywhere, refuses what is ambiguous and wants `rcpt` and `message` to be asked.
   * `sink` takes every valid path and keeps every octet: for tests.
   */
  readonly preset?: Preset;
  /** The decisions that the application wants to take; the others get the preset's answer. */
  readonly ask?: readonly QuestionType[];
  readonly peer?: Peer;
  /** STARTTLS: only where the transport can be secured. */
  readonly starttls?: 'off' | 'offered' | 'required';
  /** The transport is secure from the start (implicit TLS). */
  readonly tls?: TlsInfo;
  readonly auth?: AuthOptions;
  /** Keywords of the extensions to offer; all that are implemented if absent. */
  readonly extensions?: readonly string[];
  readonly limits?: Partial<Limits>;
  /** Deviations from the grammar to accept; the preset's if absent. */
  readonly tolerate?: ReadonlySet<Deviation>;
  readonly bareLineEnds?: BareLineEnds;
  readonly earlyTalkers?: EarlyTalkers;
  /** Emit every line of the conversation as a `trace` notice. */
  readonly trace?: boolean;
}

export type Preset = 'mx' | 'sink';

interface PresetRule {
  readonly tolerate: ReadonlySet<Deviation>;
  readonly bareLineEnds: BareLineEnds;
  /** Questions that this preset does not answer by itself. */
  readonly mustAsk: readonly QuestionType[];
}

/** What a preset sets together. */
export const PRESETS: { readonly [name in Preset]: PresetRule } = {
  mx: { tolerate: POSTEL, bareLineEnds: 'reject', mustAsk: ['rcpt', 'message'] },
  sink: { tolerate: ANYTHING, bareLineEnds: 'keep', mustAsk: [] },
};

/** The options, checked and complete. */
export interface Policy {
  readonly hostname: string;
  readonly ask: ReadonlySet<QuestionType>;
  readonly starttls: 'off' | 'offered' | 'required';
  readonly auth: Required<AuthOptions>;
  /** Keywords that may be offered, where the session's state allows it. */
  readonly extensions: ReadonlySet<string>;
  readonly limits: Limits;
  readonly tolerate: ReadonlySet<Deviation>;
  readonly bareLineEnds: BareLineEnds;
  readonly earlyTalkers: EarlyTalkers;
  readonly trace: boolean;
}

const KEYWORDS: readonly string[] = [...OFFERS.keys()];

/** Checks the options. Throws `SmtpUsageError`: a program with wrong options should not start. */
export function resolvePolicy(options: ServerOptions): Policy {
  const preset = PRESETS[options.preset ?? 'mx'];
  const ask = new Set(options.ask ?? []);
  if (!isHostName(options.hostname)) {
    throw new SmtpUsageError('bad-hostname', 'hostname must be a domain name or an address literal such as [192.0.2.1] (RFC 5321 4.3.1)');
  }
  for (const question of preset.mustAsk) {
    if (!ask.has(question)) {
      throw new SmtpUsageError('missing-question', `preset ${options.preset ?? 'mx'} needs '${question}' in ask: it takes no mail unasked`);
    }
  }
  if ((options.auth?.mechanisms.length ?? 0) > 0 && !ask.has('auth')) {
    throw new SmtpUsageError('missing-question', "auth.mechanisms needs 'auth' in ask: somebody has to carry them out");
  }
  for (const keyword of options.extensions ?? []) {
    if (!KEYWORDS.includes(keyword)) throw new SmtpUsageError('bad-extension', `${keyword} is not an extension that is implemented`);
  }
  return {
    hostname: options.hostname,
    ask,
    starttls: options.starttls ?? 'off',
    auth: { mechanisms: [], required: false, inClear: false, ...options.auth },
    extensions: new Set(options.extensions ?? KEYWORDS),
    limits: resolveLimits(options.limits),
    tolerate: options.tolerate ?? preset.tolerate,
    bareLineEnds: options.bareLineEnds ?? preset.bareLineEnds,
    earlyTalkers: options.earlyTalkers ?? 'ignore',
    trace: options.trace ?? false,
  };
}
