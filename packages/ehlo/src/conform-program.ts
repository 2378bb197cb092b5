import type { Command } from 'commander';
import { conformCommand } from './conform-command.ts';
import { addConformOptions, type ConformCommandOptions, type ConformPlace } from './conform-options.ts';

/** `ehlo conform`. */
export function add(command: Command): void {
  addConformOptions(command)
    .addHelpText('after', '\nehlo conform --client examines clients, and has options of its own: ehlo conform --client --help')
    .action(run);
}

async function run(place: ConformPlace | undefined, options: ConformCommandOptions): Promise<void> {
  const control = new AbortController();
  process.once('SIGINT', () => control.abort());
  process.exitCode = await conformCommand(
    place,
    options,
    (output) => process.stdout.write(output),
    (line) => process.stderr.write(`ehlo: ${line}\n`),
    control.signal,
  );
}
