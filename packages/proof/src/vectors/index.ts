export type { Driven } from './apply.ts';
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
  type AnswerOrder,
  type DeliveryFile,
  type DeliveryStep,
  type DeliveryStory,
  replayDelivery,
  StoryMismatch,
  type ToldJob,
} from './delivery.ts';
export { type Done, type Recording, type RecordOptions, recorded } from './recorder.ts';
export {
  type Chunking,
  type Move,
  type ReplayLog,
  type ReplayOptions,
  replayTranscript,
  TranscriptMismatch,
} from './replay.ts';
export { type JsonSchema, violations } from './schema.ts';
export { NotReplayable, transcribe } from './transcribe.ts';
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
