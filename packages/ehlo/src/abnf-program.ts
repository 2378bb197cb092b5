import { type Command, InvalidArgumentError, Option } from 'commander';
import { type AbnfCommandOptions, abnfCommand } from './abnf-command.ts';
import { EXIT } from './exit-codes.ts';

function depth(text: string): number {
  if (!/^[0-9]{1,3}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

/** `ehlo abnf`. */
export function add(command: Command): void {
  command
    .argument('<first>', 'a file of ABNF; several with commas between, where one extends the others')
    .argument('<second>', 'the other')
    .addOption(new Option('--depth <number>', 'how often a rule may stand within itself').argParser(depth).default(2))
    .option('--json', 'print a JSON object', false)
    .addHelpText('after', '\nExit code: 0 the rules are the same; 1 some are not; 66 no file; 2 no ABNF, or wrong options.')
    .action(async (first: string, second: string, options: AbnfCommandOptions) => {
      const same = await abnfCommand(first, second, options, (line) => process.stdout.write(`${line}\n`));
      if (!same) process.exitCode = EXIT.invalid;
    });
}
