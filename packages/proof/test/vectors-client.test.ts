// The client's transcripts of test-vectors: each comes out as written, however what its server says is cut; together they walk the whole table.
import { CLIENT_TABLE, type ClientRow, TRANSACTION_TABLE, type TransactionRow } from '@ehlo/engine';
import { describe, expect, test } from 'vitest';
import {
  type ClientReplayLog,
  type ClientTranscript,
  type ClientTranscriptFile,
  type JsonSchema,
  joined,
  replayClientTranscript,
  splits,
  violations,
} from '../src/vectors/index.ts';
import { clientFiles, clientTranscripts, read } from './vectors.ts';

const schema = read('schema/client-transcript.schema.json') as JsonSchema;

describe.each(clientFiles)('%s', (file) => {
  const content = read(file) as ClientTranscriptFile;

  test('keeps to the schema', () => {
    expect(violations(content as never, schema)).toEqual([]);
  });

  test.each(content.transcripts)('$name', (transcript) => {
    const first = seen(replayClientTranscript(transcript));
    for (const chunking of ['octets', 'lines'] as const) expect(seen(replayClientTranscript(transcript, chunking))).toEqual(first);
    for (const [i, step] of transcript.steps.entries()) {
      if (!('in' in step)) continue;
      for (const at of splits(joined(step.in))) expect(seen(replayClientTranscript(transcript, { step: i + 1, at }))).toEqual(first);
    }
  });
});

const seen = ({ events, output }: ClientReplayLog): unknown => ({ events, output });

test.each([
  ['session', CLIENT_TABLE],
  ['transaction', TRANSACTION_TABLE],
] as const)('every row of the table of a %s is taken', (_, table) => {
  const triggers = Object.entries(table) as [string, readonly (ClientRow | TransactionRow)[]][];
  const rows = triggers.flatMap(([on, some]) => some.map((row, i) => ({ name: `${on} ${i}: ${row.from.join(' ')}`, row })));
  const taken = new Set<string>();
  for (const { name, row } of rows) {
    for (const mark of ['close', 'misuse'] as const) {
      const value = row[mark];
      Object.defineProperty(row, mark, {
        get(): typeof value {
          // What closes is read where a row is taken, what is misuse where it is refused.
          if (mark === 'close' || value !== undefined) taken.add(name);
          return value;
        },
      });
    }
  }
  for (const transcript of clientTranscripts) replayClientTranscript(transcript);
  expect(rows.map(({ name }) => name).filter((name) => !taken.has(name))).toEqual([]);
});

test('every transcript ends in what is expected, and expects something', () => {
  const silent = clientTranscripts.filter(({ steps }: ClientTranscript) => !steps.some((step) => 'event' in step || 'out' in step));
  expect(silent.map(({ name }) => name)).toEqual([]);
});
