// What the front asks of the DNS, through a resolver on loopback.
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { decode, encode } from 'dns-packet';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startRelay } from '../../src/relay.ts';
import type { Means } from '../../src/runner/index.ts';
import { withResolvers } from '../world.ts';
import { config, RUNTIME } from './harness.ts';

test('names that strangers choose and whose servers are silent keep no delivery waiting', async () => {
  const resolver = createSocket('udp4');
  await new Promise<void>((resolve) => resolver.bind(0, '127.0.0.1', resolve));
  onTestFinished(() => void resolver.close());
  let silent = 0;
  const { promise: isFull, resolve: filled } = withResolvers();
  resolver.on('message', (octets, peer) => {
    const { id, questions } = decode(octets);
    const NXDOMAIN = 3;
    if (questions![0]!.name === 'good.example')
      resolver.send(encode({ type: 'response', id: id!, questions: questions!, flags: NXDOMAIN }), peer.port, peer.address);
    else if (++silent === 100) filled();
  });
  const { lookUp: _, ...runtime } = RUNTIME;
  let lookUp: Means['lookUp'] | null = null;
  const relay = await startRelay(
    config({ dns: { servers: [`127.0.0.1:${resolver.address().port}`] }, limits: { connectionsPerClient: 200 } }),
    {
      ...runtime,
      outbound: (own, given) => {
        lookUp = given;
        return RUNTIME.outbound(own, given);
      },
    },
  );
  onTestFinished(() => relay.close({ now: true }));
  // No look-up is over by its time.
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  onTestFinished(async () => {
    await vi.advanceTimersByTimeAsync(60_000);
    vi.useRealTimers();
  });
  for (let client = 0; client < 120; client++) {
    const socket = connect(relay.listening[0]!.address.port, '127.0.0.1').on('error', () => {});
    onTestFinished(() => void socket.destroy());
    socket.on('data', (line) => {
      const next = line.toString().startsWith('220') ? 'HELO client.example' : `MAIL FROM:<joe@${client}.silent.example>`;
      socket.write(`${next}\r\n`);
    });
  }
  await isFull;
  expect(await lookUp!({ type: 'lookup', id: 1, name: 'good.example', rr: 'MX' })).toMatchObject({ status: 'nxdomain' });
});
