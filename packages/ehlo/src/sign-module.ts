import { pathToFileURL } from 'node:url';
import { ConfigError } from '@ehlo/relay';
import type { OutboundOptions } from '@ehlo/relay/outbound';

let loads = 0;

/**
 * What signs: the function `sign` of a module that a configuration names. Loaded anew each time, as files are read again; what the module imports is loaded
 * once. Throws `ConfigError`.
 */
export async function signModule(file: string): Promise<NonNullable<OutboundOptions['sign']>> {
  const bad = (why: string): ConfigError => new ConfigError([{ path: 'delivery.sign', text: `delivery.sign: the module ${file} ${why}` }]);
  const url = pathToFileURL(file);
  // A runtime keeps what it has loaded, and what it could not load, by its address.
  url.search = `${++loads}`;
  const loaded: { readonly sign?: unknown } = await import(url.href).catch((error: unknown) => {
    throw bad(`can not be loaded: ${error instanceof Error ? error.message : String(error)}`);
  });
  if (typeof loaded.sign !== 'function') throw bad('exports no function sign');
  return loaded.sign as NonNullable<OutboundOptions['sign']>;
}
