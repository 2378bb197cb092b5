import { cpus } from 'node:os';
import type { Bar, Found } from './bars.ts';
import type { IdleFigures } from './connections.ts';
import { CONTENDERS, RUNTIMES, type Runtime } from './contender.ts';
import type { EngineFigures } from './engine.ts';
import type { GrammarFigures } from './grammar.ts';
import type { MessageFigures } from './message.ts';
import { PEERS } from './peers.ts';
import { PARTS, type ProfiledRow, type Times } from './profile.ts';
import { type Effort, efficiencies, type Row, rates, type Sample, type Samples } from './row.ts';
import { FLOORS, SENDERS, type SenderName, type SendingSample, type SendingSamples } from './sending.ts';
import { median, ratio, shown, spread } from './statistics.ts';
import type { StorageSamples } from './storage.ts';

type Cells = readonly string[];

export interface Result {
  readonly row: Pick<Row, 'name' | 'unit'>;
  readonly samples: Samples;
}

/** A table in Markdown, columns aligned so that it reads well in a terminal, too. */
function table(head: Cells, body: readonly Cells[]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...body].map((cells) => cells[column]!.length)));
  const line = (cells: Cells): string =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(head), rule, ...body.map(line)].join('\n');
}

/** Rates with the CPU that they take, and the ratios within the rounds. */
export function comparison(results: readonly Result[], peer: string): string {
  const head = ['', 'ehlo', peer, 'floor', `rate, ehlo : ${peer}`, `CPU, ${peer} : ehlo`, 'CPU, ehlo : floor', 'spread'];
  return table(
    head,
    results.map(({ row, samples }) => {
      const { ehlo, floor, 'smtp-server': other } = samples;
      return [
        row.name,
        ...CONTENDERS.map((name) => cell(row.unit, samples[name])),
        shown(ratio(rates(ehlo), rates(other))),
        shown(ratio(efficiencies(ehlo), efficiencies(other))),
        shown(ratio(efficiencies(floor), efficiencies(ehlo))),
        `${Math.round(spread(efficiencies(ehlo)) * 100)} %`,
      ];
    }),
  );
}

/** KiB, and how much more than the floor, within the rounds. */
export function idleTable(figures: Record<Runtime, IdleFigures>, peer: string): string {
  const rows = RUNTIMES.map((runtime) => {
    const of = figures[runtime];
    const more = median(of.ehlo.map((kib, round) => kib - of.floor[round]!));
    return [runtime, ...[...CONTENDERS.map((name) => median(of[name])), more].map((kib) => `${shown(kib)} KiB`)];
  });
  return table(['', 'ehlo', peer, 'floor', 'ehlo − floor'], rows);
}

/** Whose code takes the time of a unit, in microseconds. */
export function profileTable(rows: readonly ProfiledRow[]): string {
  const cells = (name: string, times: Times): string[] => {
    const parts = PARTS.map((part) => times[part]);
    return [name, shown(parts.reduce((sum, time) => sum + time, 0)), ...parts.map((time) => (time === 0 ? '' : shown(time)))];
  };
  return table(
    ['µs each', 'all', ...PARTS],
    rows.flatMap(({ name, ehlo, floor }) => [cells(name, ehlo), cells('… floor', floor)]),
  );
}

export function storageTable({ ehlo, floor, disk }: StorageSamples): string {
  const cells = [ehlo, floor, disk].map((samples) => cell('messages', samples));
  const part = shown(ratio(rates(ehlo), rates(floor)));
  return table(
    ['', '`ehlo serve`', 'floor', 'the disk alone', 'rate, ehlo : floor'],
    [['stored and synced, 20 connections', ...cells, part]],
  );
}

export function sendingTable(samples: SendingSamples): string {
  const figures = (name: SenderName, figure: 'rate' | 'cpu'): number[] => samples[name].map((sample) => sample[figure]);
  const rows = SENDERS.map((name) => [
    name,
    `${shown(median(figures(name, 'rate')))}/s · ${shown(median(figures(name, 'cpu')))} ms`,
    shown(ratio(figures(name, 'rate'), figures('nodemailer', 'rate'))),
    shown(ratio(figures('nodemailer', 'cpu'), figures(name, 'cpu'))),
    shown(ratio(figures(name, 'cpu'), figures(FLOORS[name], 'cpu'))),
  ]);
  return table(['', 'messages', 'rate, it : nodemailer', 'CPU, nodemailer : it', 'CPU, it : floor'], rows);
}

/** One more row for those of other programs: beside ours. */
export function sourceTable(ehlo: readonly SendingSample[], source: readonly SendingSample[]): string {
  const row = (name: string, samples: readonly SendingSample[]): Cells => {
    const [rates, cpus] = [samples.map(({ rate }) => rate), samples.map(({ cpu }) => cpu)];
    return [name, `${shown(median(rates))}/s · ${shown(median(cpus))} ms`, shown(median(cpus) / median(source.map(({ cpu }) => cpu)))];
  };
  return table(['', 'messages', 'CPU, it : smtp-source'], [row('ehlo', ehlo), row('smtp-source', source)]);
}

/** Rates with the CPU that they take, beside programs of Debian's, and the ratios within the rounds. */
export function peerTable(results: readonly Result[]): string {
  const beside = ['ehlo', ...PEERS, 'floor'] as const;
  const head = ['', ...beside, ...PEERS.map((peer) => `CPU, ${peer} : ehlo`)];
  return table(
    head,
    results.map(({ row, samples }) => [
      row.name,
      ...beside.map((name) => cell(row.unit, samples[name]!)),
      ...PEERS.map((peer) => shown(ratio(efficiencies(samples.ehlo), efficiencies(samples[peer]!)))),
    ]),
  );
}

export function barTable(found: readonly (readonly [bar: Bar, found: Found])[]): string {
  const rows = found.map(([bar, { ehlo, other, value, isReached }]) => {
    const figure = (one: number | null): string => (one === null ? 'not measured' : `${shown(one)} ${bar.unit}`);
    const unit = bar.by === 'ratio' ? '' : ` ${bar.unit}`;
    const bound = 'most' in bar.bound ? `≤ ${shown(bar.bound.most)}` : `≥ ${shown(bar.bound.least)}`;
    return [
      bar.what,
      figure(ehlo),
      `${bar.other}: ${figure(other)}`,
      value === null ? '' : `${SIGNS[bar.by]}${shown(value)}${unit}`,
      `${bound}${unit}`,
      isReached === null ? '' : isReached ? 'yes' : 'no',
    ];
  });
  return table(['', 'ehlo', 'beside it', 'ehlo by that', 'bar', 'reached'], rows);
}

const SIGNS: { readonly [by in Bar['by']]: string } = { ratio: '× ', difference: '+ ', itself: '' };

export function engineTable({ commands, bodies, chunks }: EngineFigures): string {
  const shapes = Object.entries(bodies).map(([shape, figures]) => [`body, ${shape}`, `${shown(median(figures))} MiB/s`]);
  const chunked = Object.entries(chunks).map(([kind, figures]) => [`chunks of 64 KiB, ${kind}`, `${shown(median(figures))} MiB/s`]);
  return table(['', 'engine alone'], [['commands, 102 in a write', `${shown(median(commands))}/s`], ...shapes, ...chunked]);
}

export function grammarTable({ mail, ...parsers }: GrammarFigures): string {
  const rows = Object.entries(parsers).map(([name, figures]) => [name, `${shown(median(figures))}/s`, shown(ratio(parsers.ehlo, figures))]);
  return table(['', 'addresses', 'ehlo : it'], [...rows, ['ehlo, MAIL commands', `${shown(median(mail))}/s`, '']]);
}

export function messageTable({ lists, headers, reports }: MessageFigures): string {
  const rows = (name: string, unit: string, figures: Readonly<Record<string, number[]>>): Cells[] =>
    Object.entries(figures).map(([by, rates]) => [`${name}, ${by}`, `${shown(median(rates))} ${unit}`, shown(ratio(figures.ehlo!, rates))]);
  return table(
    ['', 'rate', 'ehlo : it'],
    [
      ...rows('address lists', 'a second', lists),
      ...rows('headers', 'MiB/s', headers),
      ...rows('delivery reports', 'MiB/s', { ehlo: reports }),
    ],
  );
}

/** What the figures were taken on, in general terms. */
export function conditions({ rounds, milliseconds }: Effort, isOnOne: boolean): string {
  const where = isOnOne ? ', client and server on one of them' : '';
  return `Node ${process.version}, ${process.platform} ${process.arch}, ${cpus().length} cores${where}; ${rounds} rounds of ${milliseconds / 1000} s each.`;
}

function cell(unit: Row['unit'], samples: readonly Sample[]): string {
  const rate = shown(median(rates(samples)));
  const perCpu = median(efficiencies(samples));
  return unit === 'MiB' ? `${rate} MiB/s · ${shown(perCpu)}` : `${rate}/s · ${shown(1e6 / perCpu)} ms`;
}
