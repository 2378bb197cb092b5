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
import type { View } from './facts.ts';
import type { Offered, StartTls, TrustedVerb } from './options.ts';
import { XCLIENT_ATTRIBUTES, XFORWARD_ATTRIBUTES } from './trusted.ts';
import { encoded } from './wire.ts';

interface Offer {
  /** The RFC that defines it; null for those of Postfix. */
  readonly rfc: number | null;
  /** When it is offered, beside being switched on; absent: always. */
  readonly when?: (at: View) => boolean;
  /** What stands behind its keyword in EHLO. */
  readonly announce?: (at: View) => string;
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
  ['REQUIRETLS', { rfc: 8689, when: ({ facts }) => facts.tls !== null, parameters: [requireTlsParameter] }],
  [
    'LIMITS',
    {
      rfc: 9422,
      announce: ({ policy: { limits } }) =>
        ` MAILMAX=${most(limits.transactions)} RCPTMAX=${most(limits.recipients)} RCPTDOMAINMAX=${most(limits.recipientDomains)}`,
    },
  ],
  // RFC 3207 4.2: "A server MUST NOT return the STARTTLS extension in response to an EHLO command received after a TLS handshake".
  ['STARTTLS', { rfc: 3207, when: ({ policy, facts }) => ANNOUNCED.has(policy.starttls) && facts.tls === null }],
  [
    'AUTH',
    {
      rfc: 4954,
      // RFC 4954 4: no password in clear, unless somebody has said that the connection is safe without TLS; 6: nor is it advertised.
      when: (at) => mechanisms(at).length > 0 && (at.facts.tls !== null || at.policy.auth.inClear),
      announce: (at) => ` ${mechanisms(at).join(' ')}`,
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
function trusts(verb: TrustedVerb): (at: View) => boolean {
  return ({ policy, facts }) => policy.trust.has(verb) && !facts.proxied;
}

/**
 * Whether mechanisms can be bound to a TLS connection by what a client takes unasked: tls-exporter (RFC 9266 3), and before TLS 1.3
 * tls-unique (RFC 5802 6.1). Nothing tells a client of other types; one that tried its own in vain could not authenticate at all.
 */
export function canBind(tls: TlsInfo | null): boolean {
  return tls?.bindings?.has(tls.protocol === 'TLSv1.3' ? 'tls-exporter' : 'tls-unique') ?? false;
}

/** The mechanisms of AUTH that can be carried out now: the -PLUS forms are those that bind (RFC 5801 4). */
export function mechanisms({ policy, facts }: View): readonly string[] {
  const bindable = canBind(facts.tls);
  return policy.auth.mechanisms.filter((name) => bindable || !name.endsWith('-PLUS'));
}

/** Whether the session offers an extension as it stands now. */
export function offers(at: View, keyword: string): boolean {
  return offered(at).keywords.has(keyword);
}

/** What the session offers as it stands now. */
export function offered(at: View): Offered {
  const { policy, facts } = at;
  // All that `when` and `announce` look at beside the policy.
  const key = (facts.tls === null ? 0 : 1) + (canBind(facts.tls) ? 2 : 0) + (facts.proxied ? 4 : 0);
  let found = policy.offers.get(key);
  if (found === undefined) {
    found = makeOffer(at);
    policy.offers.set(key, found);
    policy.wires.set(found.hello, encoded(found.hello, policy, false));
  }
  return found;
}

function makeOffer(at: View): Offered {
  const { policy } = at;
  const offers = [...OFFERS].filter(([keyword, { when }]) => policy.extensions.has(keyword) && (when?.(at) ?? true));
  const keywords = new Set(offers.map(([keyword]) => keyword));
  // RFC 5321 4.1.1.1: the greeting, and the lines of the extensions (ehlo-line).
  const { code, lines } = policy.replies.hello;
  const hello = { code, lines: [...lines, ...offers.map(([keyword, { announce }]) => keyword + (announce?.(at) ?? ''))] };
  const dialect = {
    tolerate: policy.tolerate,
    utf8: keywords.has('SMTPUTF8'),
    parameters: byKeyword(offers.flatMap(([, { parameters = [] }]) => parameters)),
  };
  return { keywords, hello, dialect };
}

/** How commands are read as the session stands now. RFC 5321 2.2: parameters exist only where EHLO offered their extension. */
export function dialectOf(at: View): CommandDialect {
  const { facts, policy } = at;
  return facts.hello === null || facts.hello.verb === 'HELO'
    ? { tolerate: policy.tolerate, utf8: false, parameters: NONE }
    : offered(at).dialect;
}

const NONE: CommandDialect['parameters'] = new Map();
