// `ehlo relay`: a relay by a configuration, and what is asked of one.

import { checkRelay, configSchema, type Relay, startRelay } from '@ehlo/relay';
import type { ServerTls } from '#adapter';
import { type ConfigFile, RelayConfigError, readConfigFile } from './relay-config.ts';
import { relayLog } from './relay-log.ts';
import { relayRuntime } from './relay-runtime.ts';
import { systemdSockets } from './relay-sockets.ts';

/** The options of `ehlo relay`. */
export interface RelayCommandOptions {
  readonly config?: string;
  readonly check: boolean;
  readonly printSchema: boolean;
}

/** EX_CONFIG and EX_UNAVAILABLE of sysexits. */
const EXIT = { open: 1, config: 78, unavailable: 69 } as const;

/** Runs a relay until a signal stops it; returns the exit code. */
export async function relayCommand(
  options: RelayCommandOptions,
  write: (line: string) => void,
  tell: (line: string) => void,
): Promise<number> {
  if (options.printSchema) {
    write(JSON.stringify(configSchema(), null, 2));
    return 0;
  }
  if (options.config === undefined) {
    tell('--config is missing: the file with the configuration; --print-schema shows what can stand in it');
    return EXIT.config;
  }
  try {
    return options.check ? await check(options.config, write) : await run(options.config, write, tell);
  } catch (error) {
    for (const line of explain(error).split('\n')) tell(line);
    return error instanceof RelayConfigError ? EXIT.config : EXIT.unavailable;
  }
}

/** Lists what the configuration allows to which clients, and tries to relay as an unknown client. */
async function check(file: string, write: (line: string) => void): Promise<number> {
  const read = await readConfigFile(file);
  const { sentences, attempts, open } = await placed(read, () =>
    checkRelay(
      read.config,
      relayRuntime(() => {}),
    ),
  );
  for (const sentence of sentences) write(sentence);
  const ways = new Set(attempts.map(({ name }) => name)).size;
  if (attempts.length > 0) write(`${ways} ways to have mail passed on were tried as a stranger, ${attempts.length} times in all.`);
  for (const sentence of open) write(`OPEN: ${sentence}`);
  if (open.length === 0) write('Nothing is open that is not named.');
  return open.length === 0 ? 0 : EXIT.open;
}

async function run(file: string, write: (line: string) => void, tell: (line: string) => void): Promise<number> {
  const first = await readConfigFile(file);
  let log = relayLog(first.config.log, write);
  const runtime = relayRuntime((level, event, facts) => log(level, event, facts), {
    sockets: systemdSockets(process.env, process.pid),
  });
  const stopping = stopped();
  let hangUp = async (): Promise<void> => {};
  process.on('SIGHUP', () => void hangUp());
  const relay = await placed(first, () => startRelay(first.config, runtime));
  const reload = async (): Promise<void> => {
    try {
      const next = await readConfigFile(file);
      await placed(next, () => relay.reload(next.config));
      log = relayLog(next.config.log, write);
      log('info', 'reloaded', { file });
    } catch (error) {
      for (const line of explain(error).split('\n')) tell(`the configuration that was read before stays: ${line}`);
      log('error', 'not-reloaded', { file, error: explain(error) });
    }
  };
  hangUp = reload;
  await stopping.first;
  tell('stopping: sessions and deliveries that have begun may end (once more to stop at once)');
  await Promise.race([relay.close(), stopping.second.then(() => cut(relay))]);
  return 0;
}

/** Sessions are cut off; what may have been delivered is known as such when the relay starts again. */
async function cut(relay: Relay<ServerTls>): Promise<void> {
  void relay.close({ now: true });
  process.exit(1);
}

/** When it is to stop, and when at once. */
function stopped(): { readonly first: Promise<void>; readonly second: Promise<void> } {
  let count = 0;
  const ends: (() => void)[] = [];
  const next = (): Promise<void> => new Promise((resolve) => void ends.push(resolve));
  const [first, second] = [next(), next()];
  const stop = (): void => ends[count++]?.();
  // Before anybody can know that it listens.
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  return { first, second };
}

async function placed<T>({ placed: withPlace }: ConfigFile, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw withPlace(error);
  }
}

/** What went wrong, and what to do about it. */
function explain(error: unknown): string {
  const { code, port, address, listener, message } = error as NodeJS.ErrnoException & {
    port?: number;
    address?: string;
    listener?: string;
  };
  const where = listener === undefined ? '' : `listener ${listener}: `;
  if (code === 'EADDRINUSE') return `${where}port ${port} on ${address} is in use: another server runs there`;
  if (code === 'EADDRNOTAVAIL') return `${where}${address} is no address of this machine`;
  if (code === 'EACCES' && port !== undefined)
    return `${where}no permission to listen on port ${port}: take one above 1023, or have systemd open it (docs/relay.md)`;
  return `${where}${message}`;
}
