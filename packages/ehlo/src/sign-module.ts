import { fileURLToPath, pathToFileURL } from 'node:url';
import { ConfigError } from '@ehlo/relay';
import type { OutboundOptions } from '@ehlo/relay/outbound';
import { messageOf } from './error-message.ts';

let loads = 0;

/**
 * What signs: the function `sign` of a module that a configuration names. Loaded anew each time, as files are read again; what the module imports is loaded
 * once. Throws `ConfigError`.
 */
export async function signModule(file: string): Promise<NonNullable<OutboundOptions['sign']>> {
  const bad = (why: string): ConfigError => new ConfigError([{ path: 'delivery.sign', text: `delivery.sign: the module ${file} ${why}` }]);
  const loaded: { readonly sign?: unknown } = await import(fresh(file)).catch((error: unknown) => {
    throw bad(`can not be loaded: ${messageOf(error)}`);
  });
  if (typeof loaded.sign !== 'function') throw bad('exports no function sign');
  return loaded.sign as NonNullable<OutboundOptions['sign']>;
}

/** A runtime keeps what it has loaded, and what it could not load, by its address: Bun by path and query, the others by URL. */
function fresh(file: string): string {
  const url = pathToFileURL(file);
  const query = `?${++loads}`;
  return process.versions.bun === undefined ? `${url.href}${query}` : `${fileURLToPath(url)}${query}`;
}
