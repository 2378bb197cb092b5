// From a domain to addresses (RFC 5321 5.1), as a function of the answers that are there.

import { addressClass, octetsOf } from './address-class.ts';
import { isBad, type KeptAnswer, shortened } from './answer.ts';
import { type DaneState, daneOf, NO_DANE } from './dane.ts';
import type { DnsAnswer } from './fact.ts';
import type { EpochMs } from './job.ts';
import { isOwnName, type MxHost, readMx, staticRoute, withoutSelf } from './mx.ts';
import { literalAddress, nameKey } from './names.ts';
import type { Target } from './order.ts';
import type { Rr } from './records.ts';
import type { DeliverySettings, RouteHost } from './settings.ts';
import { MOST_STEPS, type Step } from './step.ts';
import { type KeptPolicy, parseStsRecord } from './sts.ts';

/** Where mail for a domain goes. */
export interface DomainRoute {
  readonly domain: string;
  /** What the domain is an alias of, in the end; else itself. */
  readonly name: string;
  /**
   * The best first, those of one preference not shuffled yet. Where there is a problem only such as have TLSA records that could not be had: those take mail that goes
   * without TLS, too (RFC 8689 4.2.2).
   */
  readonly hosts: readonly RoutedHost[];
  /** Whether these are all, with all their addresses: none was cut, and none could not be looked up for now. */
  readonly isWhole: boolean;
  readonly problem: RouteProblem | null;
  /** The policy that counts (RFC 8461). */
  readonly sts: KeptPolicy | null;
  /** Until when it may be used again. */
  readonly until: EpochMs;
  readonly steps: readonly Step[];
}

export interface RoutedHost extends MxHost {
  readonly port: number;
  readonly protocol: Target['protocol'];
  /** In the resolver's order (RFC 5321 5.1), by families; never empty. */
  readonly addresses: readonly string[];
  readonly dane: DaneState;
  /** The name comes from a secure answer, or from the settings: a certificate for it says who it is (RFC 8689 4.2.1). */
  readonly secure: boolean;
  /** What the settings demand. */
  readonly tls: NonNullable<RouteHost['tls']> | null;
}

/** Why there is no way. */
export interface RouteProblem {
  readonly category: 'no-such-domain' | 'null-mx' | 'loop' | 'no-address' | 'dns-failed' | 'bad-domain' | 'refused-address' | 'alias-loop';
  /** RFC 3463, RFC 7505 5. */
  readonly status: string;
  readonly permanent: boolean;
}

const NONE: readonly never[] = [];

/** RFC 3463: 5 is for good. */
const PROBLEMS: { readonly [category in RouteProblem['category']]: string } = {
  'no-such-domain': '5.1.2', // RFC 5321 5.1: "MUST be reported as an error"
  'null-mx': '5.1.10', // RFC 7505 4.1
  loop: '5.4.6', // RFC 5321 5.1: "MUST be returned as undeliverable"
  'no-address': '5.4.4', // RFC 5321 5.1: none usable
  'dns-failed': '4.4.3', // RFC 5321 5.1: a temporary error: "the message MUST be queued and retried later"
  'bad-domain': '5.1.3', // RFC 3463 3.2
  'refused-address': '5.4.4', // ours: addresses that are nobody's on the Internet
  'alias-loop': '5.4.4',
};

/** What is asked for; null: the answer is not there yet, and was asked for. */
export interface Answers {
  dns(rr: Rr, name: string): KeptAnswer | null;
  /** The policy that counts, the id of the record being this (null: there is none); undefined: it is being fetched. */
  policy(domain: string, id: string | null): KeptPolicy | null | undefined;
}

/** Finds the way of a domain; null: answers are missing, and all that can be asked for now has been. */
export function routeOf(domain: string, settings: DeliverySettings, answers: Answers, now: EpochMs): DomainRoute | null {
  return new Routing(domain, settings, answers, now).find();
}

/** One evaluation. */
class Routing {
  readonly #domain: string;
  readonly #settings: DeliverySettings;
  readonly #answers: Answers;
  readonly #now: EpochMs;
  readonly #steps: Step[] = [];
  #until: EpochMs;
  #missing = false;
  #isWhole = true;
  #name: string;

  constructor(domain: string, settings: DeliverySettings, answers: Answers, now: EpochMs) {
    this.#domain = domain;
    this.#name = domain;
    this.#settings = settings;
    this.#answers = answers;
    this.#now = now;
    this.#until = now + settings.ttl.most;
  }

  find(): DomainRoute | null {
    const fixed = staticRoute(this.#domain, this.#settings);
    if (fixed !== null) {
      this.#step('static-route', { hosts: fixed.hosts.map(({ host }) => host).join(' ') });
      return this.#ofHosts(
        fixed.hosts.map((one, preference) => ({ preference, host: nameKey(one.host), given: one })),
        true,
        null,
      );
    }
    const literal = literalAddress(this.#domain);
    // A mailbox without a domain is this host's own business (RFC 5321 4.5.1).
    if (this.#domain === '') return this.#problem('bad-domain');
    if (literal !== null) {
      this.#step('literal', { domain: this.#domain });
      if (literal === 'bad') return this.#problem('bad-domain');
      return this.#ofHosts([{ preference: 0, host: literal }], true, null);
    }
    return this.#byMx();
  }

  #byMx(): DomainRoute | null {
    const found = this.#follow('MX', this.#domain);
    const sts = this.#policy();
    if (found === null) return null;
    if (found === 'loop') return this.#problem('alias-loop');
    const { answer, name } = found;
    this.#name = name;
    if (isBad(answer)) return this.#failed('MX', name);
    // RFC 5321 5.1: "If a … non-existent domain error is returned, this situation MUST be reported as an error."
    if (answer.status === 'nxdomain') return this.#problem('no-such-domain');
    const list = readMx(answer.mx ?? []);
    for (const odd of list.odd) this.#step(odd, { domain: name });
    if (list.isNull) {
      this.#step('null-mx', { domain: name });
      return this.#problem('null-mx');
    }
    const secure = answer.security === 'secure';
    if (answer.status === 'empty' || answer.mx === undefined || answer.mx.length === 0) {
      // RFC 5321 5.1: "an implicit MX RR, with a preference of 0, pointing to that host". The name is what an alias leads to.
      this.#step('implicit-mx', { host: name });
      return this.#ofHosts([{ preference: 0, host: name }], secure, sts);
    }
    // RFC 5321 5.1: with MX records there, address records of the name itself are not used.
    if (list.hosts.length === 0) return this.#problem('no-address');
    for (const { host, preference } of list.hosts) this.#step('mx', { host, preference });
    return this.#ofHosts(list.hosts, secure, sts, answer.left);
  }

  /** RFC 8461 3.1: the record is at `_mta-sts.` below the domain itself; an alias of that name is followed by the resolver. */
  #policy(): KeptPolicy | null | undefined {
    if (!this.#settings.sts) return null;
    const record = this.#ask('TXT', `_mta-sts.${this.#domain}`);
    if (record === null) return undefined;
    const id = record.status === 'found' ? parseStsRecord(record.txt ?? []) : null;
    const kept = this.#answers.policy(this.#domain, id);
    if (kept === undefined) this.#missing = true;
    if (!kept) return kept;
    this.#until = Math.min(this.#until, kept.fetched + kept.policy.maxAge);
    this.#step(id === kept.id ? 'sts' : 'sts-cached', { mode: kept.policy.mode, mx: kept.policy.mx.join(' ') });
    return kept;
  }

  /** `unseen`: hosts that are worse than all of these. */
  #ofHosts(
    all: readonly (MxHost & { given?: RouteHost })[],
    secure: boolean,
    sts: KeptPolicy | null | undefined,
    unseen = 0,
  ): DomainRoute | null {
    const { mostHosts } = this.#settings;
    const isCut = all.length > mostHosts;
    if (isCut || unseen > 0) this.#step('cut', { left: Math.max(0, all.length - mostHosts) + unseen });
    // Names of this host beyond the limit count, too; their addresses are not needed.
    const named = withoutSelf(all, ({ host, given }) => given === undefined && isOwnName(host, this.#settings));
    if (named.length === 0) return this.#loop();
    const asked = isCut ? all.slice(0, mostHosts).filter((one) => named.includes(one)) : named;
    if (asked.length < named.length || unseen > 0) this.#isWhole = false;
    const found = asked.map((one) => this.#addresses(one, secure));
    if (this.#missing || sts === undefined) return null;
    const left = withoutSelf(found, ({ given, all }) => given === undefined && this.#hasOwn(all));
    if (left.length === 0 && found.length > 0) return this.#loop();
    if (named.length < all.length || left.length < found.length) this.#step('self', { left: left.length });
    const hosts = left
      .filter(({ addresses }) => addresses.length > 0)
      .map(({ host, preference, given, addresses, dane }): RoutedHost => {
        const { port = 25, protocol = 'smtp', tls = 'opportunistic' } = given ?? {};
        return { host, preference, port, protocol, addresses, dane, secure, tls: given === undefined ? null : tls };
      });
    if (hosts.some(({ dane: { state } }) => state !== 'failed')) return this.#route(hosts, null, sts);
    // RFC 5321 5.1: none usable is an error, unless an answer may still come.
    if (left.some(({ why }) => why === 'failed')) return this.#problem('dns-failed', hosts);
    return this.#problem(left.some(({ why }) => why === 'refused') ? 'refused-address' : 'no-address');
  }

  #hasOwn(addresses: readonly string[]): boolean {
    const { addresses: own } = this.#settings;
    if (own.length === 0) return false;
    return addresses.some((address) => own.some((one) => String(octetsOf(one)) === String(octetsOf(address))));
  }

  /** The addresses of a host that mail may go to, and its TLSA records. */
  #addresses({ host, preference, given }: MxHost & { given?: RouteHost }, secure: boolean): FoundHost {
    const isAddress = given?.protocol === 'local' || octetsOf(host) !== null;
    let all: readonly string[] = isAddress ? [host] : NONE;
    let alias: Followed | undefined;
    let isSigned = !isAddress;
    let [bad, waits] = [false, false];
    for (const family of isAddress ? NONE : this.#settings.families) {
      const found = this.#follow(family === 'ipv6' ? 'AAAA' : 'A', host);
      if (found === null) waits = true;
      if (found === null || found === 'loop') continue;
      const { answer, name } = found;
      if (isBad(answer)) bad = true;
      else if (answer.status === 'found') {
        if (name !== host) alias ??= found;
        isSigned &&= answer.security === 'secure';
        const { addresses = NONE, left = 0 } = answer;
        if (left > 0) {
          this.#step('addresses-cut', { host, left });
          this.#isWhole = false;
        }
        all = all.length === 0 ? addresses : [...all, ...addresses];
      }
    }
    if (bad) this.#isWhole = false;
    const result = (why: FoundHost['why'], addresses: readonly string[] = NONE, dane = NO_DANE): FoundHost => {
      return { host, preference, given, all, addresses, dane, why };
    };
    if (waits) return result('none');
    // RFC 5321 5.1, RFC 2181 10.3: an exchange must not be an alias; an alias is followed nevertheless.
    if (alias !== undefined && given === undefined) this.#step('mx-is-alias', { host, alias: alias.name });
    const addresses = all.filter((address) => given !== undefined || this.#isAllowed(host, address));
    if (addresses.length === 0) {
      if (all.length === 0) this.#step(bad ? 'dns-failed' : 'no-address', { host });
      return result(bad ? 'failed' : all.length > 0 ? 'refused' : 'none');
    }
    const dane = this.#settings.dane && secure ? this.#dane(host, alias, isSigned, given?.port ?? 25) : NO_DANE;
    if (dane.state !== 'none') this.#step('dane', { host, state: dane.state, records: dane.tlsa.length });
    // RFC 7672 2.2: records that can't be had may demand TLS: the host is left for now.
    return result(dane.state === 'failed' ? 'failed' : 'none', addresses, dane);
  }

  #isAllowed(host: string, address: string): boolean {
    const name = addressClass(address);
    const isAllowed = name === 'public' || this.#settings.allow.includes(name);
    if (!isAllowed) this.#step('refused-address', { host, address, class: name });
    return isAllowed;
  }

  /**
   * RFC 7672 2.2.1, 2.2.2: no TLSA record is looked up for a host whose name or address is not signed; but for one whose alias is, though what that
   * leads to is not, at its own name.
   */
  #dane(host: string, alias: Followed | undefined, isSigned: boolean, port: number): DaneState {
    const own = isSigned || alias === undefined ? null : this.#ask('CNAME', host);
    if (own !== null && isBad(own)) return { state: 'failed', base: host, tlsa: [] };
    if (!isSigned && own?.security !== 'secure') return NO_DANE;
    const bases = isSigned && alias !== undefined ? [alias.name, host] : [host];
    return daneOf(bases, (base) => this.#follow('TLSA', `_${port}._tcp.${base}`)) ?? NO_DANE;
  }

  /** RFC 5321 5.1: "If a CNAME record is found …, the resulting name is processed as if it were the initial name." */
  #follow(rr: 'MX' | 'A' | 'AAAA' | 'TLSA', from: string): Followed | 'loop' | null {
    let name = from;
    let secure = true;
    for (let hops = 0; hops <= this.#settings.mostAliases; hops++) {
      const answer = this.#ask(rr, name);
      if (answer === null) return null;
      secure = secure && answer.security === 'secure';
      const alias = answer.alias === undefined ? null : nameKey(answer.alias);
      // RFC 7672 2.1.3: what can't be believed leads nowhere.
      const isLast = answer.status !== 'found' || isBad(answer) || (answer.mx ?? answer.addresses ?? answer.tlsa) !== undefined;
      if (alias !== null && alias !== name && rr === 'MX') this.#step('alias', { domain: name, alias });
      const isSigned = secure || answer.security !== 'secure';
      if (alias === null || isLast) return { answer: isSigned ? answer : { ...answer, security: 'insecure' }, name: alias ?? name };
      name = alias;
    }
    return 'loop';
  }

  #ask(rr: Rr, name: string): DnsAnswer | null {
    const kept = this.#answers.dns(rr, name);
    if (kept === null) {
      this.#missing = true;
      return null;
    }
    this.#until = Math.min(this.#until, kept.until);
    return shortened(kept.answer, this.#settings);
  }

  #failed(rr: Rr, name: string): DomainRoute {
    this.#step('dns-failed', { host: name, rr });
    return this.#problem('dns-failed');
  }

  #loop(): DomainRoute {
    this.#step('self', { left: 0 });
    return this.#problem('loop');
  }

  #problem(category: RouteProblem['category'], hosts: readonly RoutedHost[] = NONE): DomainRoute {
    const status = PROBLEMS[category];
    this.#step('problem', { category, status });
    return this.#route(hosts, { category, status, permanent: status[0] === '5' }, null);
  }

  #route(hosts: readonly RoutedHost[], problem: RouteProblem | null, sts: KeptPolicy | null): DomainRoute {
    return {
      domain: this.#domain,
      name: this.#name,
      hosts,
      isWhole: this.#isWhole,
      problem,
      sts,
      until: this.#until,
      steps: this.#steps,
    };
  }

  #step(what: Step['what'], detail: Step['detail']): void {
    // How it ended is told in any case.
    if (this.#steps.length < MOST_STEPS || what === 'problem') this.#steps.push({ at: this.#now, what, detail });
  }
}

interface FoundHost extends MxHost {
  readonly given: RouteHost | undefined;
  /** Its addresses, and those of them that mail may go to. */
  readonly all: readonly string[];
  readonly addresses: readonly string[];
  readonly dane: DaneState;
  readonly why: 'failed' | 'refused' | 'none';
}

interface Followed {
  readonly answer: DnsAnswer;
  /** The last name of the chain. */
  readonly name: string;
}
