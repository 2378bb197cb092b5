// The state space of the server, walked on the engine itself: every state that its setups can come to, and everything that can be done there.
import { TABLE } from '@ehlo/engine';
import { expect, test, vi } from 'vitest';
import { Machine } from '../../engine/src/server/machine.ts';
import { SETUPS } from '../src/space/setups.ts';
import { walked } from './space.ts';

const taken = new Set<unknown>();
const { carryOut } = Machine.prototype;
vi.spyOn(Machine.prototype, 'carryOut').mockImplementation(function (this: Machine, step, given) {
  taken.add(step.row);
  carryOut.call(this, step, given);
});

test.each(Object.entries(SETUPS))('%s: the laws hold on every edge, and silence ends every state', (_, options) => {
  const { states, edges, broken, endless } = walked(options);
  expect({ broken, endless }).toEqual({ broken: {}, endless: [] });
  expect(edges).toBeGreaterThan(5 * states);
});

test('every row of the table is taken on some edge', () => {
  const rows = TABLE.filter(({ refuse }) => refuse === undefined);
  expect(
    rows.filter((row) => !taken.has(row)).map(({ on, from, when = [] }) => `${on} from ${from.join(', ')} ${when.join(', ')}`),
  ).toEqual([]);
});
