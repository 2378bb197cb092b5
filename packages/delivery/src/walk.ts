// One way through the addresses of a destination (RFC 5321 5.1): which come, and what is met.

import { classify, type Verdict } from './classify.ts';
import type { Context } from './context.ts';
import type { Destination, PolicyFacts, Trouble, Walk } from './destination.ts';
import type { Failed, Opened } from './fact.ts';
import type { EpochMs } from './job.ts';
import { shuffleTies } from './mx.ts';
import type { TlsResult } from './records.ts';
import type { DomainRoute } from './route.ts';
import type { TlsDemand } from './tls-demand.ts';

/** The next walk of a destination; or, where no address may be connected to yet, when the first may. */
export function walkOf(destination: Destination, { settings, hosts, chance, now }: Context): Walk | EpochMs {
  const number = ++destination.count;
  const sorted = shuffleTies(destination.way.hosts, ({ host }) => chance.of(`${destination.way.key} ${number} ${host}`));
  const list: Walk['list'][number][] = [];
  let soonest = Number.POSITIVE_INFINITY;
  let isWhole = true;
  let other: Walk['list'][number] | null = null;
  for (const host of sorted) {
    for (const place of hosts.inOrder(host.places, now)) {
      const { dead } = hosts.known(place.key);
      soonest = Math.min(soonest, dead);
      if (dead <= now && list.length < settings.mostAddresses) list.push({ host, place });
      else {
        isWhole = false;
        if (dead <= now && host !== list[0]!.host) other ??= { host, place };
      }
    }
  }
  // Where the first host has more addresses than are tried, the last is another host's: else no walk would ever come to one.
  if (other !== null && list.at(-1)!.host === list[0]!.host) list[list.length - 1] = other;
  return list.length > 0 ? { list, isWhole, at: 0, troubles: [] } : soonest;
}

/** What stages without a reply are (RFC 3463 3.5, 3.8). */
const STAGES: { readonly [stage in Failed['stage']]: Pick<Verdict, 'status' | 'category'> & { readonly permanent?: never } } = {
  connect: { status: '4.4.1', category: 'no-answer' },
  greeting: { status: '4.4.2', category: 'lost' },
  hello: { status: '4.4.2', category: 'lost' },
  tls: { status: '4.7.5', category: 'tls' },
  auth: { status: '4.7.8', category: 'auth' },
};

export function troubleOf({ stage, reply, text }: Omit<Failed, 'type' | 'to'>, host: string, { settings, now: at }: Context): Trouble {
  const isMute = reply === undefined || stage === 'tls';
  const { status, category, permanent = false } = isMute ? STAGES[stage] : classify(reply, stage, host, settings.rules);
  const words = reply === undefined ? (text === undefined ? {} : { text }) : { reply };
  return { stage, permanent: permanent && stage !== 'auth', said: { at, status, category, host, ...words } };
}

/** What a walk has failed by: for good only if every place of the destination has said so (RFC 5321 5.1). */
export function worst({ troubles, isWhole }: Walk): Trouble {
  const trouble = troubles.filter(({ permanent }) => !permanent).at(-1) ?? troubles.at(-1)!;
  return isWhole ? trouble : { ...trouble, permanent: false };
}

/** Whether a session lacks the demanded protection: it should not have been opened. */
export function isBroken({ tls, verified }: Opened, { mode, testing }: TlsDemand): boolean {
  if (mode === 'encrypt') return !tls;
  return (mode === 'name' || mode === 'dane') && !testing && !(tls && verified);
}

/** RFC 8460 4.3: what is counted of a session; null: nothing is wrong. */
export function resultOf(fact: Opened | Failed, demand: TlsDemand): TlsResult | null | 'not-counted' {
  if (fact.type === 'failed') return fact.stage === 'tls' ? (fact.result ?? 'validation-failure') : 'not-counted';
  const wants = demand.testing || demand.mode === 'name' || demand.mode === 'dane';
  if (!fact.tls) return fact.result ?? 'starttls-not-supported';
  return wants && !fact.verified ? (fact.result ?? 'validation-failure') : null;
}

/** What a TLS report says of the policy of a domain (RFC 8460 4.4). */
export function policyFacts({ hosts, sts }: DomainRoute): PolicyFacts {
  const dane = hosts.filter(({ dane: { state } }) => state !== 'none' && state !== 'failed');
  const mxHosts = hosts.map(({ host }) => host);
  if (dane.length > 0) {
    const lines = dane.flatMap(({ dane: { tlsa } }) => tlsa.map((one) => `${one.usage} ${one.selector} ${one.matching} ${one.data}`));
    return { type: 'tlsa', lines, mxHosts };
  }
  if (sts !== null && sts.policy.mode !== 'none') return { type: 'sts', lines: sts.policy.lines, mxHosts: sts.policy.mx };
  return { type: 'no-policy-found', lines: [], mxHosts };
}
