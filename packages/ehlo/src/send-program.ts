import { setMaxListeners } from 'node:events';
import type { Command } from 'commander';
import { EXIT } from './exit-codes.ts';
import { sendCommand } from './send-command.ts';
import { addSendOptions, type SendCommandOptions } from './send-options.ts';

/** `ehlo send`. */
export function add(command: Command): void {
  addSendOptions(command).action(run);
}

async function run(file: string | undefined, options: SendCommandOptions): Promise<void> {
  const control = new AbortController();
  // Each connection and each message listens.
  setMaxListeners(0, control.signal);
  const stop = (): void => {
    if (control.signal.aborted) process.exit(EXIT.later);
    control.abort(new Error('stopped'));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.exitCode = await sendCommand(
    file,
    options,
    (line) => process.stdout.write(`${line}\n`),
    (line) => process.stderr.write(`ehlo: ${line}\n`),
    (line) => process.stderr.write(`${line}\n`),
    control.signal,
  );
  // Unread input would keep the process waiting.
  process.stdin.destroy();
  // Not every runtime gives up a read that is under way.
  if (control.signal.aborted) process.exit();
}
