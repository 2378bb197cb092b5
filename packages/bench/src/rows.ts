import type { Row } from './row.ts';
import { commands, lines, pipelined, SHAPES, sequential, sizeOf, small } from './workload.ts';

const MIB = 1024 * 1024;

/** Small messages and commands. */
export function messageRows(): Row[] {
  const message = small();
  return [
    { name: '1 KiB, a command at a time, 1 connection', workload: sequential(message), connections: 1, unit: 'messages', perCycle: 1 },
    { name: '1 KiB, a command at a time, 20 connections', workload: sequential(message), connections: 20, unit: 'messages', perCycle: 1 },
    { name: '1 KiB, pipelined, 1 connection', workload: pipelined(message), connections: 1, unit: 'messages', perCycle: 1 },
    { name: '1 KiB, pipelined, 20 connections', workload: pipelined(message), connections: 20, unit: 'messages', perCycle: 1 },
    { name: 'commands, 102 in a write, 1 connection', workload: commands(), connections: 1, unit: 'commands', perCycle: 102 },
  ];
}

/** Large messages, one at a time. `scale` makes them smaller, for a test. */
export function bodyRows(scale = 1): Row[] {
  return [
    body('lines of 76 columns', SHAPES.lines76, 32 * MIB * scale),
    body('lines of 76 that begin with a dot', SHAPES.dots76, 8 * MIB * scale),
    body('lines `..`', SHAPES.dots4, MIB * scale),
  ];
}

function body(name: string, line: string, size: number): Row {
  const workload = sequential(lines(line, size));
  return { name, workload, connections: 1, unit: 'MiB', perCycle: sizeOf(workload.cycle) / MIB };
}
