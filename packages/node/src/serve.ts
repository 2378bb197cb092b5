import { type ServeOptions as DriverOptions, type Handler, type Server, serveOn } from '@ehlo/driver';
import { type ListenOptions, listen } from './listen.ts';

export interface ServeOptions extends DriverOptions, ListenOptions {
  /** Where `tls` is given STARTTLS is offered, unless this says otherwise. */
  readonly starttls?: 'off' | 'offered' | 'required';
}

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
  const { host, port, path, mode, backlog, tls, implicitTls, handshakeTimeout, ...rest } = options;
  const { tlsTimeout } = rest.limits ?? {};
  const listener = await listen({ ...(tlsTimeout === undefined ? {} : { handshakeTimeout: tlsTimeout }), ...options });
  try {
    return serveOn(listener, { starttls: tls === undefined ? 'off' : 'offered', ...rest }, handler);
  } catch (error) {
    await listener.close();
    throw error;
  }
}
