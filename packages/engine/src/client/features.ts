/** A part of the client that is bundled only where it is named: `AUTH`, `CHUNKING`. */
export interface ClientFeature {
  readonly name: 'auth' | 'chunking';
}
