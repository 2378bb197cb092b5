// Judges mutants of the tables by the vectors alone: which vector does not come out any more.
import { ClientSession, ServerSession } from '@ehlo/engine';
import { Body } from '../../../engine/src/client/body.ts';
import { Machine } from '../../../engine/src/server/machine.ts';
import {
  type ClientTranscript,
  joined,
  type Octets,
  type ReplayOptions,
  replayClientTranscript,
  replayTranscript,
  type Transcript,
} from '../../src/vectors/index.ts';
import { CLIENT_ROWS } from './client-mutants.ts';
import type { TableMutant } from './mutant.ts';

/** A mutant may do the same for ever. No vector needs as much by far. */
const MOST = 20_000;

/** A vector of more octets is replayed in one way only. */
const LARGE = 20_000;

/** What a session has done, and the entries of its tables that it has looked at. */
const seen: { work: number; entries: Set<string> | null } = { work: 0, entries: null };

function note(entry: string): void {
  if (++seen.work > MOST) throw new Error('no end');
  seen.entries?.add(entry);
}

/** A vector, each of the ways in which it is replayed here, and the entries of the tables that it uses. */
interface Vector {
  readonly name: string;
  readonly ways: readonly (() => unknown)[];
  readonly uses: ReadonlySet<string>;
}

/** The vectors of one side. */
export class Judge {
  /** The one that has caught something last comes first. */
  readonly #vectors: Vector[];

  private constructor(vectors: readonly Omit<Vector, 'uses'>[]) {
    this.#vectors = vectors.map((vector) => ({ ...vector, uses: used(vector) }));
  }

  static ofServer(transcripts: readonly Transcript[]): Judge {
    watchServer();
    const ways: readonly ReplayOptions[] = [{}, { lateAnswers: true }, { chunking: 'lines' }];
    return new Judge(
      shortFirst(transcripts).map((one) => ({
        name: one.name,
        ways: ways.slice(0, sizeOf(one) > LARGE ? 1 : ways.length).map((way) => () => replayTranscript(one, way)),
      })),
    );
  }

  static ofClient(transcripts: readonly ClientTranscript[]): Judge {
    watchClient();
    const ways = ['whole', 'lines'] as const;
    return new Judge(
      shortFirst(transcripts).map((one) => ({ name: one.name, ways: ways.map((way) => () => replayClientTranscript(one, way)) })),
    );
  }

  /** The vector that catches a mutant; null: none does. */
  catches({ at, plant }: TableMutant): string | null {
    const vectors = at === null ? this.#vectors : this.#vectors.filter(({ uses }) => at.some((entry) => uses.has(entry)));
    const ways = Math.max(0, ...vectors.map((one) => one.ways.length));
    const undo = plant();
    try {
      for (let way = 0; way < ways; way++)
        for (const vector of vectors) if (way < vector.ways.length && !comesOut(vector.ways[way]!)) return this.#first(vector).name;
      return null;
    } finally {
      undo();
    }
  }

  #first(vector: Vector): Vector {
    this.#vectors.splice(this.#vectors.indexOf(vector), 1);
    this.#vectors.unshift(vector);
    return vector;
  }
}

/** Most of a session is in the short ones, too. */
function shortFirst<T extends { readonly steps: readonly (object | { readonly in: Octets })[] }>(transcripts: readonly T[]): readonly T[] {
  const sizes = new Map(transcripts.map((one) => [one, sizeOf(one)]));
  return [...transcripts].sort((a, b) => sizes.get(a)! - sizes.get(b)!);
}

function sizeOf({ steps }: { readonly steps: readonly object[] }): number {
  return steps.reduce(
    (sum, step) =>
      sum + 100 + ('in' in step ? joined(step.in as Octets).length : 'write' in step ? joined(step.write as Octets).length : 0),
    0,
  );
}

function used({ ways }: Omit<Vector, 'uses'>): ReadonlySet<string> {
  const entries = new Set<string>();
  seen.entries = entries;
  for (const way of ways) {
    seen.work = 0;
    way();
  }
  seen.entries = null;
  return entries;
}

function comesOut(way: () => unknown): boolean {
  seen.work = 0;
  try {
    way();
    return true;
  } catch {
    return false;
  }
}

/** What a session gives is noted, too: it may have no end. */
function watchSession(session: { nextEvent(): unknown; nextOutput(): unknown }): void {
  for (const name of ['nextEvent', 'nextOutput'] as const) {
    const call = session[name];
    session[name] = function (this: typeof session): unknown {
      note('');
      return call.call(this);
    };
  }
}

/** Every look at the server's table is noted. */
function watchServer(): void {
  watchSession(ServerSession.prototype as { nextEvent(): unknown; nextOutput(): unknown });
  const { take, stepOf, knows, settle } = Machine.prototype;
  Object.assign(Machine.prototype, {
    take(this: Machine, ...[on, given]: Parameters<typeof take>): void {
      note(`${this.phase} ${on}`);
      take.call(this, on, given);
    },
    stepOf(this: Machine, on: Parameters<typeof stepOf>[0]) {
      note(`${this.phase} ${on}`);
      return stepOf.call(this, on);
    },
    knows(this: Machine, on: Parameters<typeof knows>[0]) {
      note(`${this.phase} ${on}`);
      return knows.call(this, on);
    },
    settle(this: Machine): void {
      note('');
      settle.call(this);
    },
  });
}

/** Every row of the client's that is looked at in one of its phases is noted. */
function watchClient(): void {
  watchSession(ClientSession.prototype as { nextEvent(): unknown; nextOutput(): unknown });
  const { peek } = Body.prototype;
  Body.prototype.peek = function (this: Body) {
    note('');
    return peek.call(this);
  };
  for (const { name, row } of CLIENT_ROWS) {
    const includes = (phase: string): boolean => {
      const found = (row.from as readonly string[]).indexOf(phase) >= 0;
      if (found) note(name);
      else note('');
      return found;
    };
    Object.assign(row, { from: Object.assign([...row.from], { includes }) });
  }
}
