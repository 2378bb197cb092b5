// Which clients may send what to which addresses: the current rules of a front. A reloaded configuration is a new policy.

import type { ListenerConfig, RelayConfig } from '../config/config.ts';
import { type Directory, domainKey } from './directory.ts';
import type { GuestLimits } from './guests.ts';
import { inNetworks } from './networks.ts';

/** The known facts about a client. */
export interface Asker {
  /** The address of the client; empty where it has none. */
  readonly address: string;
  /** The address is that of the client: no proxy speaks for itself. */
  readonly isClient: boolean;
  readonly identity: string | null;
}

/** The rules that follow from a configuration and its files. */
export class Policy {
  readonly config: RelayConfig;
  readonly directory: Directory;
  readonly guests: GuestLimits;
  /** Whether a client that has authenticated is still a user. */
  readonly isUser: (identity: string) => boolean;
  readonly #mayRelay: (address: string) => boolean;
  readonly #senders: ReadonlyMap<string, readonly string[]>;

  constructor(config: RelayConfig, directory: Directory, isUser: (identity: string) => boolean) {
    const { limits, relayFrom, users } = config;
    this.config = config;
    this.directory = directory;
    this.isUser = isUser;
    this.guests = { connections: limits.connectionsPerClient, failures: limits.authFailures, pause: limits.authPause };
    this.#mayRelay = inNetworks(relayFrom);
    this.#senders = new Map(Object.entries(users?.senders ?? {}));
  }

  /** Whether the address of a client is one of those that may send to anybody. */
  isTrusted({ address, isClient }: Asker): boolean {
    return isClient && this.#mayRelay(address);
  }

  /** Whether a client may send to domains that are not local. */
  mayRelay(asker: Asker, { openRelay }: ListenerConfig): boolean {
    return openRelay || asker.identity !== null || this.isTrusted(asker);
  }

  /** Whether a user may send as an address (RFC 6409 6.1). The null reverse-path is everybody's. */
  maySendAs(user: string, address: string): boolean {
    const allowed = this.#senders.get(user) ?? this.#senders.get('*');
    if (allowed === undefined || address === '') return true;
    const at = address.lastIndexOf('@');
    const [localPart, domain] = [address.slice(0, at).toLowerCase(), domainKey(address.slice(at + 1))];
    return allowed.some((one) => {
      const end = one.lastIndexOf('@');
      return domainKey(one.slice(end + 1)) === domain && (one.startsWith('*@') || one.slice(0, end).toLowerCase() === localPart);
    });
  }
}
