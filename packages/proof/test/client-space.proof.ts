// The state space of the client, walked on the engine itself: every state that its setups can come to, and everything that can be done there.
import { expect, test } from 'vitest';
import { CLIENT_SETUPS } from '../src/client-space/setups.ts';
import { walkedClient } from './client-space.ts';

test.each(Object.entries(CLIENT_SETUPS))('%s: the laws hold on every edge, and silence leads out of every state', (_, setup) => {
  const { states, edges, broken, endless } = walkedClient(setup);
  expect({ broken, endless }).toEqual({ broken: {}, endless: [] });
  expect(edges).toBeGreaterThan(5 * states);
});
