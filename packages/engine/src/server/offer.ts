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
import type { Extension } from '../extension.ts';
import type { TlsInfo } from '../facts.ts';
import { NO_OWN, type OwnOffer, type View } from './facts.ts';
import type { Offered, Policy, StartTls, TrustedVerb } from './options.ts';
import { XCLIENT_ATTRIBUTES, XFORWARD_ATTRIBUTES } from './trusted.ts';
import { encoded } from './wire.ts';

/** An extension of ehlo's own: as `defineExtension` makes one, but its offer gets the whole session. It may read what is in the key of `offered`. */
type Offer = Extension<Parameter, string, View>;

const NO_WORDS: readonly string[] = [];

/** Always offered if enabled; the keyword has no parameters. */
const always = (): readonly string[] => NO_WORDS;

/** Offered where a condition holds. */
const where =
  (holds: (at: View) => boolean, words: (at: View) => readonly string[] = always): Offer['offer'] =>
  (at) =>
    holds(at) ? words(at) : null;

function ours(keyword: string, spec: string, offer: Offer['offer'] = always, parameters: readonly Parameter[] = []): Offer {
  return { keyword, spec, offer, parameters, verbs: [] };
}

/** RFC 9422 4: a limit has six digits at the most. */
const most = (limit: number): number => Math.min(limit, 999_999);

const ANNOUNCED: ReadonlySet<StartTls> = new Set(['offered', 'required']);

/** The extensions that a session implements by itself, in the order of EHLO: an entry says what is offered, when, and with which parameters. */
const IMPLEMENTED: readonly Offer[] = [
  ours('PIPELINING', 'RFC 2920'),
  ours('SIZE', 'RFC 1870', ({ policy }) => [String(policy.limits.messageSize)], [sizeParameter]),
  ours('8BITMIME', 'RFC 6152', always, [bodyParameter]),
  ours('ENHANCEDSTATUSCODES', 'RFC 2034'),
  ours('CHUNKING', 'RFC 3030'),
  ours('BINARYMIME', 'RFC 3030', always, [binaryBodyParameter]),
  ours('SMTPUTF8', 'RFC 6531', always, [smtpUtf8Parameter]),
  ours('DSN', 'RFC 3461', always, [retParameter, envidParameter, notifyParameter, orcptParameter]),
  ours('DELIVERBY', 'RFC 2852', ({ policy }) => [String(policy.limits.deliverBy)], [byParameter]),
  ours('FUTURERELEASE', 'RFC 4865', ({ policy: { futureRelease } }) => [String(futureRelease!.seconds), futureRelease!.until], [
    holdForParameter,
    holdUntilParameter,
  ]),
  ours('MT-PRIORITY', 'RFC 6710', ({ policy: { mtPriority } }) => (mtPriority.profile === '' ? NO_WORDS : [mtPriority.profile]), [
    mtPriorityParameter,
  ]),
  ours('RRVS', 'RFC 7293', always, [rrvsParameter]),
  // RFC 8689 2: only where the session itself is protected.
  ours(
    'REQUIRETLS',
    'RFC 8689',
    where(({ facts }) => facts.tls !== null),
    [requireTlsParameter],
  ),
  ours('LIMITS', 'RFC 9422', ({ policy: { limits } }) => [
    `MAILMAX=${most(limits.transactions)}`,
    `RCPTMAX=${most(limits.recipients)}`,
    `RCPTDOMAINMAX=${most(limits.recipientDomains)}`,
  ]),
  // RFC 3207 4.2: "A server MUST NOT return the STARTTLS extension in response to an EHLO command received after a TLS handshake".
  ours(
    'STARTTLS',
    'RFC 3207',
    where(({ policy, facts }) => ANNOUNCED.has(policy.starttls) && facts.tls === null),
  ),
  ours(
    'AUTH',
    'RFC 4954',
    // RFC 4954 4: no password in clear, unless the program says that the connection is safe without TLS; 6: nor is it advertised.
    where((at) => mechanisms(at).length > 0 && (at.facts.tls !== null || at.policy.auth.inClear), mechanisms),
    [authParameter],
  ),
  ours('ETRN', 'RFC 1985'),
  // RFC 5321 4.1.1.1: what is not required is listed if it is supported; 4.2.4: and only then.
  ours(
    'VRFY',
    'RFC 5321',
    where(({ policy }) => policy.ask.has('info')),
  ),
  ours(
    'EXPN',
    'RFC 5321',
    where(({ policy }) => policy.ask.has('info')),
  ),
  ours('HELP', 'RFC 5321'),
  ours(
    'XCLIENT',
    'XCLIENT of Postfix',
    where(trusts('XCLIENT'), () => XCLIENT_ATTRIBUTES),
  ),
  ours(
    'XFORWARD',
    'XFORWARD of Postfix',
    where(trusts('XFORWARD'), () => XFORWARD_ATTRIBUTES),
  ),
];

/** The same by keyword. Beside them only extensions that the program has defined are advertised. */
export const OFFERS: ReadonlyMap<string, Offer> = new Map(IMPLEMENTED.map((offer) => [offer.keyword, offer]));

/** After XCLIENT, the proxy's client may control the connection: XCLIENT and XFORWARD are no longer offered. */
function trusts(verb: TrustedVerb): (at: View) => boolean {
  return ({ policy, facts }) => policy.trust.has(verb) && !facts.proxied;
}

/**
 * Whether mechanisms can be bound to a TLS connection by the type that clients use by default: tls-exporter (RFC 9266 3), and before TLS 1.3
 * tls-unique (RFC 5802 6.1). A server cannot announce other types to a client, and a client that tried one in vain could not authenticate.
 */
export function canBind(tls: TlsInfo | null): boolean {
  return tls?.bindings?.has(tls.protocol === 'TLSv1.3' ? 'tls-exporter' : 'tls-unique') ?? false;
}

/** The mechanisms of AUTH that can be carried out now: the -PLUS forms are those that bind (RFC 5801 4). */
export function mechanisms({ policy, facts }: View): readonly string[] {
  const bindable = canBind(facts.tls);
  return policy.auth.mechanisms.filter((name) => bindable || !name.endsWith('-PLUS'));
}

/** Whether the session offers an extension in its current state. */
export function offers(at: View, keyword: string): boolean {
  return offered(at).keywords.has(keyword);
}

/** The offered extensions in the current state; `own` are the offers of the program's extensions at EHLO. */
export function offered(at: View, own: readonly OwnOffer[] = at.facts.own): Offered {
  const { policy, facts } = at;
  const offers = own.length === 0 ? policy.offers : ownOffersOf(own);
  // All the facts that the offers above may read beside the policy. An offer that reads another fact needs it in this key.
  const key = (facts.tls === null ? 0 : 1) + (canBind(facts.tls) ? 2 : 0) + (facts.proxied ? 4 : 0);
  let found = offers.get(key);
  if (found === undefined) {
    found = makeOffer(at, own);
    offers.set(key, found);
    if (own.length === 0) policy.wires.set(found.hello, encoded(found.hello, policy, false));
  }
  return found;
}

/** What is offered to a session with offers of the program's own extensions. They are made for one session, so it shares this with no other. */
const OWN_OFFERS: WeakMap<readonly OwnOffer[], Policy['offers']> = /* @__PURE__ */ new WeakMap();

function ownOffersOf(own: readonly OwnOffer[]): Policy['offers'] {
  const found = OWN_OFFERS.get(own) ?? new Map<number, Offered>();
  OWN_OFFERS.set(own, found);
  return found;
}

/** What the program's own extensions offer to this client. */
export function ownOffers({ policy, facts: { peer, tls, identity } }: View): readonly OwnOffer[] {
  if (policy.own.length === 0) return NO_OWN;
  const facts = { protocol: policy.protocol, peer, tls, identity };
  return policy.own.flatMap(({ keyword, offer }) => {
    const words = offer(facts);
    return words === null ? [] : [{ keyword, words }];
  });
}

function makeOffer(at: View, own: readonly OwnOffer[]): Offered {
  const { policy } = at;
  const lines: OwnOffer[] = [];
  for (const { keyword, offer } of OFFERS.values()) {
    const words = policy.extensions.has(keyword) ? offer(at) : null;
    if (words !== null) lines.push({ keyword, words });
  }
  lines.push(...own);
  const keywords = new Set(lines.map(({ keyword }) => keyword));
  const extensions = [...OFFERS.values(), ...policy.own].filter(({ keyword }) => keywords.has(keyword));
  // RFC 5321 4.1.1.1: the greeting, and the lines of the extensions (ehlo-line).
  const { code, lines: greeting } = policy.replies.hello;
  const hello = { code, lines: [...greeting, ...lines.map(({ keyword, words }) => [keyword, ...words].join(' '))] };
  const dialect = {
    tolerate: policy.tolerate,
    utf8: keywords.has('SMTPUTF8'),
    parameters: byKeyword(extensions.flatMap(({ parameters }) => parameters)),
  };
  return { keywords, hello, dialect };
}

/** How commands are parsed in the current state. RFC 5321 2.2: parameters exist only where EHLO offered their extension. */
export function dialectOf(at: View): CommandDialect {
  const { facts, policy } = at;
  return facts.hello === null || facts.hello.verb === 'HELO'
    ? { tolerate: policy.tolerate, utf8: false, parameters: NONE }
    : offered(at).dialect;
}

const NONE: CommandDialect['parameters'] = new Map();
