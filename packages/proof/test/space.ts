// A setup, walked: the laws on every edge, the end of every state by silence, and what was counted.
import type { ServerOptions } from '@ehlo/engine';
import { endsBySilence, SPACE_LAWS } from '../src/space/laws.ts';
import { type Edge, type State, walk } from '../src/space/walk.ts';

/** From a state whose message waits for its decisions to the end: an answer that does not come for each of two recipients, a command, a grace. */
const MOST_LIMITS = 6;

export interface Walked {
  readonly states: number;
  readonly edges: number;
  /** The first edge that breaks each law that is broken. */
  readonly broken: { readonly [law: string]: string };
  /** States that silence does not end. */
  readonly endless: readonly string[];
}

/** Walks, but not beyond so many states. */
export function walked(options: ServerOptions, most?: number): Walked {
  let edges = 0;
  const broken: { [law: string]: string } = {};
  const judge = (edge: Edge): void => {
    edges++;
    for (const [law, breach] of Object.entries(SPACE_LAWS)) {
      const found = law in broken ? null : breach(edge, options);
      if (found !== null) broken[law] = `${edge.from.name} → ${edge.act.name} → ${edge.to.name}: ${found}`;
    }
  };
  let states: readonly State[] = [];
  try {
    states = walk(options, judge, most);
  } catch (error) {
    broken['nothing throws, and all has an end'] = String(error);
  }
  const endless = states.filter((state) => state.name !== 'closed' && !endsBySilence(state, options, MOST_LIMITS));
  return { states: states.length, edges, broken, endless: endless.map(({ name }) => name) };
}
