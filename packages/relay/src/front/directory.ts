// Whose mail this host takes: domains, mailboxes, aliases, lists, and postmaster.

import { domainToASCII } from 'node:url';
import type { Expansion } from '@ehlo/delivery';
import { formatAddressLiteral, isPostmaster, type Mailbox, parseMailbox } from '@ehlo/grammar';

/** What a directory is made of; addresses as they are written. */
export interface DirectoryEntries {
  readonly hostname: string;
  readonly postmaster: string;
  readonly domains: readonly string[];
  /** Mailboxes, and `*@example.org`. */
  readonly recipients: readonly string[];
  readonly subaddress?: string;
  readonly aliases: ReadonlyMap<string, readonly string[]>;
  readonly lists: ReadonlyMap<string, { readonly members: readonly string[]; readonly owner: string }>;
}

/** `foreign`: its domain is not local. `unknown`: its domain is local, and it does not exist. */
export type Standing = 'known' | 'unknown' | 'foreign';

/**
 * A local part that no host reads as anything but a name. Others were ways to have a host pass mail on (RFC 5321 F.2; `user%other`, `other!user`,
 * `"user@other"`), or name files and programs: where everybody of a domain is taken, these are not.
 */
const PLAIN = /^[^%!@:;"\\|/<>,\s\p{Cc}]+$/u;

/** The local domains, their addresses, and the addresses that each stands for. */
export class Directory {
  readonly #hostname: string;
  readonly #postmaster: string;
  readonly #domains: ReadonlySet<string>;
  readonly #recipients: ReadonlySet<string>;
  readonly #subaddress: string | undefined;
  readonly #expansions: ReadonlyMap<string, Expansion>;
  /** For a postmaster that is not configured. */
  readonly #toPostmaster: Expansion;

  constructor({ hostname, postmaster, domains, recipients, subaddress, aliases, lists }: DirectoryEntries) {
    this.#hostname = domainKey(hostname);
    this.#postmaster = postmaster;
    this.#domains = new Set(domains.map(domainKey));
    this.#recipients = new Set(recipients.map(patternKey));
    this.#subaddress = subaddress;
    this.#toPostmaster = { type: 'alias', to: [asciiAddress(postmaster)] };
    this.#expansions = new Map([
      ...[...aliases].map(([address, to]): [string, Expansion] => [patternKey(address), { type: 'alias', to: to.map(asciiAddress) }]),
      ...[...lists].map(([address, { members, owner }]): [string, Expansion] => [
        patternKey(address),
        { type: 'list', to: members.map(asciiAddress), owner: asciiAddress(owner) },
      ]),
    ]);
  }

  get counts(): { readonly recipients: number; readonly aliases: number; readonly lists: number } {
    const all = [...this.#expansions.values()];
    const lists = all.filter(({ type }) => type === 'list').length;
    return { recipients: this.#recipients.size, aliases: all.length - lists, lists };
  }

  /** Whether mail for a domain is taken from anybody. */
  isLocal(domain: string): boolean {
    return this.#domains.has(domainKey(domain));
  }

  /** How an address stands here. `local` is the address of this host that the client is connected to. */
  standing(path: Mailbox, local: string): Standing {
    const own = this.isOwn(path.domain, local);
    // RFC 5321 4.5.1: postmaster of each domain of ours, of this host, and without a domain.
    if (isPostmaster(path) && (own || path.domain === '' || this.isLocal(path.domain))) return 'known';
    if (!this.isLocal(path.domain)) return 'foreign';
    return this.#isKnown(path) ? 'known' : 'unknown';
  }

  /** Whether a domain stands for this host itself: its name, or the address literal that the client is connected to. */
  isOwn(domain: string, local: string): boolean {
    return domainKey(domain) === this.#hostname || (domain !== '' && domain.toLowerCase() === formatAddressLiteral(local)?.toLowerCase());
  }

  /** An address as it is queued: postmaster of this host and of no domain is one mailbox, that of its name. */
  queued(path: Mailbox, local: string): string {
    if (isPostmaster(path) && (path.domain === '' || this.isOwn(path.domain, local))) return `postmaster@${this.#hostname}`;
    return asciiAddress(path.address);
  }

  /** For the dispatcher: the addresses that an address stands for. */
  readonly expand = (address: string): Expansion | null => {
    const parsed = parseMailbox(address);
    if (!parsed.ok) return null;
    const path = parsed.value;
    const isOwn = domainKey(path.domain) === this.#hostname;
    if (!isOwn && !this.isLocal(path.domain)) return null;
    const found = this.#keysOf(path).flatMap((key) => this.#expansions.get(key) ?? [])[0];
    if (found !== undefined) return found;
    if (
      !isPostmaster(path) ||
      this.#recipients.has(keyOf(path.localPart, path.domain)) ||
      patternKey(address) === patternKey(this.#postmaster)
    )
      return null;
    return this.#toPostmaster;
  };

  /** Aliases that form a loop or have no target: for the check of a configuration. */
  problems(): readonly string[] {
    const circles = [...this.#expansions].filter(([, one]) => this.#reaches(one, one, new Set()));
    const parsed = parseMailbox(this.#postmaster);
    const isLost = parsed.ok && this.isLocal(parsed.value.domain) && !this.#isKnown(parsed.value);
    const isSelf = parsed.ok && !this.isLocal(parsed.value.domain) && domainKey(parsed.value.domain) === this.#hostname;
    return [
      ...circles.map(([key]) => `${key} stands for itself, by way of its aliases: mail to it would go round in circles`),
      ...(isLost
        ? [`postmaster is ${this.#postmaster}, of a domain of ours where nobody has that address: name it in recipients or aliases`]
        : []),
      ...(isSelf ? [`postmaster is ${this.#postmaster}, an address of this host itself, which has no mailboxes: name one elsewhere`] : []),
    ];
  }

  /** By what the dispatcher will be told: details and the postmaster included. One that names itself is delivered there, and not expanded again. */
  #reaches(from: Expansion, to: Expansion, seen: Set<Expansion>): boolean {
    return from.to.some((address) => {
      const next = this.expand(address);
      if (next === null || seen.has(next) || this.#expansions.get(patternKey(address)) === from) return false;
      return next === to || this.#reaches(next, to, seen.add(next));
    });
  }

  #isKnown(path: Mailbox): boolean {
    if (this.#keysOf(path).some((key) => this.#recipients.has(key) || this.#expansions.has(key))) return true;
    return PLAIN.test(path.localPart) && this.#recipients.has(`*@${domainKey(path.domain)}`);
  }

  /** The address itself, and where there is a detail behind it (RFC 5233), what it is a detail of. */
  #keysOf({ localPart, domain }: Mailbox): readonly string[] {
    const at = this.#subaddress === undefined ? -1 : localPart.indexOf(this.#subaddress);
    const hasDetail = at > 0 && PLAIN.test(localPart);
    return [keyOf(localPart, domain), ...(hasDetail ? [keyOf(localPart.slice(0, at), domain)] : [])];
  }
}

/** A domain as jobs have it: small letters, A-labels, no dot at the end. */
export function domainKey(domain: string): string {
  const plain = domain.toLowerCase().replace(/\.$/, '');
  return /^\[|^[\0-\x7f]*$/.test(plain) ? plain : domainToASCII(plain) || plain;
}

/**
 * An address whose domain has U-labels, with A-labels in their place: then it goes to every server (RFC 6531 3.2). One with a local part beyond ASCII
 * stays: only SMTPUTF8 carries it.
 */
export function asciiAddress(address: string): string {
  const at = address.lastIndexOf('@');
  if (at < 0 || /^[\0-\x7f]*$/.test(address) || !/^[\0-\x7f]*$/.test(address.slice(0, at))) return address;
  return `${address.slice(0, at)}@${domainKey(address.slice(at + 1))}`;
}

/** The case of a local part is for its own host to judge (RFC 5321 2.4), which is this one. */
function keyOf(localPart: string, domain: string): string {
  return `${localPart.toLowerCase()}@${domainKey(domain)}`;
}

function patternKey(address: string): string {
  if (address.startsWith('*@')) return `*@${domainKey(address.slice(2))}`;
  const parsed = parseMailbox(address);
  return parsed.ok ? keyOf(parsed.value.localPart, parsed.value.domain) : address.toLowerCase();
}
