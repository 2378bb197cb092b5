// Our client and our server over a link that carries octets in any chunks and breaks anywhere: what the client says is what happened.
import { CHUNKING, type Pipelining } from '@ehlo/engine';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ConnectOptions, connectOn, type Message, reject, serveOn } from '../src/index.ts';
import { Link, LinkListener } from './link.ts';

const octet = fc.oneof(fc.constantFrom(...'.\r\n'), fc.constantFrom('a', ' ', '\u00e9'));
const text = fc.array(octet, { maxLength: 60 }).map((all) => all.join(''));
function pieces(content: string): string[] {
  const size = 1 + Math.floor(content.length / 40);
  return Array.from({ length: Math.ceil(content.length / size) }, (_, i) => content.slice(i * size, (i + 1) * size));
}

/** The same message whole, in pieces, and in pieces that take their time. */
const shape = fc.constantFrom<(content: string) => Message>(
  (content) => content,
  (content) => pieces(content),
  async function* (content) {
    for (const piece of pieces(content)) {
      await Promise.resolve();
      yield piece;
    }
  },
);
const message = fc.record({
  text,
  shape,
  filler: fc.constantFrom(0, 0, 3000, 90_000),
  recipients: fc.subarray(['ann', 'bob', 'no', 'cid', 'no2'], { minLength: 1 }),
});

const session = fc.record({
  pipelining: fc.constantFrom<Pipelining>('off', 'envelope', 'data', 'transactions'),
  chunking: fc.boolean(),
  lmtp: fc.boolean(),
  starttls: fc.constant('off' as const),
});

const weather = fc.record({
  chunks: fc
    .array(fc.constantFrom(1, 7, 100, 1000, 65_536), { minLength: 1, maxLength: 5 })
    .filter((sizes) => sizes.some((size) => size > 99)),
  breaks: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 600_000 })),
  room: fc.constantFrom(0, 100, 65_536),
});

/** What the wire makes of line ends. */
function normal(content: string): string {
  const lines = content.replaceAll(/\r\n|\r|\n/g, '\r\n');
  return lines === '' || lines.endsWith('\r\n') ? lines : `${lines}\r\n`;
}

test('accepted means stored, once and octet for octet; refused and unsent mean not stored; each recipient is told once', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      fc.array(message, { minLength: 1, maxLength: 4 }),
      session,
      weather,
      async (messages, { chunking, lmtp, ...rest }, sky) => {
        const stored = new Map<string, string[]>();
        const listener = new LinkListener();
        const server = serveOn(
          listener,
          { hostname: 'mx.example', preset: lmtp ? 'lmtp' : 'mx', grace: 0 },
          {
            rcpt: ({ forwardPath }) => !forwardPath.address.startsWith('no') || reject(550, '5.1.1', 'nobody'),
            async message({ envelope, body }) {
              const content = Buffer.from(await body.bytes()).toString();
              if (content.includes('a.\r\n')) return reject(554, '5.6.0', 'no');
              for (const { forwardPath } of envelope.recipients) {
                const key = `${envelope.reversePath.address} ${forwardPath.address}`;
                stored.set(key, [...(stored.get(key) ?? []), content]);
              }
              return true;
            },
          },
        );
        const link = new Link(sky);
        const options: ConnectOptions = { ...rest, ...(lmtp ? { protocol: 'lmtp' } : {}), ...(chunking ? { features: [CHUNKING] } : {}) };
        const connecting = connectOn(link.client, options).catch(() => null);
        listener.bring(link);
        const client = await connecting;
        const results =
          client === null
            ? []
            : await Promise.all(
                messages.map(({ text: content, filler, shape: make, recipients }, i) =>
                  client.send(
                    { reversePath: `m${i}@a.example`, recipients: recipients.map((name) => `${name}@b.example`) },
                    make(content + 'x\r\n'.repeat(filler / 3)),
                  ),
                ),
              );
        await client?.close();
        await server.close();
        for (const [i, { outcomes }] of results.entries()) {
          const { text: content, filler, recipients } = messages[i]!;
          const due = normal(content + 'x\r\n'.repeat(filler / 3));
          expect(outcomes.map(({ recipient }) => recipient)).toEqual(recipients.map((name) => `${name}@b.example`));
          for (const { recipient, status } of outcomes) {
            seen.add(status);
            const copies = stored.get(`m${i}@a.example ${recipient}`) ?? [];
            if (status === 'accepted') expect(copies).toEqual([due]);
            else if (status !== 'unknown') expect(copies).toEqual([]);
            else expect(copies.length).toBeLessThan(2);
          }
        }
        if (client === null) expect(stored.size).toBe(0);
      },
    ),
    { numRuns: 1500 },
  );
  expect([...seen].sort()).toEqual(['accepted', 'refused', 'unknown', 'unsent']);
});
