// The transcripts of test-vectors, read.
import { readdirSync, readFileSync } from 'node:fs';
import type { ClientTranscript, ClientTranscriptFile, Transcript, TranscriptFile } from '../src/vectors/index.ts';

export const root: URL = new URL('../../../test-vectors/', import.meta.url);

export const files: readonly string[] = ['server', 'smuggling'].flatMap(filesIn);
export const clientFiles: readonly string[] = filesIn('client');

export const transcripts: readonly { readonly file: string; readonly transcript: Transcript }[] = files.flatMap((file) =>
  (read(file) as TranscriptFile).transcripts.map((transcript) => ({ file, transcript })),
);

export const clientTranscripts: readonly ClientTranscript[] = clientFiles.flatMap(
  (file) => (read(file) as ClientTranscriptFile).transcripts,
);

function filesIn(folder: string): string[] {
  return readdirSync(new URL(folder, root))
    .filter((name) => name.endsWith('.json'))
    .map((name) => `${folder}/${name}`);
}

export function read(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, root), 'utf8'));
}
