// Mutation of the tables: each of their parts is changed in turn, and the vectors alone have to tell. Those that no vector tells stand in
// survivors.json, each with the reason; figures.json has the numbers of docs/conformance.md.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { clientMutants } from './mutants/client-mutants.ts';
import { Judge } from './mutants/judge.ts';
import type { TableMutant } from './mutants/mutant.ts';
import { serverMutants } from './mutants/server-mutants.ts';
import { clientTranscripts, transcripts } from './vectors.ts';

type Side = 'server' | 'client';

interface Survivors {
  readonly why: string;
  readonly mutants: readonly string[];
}

/** Of a hundred mutants so many have to be caught at the least. */
const LEAST = 95;

const survivors = read('survivors') as { readonly [side in Side]: readonly Survivors[] };
const figures = read('figures') as { readonly [side in Side]: object };

function read(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`./mutants/${name}.json`, import.meta.url), 'utf8'));
}

/** Mutants by what was changed, and how many of them were caught. */
function counted(mutants: readonly TableMutant[], alive: readonly TableMutant[]): object {
  const kinds = [...new Set(mutants.map(({ kind }) => kind))].sort();
  const of = (list: readonly TableMutant[], kind: string): number => list.filter((one) => one.kind === kind).length;
  return Object.fromEntries(kinds.map((kind) => [kind, { mutants: of(mutants, kind), caught: of(mutants, kind) - of(alive, kind) }]));
}

test.each([
  ['server', serverMutants, () => Judge.ofServer(transcripts.map(({ transcript }) => transcript))],
  ['client', clientMutants, () => Judge.ofClient(clientTranscripts)],
] as const)('of the tables of the %s', (side, mutantsOf, judgeOf) => {
  const mutants = mutantsOf();
  const judge = judgeOf();
  expect(new Set(mutants.map(({ name }) => name)).size, 'names').toBe(mutants.length);
  const alive = mutants.filter((mutant) => judge.catches(mutant) === null);
  expect(alive.map(({ name }) => name).sort()).toEqual(survivors[side].flatMap((one) => one.mutants).sort());
  expect((100 * (mutants.length - alive.length)) / mutants.length).toBeGreaterThanOrEqual(LEAST);
  expect(counted(mutants, alive)).toEqual(figures[side]);
});
