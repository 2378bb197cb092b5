import type { Row } from './row.ts';
import { commands, lines, pipelined, SHAPES, sequential, session, sizeOf, small } from './workload.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Messages and commands, on connections that are kept. */
export function messageRows(): Row[] {
  const message = small();
  return [
    { name: '1 KiB, a command at a time, 1 connection', workload: sequential(message), connections: 1, unit: 'messages', perCycle: 1 },
    { name: '1 KiB, a command at a time, 20 connections', workload: sequential(message), connections: 20, unit: 'messages', perCycle: 1 },
    { name: '1 KiB, pipelined, 1 connection', workload: pipelined(message), connections: 1, unit: 'messages', perCycle: 1 },
    { name: '1 KiB, pipelined, 20 connections', workload: pipelined(message), connections: 20, unit: 'messages', perCycle: 1 },
    {
      name: '100 KiB, a command at a time, 20 connections',
      workload: sequential(lines(SHAPES.lines76, 100 * KIB)),
      connections: 20,
      unit: 'messages',
      perCycle: 1,
    },
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

/** A new connection for each, 20 at a time. */
export function sessionRows(): Row[] {
  const row = { connections: 20, unit: 'sessions', perCycle: 1 } as const;
  return [
    { name: 'sessions', workload: session(), ...row },
    { name: 'sessions with a message of 1 KiB each', workload: session(small()), ...row },
  ];
}

function body(name: string, line: string, size: number): Row {
  const workload = sequential(lines(line, size));
  return { name, workload, connections: 1, unit: 'MiB', perCycle: sizeOf(workload.cycle) / MIB };
}
