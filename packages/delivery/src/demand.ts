// Which TLS a host has to have for a message: DANE before MTA-STS (RFC 8461 2), REQUIRETLS above both (RFC 8689).

import type { Message } from './job.ts';
import type { DomainRoute, RoutedHost } from './route.ts';
import type { DeliverySettings } from './settings.ts';
import { isStsHost } from './sts.ts';
import type { TlsDemand } from './tls-demand.ts';

/** What a message asks of TLS. RFC 8689 4.2.1: REQUIRETLS holds where the reverse-path is not null. */
export function tlsWish({ tls, reversePath }: Message): 'required' | 'default' | 'optional' {
  if (tls === 'optional') return 'optional';
  return tls === 'required' && reversePath !== '' ? 'required' : 'default';
}

/** What is demanded of a host; null: mail that asks for so much can't go there. */
export function demandOf(
  host: RoutedHost,
  { domain, name, sts }: DomainRoute,
  wish: 'required' | 'default' | 'optional',
  settings: DeliverySettings,
): TlsDemand | null {
  const requireTls = wish === 'required';
  const demand = (
    mode: TlsDemand['mode'],
    because: TlsDemand['because'],
    { names = [host.host], tlsa = [], testing = false }: Partial<TlsDemand> = {},
  ): TlsDemand => {
    const isMust = mode !== 'opportunistic' && mode !== 'clear';
    // RFC 8689 4.2.2: a policy is followed as far as possible, and the mail is sent in any case.
    if (isMust && wish === 'optional') return demand('opportunistic', 'tls-required-no', { names, tlsa, testing: true });
    return { mode, names, tlsa, least: isMust ? 'TLSv1.2' : null, requireTls, testing, because };
  };
  // RFC 7672 2.2: records that can't be had may demand TLS. RFC 8689 4.2.2: a message that needs no TLS does not wait for them.
  if (host.dane.state === 'failed' && wish !== 'optional') return null;
  if (host.tls !== null) return demand(requireTls ? 'name' : host.tls, 'route');
  // RFC 7672 3.2.2: of usage 2, the certificate has the TLSA base domain, or the domain of the mailbox or what that is an alias of.
  if (host.dane.state === 'usable') {
    const { base, tlsa } = host.dane;
    const named = tlsa.some(({ usage }) => usage === 2) ? [base, domain, name] : [base];
    return demand('dane', 'dane', { tlsa, names: [...new Set(named)] });
  }
  const policy = sts?.policy;
  const named = policy !== undefined && policy.mode !== 'none' && isStsHost(host.host, policy.mx);
  // RFC 8689 4.2.1 (2): the identity of the host follows from DNSSEC, or from a policy that names it. RFC 8461 5: an enforced policy that does not name the host forbids it.
  if (requireTls) return named || (host.secure && policy?.mode !== 'enforce') ? demand('name', 'requiretls') : null;
  if (policy?.mode === 'enforce') {
    if (named) return demand('name', 'sts-enforce');
    return wish === 'optional' ? demand('opportunistic', 'tls-required-no') : null;
  }
  if (host.dane.state === 'unusable') return demand('encrypt', 'dane-unusable');
  // RFC 8461 5: a host that it does not name is reported.
  if (policy?.mode === 'testing') return demand('opportunistic', 'sts-testing', { testing: true, names: named ? [host.host] : [] });
  return demand(settings.opportunistic ? 'opportunistic' : 'clear', 'no-policy');
}
