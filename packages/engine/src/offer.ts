import { type Dialect, EXTENSIONS } from '@ehlo/grammar';
import type { Core } from './core.ts';

/** Conditions under which an extension is offered, beside being switched on; the others are always possible. */
const CONDITIONS: ReadonlyMap<string, (core: Core) => boolean> = new Map<string, (core: Core) => boolean>([
  // RFC 3207 4.2: "A server MUST NOT return the STARTTLS extension in response to an EHLO command received after a TLS handshake".
  ['STARTTLS', ({ policy, state }) => policy.starttls !== 'off' && state.tls === null],
  // RFC 4954 4: no mechanism in clear where TLS could protect it.
  [
    'AUTH',
    ({ policy, state }) => policy.auth.mechanisms.length > 0 && (state.tls !== null || policy.starttls === 'off' || policy.auth.inClear),
  ],
  // RFC 5321 4.1.1.1: what is not required is listed if it is supported; 4.2.4: and only then.
  ['VRFY', ({ policy }) => policy.ask.has('info')],
  ['EXPN', ({ policy }) => policy.ask.has('info')],
]);

/** Parameters of an EHLO keyword. */
const EHLO_PARAMETERS: ReadonlyMap<string, (core: Core) => string> = new Map<string, (core: Core) => string>([
  ['SIZE', ({ policy }) => ` ${policy.limits.messageSize}`],
  ['AUTH', ({ policy }) => ` ${policy.auth.mechanisms.join(' ')}`],
]);

/** Whether the session offers an extension as it stands now. */
export function offers(core: Core, keyword: string): boolean {
  return core.policy.extensions.has(keyword) && (CONDITIONS.get(keyword)?.(core) ?? true);
}

/** Keywords of the extensions that the session offers as it stands now. */
export function offered(core: Core): string[] {
  return EXTENSIONS.map(({ keyword }) => keyword).filter((keyword) => offers(core, keyword));
}

/** The lines of the EHLO response behind the first (RFC 5321 4.1.1.1 ehlo-line). */
export function ehloLines(core: Core): string[] {
  return offered(core).map((keyword) => keyword + (EHLO_PARAMETERS.get(keyword)?.(core) ?? ''));
}

/** How commands are read after EHLO or HELO. RFC 5321 2.2: parameters exist only where EHLO offered their extension. */
export function dialectOf(core: Core): Dialect {
  return { tolerate: core.policy.tolerate, extensions: new Set(core.state.hello?.verb === 'EHLO' ? offered(core) : []) };
}
