// The names and hosts of the world, each with its faults.

import type { DnsAnswer, LookupOrder } from '@ehlo/delivery';
import type { Stub } from '@ehlo/testing/stubs';
import type { Chance } from './chance.ts';
import { addressOf, DNS_FAULTS, type DnsFault, LINE_FAULTS, type LineFault, SERVER_FAULTS, TLS_FAULTS, type TlsFault } from './faults.ts';
import { Host, type Mailbox } from './host.ts';
import type { WorldTime } from './world-time.ts';

const DAY = 86_400_000;

export interface Domain {
  readonly name: string;
  readonly host: Host;
  readonly faults: readonly string[];
  readonly dns: readonly DnsFault[];
  readonly tls: TlsFault | null;
}

/** Domains `d0.example` … with a host each, of which every other has one fault or two. */
export class Internet {
  readonly domains: readonly Domain[];
  readonly #time: Pick<WorldTime, 'now' | 'in'>;
  /** Names that were asked for. */
  readonly #names = new Map<string, Domain | null>();

  /** A `share` of the domains behind the first `sound` ones has faults, each of them `most` at the most. */
  constructor(
    count: number,
    faults: ReadonlySet<string>,
    chance: Chance,
    time: Pick<WorldTime, 'now' | 'in'>,
    mailbox: Mailbox,
    { most, share, sound }: { readonly most: number; readonly share: number; readonly sound: number } = { most: 2, share: 0.5, sound: 0 },
  ) {
    this.#time = time;
    const known = [...Object.keys(DNS_FAULTS), ...Object.keys(SERVER_FAULTS), ...Object.keys(LINE_FAULTS), ...TLS_FAULTS].filter((name) =>
      faults.has(name),
    );
    this.domains = Array.from({ length: count }, (_, index) => {
      const own =
        known.length === 0 || index < sound || !chance.is(share)
          ? []
          : Array.from({ length: 1 + chance.below(most) }, () => chance.of(known));
      return domainOf(index, own, mailbox);
    });
  }

  /** What is known at `name`, after a while. */
  async lookUp(question: Pick<LookupOrder, 'name' | 'rr'>): Promise<Omit<DnsAnswer, 'type' | 'to'>> {
    const { answer, pause } = this.answerTo(question);
    if (pause > 0) await new Promise<void>((resolve) => this.#time.in(pause, resolve));
    return answer;
  }

  /** The same at once, and how long it takes: milliseconds. */
  answerTo({ name, rr }: Pick<LookupOrder, 'name' | 'rr'>): { readonly answer: Omit<DnsAnswer, 'type' | 'to'>; readonly pause: number } {
    const domain = this.domainOf(name);
    if (domain === null || domain.faults.length === 0) return { answer: this.#usual(name, rr, domain), pause: 0 };
    let answer = this.#usual(name, rr, domain);
    let pause = 0;
    for (const fault of domain?.dns ?? []) {
      const given = fault(rr, name, domain!.name, domain!.host.name, this.#time.now());
      if (given === 'slow') pause += 20_000;
      else if (given !== null) answer = { ...NOTHING, security: answer.security, ...given };
    }
    return { answer, pause };
  }

  policyOf(name: string): string | null {
    const domain = this.domainOf(name);
    if (domain === null || domain.tls === null || domain.tls === 'STS can not be fetched') return null;
    const isWrong = domain.tls === 'STS names another host' && this.#time.now() < 2 * DAY;
    return `version: STSv1\r\nmode: enforce\r\nmx: ${isWrong ? 'other.example' : domain.host.name}\r\nmax_age: 86400\r\n`;
  }

  /** The host that a name leads to; null: there is nobody. */
  hostOf(name: string): Host | null {
    return this.domainOf(name)?.host ?? null;
  }

  /** The domain that a name is of, or of whose host; null: there is none. */
  domainOf(name: string): Domain | null {
    let domain = this.#names.get(name);
    if (domain === undefined) {
      const number = /(?:^|\.)(?:d|mx)(\d+)\.example$/.exec(name)?.[1];
      domain = number === undefined ? null : (this.domains[Number(number)] ?? null);
      this.#names.set(name, domain);
    }
    return domain;
  }

  #usual(name: string, rr: LookupOrder['rr'], domain: Domain | null): Omit<DnsAnswer, 'type' | 'to'> {
    if (name === 'dead.example')
      return rr === 'A' ? { status: 'found', security: 'insecure', ttl: TTL, addresses: ['192.0.2.251'] } : NOTHING;
    if (domain === null) return NOTHING;
    const { host, tls } = domain;
    const security = tls?.startsWith('DANE') ? 'secure' : 'insecure';
    if (rr === 'MX' && name === domain.name) return { status: 'found', security, ttl: TTL, mx: [{ preference: 10, exchange: host.name }] };
    if (rr === 'A' && name === host.name) return { status: 'found', security, ttl: TTL, addresses: [addressOf(host.name)] };
    if (rr === 'TLSA' && security === 'secure')
      return { status: 'found', security, ttl: TTL, tlsa: [{ usage: 3, selector: 1, matching: 1, data: this.#keyOf(domain) }] };
    if (rr === 'TXT' && tls !== null && tls.startsWith('STS') && name.startsWith('_mta-sts.'))
      return { status: 'found', security, ttl: TTL, txt: [`v=STSv1; id=${this.#time.now() < 2 * DAY ? 1 : 2};`] };
    return security === 'secure' ? SIGNED_NOTHING : NOTHING;
  }

  #keyOf({ host, tls }: Domain): string {
    return tls === 'DANE fails for a day' && this.#time.now() < DAY ? '0'.repeat(64) : (host.tls?.key ?? '');
  }
}

/** Seconds. */
const TTL = 300;
const NOTHING: Omit<DnsAnswer, 'type' | 'to'> = { status: 'empty', security: 'insecure', ttl: TTL };
const SIGNED_NOTHING: Omit<DnsAnswer, 'type' | 'to'> = { status: 'empty', security: 'secure', ttl: TTL };

function domainOf(index: number, faults: readonly string[], mailbox: Mailbox): Domain {
  const name = `mx${index}.example`;
  const dns = faults.flatMap((fault) => DNS_FAULTS[fault] ?? []);
  const stubs: readonly Stub[] = faults.flatMap((fault) => SERVER_FAULTS[fault] ?? []);
  const line = (faults.find((fault) => fault in LINE_FAULTS) as LineFault | undefined) ?? null;
  const tls = (faults.find((fault) => (TLS_FAULTS as readonly string[]).includes(fault)) as TlsFault | undefined) ?? null;
  const shown = tls === 'no TLS' ? null : { name, key: index.toString(16).padStart(64, '0') };
  return { name: `d${index}.example`, host: new Host(name, stubs, line, shown, mailbox), faults, dns, tls };
}
