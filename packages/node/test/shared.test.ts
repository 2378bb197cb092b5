// What the transports of a server have in common, so that a connection that waits holds little.
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { SocketTransport } from '../src/transport.ts';

const SINK = { data: () => {}, end: () => {}, lost: () => {}, drained: () => {} };

test('sockets are listened to with the same functions, and none is asked for an address that is known', () => {
  const local = { address: '127.0.0.1', port: 2525 };
  const sockets = [new Socket(), new Socket()] as const;
  const transports = sockets.map((socket) => new SocketTransport(socket, null, null, local));
  for (const transport of transports) {
    transport.start(SINK);
    expect(transport.local).toBe(local);
  }
  for (const event of ['data', 'end', 'close', 'error']) {
    const [ours, others] = sockets.map((socket) => new Set(socket.listeners(event)));
    expect([...ours!].filter((listener) => others!.has(listener)).length, event).toBeGreaterThan(0);
    expect(
      [...ours!].filter((listener) => !others!.has(listener)),
      event,
    ).toEqual([]);
  }
  for (const socket of sockets) socket.destroy();
});
