// Every row of the server's table is taken by some vector.
import { type Row, TABLE } from '@ehlo/engine';
import { expect, test, vi } from 'vitest';
import { Machine } from '../../engine/src/server/machine.ts';
import { replayTranscript } from '../src/vectors/index.ts';
import { transcripts } from './vectors.ts';

function nameOf({ on, from, when = [], to }: Row): string {
  return `${on} from ${from.join(', ')}${when.length === 0 ? '' : ` if ${when.join(' and ')}`}: ${to ?? 'stays'}`;
}

test('every row is taken, by a command that is carried out or refused and by whatever else moves a session', () => {
  const carryOut = vi.spyOn(Machine.prototype, 'carryOut');
  for (const { transcript } of transcripts) replayTranscript(transcript);
  const taken = new Set(carryOut.mock.calls.map(([{ row }]) => row));
  // Those that refuse a verb stand in vectors-coverage.test.ts; a program that does not come back from content in engine/test/busy.test.ts.
  const rows = TABLE.filter(({ refuse, on }) => refuse === undefined && on !== 'content-not-taken');
  expect(rows.filter((row) => !taken.has(row)).map(nameOf)).toEqual([]);
});
