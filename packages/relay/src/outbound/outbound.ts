import type { OpenOrder } from '@ehlo/delivery';
import type { Means } from '../runner/index.ts';
import { fetchPolicy } from './fetch-policy.ts';
import type { OutboundOptions } from './options.ts';
import { openSession } from './smtp-session.ts';

/**
 * The way out of a relay: what of a runner's means opens sessions and fetches policies. TLS is as the order demands (`TlsDemand`), and an order that can't be met is
 * `failed` before anything is said to the server.
 *
 * @example
 * ```ts
 * import { outbound } from '@ehlo/relay/outbound';
 * const means = outbound({ connect: async () => { throw new Error('no network'); }, hostname: 'mx.example.org' });
 * Object.keys(means)
 * // → ['open', 'fetchPolicy']
 * ```
 */
export function outbound(options: OutboundOptions): Pick<Means, 'open' | 'fetchPolicy'> {
  const { sts, ca } = options;
  return {
    open: (order, signal) => (order.target.protocol === 'local' ? openLocal : openSession)(order, options, signal),
    fetchPolicy: async (order) => (sts === undefined ? { text: null } : await fetchPolicy(order, ca === undefined ? sts : { ca, ...sts })),
  };
}

function openLocal(order: OpenOrder, options: OutboundOptions, signal: AbortSignal): ReturnType<Means['open']> {
  const { host } = order.target;
  const transport = Object.hasOwn(options.local ?? {}, host) ? options.local![host] : undefined;
  if (transport === undefined) return Promise.resolve({ stage: 'connect', text: `a route names the transport ${host}, and there is none` });
  return transport(order, options, signal);
}
