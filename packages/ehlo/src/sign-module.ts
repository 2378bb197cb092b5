import { pathToFileURL } from 'node:url';
import { ConfigError } from '@ehlo/relay';
import type { OutboundOptions } from '@ehlo/relay/outbound';

/** What signs: the function `sign` of a module that a configuration names. Loaded once: another version takes a restart. Throws `ConfigError`. */
export async function signModule(file: string): Promise<NonNullable<OutboundOptions['sign']>> {
  const bad = (why: string): ConfigError => new ConfigError([{ path: 'delivery.sign', text: `delivery.sign: the module ${file} ${why}` }]);
  const loaded: { readonly sign?: unknown } = await import(pathToFileURL(file).href).catch((error: unknown) => {
    throw bad(`can not be loaded: ${error instanceof Error ? error.message : String(error)}`);
  });
  if (typeof loaded.sign !== 'function') throw bad('exports no function sign');
  return loaded.sign as NonNullable<OutboundOptions['sign']>;
}
