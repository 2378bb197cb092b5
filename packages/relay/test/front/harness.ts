// A whole relay on loopback: our client in front, servers of ours behind, a queue of memory between.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, connect, type Handler, listen, type ServeOptions, type Server, ServerTls, serve } from '@ehlo/node';
import { plain, scram, userTable } from '@ehlo/sasl';
import { onTestFinished } from 'vitest';
import { readConfig } from '../../src/config/check.ts';
import { MemoryQueue } from '../../src/memory-queue.ts';
import { outbound } from '../../src/outbound/index.ts';
import { type Relay, startRelay } from '../../src/relay.ts';
import { type Means, wallClock } from '../../src/runner/index.ts';
import type { RelayRuntime } from '../../src/runtime.ts';

export interface Taken {
  readonly from: string;
  readonly to: readonly string[];
  readonly parameters: object;
  readonly text: string;
}

/** A server that keeps what it takes. */
export async function sink(
  options: Partial<ServeOptions> = {},
  handler: Handler = {},
): Promise<{ port: number; taken: Taken[]; server: Server }> {
  const taken: Taken[] = [];
  const server = await serve(
    { port: 0, hostname: 'sink.example.net', preset: 'sink', grace: 0, ...options },
    {
      async message({ envelope, body }) {
        const text = new TextDecoder().decode(await body.bytes());
        const to = envelope.recipients.map(({ forwardPath }) => forwardPath.address);
        taken.push({ from: envelope.reversePath.address, to, parameters: envelope.parameters, text });
        return true;
      },
      ...handler,
    },
  );
  onTestFinished(() => server.close({ now: true }));
  return { port: server.address.port, taken, server };
}

/** The way out, on loopback, in clear. */
const OUTBOUND: Pick<Means, 'open' | 'fetchPolicy'> = outbound({ connect, hostname: 'mx.example.org' });

export interface Rig {
  readonly relay: Relay<ServerTls>;
  readonly queue: MemoryQueue;
  readonly log: readonly (readonly [event: string, facts: { readonly [name: string]: unknown }])[];
  port(name: string): number;
  /** Until something was logged. */
  logged(event: string, count?: number): Promise<{ readonly [name: string]: unknown }>;
}

const BASE = {
  hostname: 'mx.example.org',
  postmaster: 'boss@example.com',
  domains: ['example.org'],
  recipients: ['ann@example.org', 'joe@example.org'],
  queue: { kind: 'memory' },
  delivery: { preset: 'test' },
};

/** Lookups of tables: nothing is there. */
const NO_NAMES: Means['lookUp'] = async () => ({ status: 'nxdomain', security: 'insecure', ttl: 60 });

export function config(options: object, listener: object = {}): ReturnType<typeof readConfig> {
  return readConfig({
    ...BASE,
    listeners: [{ kind: 'mx', name: 'mx', ...('path' in listener ? {} : { host: '127.0.0.1', port: 0 }), ...listener }],
    ...options,
  });
}

/** What every relay here is given; `log` and `queue` are each test's own. */
export const RUNTIME: RelayRuntime<ServerTls> = {
  listen,
  tls: (certificate) => new ServerTls(certificate),
  users: (text) => {
    const lines = text.trim().split('\n');
    const table = userTable(
      lines.map((line) => line.split(':') as [string, string]),
      new Uint8Array(32),
    );
    return {
      auth: { mechanisms: [scram(), plain()].flat(), lookup: (name: string) => table.lookup(name) },
      has: (name) => table.has(name),
    };
  },
  queue: async () => ({ queue: new MemoryQueue(wallClock) }),
  outbound: async () => OUTBOUND,
  lookUp: NO_NAMES,
  log: () => {},
};

/** A relay that is stopped when the test has ended. */
export async function start(options: object = {}, listener: object = {}, runtime: Partial<RelayRuntime<ServerTls>> = {}): Promise<Rig> {
  const log: (readonly [string, { readonly [name: string]: unknown }])[] = [];
  let wake = (): void => {};
  const queue = new MemoryQueue(wallClock);
  const relay = await startRelay(config(options, listener), {
    ...RUNTIME,
    queue: async () => ({ queue }),
    log: (_level, event, facts = {}) => {
      log.push([event, facts]);
      wake();
    },
    ...runtime,
  });
  onTestFinished(() => relay.close({ now: true }));
  return {
    relay,
    queue,
    log,
    port: (name) => relay.listening.find((one) => one.name === name)!.address.port,
    async logged(event, count = 1) {
      for (;;) {
        const found = log.filter(([name]) => name === event);
        if (found.length >= count) return found[count - 1]![1];
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

/** Until something holds; looked at whenever other work has been done. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** A folder that is gone when the test has ended, with some files in it. */
export function folder(files: { readonly [name: string]: string } = {}): string {
  const path = mkdtempSync(join(tmpdir(), 'relay-front-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

/** Says lines one after the other, and gives the replies. */
export class Talk {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  static async to(port: number, options: object = {}): Promise<Talk> {
    const client = await connect({ host: '127.0.0.1', port, hostname: 'client.example', starttls: 'off', ...options });
    onTestFinished(() => client.close());
    return new Talk(client);
  }

  get client(): Client {
    return this.#client;
  }

  async send(from: string, to: readonly string[], text = 'Subject: hello\r\n\r\nhello\r\n'): Promise<readonly string[]> {
    const { outcomes } = await this.#client.send({ reversePath: from, recipients: to }, text);
    return outcomes.map(({ status, reply }) => `${status} ${reply?.code ?? ''} ${reply?.enhanced ?? ''}`.trim());
  }
}
