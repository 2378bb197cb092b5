import type { Command } from 'commander';
import { EXIT } from './exit-codes.ts';
import { type MessageCommandOptions, messageCommand } from './message-command.ts';

/** `ehlo message`. */
export function add(command: Command): void {
  command
    .argument('[file]', 'the message (default, or -: standard input)')
    .option('--json', 'print a JSON object', false)
    .addHelpText(
      'after',
      '\nExit code: 0 valid; 1 a field can not be read, is missing or there too often, or a limit is met; 66 no file; 2 wrong options.',
    )
    .action(async (file: string | undefined, options: MessageCommandOptions) => {
      const valid = await messageCommand(file, options, (output) => process.stdout.write(output));
      if (!valid) process.exitCode = EXIT.invalid;
    });
}
