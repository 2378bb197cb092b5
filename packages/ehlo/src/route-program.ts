import type { Command } from 'commander';
import { routeCommand } from './route-command.ts';
import { addRouteOptions, type RouteCommandOptions } from './route-options.ts';

/** `ehlo route`. */
export function add(command: Command): void {
  addRouteOptions(command).action(async (address: string, options: RouteCommandOptions) => {
    process.exitCode = await routeCommand(
      address,
      options,
      (output) => process.stdout.write(output),
      (line) => process.stderr.write(`ehlo: ${line}\n`),
    );
  });
}
