// Client and server joined in memory: what was sent is what arrived, and every outcome is told once and is true.
import { latin1, octets } from '@ehlo/grammar';
import { expect, test } from 'vitest';
import { Pair } from '../src/index.ts';

test('one message, from greeting to QUIT', () => {
  const pair = new Pair({
    client: { hostname: 'client.example.org', trace: true },
    server: { hostname: 'mx.example.org', preset: 'sink', ask: ['message'] },
    errand: {
      jobs: [{ envelope: { reversePath: 'joe@a.example', recipients: [{ forwardPath: 'ann@b.example' }] }, pieces: [octets('a\n.b')] }],
    },
    latency: 10,
  }).run();
  expect(pair.sender.events.map((event) => event.type === 'trace' ? `${event.from[0]}: ${event.line}` : event.type)).toEqual([]);
  expect(pair.stored.map(({ content }) => latin1(content, 0, content.length))).toEqual(['a\r\n.b\r\n']);
});
