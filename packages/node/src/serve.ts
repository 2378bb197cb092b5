import { type ServeOptions as DriverOptions, type Handler, type Server, serveOn } from '@ehlo/driver';
import { type ListenOptions, listen } from './listen.ts';

export interface ServeOptions extends DriverOptions, ListenOptions {}

/**
 * Listens and serves SMTP.
 *
 * Rejects with Node's error if it can't listen, with `SmtpUsageError` if the options are wrong.
 *
 * @example
 * ```ts
 * import { serve } from '@ehlo/node';
 * const server = await serve({ port: 0, hostname: 'mx.example.org', preset: 'sink' }, {});
 * await server.close();
 * ```
 */
export async function serve(options: ServeOptions, handler: Handler): Promise<Server> {
  const { host, port, path, mode, backlog, ...rest } = options;
  const listener = await listen(options);
  try {
    return serveOn(listener, rest, handler);
  } catch (error) {
    await listener.close();
    throw error;
  }
}
