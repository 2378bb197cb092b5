import type { Address, Connected, Listener, Transport } from '@ehlo/driver';
import { expect, test } from 'vitest';
import { together } from '../src/listeners.ts';

test('several listeners are one: each tells the server of sessions, and of connections that are none yet', () => {
  const told: Connected[] = [];
  const address: Address = { address: '127.0.0.1', port: 25 };
  const listener: Listener = { address, accept: (connected) => void told.push(connected), close: async () => {} };
  const reserve = () => () => {};
  const tlsFailed = () => {};
  const sessions: Transport[] = [];
  const byUnix = new WeakSet<Address>();
  const both = together(
    [
      { listener, tls: false, unix: false },
      { listener, tls: false, unix: true },
    ],
    byUnix,
  );
  both.accept(Object.assign((transport: Transport) => void sessions.push(transport), { reserve, tlsFailed }));
  expect(told.map((connected) => [connected.reserve, connected.tlsFailed])).toEqual([
    [reserve, tlsFailed],
    [reserve, tlsFailed],
  ]);
  const peers = told.map((connected, i) => {
    const peer = { address: '', port: i };
    connected({ peer } as Transport);
    return byUnix.has(peer);
  });
  expect([sessions.length, peers]).toEqual([2, [false, true]]);
});
