import type { Command } from 'commander';
import { EXIT } from './exit-codes.ts';
import type { RelayCommandOptions } from './relay-command.ts';

/** `ehlo relay`. */
export function add(command: Command): void {
  command
    .option(
      '--config <file>',
      'the configuration, in JSON or JSON5 (docs/relay.md); SIGHUP reads it again, SIGTERM stops when all that has begun has ended',
    )
    .option(
      '--check',
      'say what the configuration opens to whom, and try to have mail passed on as a stranger; nothing is listened on',
      false,
    )
    .option('--print-schema', 'print the JSON Schema of the configuration, and end', false)
    .addHelpText(
      'after',
      '\nExit code: 0 stopped, or nothing is open that is not named; 1 --check has found something open; 78 the configuration is wrong; 69 @ehlo/relay is not installed, or a port or the queue can not be had.',
    )
    .action(async (options: RelayCommandOptions) => {
      process.exitCode = await run(options);
    });
}

/** It is installed beside (`@ehlo/relay`), and loaded only here. */
async function run(options: RelayCommandOptions): Promise<number> {
  const tell = (line: string): void => void process.stderr.write(`ehlo: ${line}\n`);
  let command: typeof import('./relay-command.ts');
  try {
    command = await import('./relay-command.ts');
  } catch (error) {
    if (!String((error as Error).message).includes('@ehlo/relay')) throw error;
    tell(
      'the relay is a package of its own, which is not installed: npm install @ehlo/relay (or npx --package ehlo --package @ehlo/relay ehlo relay …)',
    );
    return EXIT.unavailable;
  }
  const code = await command.relayCommand(options, (line) => process.stdout.write(`${line}\n`), tell);
  // Idle connections that are kept open for reuse are no longer needed.
  if (!options.printSchema) setImmediate(() => process.exit(code));
  return code;
}
