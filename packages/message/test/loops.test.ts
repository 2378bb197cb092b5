import { readFileSync } from 'node:fs';
import { octets, parseMailbox } from '@ehlo/grammar';
import { expect, test } from 'vitest';
import { ANY_HEADER, HeaderReader } from '../src/index.ts';
import { formatDeliveredTo, type LoopOptions, LoopWatch, parseDeliveredTo } from '../src/loops.ts';

interface Vector {
  readonly name: string;
  readonly options: Omit<LoopOptions, 'recipient'> & { readonly recipient?: string };
  readonly message: readonly (string | { readonly repeat: string; readonly times: number })[];
  readonly hops: number;
  readonly visits: number;
  readonly loop: string | null;
}

const { loops } = JSON.parse(readFileSync(new URL('../../../test-vectors/message/loops.json', import.meta.url), 'utf8')) as {
  readonly loops: readonly Vector[];
};

test.each(loops.map((vector) => [vector.name, vector] as const))('%s', (_, { options, message, hops, visits, loop }) => {
  const { recipient, ...rest } = options;
  const mailbox = recipient === undefined ? null : parseMailbox(recipient);
  const watch = new LoopWatch(mailbox?.ok ? { ...rest, recipient: mailbox.value } : rest);
  const reader = new HeaderReader({ tolerate: ANY_HEADER });
  for (const part of message) reader.push(octets(typeof part === 'string' ? part : part.repeat.repeat(part.times)));
  reader.end();
  for (let event = reader.next(); event !== null; event = reader.next()) if (event.type === 'field') watch.add(event.field);
  expect({ hops: watch.hops, visits: watch.visits, loop: watch.loop }).toEqual({ hops, visits, loop });
});

test.for(['joe@example.org', '"a b"@example.org', 'j.\u00f6@b\u00fccher.example', 'x@[192.0.2.1]', '"a>b"@[IPv6:2001:db8::1]'])(
  '%s is read as it is written',
  (address) => {
    const parsed = parseMailbox(address);
    if (!parsed.ok) expect.fail(address);
    const field = formatDeliveredTo(parsed.value);
    expect(parseDeliveredTo(field.slice('Delivered-To:'.length, -2))).toEqual({ ok: true, value: parsed.value, deviations: [] });
    expect(parseDeliveredTo(`<${address}>`)).toEqual({ ok: true, value: parsed.value, deviations: ['angle-brackets'] });
  },
);

test.for(['', 'joe', '<>', 'a@b, c@d', 'a@b (c)', '<a@b> x', 'a@b\r\nX: 1'])('%j is no Delivered-To, and none is written', (text) => {
  expect(parseDeliveredTo(text).ok).toBe(false);
  expect(() => formatDeliveredTo({ localPart: '', domain: '', address: text })).toThrow(RangeError);
});
