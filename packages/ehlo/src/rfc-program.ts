import type { Command } from 'commander';
import { type RfcCommandOptions, rfcCommand } from './rfc-command.ts';

/** `ehlo rfc`. */
export function add(command: Command): void {
  command
    .argument('[number]', 'the RFC, e.g. 5321 (default: all that there is something of)')
    .argument('[section]', 'the section, e.g. 4.1.1.4; those below it are shown, too')
    .option('--json', 'print JSON', false)
    .action((number: string | undefined, section: string | undefined, options: RfcCommandOptions) =>
      rfcCommand(number, section, options, (line) => process.stdout.write(`${line}\n`)),
    );
}
