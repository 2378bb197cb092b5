import { authParameter, bodyParameter, byKeyword, type CommandDialect, type Parameter, sizeParameter } from '@ehlo/grammar';
import type { Core } from './core.ts';

interface Offer {
  /** When it is offered, beside being switched on; absent: always. */
  readonly when?: (core: Core) => boolean;
  /** What stands behind its keyword in EHLO. */
  readonly announce?: (core: Core) => string;
  /** Its parameters of MAIL and RCPT. */
  readonly parameters?: readonly Parameter[];
}

/** The extensions that a session implements, and therefore offers: nothing else is ever advertised. */
export const OFFERS: ReadonlyMap<string, Offer> = new Map<string, Offer>([
  ['PIPELINING', {}],
  ['SIZE', { announce: ({ policy }) => ` ${policy.limits.messageSize}`, parameters: [sizeParameter] }],
  ['8BITMIME', { parameters: [bodyParameter] }],
  ['ENHANCEDSTATUSCODES', {}],
  // RFC 3207 4.2: "A server MUST NOT return the STARTTLS extension in response to an EHLO command received after a TLS handshake".
  ['STARTTLS', { when: ({ policy, state }) => policy.starttls !== 'off' && state.tls === null }],
  [
    'AUTH',
    {
      // RFC 4954 4: no mechanism in clear where TLS could protect it.
      when: (core) =>
        mechanisms(core).length > 0 && (core.state.tls !== null || core.policy.starttls === 'off' || core.policy.auth.inClear),
      announce: (core) => ` ${mechanisms(core).join(' ')}`,
      parameters: [authParameter],
    },
  ],
  // RFC 5321 4.1.1.1: what is not required is listed if it is supported; 4.2.4: and only then.
  ['VRFY', { when: ({ policy }) => policy.ask.has('info') }],
  ['EXPN', { when: ({ policy }) => policy.ask.has('info') }],
  ['HELP', {}],
]);

/** The mechanisms of AUTH that can be carried out now: RFC 5801 4, the -PLUS forms bind to the TLS connection, where it has what to bind to. */
export function mechanisms({ policy, state }: Core): readonly string[] {
  const bindable = (state.tls?.bindings?.size ?? 0) > 0;
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
  const keywords = core.state.hello?.verb === 'EHLO' ? offered(core) : [];
  return {
    tolerate: core.policy.tolerate,
    utf8: false,
    parameters: byKeyword(keywords.flatMap((keyword) => OFFERS.get(keyword)?.parameters ?? [])),
  };
}
