// A setup of a client, walked: the laws on every edge, what silence does in every state, and what was counted.
import { CLIENT_SPACE_LAWS, isLedOutBySilence } from '../src/client-space/laws.ts';
import { type ClientEdge, type ClientSetup, type ClientState, walkClient } from '../src/client-space/walk.ts';
import type { Walked } from './space.ts';

/** Limits that run out one behind the other: that of a reply, and that of QUIT. */
const MOST_LIMITS = 4;

/** Walks, but not beyond so many states. */
export function walkedClient(setup: ClientSetup, most?: number): Walked {
  let edges = 0;
  const broken: { [law: string]: string } = {};
  const judge = (edge: ClientEdge): void => {
    edges++;
    for (const [law, breach] of Object.entries(CLIENT_SPACE_LAWS)) {
      const found = law in broken ? null : breach(edge, setup);
      if (found !== null) broken[law] = `${edge.from.name} → ${edge.act.name} → ${edge.to.name}: ${found}`;
    }
  };
  let states: readonly ClientState[] = [];
  try {
    states = walkClient(setup, judge, most);
  } catch (error) {
    broken['nothing throws, and all has an end'] = String(error);
  }
  const endless = states.filter((state) => !isLedOutBySilence(state, setup, MOST_LIMITS));
  return { states: states.length, edges, broken, endless: endless.map(({ name }) => name) };
}
