// The transcripts of test-vectors: each comes out as written, however its input is cut and however late its answers are.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  type JsonSchema,
  type ReplayLog,
  replayTranscript,
  type Transcript,
  type TranscriptFile,
  variants,
  violations,
} from '../src/vectors/index.ts';
import { files, read, root } from './vectors.ts';

const schema = read('schema/transcript.schema.json') as JsonSchema;

describe.each(files)('%s', (file) => {
  const content = read(file) as TranscriptFile;

  test('keeps to the schema', () => {
    expect(violations(content as never, schema)).toEqual([]);
  });

  test.each(content.transcripts)(
    '$name',
    (transcript) => {
      let first: ReplayLog | undefined;
      for (const options of variants(transcript)) {
        const log = replayTranscript(transcript, options);
        first ??= log;
        if (log.output !== first.output || JSON.stringify(log.events) !== JSON.stringify(first.events)) {
          expect({ options, output: log.output, events: log.events }).toEqual({ options, output: first.output, events: first.events });
        }
      }
    },
    60_000,
  );
});

test('the example of the README is a transcript that comes out', () => {
  const example = /```json\n(.*?)```/s.exec(readFileSync(new URL('README.md', root), 'utf8'))![1]!;
  const transcript = JSON.parse(example) as Transcript;
  expect(violations({ transcripts: [transcript] } as never, schema)).toEqual([]);
  replayTranscript(transcript);
});
