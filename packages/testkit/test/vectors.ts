// The transcripts of test-vectors, read.
import { readdirSync, readFileSync } from 'node:fs';
import type { Transcript, TranscriptFile } from '../src/vectors/index.ts';

export const root: URL = new URL('../../../test-vectors/', import.meta.url);

export const files: readonly string[] = ['server', 'smuggling'].flatMap((folder) =>
  readdirSync(new URL(folder, root))
    .filter((name) => name.endsWith('.json'))
    .map((name) => `${folder}/${name}`),
);

export const transcripts: readonly { readonly file: string; readonly transcript: Transcript }[] = files.flatMap((file) =>
  (read(file) as TranscriptFile).transcripts.map((transcript) => ({ file, transcript })),
);

export function read(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, root), 'utf8'));
}
