import { type Command, Option } from 'commander';
import { EXIT } from './exit-codes.ts';
import { type ParseCommandOptions, parseTextCommand } from './parse-command.ts';
import { KINDS } from './parse-kinds.ts';

/** `ehlo parse`. */
export function add(command: Command): void {
  command
    .argument('[text]', 'the text (default: standard input)')
    .addOption(
      new Option('--as <kind>', 'what it is; from standard input: one a line, a JSON object for each').choices(
        KINDS.map(({ name }) => name),
      ),
    )
    .addOption(
      new Option('--dialect <name>', 'the deviations to take').choices(['letter', 'strict', 'postel', 'anything']).default('strict'),
    )
    .option('--json', 'print a JSON object', false)
    .option('--keep-unknown', 'take parameters of MAIL and RCPT that nothing here knows, and show them', false)
    .option('--escaped', 'the text has \\r, \\n, \\\\ and \\xNN for octets', false)
    .action(async (text: string | undefined, options: ParseCommandOptions) => {
      const valid = await parseTextCommand(text, options, process.stdin, (output) => process.stdout.write(output));
      if (!valid) process.exitCode = EXIT.invalid;
    });
}
