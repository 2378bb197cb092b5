import type { Command } from 'commander';
import { addConformClientOptions, type ConformClientOptions, conformClientCommand } from './conform-client-command.ts';

/** `ehlo conform --client`. */
export function add(command: Command): void {
  addConformClientOptions(command.usage('(as ehlo conform --client) [options]')).action(async (options: ConformClientOptions) => {
    process.exitCode = await conformClientCommand(
      options,
      (line) => process.stdout.write(`${line}\n`),
      (line) => process.stderr.write(`ehlo: ${line}\n`),
    );
  });
}
