import { getServers } from 'node:dns';
import { isIP } from 'node:net';
import { answerOf, type DnsQuestion, dnsName, type LookupAnswer, NO_ANSWER, NO_NAME } from './dns-message.ts';
import { type DnsServer, exchange } from './exchange.ts';

export type { LookupAnswer } from './dns-message.ts';

/** Which resolver is asked, and how long. */
export interface DnsOptions {
  /** Resolvers in the order in which they are asked: `192.0.2.1`, `192.0.2.1:5353`, `[2001:db8::1]:5353`. Default: those of the system. */
  readonly servers?: readonly string[];
  /** Milliseconds for one server to answer. Default 3,000. */
  readonly timeout?: number;
  /** How often all servers are asked. Default 2. */
  readonly rounds?: number;
  /** Queries at the same time. Default 100. */
  readonly most?: number;
  /**
   * The AD bit of every resolver is believed: the way to each is safe (RFC 7672 2.1.1, RFC 4035 4.9.3). Default false: that of resolvers on a
   * loopback address alone; others' answers are `insecure`.
   */
  readonly trustResolver?: boolean;
}

/** Looks a name up. Never rejects: what can't be had is `failed`. */
export type Lookup = (question: DnsQuestion) => Promise<LookupAnswer>;

/**
 * A DNS client for what a relay asks (RFC 1035): MX, A, AAAA, CNAME, TLSA and TXT with their TTL, chains of CNAMEs, and what DNSSEC says of them, which
 * the runtimes' own do not tell. Nothing is kept: the machine that asks keeps answers. Throws a `RangeError` for servers that are none.
 *
 * @example
 * ```ts
 * import { dnsLookup } from '@ehlo/relay/dns';
 * const lookup = dnsLookup({ servers: ['127.0.0.1:1'], rounds: 1 });
 * (await lookup({ name: 'example.org', rr: 'MX' })).status
 * // → 'failed'
 * ```
 */
export function dnsLookup({
  servers = getServers(),
  timeout = 3000,
  rounds = 2,
  most = 100,
  trustResolver = false,
}: DnsOptions = {}): Lookup {
  const asked = servers.map(serverOf);
  if (asked.length === 0) throw new RangeError('no resolver is known: name one in `servers`');
  const places = new Places(most);
  return async ({ name: given, rr }) => {
    const name = dnsName(given);
    if (name === null) return NO_NAME;
    await places.take();
    try {
      return await ask(asked, { name, rr }, { timeout, rounds, trustResolver });
    } finally {
      places.leave();
    }
  };
}

type Asking = Required<Pick<DnsOptions, 'timeout' | 'rounds' | 'trustResolver'>>;

/** The first answer that says something; a server that fails is passed over. */
async function ask(
  servers: readonly DnsServer[],
  question: DnsQuestion,
  { timeout, rounds, trustResolver }: Asking,
): Promise<LookupAnswer> {
  let last = NO_ANSWER;
  for (let round = 0; round < rounds; round++) {
    for (const server of servers) {
      const response = await exchange(server, question, timeout);
      if (response === null) continue;
      last = answerOf(response, question, trustResolver || isLoopback(server.address));
      if (last.status !== 'failed') return last;
    }
  }
  return last;
}

function serverOf(text: string): DnsServer {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const server = { address: bracketed ?? plain ?? text, port: Number(port ?? 53) };
  if (isIP(server.address) === 0 || server.port > 65535) throw new RangeError(`${JSON.stringify(text)} is no address of a resolver`);
  return server;
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^127\./.test(address);
}

/** As many at once as there are places; the others wait in order. */
class Places {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#free = most;
  }

  async take(): Promise<void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
