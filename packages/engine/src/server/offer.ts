import {
  authParameter,
  binaryBodyParameter,
  bodyParameter,
  byKeyword,
  byParameter,
  type CommandDialect,
  envidParameter,
  holdForParameter,
  holdUntilParameter,
  mtPriorityParameter,
  notifyParameter,
  orcptParameter,
  type Parameter,
  requireTlsParameter,
  retParameter,
  rrvsParameter,
  sizeParameter,
  smtpUtf8Parameter,
} from '@ehlo/grammar';
import type { TlsInfo } from '../facts.ts';
import type { Core } from './core.ts';
import type { StartTls, TrustedVerb } from './policy.ts';
import { XCLIENT_ATTRIBUTES, XFORWARD_ATTRIBUTES } from './trusted.ts';

interface Offer {
  /** The RFC that defines it; null for those of Postfix. */
  readonly rfc: number | null;
  /** When it is offered, beside being switched on; absent: always. */
  readonly when?: (core: Core) => boolean;
  /** What stands behind its keyword in EHLO. */
  readonly announce?: (core: Core) => string;
  /** Its parameters of MAIL and RCPT. */
  readonly parameters?: readonly Parameter[];
}

/** RFC 9422 4: a limit has six digits at the most. */
const most = (limit: number): number => Math.min(limit, 999_999);

const ANNOUNCED: ReadonlySet<StartTls> = new Set(['offered', 'required']);

/** The extensions that a session implements: nothing else is ever advertised. */
export const OFFERS: ReadonlyMap<string, Offer> = new Map<string, Offer>([
  ['PIPELINING', { rfc: 2920 }],
  ['SIZE', { rfc: 1870, announce: ({ policy }) => ` ${policy.limits.messageSize}`, parameters: [sizeParameter] }],
  ['8BITMIME', { rfc: 6152, parameters: [bodyParameter] }],
  ['ENHANCEDSTATUSCODES', { rfc: 2034 }],
  ['CHUNKING', { rfc: 3030 }],
  ['BINARYMIME', { rfc: 3030, parameters: [binaryBodyParameter] }],
  ['SMTPUTF8', { rfc: 6531, parameters: [smtpUtf8Parameter] }],
  ['DSN', { rfc: 3461, parameters: [retParameter, envidParameter, notifyParameter, orcptParameter] }],
  ['DELIVERBY', { rfc: 2852, announce: ({ policy }) => ` ${policy.limits.deliverBy}`, parameters: [byParameter] }],
  [
    'FUTURERELEASE',
    {
      rfc: 4865,
      announce: ({ policy: { futureRelease } }) => ` ${futureRelease!.seconds} ${futureRelease!.until}`,
      parameters: [holdForParameter, holdUntilParameter],
    },
  ],
  [
    'MT-PRIORITY',
    {
      rfc: 6710,
      announce: ({ policy: { mtPriority } }) => (mtPriority.profile === '' ? '' : ` ${mtPriority.profile}`),
      parameters: [mtPriorityParameter],
    },
  ],
  ['RRVS', { rfc: 7293, parameters: [rrvsParameter] }],
  // RFC 8689 2: only where the session itself is protected.
  ['REQUIRETLS', { rfc: 8689, when: ({ state }) => state.tls !== null, parameters: [requireTlsParameter] }],
  [
    'LIMITS',
    {
      rfc: 9422,
      announce: ({ policy: { limits } }) =>
        ` MAILMAX=${most(limits.transactions)} RCPTMAX=${most(limits.recipients)} RCPTDOMAINMAX=${most(limits.recipientDomains)}`,
    },
  ],
  // RFC 3207 4.2: "A server MUST NOT return the STARTTLS extension in response to an EHLO command received after a TLS handshake".
  ['STARTTLS', { rfc: 3207, when: ({ policy, state }) => ANNOUNCED.has(policy.starttls) && state.tls === null }],
  [
    'AUTH',
    {
      rfc: 4954,
      // RFC 4954 4: no password in clear, unless somebody has said that the connection is safe without TLS; 6: nor is it advertised.
      when: (core) => mechanisms(core).length > 0 && (core.state.tls !== null || core.policy.auth.inClear),
      announce: (core) => ` ${mechanisms(core).join(' ')}`,
      parameters: [authParameter],
    },
  ],
  ['ETRN', { rfc: 1985 }],
  // RFC 5321 4.1.1.1: what is not required is listed if it is supported; 4.2.4: and only then.
  ['VRFY', { rfc: 5321, when: ({ policy }) => policy.ask.has('info') }],
  ['EXPN', { rfc: 5321, when: ({ policy }) => policy.ask.has('info') }],
  ['HELP', { rfc: 5321 }],
  ['XCLIENT', { rfc: null, when: trusts('XCLIENT'), announce: () => ` ${XCLIENT_ATTRIBUTES.join(' ')}` }],
  ['XFORWARD', { rfc: null, when: trusts('XFORWARD'), announce: () => ` ${XFORWARD_ATTRIBUTES.join(' ')}` }],
]);

/** Behind a proxy its client may speak on the same connection: once the proxy has told whom it speaks for, it has nothing more to tell. */
function trusts(verb: TrustedVerb): (core: Core) => boolean {
  return ({ policy, state }) => policy.trust.has(verb) && !state.proxied;
}

/**
 * Whether mechanisms can be bound to a TLS connection by what a client takes unasked: tls-exporter (RFC 9266 3), and before TLS 1.3
 * tls-unique (RFC 5802 6.1). Nothing tells a client of other types; one that tried its own in vain could not authenticate at all.
 */
export function canBind(tls: TlsInfo | null): boolean {
  return tls?.bindings?.has(tls.protocol === 'TLSv1.3' ? 'tls-exporter' : 'tls-unique') ?? false;
}

/** The mechanisms of AUTH that can be carried out now: the -PLUS forms are those that bind (RFC 5801 4). */
export function mechanisms({ policy, state }: Core): readonly string[] {
  const bindable = canBind(state.tls);
  return policy.auth.mechanisms.filter((name) => bindable || !name.endsWith('-PLUS'));
}

/** Whether the session offers an extension as it stands now. */
export function offers(core: Core, keyword: string): boolean {
  return core.policy.extensions.has(keyword) && (OFFERS.get(keyword)?.when?.(core) ?? true);
}

/** Keywords of the extensions that the session offers as it stands now. */
export function offered(core: Core): string[] {
  return [...OFFERS.keys()].filter((keyword) => offers(core, keyword));
}

/** The lines of the EHLO response behind the first (RFC 5321 4.1.1.1 ehlo-line). */
export function ehloLines(core: Core): string[] {
  return offered(core).map((keyword) => keyword + (OFFERS.get(keyword)?.announce?.(core) ?? ''));
}

/** How commands are read after EHLO or HELO. RFC 5321 2.2: parameters exist only where EHLO offered their extension. */
export function dialectOf(core: Core): CommandDialect {
  const { hello } = core.state;
  const keywords = hello === null || hello.verb === 'HELO' ? [] : offered(core);
  return {
    tolerate: core.policy.tolerate,
    utf8: keywords.includes('SMTPUTF8'),
    parameters: byKeyword(keywords.flatMap((keyword) => OFFERS.get(keyword)?.parameters ?? [])),
  };
}
