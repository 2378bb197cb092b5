// The client's transcripts of test-vectors: each comes out as written, however what its server says is cut; together they walk the whole table.
import { CLIENT_TABLE } from '@ehlo/engine';
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

test('every edge of the table is walked', () => {
  const walked = new Set(clientTranscripts.flatMap((transcript) => pairs(replayClientTranscript(transcript).phases)));
  const edges = new Set(CLIENT_TABLE.flatMap(({ from, to }) => from.map((phase) => `${phase} ${to}`)));
  expect([...edges].filter((edge) => !walked.has(edge))).toEqual([]);
});

test('every transcript ends in what is expected, and expects something', () => {
  const silent = clientTranscripts.filter(({ steps }: ClientTranscript) => !steps.some((step) => 'event' in step || 'out' in step));
  expect(silent.map(({ name }) => name)).toEqual([]);
});

function pairs(phases: readonly string[]): string[] {
  return phases.slice(1).map((phase, i) => `${phases[i]} ${phase}`);
}
