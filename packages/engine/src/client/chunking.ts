export interface ChunkingFeature {
  readonly name: 'chunking';
}
