// Every row of the server's table is taken by some vector, and in every phase that it has.
import { readFileSync } from 'node:fs';
import { type Phase, REPLIES, type Row, TABLE } from '@ehlo/engine';
import { afterEach, expect, test, vi } from 'vitest';
import { Machine } from '../../engine/src/server/machine.ts';
import { replayTranscript } from '../src/vectors/index.ts';
import { transcripts } from './vectors.ts';

function nameOf({ on, from, when = [], to }: Row): string {
  return `${on} from ${from.join(', ')}${when.length === 0 ? '' : ` if ${when.join(' and ')}`}: ${to ?? 'stays'}`;
}

afterEach(() => vi.restoreAllMocks());

/** The rows that are carried out, each with the phases in which that was. */
function watched(): ReadonlyMap<Row, ReadonlySet<Phase>> {
  const taken = new Map<Row, Set<Phase>>(TABLE.map((row) => [row, new Set()]));
  const { carryOut } = Machine.prototype;
  vi.spyOn(Machine.prototype, 'carryOut').mockImplementation(function (this: Machine, step, given) {
    taken.get(step.row)!.add(this.phase);
    carryOut.call(this, step, given);
  });
  return taken;
}

test('every row is taken in each of its phases, by a command that is carried out or refused and by whatever else moves a session', () => {
  const taken = watched();
  for (const { transcript } of transcripts) replayTranscript(transcript);
  // Those that refuse a verb stand in vectors-coverage.test.ts; a program that does not come back from content in engine/test/busy.test.ts.
  const rows = TABLE.filter(({ refuse, on }) => refuse === undefined && on !== 'content-not-taken');
  const never = rows.flatMap((row) =>
    row.from.filter((phase) => !taken.get(row)!.has(phase)).map((phase) => `${nameOf(row)}: in ${phase}`),
  );
  expect(never).toEqual([]);
});

test('docs/state-machine.md shows of a verb that is carried out the reply and the phase of its row, and nothing that no row says', () => {
  const page = readFileSync(new URL('../../../docs/state-machine.md', import.meta.url), 'utf8');
  const [head, , ...lines] = page
    .split(/<!-- (?:begin|end):verbs -->/)[1]!
    .trim()
    .split('\n')
    .map(cellsOf);
  const shown = lines.flatMap(([verb, ...cells]) =>
    cells.flatMap((cell, i) => {
      const [, code, to] = /^(?:\*\*(\d+)\*\*)? ?(?:→ (\w+))?/.exec(cell)!;
      return code === undefined && to === undefined ? [] : [`${verb} in ${head![i + 1]}: ${code ?? ''} ${to ?? ''}`];
    }),
  );
  const told = TABLE.filter(({ on, refuse }) => refuse === undefined && /^[A-Z]+$/.test(on)).flatMap(({ on, from, reply, to }) =>
    from.map(
      (phase) => `${on} in ${phase}: ${reply === undefined ? '' : REPLIES[reply].code} ${to === undefined || to === phase ? '' : to}`,
    ),
  );
  expect(shown.sort()).toEqual(told.sort());
});

function cellsOf(line: string): readonly string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}
