// The server's part of test-vectors/states.json.
import type { Row } from '@ehlo/engine';
import { read } from '../vectors.ts';

/** A code and an enhanced code. */
export type Codes = readonly [code: number, enhanced: string | undefined];

interface Coded {
  readonly code: number;
  readonly enhanced?: string;
}

interface Guarded {
  readonly what: string;
  readonly reads: readonly string[];
  readonly refuses?: { readonly reply: string; readonly fault: string; readonly closes?: string };
}

interface Changing {
  readonly what: string;
  readonly changes: readonly string[];
}

export interface Effect extends Changing {
  readonly says: string | null;
  readonly sometimes: readonly string[];
}

/** What changes while octets are read, ahead of the row: by what is read, or by the phase. */
interface Reading extends Changing {
  readonly on?: readonly string[];
  readonly except?: readonly string[];
  readonly from?: readonly string[];
}

/** Which reply a fault has by which nothing but the fault can be told. */
interface FaultReply {
  readonly on?: string;
  readonly code?: string;
  readonly rule?: string;
  readonly reply: string;
}

export interface States {
  readonly phases: { readonly [name: string]: string };
  readonly guards: { readonly [name: string]: Guarded };
  readonly effects: { readonly [name: string]: Effect };
  readonly reading: readonly Reading[];
  readonly closing: readonly string[];
  readonly bare: { readonly phases: readonly string[]; readonly verbs: readonly string[] };
  readonly instead: { readonly [reply: string]: { readonly of: readonly string[]; readonly what: string } };
  readonly faults: readonly FaultReply[];
  readonly unanswered: { readonly [question: string]: string };
  readonly replies: { readonly [name: string]: Coded & { readonly lmtp?: Coded } };
  readonly rows: readonly Row[];
}

export const { server } = read('states.json') as { readonly server: States };
