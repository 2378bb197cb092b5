// The transcripts of test-vectors: each comes out as written, however its input is cut and however late its answers are.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type JsonSchema, type ReplayLog, replayTranscript, type TranscriptFile, variants, violations } from '../src/vectors/index.ts';

const root = new URL('../../../test-vectors/', import.meta.url);
const schema = read('schema/transcript.schema.json') as JsonSchema;
const files = ['server', 'smuggling'].flatMap((folder) =>
  readdirSync(new URL(folder, root))
    .filter((name) => name.endsWith('.json'))
    .map((name) => `${folder}/${name}`),
);

describe.each(files)('%s', (file) => {
  const content = read(file) as TranscriptFile;

  test('keeps to the schema', () => {
    expect(violations(content as never, schema)).toEqual([]);
  });

  test.each(content.transcripts)('$name', (transcript) => {
    let first: ReplayLog | undefined;
    for (const options of variants(transcript)) {
      const log = replayTranscript(transcript, options);
      first ??= log;
      if (log.output !== first.output || JSON.stringify(log.events) !== JSON.stringify(first.events)) {
        expect({ options, output: log.output, events: log.events }).toEqual({ options, output: first.output, events: first.events });
      }
    }
  });
});

function read(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, root), 'utf8'));
}
