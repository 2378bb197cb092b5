import type { Command } from 'commander';
import { EXIT } from './exit-codes.ts';
import { type ReplayCommandOptions, replayCommand } from './replay-command.ts';

/** `ehlo replay`. */
export function add(command: Command): void {
  command
    .argument('<file>', 'test vectors of a server or a client, or what ehlo serve --record has written')
    .option('--only <name>', 'the transcript of this name alone')
    .option('--ways', 'replay in every way: input cut at each place, answers late', false)
    .option('--quiet', 'show only those that come out otherwise', false)
    .option('--json', 'print a JSON object for each transcript', false)
    .addHelpText('after', '\nExit code: 0 all come out as written; 1 one does not; 66 no file; 2 no transcripts, or wrong options.')
    .action(async (file: string, options: ReplayCommandOptions) => {
      const same = await replayCommand(file, options, (line) => process.stdout.write(`${line}\n`));
      if (!same) process.exitCode = EXIT.invalid;
    });
}
