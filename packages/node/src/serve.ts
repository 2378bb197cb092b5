import { type Extension, type Handler, type ListenAndServeOptions, listenAndServe, type Server, type SessionDataOf } from '@ehlo/driver';
import { listen } from './listen.ts';
import type { ServerTls, TlsSettings } from './server-tls.ts';
import { warn } from './warn.ts';

export interface ServeOptions<Data = unknown, X extends Extension = Extension>
  extends ListenAndServeOptions<TlsSettings | ServerTls, Data, X> {}

/**
 * Listens and serves SMTP.
 *
 * Rejects with Node's error if it can't listen, with `SmtpUsageError` if the options are wrong. The first failure of a handler that has no
 * method `error` is told by a warning of the process.
 *
 * @example
 * ```ts
 * import { serve } from '@ehlo/node';
 * const server = await serve({ port: 0, hostname: 'mx.example.org', preset: 'sink' }, {});
 * await server.close();
 * ```
 */
export async function serve<Data = undefined, X extends Extension = never>(
  options: ServeOptions<Data, X> & SessionDataOf<Data>,
  handler: Handler<NoInfer<Data>, NoInfer<X>>,
): Promise<Server> {
  return await listenAndServe(listen, options, handler, warn);
}
