// Servers and clients that are gone when a test is over.
import type { NetConnectOpts } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { type Handler, type ServeOptions, Server } from '@ehlo/node';
import { test as base, vi } from 'vitest';
import { PATIENCE } from '../../../vitest.setup.ts';
import { serve } from './adapter.ts';
import { Wire } from './wire.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

/** Reads a message, and takes it. */
export const taking: NonNullable<Handler['message']> = async ({ body }) => {
  await body.bytes();
  return true;
};

interface Fixtures {
  /** Serves on a free port of 127.0.0.1, as a sink, if nothing else is said. */
  start: (handler?: Handler, options?: Partial<ServeOptions>) => Promise<Server>;
  /** Connects to a server. */
  dial: (server: Server | NetConnectOpts) => Promise<Wire>;
}

export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads a fixture's needs from this pattern, and it has none.
  start: async ({}, use) => {
    const servers: Server[] = [];
    await use(async (handler = {}, options = {}) => {
      const place = options.path === undefined ? { port: 0 } : {};
      const server = await serve({ ...place, hostname: 'mx.example.org', preset: 'sink', grace: 0, ...options }, handler);
      servers.push(server);
      return server;
    });
    const closed = Promise.all(servers.map((server) => server.close())).then(() => true);
    if (!(await Promise.race([closed, wait(PATIENCE, false, { ref: false })]))) throw new Error('a server does not close');
  },
  dial: async ({ start: _ }, use) => {
    const wires: Wire[] = [];
    await use(async (to) => {
      const wire = await Wire.open(to instanceof Server ? { host: to.address.address, port: to.address.port } : to);
      wires.push(wire);
      return wire;
    });
    // Before the servers close: `start` was set up first, so it is torn down last.
    for (const wire of wires) wire.socket.destroy();
  },
});
