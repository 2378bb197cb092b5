export {
  type ClientMessage,
  type ClientReplayLog,
  type ClientStep,
  type ClientTranscript,
  type ClientTranscriptFile,
  replayClientTranscript,
} from './client.ts';
export { type Attempt, type Coverage, coverage, EDGES } from './coverage.ts';
export {
  type Chunking,
  type Driven,
  type Move,
  type ReplayLog,
  type ReplayOptions,
  replayTranscript,
  TranscriptMismatch,
} from './replay.ts';
export { type JsonSchema, violations } from './schema.ts';
export {
  type Citation,
  citations,
  type EventPattern,
  type Json,
  joined,
  type Octets,
  type Repeated,
  type Step,
  type Transcript,
  type TranscriptFile,
} from './transcript.ts';
export { splits, variants } from './variants.ts';
