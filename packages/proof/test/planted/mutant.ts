/** A bug that is planted into one file of the engine. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** The law that has to fail. */
  readonly law: string;
  /** Cases it may take; 200 if absent. */
  readonly cases?: number;
}
