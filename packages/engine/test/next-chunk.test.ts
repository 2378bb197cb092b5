// An effect changes nothing by itself: the machine applies what it returns.
import { encodeUtf8 } from '@ehlo/grammar';
import { expect, test } from 'vitest';
import { ServerSession } from '../src/index.ts';
import type { ChunkReader } from '../src/server/chunk-reader.ts';
import { Machine } from '../src/server/machine.ts';
import { MESSAGE_EFFECTS } from '../src/server/message-effects.ts';
import { policyOf } from '../src/server/policy.ts';
import { TABLE } from '../src/server/table.ts';

test('another chunk is begun by the machine, and not by the effect of BDAT', () => {
  const machine = new Machine(policyOf({ hostname: 'mx.example.org', preset: 'sink' }), { address: '', port: 0 }, null);
  const first = { verb: 'BDAT', size: 10, last: false } as const;
  const second = { verb: 'BDAT', size: 7, last: true } as const;
  machine.transaction = {
    ...machine.transaction,
    envelope: { reversePath: null as never, wire: null as never, parameters: {}, recipients: [] },
  };
  const row = (effect: string) => TABLE.find((one) => one.effect === effect)!;
  const { transaction } = MESSAGE_EFFECTS.beginChunks(machine, first, row('beginChunks'));
  machine.transaction = transaction!;
  const { left, last } = machine.transaction.message!.reader as ChunkReader;
  expect(MESSAGE_EFFECTS.nextChunk(machine, second, row('nextChunk'))).toMatchObject({ chunk: second });
  expect(machine.transaction.message!.reader).toMatchObject({ left, last });
});

test('a CR that the last chunk ends with has no LF, also where that chunk is empty', () => {
  const session = new ServerSession({ hostname: 'mx.example.org', preset: 'sink', ask: ['message'] });
  session.receive(encodeUtf8('EHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nBDAT 2\r\na\rBDAT 0 LAST\r\n'));
  for (let event = session.nextEvent(); event !== null; event = session.nextEvent())
    if (event.type === 'message') expect(event).toMatchObject({ size: 2, deviations: [{ name: 'bare-cr', line: 1 }] });
  expect(session.wants).toBe('answer');
});
