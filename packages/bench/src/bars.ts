import { RUNTIMES } from './contender.ts';
import { efficiencies, rates, type Sample, type Samples } from './row.ts';
import type { Run } from './run.ts';
import { FLOORS, type SenderName } from './sending.ts';
import { median, ratio } from './statistics.ts';

/** A figure of ehlo's that is to be within a bound: by itself, or by that of another in the same rounds. */
export interface Bar {
  readonly what: string;
  readonly other: string;
  readonly unit: string;
  /** How the two are compared: ehlo : other, ehlo − other, or ehlo alone. */
  readonly by: 'ratio' | 'difference' | 'itself';
  readonly bound: { readonly most: number } | { readonly least: number };
  /** Figures of each round; `other` is null where it was not measured. */
  readonly figures: (run: Run) => Promise<Pair>;
}

interface Pair {
  readonly ehlo: readonly number[];
  readonly other: readonly number[] | null;
}

/** What was found; `value` is null where something it needs was not measured. */
export interface Found {
  readonly ehlo: number;
  readonly other: number | null;
  readonly value: number | null;
  readonly isReached: boolean | null;
}

export async function find({ by, bound, figures }: Bar, run: Run): Promise<Found> {
  const { ehlo, other } = await figures(run);
  const value = by === 'itself' ? median(ehlo) : other === null ? null : COMPARED[by](ehlo, other);
  const isReached = value === null ? null : 'most' in bound ? value <= bound.most : value >= bound.least;
  return { ehlo: median(ehlo), other: other === null ? null : median(other), value, isReached };
}

const COMPARED = {
  ratio,
  difference: (over: readonly number[], under: readonly number[]): number => median(over.map((figure, round) => figure - under[round]!)),
};

/** The bars that the project has set itself. */
export const BARS: readonly Bar[] = [
  message('1 KiB, a command at a time, 20 connections', 1.25),
  message('sessions with a message of 1 KiB each', 1.3),
  message('1 KiB, pipelined, 1 connection', 1.5),
  message('1 KiB, pipelined, 20 connections', 1.5),
  message('100 KiB, a command at a time, 20 connections', 1.3),
  {
    what: 'a command, of MAIL, 100 RCPT and RSET in a write',
    other: 'floor',
    unit: 'µs',
    by: 'itself',
    bound: { most: 1.5 },
    figures: (run) => samples(run, 'commands, 102 in a write, 1 connection', 'floor', microseconds),
  },
  body('lines of 76 columns', 'floor', 0.8),
  body('lines of 76 that begin with a dot', 'floor', 0.6),
  body('lines `..`', 'smtp-sink', 1),
  ...RUNTIMES.map(
    (runtime): Bar => ({
      what: `an idle connection, ${runtime}`,
      other: 'floor',
      unit: 'KiB',
      by: 'difference',
      bound: { most: 1.5 },
      figures: async (run) => {
        const { ehlo, floor } = (await run.idle())[runtime];
        return { ehlo, other: floor };
      },
    }),
  ),
  sending('ehlo', 2),
  sending('ehlo, next behind the dot', 3),
  {
    what: 'stored and synced, 20 connections',
    other: 'floor',
    unit: '/s',
    by: 'ratio',
    bound: { least: 0.9 },
    figures: async (run) => {
      const { ehlo, floor } = await run.storage();
      return { ehlo: rates(ehlo), other: rates(floor) };
    },
  },
];

/** CPU for 1,000, beside the floor's. */
function message(row: string, most: number): Bar {
  return {
    what: row,
    other: 'floor',
    unit: 'ms',
    by: 'ratio',
    bound: { most },
    figures: (run) => samples(run, row, 'floor', microseconds),
  };
}

/** MiB in a second of the processor. */
function body(row: string, other: 'floor' | 'smtp-sink', least: number): Bar {
  return {
    what: `a body, ${row}`,
    other,
    unit: 'MiB/s',
    by: 'ratio',
    bound: { least },
    figures: (run) => samples(run, row, other, efficiencies),
  };
}

/** CPU for 1,000, beside the floor that says as much at a time. */
function sending(name: SenderName, most: number): Bar {
  const figures = async (run: Run): Promise<Pair> => {
    const all = await run.sending();
    const cpu = (sender: SenderName): number[] => all[sender].map((sample) => sample.cpu);
    return { ehlo: cpu(name), other: cpu(FLOORS[name]) };
  };
  return { what: `4 KiB sent over five connections: ${name}`, other: FLOORS[name], unit: 'ms', by: 'ratio', bound: { most }, figures };
}

async function samples(run: Run, name: string, other: keyof Samples, of: (samples: readonly Sample[]) => number[]): Promise<Pair> {
  const found = await run.row(name);
  const beside = found[other];
  return { ehlo: of(found.ehlo), other: beside === undefined ? null : of(beside) };
}

/** Of the processor for one: milliseconds for 1,000. */
function microseconds(of: readonly Sample[]): number[] {
  return efficiencies(of).map((perCpu) => 1e6 / perCpu);
}
